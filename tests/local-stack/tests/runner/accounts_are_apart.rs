//! A stack in another account: what the source account may do there, and what no account may.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local_stack::{ACCOUNT, LocalStack, OTHER_ACCOUNT, Options, SOURCE_REGION, TARGET_REGION};
use serde_json::{Value, json};

use crate::probes;

const CONTEXT: &str = "111122223333/eu-central-1";

fn context(source: &str) -> Value {
    json!({"dynachain:format": "1", "dynachain:source": source})
}

/// The code of what a function of an account gets for a call to KMS in the Region that both accounts have a key in.
async fn outcome(
    stack: &LocalStack,
    account: &str,
    region: &str,
    function: &str,
    call: (&str, Value),
) -> String {
    let (operation, parameters) = call;
    let call = json!({
        "service": "kms", "operation": operation, "parameters": parameters, "region": TARGET_REGION,
    });
    let answer = stack.of(account).invoke(region, function, &json!({"calls": [call]})).await;
    answer.expect("an answer")[0].as_str().expect("a code").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_account_may_wrap_its_own_data_keys_and_nothing_else() {
    let directory = tempfile::tempdir().expect("a directory");
    let stack =
        probes::start_with_probes(directory.path(), Options { other_account: true, ..Options::default() })
            .await;
    let other = stack.other_account().expect("a stack there").output("KeyArn").expect("a key").to_owned();
    let own = stack.deployments()[1].output("KeyArn").expect("a key").to_owned();
    let encrypt = |context: Value| {
        // The AWS SDK for Python takes text for bytes.
        ("encrypt", json!({"KeyId": other, "Plaintext": "0123456789abcdef", "EncryptionContext": context}))
    };
    let by_session = async |call| outcome(&stack, ACCOUNT, SOURCE_REGION, "backup-session", call).await;
    assert_eq!(by_session(encrypt(context(CONTEXT))).await, "");
    let denied = "AccessDeniedException";
    assert_eq!(by_session(encrypt(context("999988887777/eu-central-1"))).await, denied, "another's tables");
    assert_eq!(by_session(encrypt(context("111122223333"))).await, denied, "no Region");
    assert_eq!(by_session(encrypt(json!({"other": "x"}))).await, denied);
    assert_eq!(by_session(encrypt(json!({}))).await, denied);
    let make = json!({"KeyId": other, "KeySpec": "AES_256", "EncryptionContext": context(CONTEXT)});
    assert_eq!(by_session(("generate_data_key", make)).await, denied, "its own key alone");
    for function in ["policy", "chain-report"] {
        let call = encrypt(context(CONTEXT));
        assert_eq!(outcome(&stack, ACCOUNT, SOURCE_REGION, function, call).await, denied, "{function}");
    }

    // What the one account wrapped, neither the other nor the one itself unwraps with the key that it is not for.
    let theirs = aws_sdk_kms::Client::new(&stack.of(OTHER_ACCOUNT).sdk_config(TARGET_REGION).await);
    let ours = aws_sdk_kms::Client::new(&stack.sdk_config(TARGET_REGION).await);
    let wrapped = async |client: &aws_sdk_kms::Client, key: &str| {
        let call = client.encrypt().key_id(key).plaintext(aws_sdk_kms::primitives::Blob::new([7; 32]));
        let call =
            call.encryption_context("dynachain:format", "1").encryption_context("dynachain:source", CONTEXT);
        call.send().await.expect("encrypted").ciphertext_blob.expect("bytes").into_inner()
    };
    let (for_them, for_us) = (wrapped(&theirs, &other).await, wrapped(&ours, &own).await);
    let decrypt = async |key: &str, blob: &[u8], account: &str, source: &str| {
        let client = if account == ACCOUNT { &ours } else { &theirs };
        let call = client.decrypt().key_id(key).ciphertext_blob(aws_sdk_kms::primitives::Blob::new(blob));
        let call =
            call.encryption_context("dynachain:format", "1").encryption_context("dynachain:source", source);
        let answer = call.send().await.map(|answer| answer.plaintext.expect("bytes").into_inner());
        answer.map_err(|error| error.into_service_error().meta().code().unwrap_or_default().to_owned())
    };
    assert_eq!(decrypt(&other, &for_them, OTHER_ACCOUNT, CONTEXT).await, Ok(vec![7; 32]));
    let incorrect = Err("IncorrectKeyException".to_owned());
    assert_eq!(decrypt(&other, &for_us, OTHER_ACCOUNT, CONTEXT).await, incorrect);
    assert_eq!(decrypt(&own, &for_them, ACCOUNT, CONTEXT).await, incorrect);
    let invalid = Err("InvalidCiphertextException".to_owned());
    assert_eq!(decrypt(&own, &[0; 100], ACCOUNT, CONTEXT).await, invalid);
    assert_eq!(decrypt(&own, &for_us, ACCOUNT, "111122223333/eu-west-1").await, invalid);
    let unwrap = json!({
        "KeyId": other, "CiphertextBlob": STANDARD.encode(&for_them), "EncryptionContext": context(CONTEXT),
    });
    let report = outcome(&stack, ACCOUNT, TARGET_REGION, "chain-report", ("decrypt", unwrap)).await;
    assert_eq!(report, denied, "wrapping is all that the account is let do");
    stack.stop().await;
}
