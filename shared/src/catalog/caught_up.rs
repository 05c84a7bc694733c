//! How far the occurrences of a policy are looked after: reconciliation goes on from there.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::item::Key;
use super::{Catalog, CatalogError};

/// Written as whole seconds, which sort as numbers do.
#[derive(Serialize, Deserialize)]
struct CaughtUp {
    caught_up_until: i64,
}

impl Catalog {
    /// The moment up to which every occurrence of a policy has its session or is owed; `None` before the first time.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn caught_up(&self, policy_id: Uuid) -> Result<Option<Timestamp>, CatalogError> {
        let found: Option<CaughtUp> = self.get(&key(policy_id)).await?;
        Ok(found.and_then(|caught_up| Timestamp::from_second(caught_up.caught_up_until).ok()))
    }

    /// Notes that every occurrence up to this moment is looked after. A later moment that is noted already stays.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn note_caught_up(&self, policy_id: Uuid, until: Timestamp) -> Result<(), CatalogError> {
        let caught_up_until = until.as_second();
        let item = self.compose(&key(policy_id), &CaughtUp { caught_up_until })?;
        let values = HashMap::from([(":until".to_owned(), AttributeValue::N(caught_up_until.to_string()))]);
        let earlier = "attribute_not_exists(pk) OR caught_up_until < :until";
        match self.put_when(item, Some(earlier), values).await {
            Err(error) if !error.is_condition_failed() => Err(error),
            _ => Ok(()),
        }
    }
}

fn key(policy_id: Uuid) -> Key {
    Key::new(format!("CAUGHT_UP#{policy_id}"), "CAUGHT_UP")
}
