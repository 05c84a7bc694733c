//! Runs of retention in the catalog: who is at work on a vault, how far it has come, and plans that wait to be confirmed.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::item::{Item, Key};
use super::sessions::LEASE;
use super::{Catalog, CatalogError};
use crate::aws::AwsError;
use crate::id::VaultArn;

/// The right to work on a vault, until it is given back or its lease lapses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The run.
    pub run: String,
    /// Counts the invocations that the run has gone through, so that a doubled event continues it once.
    pub generation: u64,
}

/// The catalog's items about the runs of retention over one vault.
#[derive(Clone, Debug)]
pub struct Prunes {
    catalog: Catalog,
    pk: String,
}

impl Catalog {
    /// The items about runs of retention over a vault.
    pub fn prunes(&self, vault: &VaultArn) -> Prunes {
        Prunes { catalog: self.clone(), pk: format!("PRUNE#{vault}") }
    }
}

impl Prunes {
    /// Begins a run, when none is at work; `None` when one is. It is called after the request that it is begun by: where
    /// that died with the vault in hand and Lambda tries it again, it begins anew.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn begin(&self, request: &str, now: Timestamp) -> Result<Option<Hold>, CatalogError> {
        let hold = Hold { run: request.to_owned(), generation: 1 };
        let free = "attribute_not_exists(pk) OR lease_until < :now OR holder = :holder";
        let values = HashMap::from([
            (":now".to_owned(), number(now.as_second())),
            (":holder".to_owned(), AttributeValue::S(request.to_owned())),
        ]);
        match self.catalog.put_when(self.lock(&hold, now), Some(free), values).await {
            Ok(()) => Ok(Some(hold)),
            Err(error) if error.is_condition_failed() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Goes on with a run where an invocation of this generation left it; `None` when another request has gone on with it, or
    /// another run is at work.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn go_on(
        &self,
        left: &Hold,
        request: &str,
        now: Timestamp,
    ) -> Result<Option<Hold>, CatalogError> {
        let hold = Hold { run: left.run.clone(), generation: left.generation + 1 };
        let (_, mut values) = held_by(left);
        values.insert(":next".to_owned(), AttributeValue::N(hold.generation.to_string()));
        values.insert(":lease".to_owned(), number(lease_from(now)));
        values.insert(":holder".to_owned(), AttributeValue::S(request.to_owned()));
        // The same request may have died after it had gone on with it.
        let condition =
            "run_id = :run AND (generation = :generation OR (generation = :next AND holder = :holder))";
        // What others have noted in it stays.
        let change = "SET generation = :next, lease_until = :lease, holder = :holder";
        Ok(self.change(change, condition, values).await?.then_some(hold))
    }

    /// Notes that another run is wanted after the one at work; false when none is at work any more.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn want_another(&self, now: Timestamp) -> Result<bool, CatalogError> {
        let values = HashMap::from([
            (":now".to_owned(), number(now.as_second())),
            (":yes".to_owned(), AttributeValue::Bool(true)),
        ]);
        self.change("SET wanted = :yes", "lease_until >= :now", values).await
    }

    /// Changes the lock; false when it does not meet the condition, or there is none.
    async fn change(
        &self,
        change: &str,
        condition: &str,
        values: HashMap<String, AttributeValue>,
    ) -> Result<bool, CatalogError> {
        let Catalog { client, table } = &self.catalog;
        let update = client
            .update_item()
            .table_name(table)
            .set_key(Some(self.key(LOCK).attributes()))
            .condition_expression(condition)
            .update_expression(change)
            .set_expression_attribute_values(Some(values));
        match update.send().await.map_err(|error| self.catalog.aws(AwsError::new("UpdateItem", &error))) {
            Ok(_) => Ok(true),
            Err(error) if error.is_condition_failed() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives the vault back; whether another run was wanted meanwhile. One that was taken over is not this run's to give.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn end(&self, hold: &Hold) -> Result<bool, CatalogError> {
        let Catalog { client, table } = &self.catalog;
        let (condition, values) = held_by(hold);
        let delete = client
            .delete_item()
            .table_name(table)
            .set_key(Some(self.key(LOCK).attributes()))
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .return_values(ReturnValue::AllOld);
        match delete.send().await.map_err(|error| self.catalog.aws(AwsError::new("DeleteItem", &error))) {
            Ok(answer) => Ok(answer.attributes.is_some_and(|old| old.contains_key("wanted"))),
            Err(error) if error.is_condition_failed() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Keeps something large under a name until a moment; what was there is replaced.
    ///
    /// # Errors
    /// When it has no form, or the catalog cannot be written.
    pub async fn keep<T: Serialize>(
        &self,
        name: &str,
        value: &T,
        until: Timestamp,
    ) -> Result<(), CatalogError> {
        self.catalog.keep(&self.key(name), value, until).await
    }

    /// What is kept under a name, unless its time is over.
    ///
    /// # Errors
    /// When the catalog cannot be read, or what it has is not whole.
    pub async fn kept<T: DeserializeOwned>(
        &self,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<T>, CatalogError> {
        self.catalog.kept(&self.key(name), now).await
    }

    /// Drops what is kept under a name.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn drop_kept(&self, name: &str) -> Result<(), CatalogError> {
        self.catalog.drop_kept(&self.key(name)).await
    }

    fn lock(&self, hold: &Hold, now: Timestamp) -> Item {
        let mut item = self.key(LOCK).attributes();
        item.insert("run_id".to_owned(), AttributeValue::S(hold.run.clone()));
        // Who works on it: the request that the run is called after, until others go on with it.
        item.insert("holder".to_owned(), AttributeValue::S(hold.run.clone()));
        item.insert("generation".to_owned(), AttributeValue::N(hold.generation.to_string()));
        item.insert("lease_until".to_owned(), number(lease_from(now)));
        item
    }

    fn key(&self, name: &str) -> Key {
        Key::new(&self.pk, name)
    }
}

const LOCK: &str = "LOCK";

/// How long a plan that was not carried out can be confirmed.
pub const CONFIRMABLE: SignedDuration = SignedDuration::from_hours(72);

/// That the lock is still this run's, at this generation.
fn held_by(hold: &Hold) -> (&'static str, HashMap<String, AttributeValue>) {
    let values = HashMap::from([
        (":run".to_owned(), AttributeValue::S(hold.run.clone())),
        (":generation".to_owned(), AttributeValue::N(hold.generation.to_string())),
    ]);
    ("run_id = :run AND generation = :generation", values)
}

/// When a lease that begins now lapses, in seconds since 1970.
fn lease_from(now: Timestamp) -> i64 {
    now.checked_add(LEASE).unwrap_or(now).as_second()
}

fn number(n: i64) -> AttributeValue {
    AttributeValue::N(n.to_string())
}
