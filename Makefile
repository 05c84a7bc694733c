# dynachain. `make` lists what can be made.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

FUNCTIONS := policy backup-copy backup-session chain-edit chain-report retention-prune table-restore
REGIONS := eu-central-1 eu-west-1
PYTHON := .venv/bin/python
PROGRAMS := $(wildcard tests/local-stack/python/*.py)
STAMP := .venv/.requirements

# The processor that functions are built for; deploy asks for the same.
NATIVE := $(subst aarch64,arm64,$(shell uname -m))
ARCH ?= $(NATIVE)
TARGET_arm64 := aarch64-unknown-linux-gnu
TARGET_x86_64 := x86_64-unknown-linux-gnu
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)

# The parts of bench.
PARTS ?= bench large copies prune year

# deploy and destroy
STACK ?= dynachain
REGION ?=
BUCKET ?=
PREFIX ?= dynachain/
PRIMARY_KEY_ARN ?=
SETTINGS ?=

# Tests run by nextest where it is installed: each in a process of its own. Set RUNNER= for plain `cargo test`.
RUNNER ?= $(shell cargo nextest --version >/dev/null 2>&1 && echo nextest)
# Flows wait more than they compute: for the local AWS, and for rates that are kept.
TEST_THREADS ?= $(shell echo $$((3 * $$(getconf _NPROCESSORS_ONLN))))

.PHONY: help tools functions build test lint demo local bench bench-emulator deploy destroy check-aws

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

tools: $(STAMP) ## the Python packages of tests/requirements.txt, in .venv

$(STAMP): tests/requirements.txt
	@test -x $(PYTHON) || python3 -m venv .venv
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
	@touch $@

functions:
	@cargo build --locked $(FUNCTIONS:%=-p %)

build: ## the functions' zips for deployment, in dist/ (ARCH=arm64|x86_64, this machine's by default)
ifneq ($(ARCH),$(NATIVE))
	@rustup target list --installed | grep -qx $(TARGET_$(ARCH)) && command -v cargo-zigbuild >/dev/null || { \
	  echo "This machine is $(NATIVE). To build for $(ARCH): rustup target add $(TARGET_$(ARCH)), and install" \
	       "cargo-zigbuild and zig; or run make build on such a machine." >&2; exit 1; }
	cargo zigbuild --locked --release --target $(TARGET_$(ARCH)).2.34 $(FUNCTIONS:%=-p %)
else
	cargo build --locked --release $(FUNCTIONS:%=-p %)
endif
	@for function in $(FUNCTIONS); do \
	  PACK_LEVEL=9 python3 tests/local-stack/python/pack.py \
	    $(TARGET_DIR)/$(if $(filter $(ARCH),$(NATIVE)),,$(TARGET_$(ARCH))/)release/$$function dist/$$function.zip; \
	done
	@ls -l dist

test: tools functions ## all tests, on a local AWS
ifeq ($(RUNNER),nextest)
	cargo nextest run --config-file tests/nextest.toml --locked --workspace --no-tests fail --test-threads $(TEST_THREADS)
	cargo test --locked --workspace --doc --quiet
else
	cargo test --locked --workspace
endif

lint: tools ## formatting, clippy, the template, our Python
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- --deny warnings
	.venv/bin/cfn-lint --regions $(REGIONS) -- infra/template.yaml
	@for program in $(PROGRAMS); do $(PYTHON) -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' $$program; done

demo: tools functions ## a policy, its sessions, regular and copy chains in three Regions, on a local AWS (KEEP=1 leaves it up)
	@KEEP=$(KEEP) cargo run --locked --quiet -p end-to-end --bin demo

local: tools functions ## keeps a local AWS up until Ctrl-C; `. .local/env` in a second terminal (NOW=<time>, THIRD_REGION=1, OTHER_ACCOUNT=1)
	@THIRD_REGION=$(THIRD_REGION) OTHER_ACCOUNT=$(OTHER_ACCOUNT) cargo run --locked --quiet -p local-stack --bin local

bench: tools functions ## what sessions, copies and retention cost, a year of sessions against an oracle (PARTS="bench large copies prune year", TABLES=100)
	@for part in $(PARTS); do cargo run --locked --quiet -p end-to-end --bin $$part; done

bench-emulator: ## the AWS Backup emulator alone with a million recovery points: its rates and its memory (TABLES=10000)
	@cargo bench --locked --quiet -p aws-backup-emulator --bench scale

check-aws:
	@test -n "$(REGION)" || { echo "REGION is needed: the Region of the stack, such as REGION=eu-central-1" >&2; exit 1; }
	@command -v aws >/dev/null || test -x .venv/bin/aws || { echo "the AWS CLI is needed: install it, or run make tools" >&2; exit 1; }

deploy: export PATH := $(PATH):$(CURDIR)/.venv/bin
deploy: check-aws build ## deploys to your AWS account: REGION= BUCKET= (STACK= PRIMARY_KEY_ARN= SETTINGS="Name=value …")
	@test -n "$(BUCKET)" || { echo "BUCKET is needed: an S3 bucket in $(REGION) for the functions' zips and the template" >&2; exit 1; }
	@version=$$(cat dist/*.zip | git hash-object --stdin); \
	aws s3 cp --region $(REGION) --recursive --exclude '*' --include '*.zip' dist/ s3://$(BUCKET)/$(PREFIX)$$version/; \
	aws cloudformation deploy --region $(REGION) --stack-name $(STACK) --template-file infra/template.yaml \
	  --s3-bucket $(BUCKET) --s3-prefix $(PREFIX)templates \
	  --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset --parameter-overrides \
	  CodeBucket=$(BUCKET) CodePrefix=$(PREFIX)$$version/ Architecture=$(ARCH) PrimaryKeyArn=$(PRIMARY_KEY_ARN) $(SETTINGS); \
	aws cloudformation describe-stacks --region $(REGION) --stack-name $(STACK) --query 'Stacks[0].Outputs' --output table

destroy: export PATH := $(PATH):$(CURDIR)/.venv/bin
destroy: check-aws ## deletes the stack from your AWS account: REGION= (STACK=); says what stays
	aws cloudformation delete-stack --region $(REGION) --stack-name $(STACK)
	aws cloudformation wait stack-delete-complete --region $(REGION) --stack-name $(STACK)
	@echo "The stack $(STACK) in $(REGION) is gone. Kept on purpose, and still billed: the vault with its restore points, the"; \
	echo "catalog table and the KMS key. Without the key no restore point can be read again. To be rid of them, delete the"; \
	echo "restore points, then the vault; turn off the table's deletion protection and delete it; schedule the key's deletion."; \
	echo "Before the stack is made anew under the same names, the vault and the table must be gone, or imported into it."
