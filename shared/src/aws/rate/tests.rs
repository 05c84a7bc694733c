use std::sync::Mutex as Cell;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use rstest::rstest;

use super::*;
use crate::aws::fake;

/// A header with the code, if there is one, and a body.
type Refusal = (Option<&'static str>, &'static [u8]);

fn refusal(header: Option<&'static str>, body: &'static [u8]) -> Refusal {
    (header, body)
}

/// AWS that refuses the first calls so, the last one first; then it takes them.
#[derive(Clone, Debug, Default)]
struct Aws(Arc<Cell<Vec<Refusal>>>);

impl HttpConnector for Aws {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let refusal = self.0.lock().unwrap().pop();
        let status: u16 = if refusal.is_some() { 400 } else { 200 };
        let (header, body) = refusal.unwrap_or((None, b"{}"));
        let mut answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        if let Some(header) = header {
            answer.headers_mut().insert("x-amzn-errortype", header);
        }
        HttpConnectorFuture::ready(Ok(answer))
    }
}

/// Waits for nothing.
#[derive(Debug)]
struct NoSleep;

impl AsyncSleep for NoSleep {
    fn sleep(&self, _: Duration) -> Sleep {
        Sleep::new(std::future::ready(()))
    }
}

fn config(refusals: &[Refusal]) -> SdkConfig {
    let aws = Aws(Arc::new(Cell::new(refusals.to_vec())));
    fake::config(aws)
        .into_builder()
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .sleep_impl(SharedAsyncSleep::new(NoSleep))
        .build()
}

impl Rate {
    fn share(&self) -> f64 {
        self.0.pace().share(self.0.now())
    }
}

const THROTTLED_HEADER: Refusal = (Some("ThrottlingException:http://internal.amazon.com/"), b"{}");
const THROTTLED_BODY: Refusal =
    (None, br#"{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "slow down"}"#);
const THROTTLED_XML: Refusal = (
    None,
    b"<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>slow down</Message></Error></ErrorResponse>",
);
/// A map of one member.
const THROTTLED_CBOR: Refusal = (None, b"\xa1\x66__type\x73ThrottlingException");

#[tokio::test]
async fn a_throttled_attempt_that_the_sdk_repeats_slows_calls_down_and_only_those_of_its_rate() {
    let config = config(&[THROTTLED_HEADER]);
    let (start, list) = (Rate::per_second(1000), Rate::per_second(1000));
    let call = aws_sdk_backup::Client::new(&config).start_backup_job().backup_vault_name("v");
    let call = call.resource_arn("t").iam_role_arn("r").customize().interceptor(start.ready().await);
    call.send().await.unwrap();
    assert!((start.share() - 0.5).abs() < 0.1, "{}", start.share());
    assert!(list.share() >= 1.0, "another rate is not touched");
}

#[rstest]
#[case::in_a_header(THROTTLED_HEADER, true)]
#[case::in_a_json_body(THROTTLED_BODY, true)]
#[case::in_xml(THROTTLED_XML, true)]
#[case::in_cbor(THROTTLED_CBOR, true)]
#[case::a_quota(refusal(Some("LimitExceededException"), b"{}"), false)]
#[case::another_refusal(refusal(None, br#"{"__type": "x#ResourceNotFoundException"}"#), false)]
#[case::another_refusal_in_cbor(refusal(None, b"\xa1\x66__type\x6dInternalError"), false)]
#[case::no_code(refusal(None, b"nobody is at home"), false)]
#[case::nothing_that_can_be_read(refusal(None, b"\xff\xfe"), false)]
#[tokio::test]
async fn throttled_answers_are_told_from_others_in_every_protocol(
    #[case] refusal: Refusal,
    #[case] slows: bool,
) {
    let rate = Rate::per_second(1000);
    let call = aws_sdk_dynamodb::Client::new(&config(&[refusal])).list_tables();
    // The refusal may or may not be repeated; the rate tells what was made of it.
    let _answer = call.customize().interceptor(rate.ready().await).send().await;
    assert_eq!(rate.share() < 0.9, slows, "{}", rate.share());
}

#[tokio::test]
async fn calls_wait_for_their_turn_and_longer_when_one_was_throttled() {
    let rate = Rate::per_second(200);
    let turns = |n: usize| {
        let rate = rate.clone();
        async move {
            let began = Instant::now();
            futures::future::join_all((0..n).map(|_| rate.ready())).await;
            began.elapsed()
        }
    };
    assert!(turns(11).await >= Duration::from_millis(50), "the first at once, ten a twentieth of a second");
    rate.0.pace().throttled(rate.0.now());
    assert!(turns(11).await >= Duration::from_millis(100), "half as fast");
}
