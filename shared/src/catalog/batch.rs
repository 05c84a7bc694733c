//! Many items in one call.

use std::time::Duration;

use aws_sdk_dynamodb::types::{KeysAndAttributes, PutRequest, WriteRequest};

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::item::{Item, Key};
use super::{Catalog, CatalogError};
use crate::aws::AwsError;

/// `BatchGetItem` takes up to 100 keys (Amazon DynamoDB API Reference).
pub(super) const READ_BATCH: usize = 100;

/// `BatchWriteItem` takes up to 25 items (Amazon DynamoDB API Reference).
pub(super) const WRITE_BATCH: usize = 25;
/// So many calls in a row of which DynamoDB takes nothing are an error.
const REPEATS: u32 = 8;
/// The pause before what a call left over is sent again; twice as long after each in a row of which nothing was taken.
const PAUSE: Duration = Duration::from_millis(50);

/// Calls of one kind at the same time.
const CONCURRENT: usize = 8;

impl Catalog {
    /// Those of the items that are there, however many are asked for, in any order and as eventually consistent as such reads
    /// are.
    pub(super) async fn get_all(&self, keys: impl Iterator<Item = Key>) -> Result<Vec<Item>, CatalogError> {
        let keys: Vec<Key> = keys.collect();
        let batches: Vec<Vec<Key>> = keys.chunks(READ_BATCH).map(<[_]>::to_vec).collect();
        stream::iter(batches)
            .map(|batch| async move { self.get_batch(batch.into_iter()).await })
            .buffer_unordered(CONCURRENT)
            .try_concat()
            .await
    }

