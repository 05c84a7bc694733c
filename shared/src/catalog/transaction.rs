//! Several writes to the catalog, all or none.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use super::item::{Item, Key};
use super::{Catalog, CatalogError};
use crate::aws::AwsError;

/// How long others are waited for that write to the same items, from one attempt to the next.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
];

/// What became of a transaction.
enum Outcome {
    Written,
    /// A condition does not hold.
    Unmet,
    /// Somebody else was writing to one of the items.
    Crossed(CatalogError),
}

/// One write of a transaction.
#[derive(Debug)]
pub(super) enum Write {
    /// Puts an item, if what is there meets the condition.
    Put(Item, Option<Condition>),
    /// Deletes an item, if it is there.
    Delete(Key),
}

/// What must hold of the item that is there. `#state` stands for the attribute `state`, a reserved word.
#[derive(Debug)]
pub(super) struct Condition {
    expression: &'static str,
    values: Item,
}

impl Condition {
    pub(super) fn new<const N: usize>(expression: &'static str, values: [(&str, AttributeValue); N]) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { expression, values }
    }

    /// That there is no such item yet.
    pub(super) fn absent() -> Self {
        Self::new("attribute_not_exists(pk)", [])
    }
}

impl Catalog {
    /// Writes all or nothing; false when a condition does not hold. Others that write to the same items at the same moment
    /// are waited for.
    pub(super) async fn transact(&self, writes: Vec<Write>) -> Result<bool, CatalogError> {
        let writes: Result<Vec<_>, _> = writes.into_iter().map(|write| self.transacted(write)).collect();
        let request = self.client.transact_write_items().set_transact_items(Some(writes?));
        for pause in PAUSES {
            match self.outcome(request.clone().send().await)? {
                Outcome::Written => return Ok(true),
                Outcome::Unmet => return Ok(false),
                Outcome::Crossed(_) => tokio::time::sleep(pause).await,
            }
        }
        match self.outcome(request.send().await)? {
            Outcome::Written => Ok(true),
            Outcome::Unmet => Ok(false),
            Outcome::Crossed(error) => Err(error),
        }
    }

    /// Why a transaction was cancelled stands in the reasons, one per write (Amazon DynamoDB API Reference,
    /// "TransactWriteItems").
    fn outcome<T>(
        &self,
        answer: Result<T, SdkError<TransactWriteItemsError, HttpResponse>>,
    ) -> Result<Outcome, CatalogError> {
        let Err(error) = answer else { return Ok(Outcome::Written) };
        let refused = self.aws(AwsError::new("TransactWriteItems", &error));
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
        else {
            return Err(refused);
        };
        let reasons = cancelled.cancellation_reasons();
        let any = |code: &str| reasons.iter().any(|reason| reason.code() == Some(code));
        match () {
            () if any("ConditionalCheckFailed") => Ok(Outcome::Unmet),
            () if any("TransactionConflict") || any("ThrottlingError") => Ok(Outcome::Crossed(refused)),
            () => Err(refused),
        }
    }

    fn transacted(&self, write: Write) -> Result<TransactWriteItem, CatalogError> {
        let item = TransactWriteItem::builder();
        let incomplete = |_| self.aws(AwsError::incomplete("TransactWriteItems", "item"));
        Ok(match write {
            Write::Put(put, condition) => {
                let mut put = Put::builder().table_name(&self.table).set_item(Some(put));
                if let Some(Condition { expression, values }) = condition {
                    let state = [("#state".to_owned(), "state".to_owned())];
                    put = put
                        .condition_expression(expression)
                        .set_expression_attribute_names(
                            expression.contains("#state").then(|| HashMap::from(state)),
                        )
                        .set_expression_attribute_values((!values.is_empty()).then_some(values));
                }
                item.put(put.build().map_err(incomplete)?)
            }
            Write::Delete(key) => {
                let delete = Delete::builder().table_name(&self.table).set_key(Some(key.attributes()));
                item.delete(delete.build().map_err(incomplete)?)
            }
        }
        .build())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use aws_smithy_types::body::SdkBody;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    /// DynamoDB, giving one answer after the other: a cancellation's reason, or success when there is none; the last one
    /// again and again.
    #[derive(Clone, Debug)]
    struct Answers(&'static [Option<&'static str>], Arc<AtomicUsize>);

    impl HttpConnector for Answers {
        fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
            let asked = self.1.fetch_add(1, Ordering::SeqCst);
            let answer = self.0[asked.min(self.0.len() - 1)];
            let (status, body) = match answer {
                None => (200, json!({})),
                Some(reason) => (
                    400,
                    json!({ "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                        "Message": "cancelled", "CancellationReasons": [{ "Code": "None" }, { "Code": reason }] }),
                ),
            };
            let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body.to_string()));
            HttpConnectorFuture::ready(Ok(response))
        }
    }

    async fn transact(answers: &'static [Option<&'static str>]) -> (Result<bool, String>, usize) {
        let connector = Answers(answers, Arc::default());
        let shared = SharedHttpConnector::new(connector.clone());
        let config = aws_config::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "a", "b", None, None, "test",
            )))
            .http_client(http_client_fn(move |_, _| shared.clone()))
            .build();
        let delete = Write::Delete(Key::new("OPEN", "one"));
        let outcome = Catalog::new(&config, "dynachain").transact(vec![delete]).await;
        (outcome.map_err(|error| error.to_string()), connector.1.load(Ordering::SeqCst))
    }

    #[rstest]
    #[case::written(&[None], true, 1)]
    #[case::a_condition_that_does_not_hold(&[Some("ConditionalCheckFailed")], false, 1)]
    #[case::others_are_waited_for(&[Some("TransactionConflict"), Some("TransactionConflict"), None], true, 3)]
    #[case::and_may_have_changed_what_was_read(&[Some("TransactionConflict"), Some("ConditionalCheckFailed")], false, 2)]
    #[tokio::test]
    async fn a_transaction_is_written_or_a_condition_does_not_hold(
        #[case] answers: &'static [Option<&'static str>],
        #[case] written: bool,
        #[case] calls: usize,
    ) {
        assert_eq!(transact(answers).await, (Ok(written), calls));
    }

    #[tokio::test]
    async fn what_is_cancelled_for_good_is_an_error() {
        let (outcome, calls) = transact(&[Some("ValidationError")]).await;
        assert!(outcome.unwrap_err().contains("TransactionCanceledException") && calls == 1);
        let (outcome, calls) = transact(&[Some("TransactionConflict")]).await;
        assert!(outcome.unwrap_err().contains("TransactionCanceledException") && calls == PAUSES.len() + 1);
    }
}
