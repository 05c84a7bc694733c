//! Copies in the catalog: what is wanted in each target vault, and what became of it.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::item::{BATCH, Item, Key};
use super::{Catalog, CatalogError};
use crate::id::{RecoveryPointArn, VaultArn};

const CONCURRENT: usize = 8;

/// How a wanted copy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyState {
    /// It waits for its turn.
    Queued,
    /// A copy job has been asked for.
    Running,
    /// It is there, and its metadata can be read.
    Usable,
    /// It can never come about: the source is in cold storage or gone, or the target vault is gone.
    Impossible,
    /// No further attempt is made at it.
    GivenUp,
}

impl CopyState {
    /// Whether nothing more is to come: only then may the source be deleted for all that the copy needs it.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Usable | Self::Impossible | Self::GivenUp)
    }
}

/// The catalog's items about copies.
#[derive(Clone, Debug)]
pub struct Copies(Catalog);

impl Catalog {
    /// The items about copies.
    pub fn copies(&self) -> Copies {
        Copies(self.clone())
    }
}

impl Copies {
    /// Those of the wanted copies, each a source and a target vault, that are settled. One that the catalog does not know, or
    /// whose item it cannot read, is not.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn settled(
        &self,
        wanted: &[(RecoveryPointArn, VaultArn)],
    ) -> Result<HashSet<(RecoveryPointArn, VaultArn)>, CatalogError> {
        let batches: Vec<_> = wanted.chunks(BATCH).map(<[_]>::to_vec).collect();
        stream::iter(batches)
            .map(|batch| async move { self.0.batch(batch.iter().map(key)).await })
            .buffer_unordered(CONCURRENT)
            .try_fold(HashSet::new(), |mut all, items| async move {
                all.extend(items.iter().filter_map(settled));
                Ok(all)
            })
            .await
    }
}

impl Copies {
    /// Forgets the copies that have been made of a point that is gone. Those that have not come about stay: somebody may ask
    /// why.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn forget_made(&self, source: &RecoveryPointArn) -> Result<(), CatalogError> {
        let query = self
            .0
            .client
            .query()
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(format!("COPY#{source}")));
        let made = |item: &Item| {
            item.get("state").and_then(|state| state.as_s().ok()).is_some_and(|s| s == "usable")
        };
        for item in self.0.query(query, None).await?.iter().filter(|item| made(item)) {
            if let Some(target) = item.get("sk").and_then(|sk| sk.as_s().ok()) {
                self.0.remove(&Key::new(format!("COPY#{source}"), target)).await?;
            }
        }
        Ok(())
    }
}

fn key((source, target): &(RecoveryPointArn, VaultArn)) -> Key {
    Key::new(format!("COPY#{source}"), target.to_string())
}

fn settled(item: &Item) -> Option<(RecoveryPointArn, VaultArn)> {
    let text = |name: &str| item.get(name)?.as_s().ok();
    let state: CopyState = serde_dynamo::from_attribute_value(item.get("state")?.clone()).ok()?;
    let source = text("pk")?.strip_prefix("COPY#")?.parse().ok()?;
    let target = text("sk")?.parse().ok()?;
    state.is_settled().then_some((source, target))
}
