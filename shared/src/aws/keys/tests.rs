use std::sync::Mutex as StdMutex;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::aws::{Fault, fake};

const OWN: &str = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1";

/// A KMS in which a wrapped key is a text that says what becomes of it: `own …` is unwrapped, anything else is the code of a
/// refusal, up to a space.
#[derive(Clone, Debug, Default)]
struct Kms {
    decrypted: Arc<StdMutex<Vec<String>>>,
}

impl HttpConnector for Kms {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap();
        assert_eq!(body["KeyId"], OWN, "the stack's own key and no other");
        assert_eq!(body["EncryptionContext"]["dynachain:format"], "1");
        let wrapped = STANDARD.decode(body["CiphertextBlob"].as_str().unwrap()).unwrap();
        let wrapped = String::from_utf8(wrapped).unwrap();
        let (status, answer) = match wrapped.split(' ').next().unwrap() {
            "own" => (200, json!({"KeyId": OWN, "Plaintext": STANDARD.encode([7; DataKey::LENGTH])})),
            code => (400, json!({"__type": code, "message": format!("about {wrapped}")})),
        };
        self.decrypted.lock().unwrap().push(wrapped);
        let answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(answer.to_string()));
        HttpConnectorFuture::ready(Ok(answer))
    }
}

impl Kms {
    fn opener(&self) -> KeyOpener {
        KeyOpener::new(&fake::config(self.clone()), OWN.parse().unwrap())
    }

    /// The wrapped keys that KMS was asked for since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.decrypted.lock().unwrap())
    }
}

fn wrapped(keys: &[&str]) -> BTreeMap<u8, Vec<u8>> {
    (1..).zip(keys).map(|(n, key)| (n, key.as_bytes().to_vec())).collect()
}

fn table(region: &str) -> TableArn {
    format!("arn:aws:dynamodb:{region}:111122223333:table/orders").parse().unwrap()
}

#[tokio::test]
async fn a_data_key_is_unwrapped_once_for_all_its_points() {
    let kms = Kms::default();
    let opener = kms.opener();
    for _ in 0..3 {
        opener.open(&wrapped(&["own 1"]), &table("eu-central-1")).await.unwrap();
    }
    opener.open(&wrapped(&["own 2"]), &table("eu-central-1")).await.unwrap();
    assert_eq!(kms.asked(), ["own 1", "own 2"]);
}

#[tokio::test]
async fn the_recipient_that_this_stack_proved_to_be_is_tried_first() {
    let kms = Kms::default();
    let opener = kms.opener();
    opener.open(&wrapped(&["IncorrectKeyException 1", "own 1"]), &table("eu-central-1")).await.unwrap();
    assert_eq!(kms.asked(), ["IncorrectKeyException 1", "own 1"]);
    opener.open(&wrapped(&["IncorrectKeyException 2", "own 2"]), &table("eu-central-1")).await.unwrap();
    assert_eq!(kms.asked(), ["own 2"]);
    // It need not be so for ever.
    opener.open(&wrapped(&["own 3", "IncorrectKeyException 3"]), &table("eu-central-1")).await.unwrap();
    assert_eq!(kms.asked(), ["IncorrectKeyException 3", "own 3"]);
}

#[rstest]
#[case::of_another("IncorrectKeyException", 1)]
#[case::changed("InvalidCiphertextException", 1)]
#[case::disabled("DisabledException", 2)]
#[case::not_allowed("AccessDeniedException", 2)]
#[tokio::test]
async fn only_what_can_never_be_unwrapped_is_not_asked_for_again(#[case] code: &str, #[case] calls: usize) {
    let kms = Kms::default();
    let opener = kms.opener();
    let key = format!("{code} 1");
    let first = opener.open(&wrapped(&[&key]), &table("eu-central-1")).await.unwrap_err();
    let again = opener.open(&wrapped(&[&key]), &table("eu-central-1")).await.unwrap_err();
    assert_eq!((first.code(), first.summary()), (code, again.summary()));
    assert_eq!(kms.asked().len(), calls);
    // Tables of another Region have another context.
    opener.open(&wrapped(&[&key]), &table("eu-west-1")).await.unwrap_err();
    assert_eq!(kms.asked().len(), 1);
}

#[rstest]
#[case::what_may_pass(&["DisabledException", "InvalidCiphertextException", "IncorrectKeyException"], "DisabledException")]
#[case::a_changed_one(&["InvalidCiphertextException", "IncorrectKeyException"], "InvalidCiphertextException")]
#[case::none_of_ours(&["IncorrectKeyException", "IncorrectKeyException"], "IncorrectKeyException")]
#[tokio::test]
async fn of_several_refusals_the_most_telling_is_told(#[case] keys: &[&str], #[case] told: &str) {
    for keys in [keys.to_vec(), keys.iter().rev().copied().collect()] {
        let refusal = Kms::default().opener().open(&wrapped(&keys), &table("eu-central-1")).await;
        assert_eq!(refusal.unwrap_err().code(), told);
    }
}

#[tokio::test]
async fn a_point_without_any_wrapped_key_says_so() {
    let refusal = Kms::default().opener().open(&wrapped(&[]), &table("eu-central-1")).await.unwrap_err();
    assert_eq!(refusal.fault(), Fault::Other);
    assert!(refusal.summary().contains("dynachain:key:1"), "{refusal}");
}
