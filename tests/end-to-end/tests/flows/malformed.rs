//! Payloads that are no request at all, as the AWS CLI sends them.

use local_stack::SOURCE_REGION;
use serde_json::{Value, json};

use crate::support::{World, example};

impl World {
    /// Sends these bytes to the policy function, which refuses them; its refusal, or what the AWS CLI said.
    async fn sent(&self, payload: &[u8]) -> Value {
        let directory = tempfile::tempdir().expect("a directory");
        let (sent, answer) = (directory.path().join("sent"), directory.path().join("answer"));
        std::fs::write(&sent, payload).expect("written");
        let mut invoke = self.stack.aws_cli(SOURCE_REGION);
        invoke.args(["lambda", "invoke", "--function-name", "dynachain-policy"]);
        invoke.arg("--payload").arg(format!("fileb://{}", sent.display())).arg(&answer);
        let done = invoke.output().await.expect("the AWS CLI");
        match std::fs::read(&answer) {
            Ok(answer) => {
                assert!(String::from_utf8_lossy(&done.stdout).contains("FunctionError"), "{done:?}");
                serde_json::from_slice(&answer).expect("JSON")
            }
            Err(_) => json!({"errorMessage": String::from_utf8_lossy(&done.stderr)}),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_no_text_is_refused_and_nothing_is_stored() {
    let world = World::start().await;
    let mut large = example("a", &json!({"tables": ["a-*"]}));
    large["description"] = json!("x".repeat(1 << 20));
    let apply = |document: &Value| json!({ "apply": document }).to_string().into_bytes();
    let refused = world.sent(&apply(&large)).await;
    let said =
        "$: is too large (1025 KB), at most 300 KB are possible; use globs or tags instead of long lists";
    assert_eq!(refused["errorType"], "InvalidPolicy", "{refused}");
    assert_eq!(refused["errorMessage"], said);

    let mut invalid = apply(&example("a", &json!({"tables": ["a-*"]})));
    let at = invalid.iter().position(|byte| *byte == b'A').expect("An example");
    invalid[at] = 0xff;
    // Lambda takes nothing but JSON (AWS Lambda API Reference, `Invoke`), so this does not even reach the function.
    let refused = world.sent(&invalid).await;
    let said = refused["errorMessage"].as_str().unwrap_or_default();
    assert!(said.contains("when calling the Invoke operation") && said.contains("0xff"), "{said}");
    assert!(world.catalog().await.is_empty());
    assert!(world.schedules().await.is_empty());
    world.apply(&example("a", &json!({"tables": ["a-*"]}))).await;
}
