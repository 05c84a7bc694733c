//! Writes that others are in the way of at this moment: they are repeated.
//!
//! DynamoDB cancels a transaction, and refuses a single write, while another transaction holds one of the items; and it
//! cancels a transaction that is throttled (DynamoDB API Reference, "TransactWriteItems" and "PutItem"). Neither says
//! anything about the condition, and the SDK repeats neither by itself.

use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;

/// Reasons that pass.
const PASSING: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

/// Lets the SDK repeat such writes, with the delays and as often as it repeats others.
#[derive(Debug)]
pub(super) struct RepeatConflicts;

impl ClassifyRetry for RepeatConflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        let Some(error) = error.and_then(|error| error.as_operation_error()) else {
            return RetryAction::NoActionIndicated;
        };
        let passes = match error.downcast_ref() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                pass(cancelled.cancellation_reasons())
            }
            _ => error.downcast_ref().is_some_and(PutItemError::is_transaction_conflict_exception),
        };
        if passes { RetryAction::transient_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "writes that others are in the way of"
    }
}

/// Whether all that stood in the way passes: a condition that does not hold will not.
fn pass(reasons: &[CancellationReason]) -> bool {
    let mut codes =
        reasons.iter().filter_map(|reason| reason.code()).filter(|code| *code != "None").peekable();
    codes.peek().is_some() && codes.all(|code| PASSING.contains(&code))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use aws_sdk_dynamodb::config::retry::RetryConfig;
    use aws_sdk_dynamodb::config::{
        AsyncSleep, BehaviorVersion, Credentials, Region, SharedAsyncSleep, SharedCredentialsProvider, Sleep,
    };
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;
    use rstest::rstest;
    use serde_json::{Value, json};

    use crate::catalog::Catalog;
    use crate::chain::Flag;
    use crate::id::TableArn;

    /// DynamoDB that knows no item, and answers writes with these, the last one first; then it takes them.
    #[derive(Clone, Debug, Default)]
    struct Busy {
        refusals: Arc<Mutex<Vec<Value>>>,
        writes: Arc<Mutex<u32>>,
    }

    impl HttpConnector for Busy {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let writes = !request.headers().get("x-amz-target").unwrap().ends_with("GetItem");
            *self.writes.lock().unwrap() += u32::from(writes);
            let refusal = writes.then(|| self.refusals.lock().unwrap().pop()).flatten();
            let status: u16 = if refusal.is_some() { 400 } else { 200 };
            let body = refusal.unwrap_or_else(|| json!({})).to_string();
            let answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
            HttpConnectorFuture::ready(Ok(answer))
        }
    }

    impl Busy {
        fn refusing(refusals: &[Value]) -> Self {
            Self { refusals: Arc::new(Mutex::new(refusals.to_vec())), ..Self::default() }
        }

        fn catalog(&self) -> Catalog {
            let connector = SharedHttpConnector::new(self.clone());
            let sdk = aws_config::SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::from_static("eu-central-1"))
                .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                    "test", "test", None, None, "test",
                )))
                .retry_config(RetryConfig::standard().with_max_attempts(4))
                .sleep_impl(SharedAsyncSleep::new(NoSleep))
                .http_client(http_client_fn(move |_, _| connector.clone()))
                .build();
            Catalog::new(&sdk, "catalog")
        }

        fn writes(&self) -> u32 {
            *self.writes.lock().unwrap()
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

    fn cancelled(codes: &[&str]) -> Value {
        let reasons: Vec<_> = codes.iter().map(|code| json!({ "Code": code })).collect();
        json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled", "CancellationReasons": reasons,
        })
    }

    fn table() -> TableArn {
        "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap()
    }

    #[rstest]
    #[case::another_transaction(&["None", "TransactionConflict"])]
    #[case::throttled(&["ThrottlingError"])]
    #[tokio::test]
    async fn a_transaction_that_others_are_in_the_way_of_is_repeated(#[case] codes: &[&str]) {
        let busy = Busy::refusing(&[cancelled(codes), cancelled(codes)]);
        assert!(busy.catalog().transact(Vec::new()).await.unwrap());
        assert_eq!(busy.writes(), 3);
    }

    #[rstest]
    #[case::alone(&["ConditionalCheckFailed"])]
    #[case::beside_a_conflict(&["ConditionalCheckFailed", "TransactionConflict"])]
    #[tokio::test]
    async fn a_condition_that_does_not_hold_is_an_answer(#[case] codes: &[&str]) {
        let busy = Busy::refusing(&[cancelled(codes)]);
        assert!(!busy.catalog().transact(Vec::new()).await.unwrap());
        assert_eq!(busy.writes(), 1);
    }

    #[tokio::test]
    async fn a_transaction_that_cannot_be_carried_out_is_an_error_at_once() {
        let busy = Busy::refusing(&[cancelled(&["ValidationError"])]);
        busy.catalog().transact(Vec::new()).await.unwrap_err();
        assert_eq!(busy.writes(), 1);
    }

    #[tokio::test]
    async fn a_debt_that_another_transaction_holds_is_written_when_it_lets_go() {
        let busy = Busy::refusing(&[cancelled(&["TransactionConflict"])]);
        let debts = busy.catalog().debts();
        let lost = "2027-01-04T06:00:00Z".parse().unwrap();
        debts.change(uuid::Uuid::nil(), &table(), Flag::W, |debt| debt.lose(lost)).await.unwrap();
        assert_eq!(busy.writes(), 2);
    }

    #[tokio::test]
    async fn a_single_write_that_a_transaction_is_in_the_way_of_is_repeated() {
        let conflict = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException", "message": "held",
        });
        let busy = Busy::refusing(&[conflict]);
        let now = "2027-01-04T06:00:00Z".parse().unwrap();
        busy.catalog().note_caught_up(uuid::Uuid::nil(), now).await.unwrap();
        assert_eq!(busy.writes(), 2);
    }
}