    /// Those of up to [`READ_BATCH`] items that are there, in any order, as eventually consistent as such reads are.
    pub(super) async fn get_batch(&self, keys: impl Iterator<Item = Key>) -> Result<Vec<Item>, CatalogError> {
        let mut wanted: Vec<Item> = keys.map(|key| key.attributes()).collect();
        let (mut found, mut refused) = (Vec::new(), 0);
        while !wanted.is_empty() {
            let asked = wanted.len();
            let request = KeysAndAttributes::builder().set_keys(Some(wanted)).build();
            let request = request.map_err(|_| self.aws(AwsError::incomplete("BatchGetItem", "key")))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, request)
                .send()
                .await
                .map_err(|error| self.aws(AwsError::new("BatchGetItem", &error)))?;
            found.extend(answer.responses.unwrap_or_default().into_values().flatten());
            let left = answer.unprocessed_keys.unwrap_or_default().into_values().next();
            wanted = left.map(|left| left.keys).unwrap_or_default();
            refused = if wanted.len() < asked { 0 } else { refused + 1 };
            if !wanted.is_empty() {
                self.pause("BatchGetItem", refused).await?;
            }
        }
        Ok(found)
    }

    /// Writes up to [`WRITE_BATCH`] items, each with keys of its own, over whatever was there.
    ///
    /// A role that may call `BatchWriteItem` may delete with it as well: only roles get that permission which have
    /// `dynamodb:DeleteItem` on the same table anyway.
    pub(super) async fn put_batch(&self, items: Vec<Item>) -> Result<(), CatalogError> {
        const OPERATION: &str = "BatchWriteItem";
        let mut writes = Vec::with_capacity(items.len());
        for item in items {
            let put = PutRequest::builder().set_item(Some(item)).build();
            let put = put.map_err(|_| self.aws(AwsError::incomplete(OPERATION, "item")))?;
            writes.push(WriteRequest::builder().put_request(put).build());
        }
        let mut refused = 0;
        while !writes.is_empty() {
            let sent = writes.len();
            let call = self.client.batch_write_item().request_items(&self.table, writes);
            let answer = call.send().await.map_err(|error| self.aws(AwsError::new(OPERATION, &error)))?;
            writes = answer.unprocessed_items.unwrap_or_default().into_values().flatten().collect();
            if writes.is_empty() {
                break;
            }
            refused = if writes.len() < sent { 0 } else { refused + 1 };
            self.pause(OPERATION, refused).await?;
        }
        Ok(())
    }

    /// What a batch leaves over was throttled, and is sent again a little later (Amazon DynamoDB Developer Guide, "Batch
    /// operations").
    async fn pause(&self, operation: &'static str, refused: u32) -> Result<(), CatalogError> {
        let Some(pause) = pause(refused) else {
            let message = "DynamoDB took none of the items, again and again";
            return Err(self.aws(AwsError::refused(operation, "ThrottlingException", message)));
        };
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// How long to wait after so many calls in a row of which nothing was taken; `None` when that is enough of them.
fn pause(refused: u32) -> Option<Duration> {
    (refused < REPEATS).then(|| PAUSE * 2_u32.pow(refused))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::fake;
    use crate::chain::{ListedPoint, Reading, RestorePoint};
    use crate::metadata::core_tests::core;

    /// DynamoDB that takes so many items of each call and leaves the rest.
    #[derive(Clone, Debug)]
    struct Takes {
        most: usize,
        /// How many items each call brought.
        calls: Arc<Mutex<Vec<usize>>>,
        taken: Arc<Mutex<Vec<String>>>,
    }

    impl Takes {
        fn at_most(most: usize) -> Self {
            Self { most, calls: Arc::default(), taken: Arc::default() }
        }

        fn catalog(&self) -> Catalog {
            Catalog::new(&fake::config(self.clone()), "catalog")
        }
    }

    impl HttpConnector for Takes {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            let writes = body["RequestItems"]["catalog"].as_array().unwrap();
            self.calls.lock().unwrap().push(writes.len());
            let (taken, left) = writes.split_at(self.most.min(writes.len()));
            let key = |write: &Value| write["PutRequest"]["Item"]["pk"]["S"].as_str().unwrap().to_owned();
            self.taken.lock().unwrap().extend(taken.iter().map(key));
            let left = if left.is_empty() { json!({}) } else { json!({ "catalog": left }) };
            let answer = json!({ "UnprocessedItems": left }).to_string();
            HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::from(answer))))
        }
    }

    fn points(many: usize) -> Vec<RestorePoint> {
        let point = |n| ListedPoint {
            arn: format!("arn:aws:backup:eu-central-1:111122223333:recovery-point:{n:032x}").parse().unwrap(),
            table: "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap(),
            vault: core().home_vault,
            status: "COMPLETED".to_owned(),
            created_at: core().started_at,
            size_bytes: None,
        };
        (0..many).map(|n| RestorePoint::identify(point(n), Reading::Opened(Box::new(core())))).collect()
    }

    #[tokio::test]
    async fn many_cores_take_a_call_for_each_25() {
        let dynamodb = Takes::at_most(25);
        let points = points(60);
        // A point that is listed twice is written once: a batch must not name a key twice.
        dynamodb.catalog().points().remember_all(points.iter().chain(&points)).await.unwrap();
        let mut calls = dynamodb.calls.lock().unwrap().clone();
        calls.sort_unstable();
        assert_eq!(calls, [10, 25, 25]);
        assert_eq!(dynamodb.taken.lock().unwrap().len(), 60);
    }

    #[tokio::test]
    async fn what_a_batch_leaves_over_is_sent_again_until_all_is_taken() {
        let dynamodb = Takes::at_most(10);
        dynamodb.catalog().points().remember_all(&points(25)).await.unwrap();
        assert_eq!(*dynamodb.calls.lock().unwrap(), [25, 15, 5]);
        assert_eq!(dynamodb.taken.lock().unwrap().len(), 25);
    }

    #[test]
    fn a_dynamodb_that_takes_nothing_is_waited_for_longer_each_time_and_not_for_ever() {
        let pauses: Vec<_> = (0..).map_while(pause).collect();
        assert!(
            pauses.is_sorted() && pauses.iter().sum::<Duration>() > Duration::from_secs(10),
            "{pauses:?}"
        );
        assert_eq!(pauses.len(), usize::try_from(REPEATS).unwrap());
    }
}
