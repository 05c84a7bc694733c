//! The variables with which shells, the AWS CLI, boto3 and the functions reach a local AWS.

use std::collections::BTreeMap;

use crate::FUNCTIONS;
use crate::aws::root_key;
use crate::options::{STACK, TARGET_REGION, VAULT};
use crate::repository;
use crate::stack::Endpoints;

/// All of them, for one Region of an account. `PATH` has `.venv/bin` in front.
pub(crate) fn variables(endpoints: &Endpoints, account: &str, region: &str) -> BTreeMap<String, String> {
    let (id, secret) = root_key(account);
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", repository::root().join(".venv/bin").display());
    let mut variables: BTreeMap<String, String> = [
        ("AWS_ACCESS_KEY_ID", id),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_ENDPOINT_URL", &endpoints.ministack),
        ("AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING", &endpoints.auto_scaling),
        ("AWS_ENDPOINT_URL_BACKUP", &endpoints.backup),
        ("AWS_PAGER", ""),
        ("AWS_REGION", region),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("DYNACHAIN_ACCOUNT", account),
        ("DYNACHAIN_CONTROL", &endpoints.control),
        ("DYNACHAIN_STACK", STACK),
        ("DYNACHAIN_TARGET_REGION", TARGET_REGION),
        ("DYNACHAIN_TEST_CLOCK", &endpoints.control),
        ("DYNACHAIN_VAULT", VAULT),
        ("PATH", &path),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    // One of them is deployed a second time, under another name.
    for function in FUNCTIONS.into_iter().chain(["manual-removal"]) {
        let name = function.replace('-', "_").to_uppercase();
        variables.insert(format!("DYNACHAIN_{name}_FUNCTION"), format!("dynachain-{function}"));
    }
    variables
}

/// Shell commands that set variables, for `. .local/env`; whatever could lead the AWS CLI elsewhere is unset.
pub fn exports(variables: &BTreeMap<String, String>) -> String {
    let quoted = |value: &str| format!("'{}'", value.replace('\'', r"'\''"));
    let mut lines =
        vec!["unset AWS_PROFILE AWS_SESSION_TOKEN AWS_IGNORE_CONFIGURED_ENDPOINT_URLS".to_owned()];
    lines.extend(
        variables
            .iter()
            .filter(|(name, _)| *name != "PATH")
            .map(|(name, value)| format!("export {name}={}", quoted(value))),
    );
    let tools = repository::root().join(".venv/bin").display().to_string();
    // The sourcing shell's own PATH goes on.
    lines.push(format!("export PATH={}:\"$PATH\"", quoted(&tools)));
    lines.join("\n") + "\n"
}
