//! The whole of dynachain on a local AWS, without an AWS account: [`LocalStack::start`] starts it and deploys
//! `infra/template.yaml` into two Regions (more, or another account too, if asked), and dropping it ends everything.
//!
//! ministack serves DynamoDB, Lambda, IAM, KMS, EventBridge, Scheduler, CloudFormation, S3 and SQS; moto serves Application
//! Auto Scaling; the emulator of AWS Backup runs in this process, and so does the [`waker`], which fires schedules on the
//! emulated clock. The functions are the real binaries with their roles' own credentials, and every call they make is
//! checked against the template's policies.

mod account;
mod aws;
mod control;
mod deployment;
pub mod environment;
mod functions;
mod http;
mod keep;
mod options;
mod processes;
mod repository;
mod stack;
pub mod waker;

pub use account::Account;
pub use aws::{ACCOUNT, OTHER_ACCOUNT, ROOT_KEY};
pub use control::Control;
pub use deployment::Deployment;
pub use functions::alone::{Outcome, run_function_once};
pub use functions::binaries::{BIN_DIR, FUNCTIONS, directory as function_binaries};
pub use functions::{FunctionError, InvokeError};
pub use keep::{Notes, ended, keep};
pub use options::{Options, SOURCE_REGION, STACK, TARGET_REGION, THIRD_REGION, VAULT};
pub use repository::root as repository_root;
pub use stack::{LocalStack, unique};
