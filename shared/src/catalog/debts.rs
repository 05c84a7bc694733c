//! Debts in the catalog: the flags that chains have lost and still owe.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::item::{Item, Key, expire};
use super::transaction::{Condition, Write};
use super::{Catalog, CatalogError};
use crate::chain::{Debt, Flag};
use crate::id::TableArn;

/// How often a change is tried again that somebody else was faster than.
const TRIES: u32 = 20;

/// How one flag of a table's chain under one policy stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebtRecord {
    /// The policy whose chain it is.
    pub policy_id: Uuid,
    /// The table.
    pub table: TableArn,
    /// The flag, one above D.
    pub flag: Flag,
    /// What is owed.
    #[serde(flatten)]
    pub debt: Debt,
    /// Counts the changes, so that of two at once one is refused.
    revision: u64,
}

impl DebtRecord {
    fn none(policy_id: Uuid, table: TableArn, flag: Flag) -> Self {
        Self { policy_id, table, flag, debt: Debt::default(), revision: 0 }
    }

    /// The same with a changed debt.
    #[must_use]
    pub fn with(&self, change: impl FnOnce(&mut Debt)) -> Self {
        let mut changed = self.clone();
        change(&mut changed.debt);
        changed
    }

    fn key(&self) -> Key {
        Key::new(partition(self.policy_id), format!("{}#{}", self.table, self.flag))
    }
}

/// The catalog's items about debts.
#[derive(Clone, Debug)]
pub struct Debts(Catalog);

impl Catalog {
    /// The items about debts.
    pub fn debts(&self) -> Debts {
        Debts(self.clone())
    }

    /// The write that puts a changed debt in place of the one that was read.
    pub(super) fn debt_write(&self, changed: &DebtRecord) -> Result<Write, CatalogError> {
        let next = DebtRecord { revision: changed.revision + 1, ..changed.clone() };
        let mut item: Item = self.compose(&changed.key(), &next)?;
        // A debt that is paid is remembered as long as an event about it may come.
        if let Some(paid) = changed.debt.paid_at() {
            expire(&mut item, paid);
        }
        let read = AttributeValue::N(changed.revision.to_string());
        let unchanged = match changed.revision {
            0 => Condition::absent(),
            _ => Condition::new("revision = :revision", [(":revision", read)]),
        };
        Ok(Write::Put(item, Some(unchanged)))
    }
}

impl Debts {
    /// Every debt of a policy's chains, also paid ones that are still remembered.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn of_policy(&self, policy_id: Uuid) -> Result<Vec<DebtRecord>, CatalogError> {
        self.0.list(&partition(policy_id), "arn:", None).await
    }

    /// The debts of one table's chain under a policy.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn of_table(&self, policy_id: Uuid, table: &TableArn) -> Result<Vec<DebtRecord>, CatalogError> {
        self.0.list(&partition(policy_id), &format!("{table}#"), None).await
    }

    /// Changes a debt, also one that is not there yet. What changes nothing is not written.
    ///
    /// # Errors
    /// When the catalog cannot be read or written, or others change the same debt all the time.
    pub async fn change(
        &self,
        policy_id: Uuid,
        table: &TableArn,
        flag: Flag,
        change: impl Fn(&mut Debt),
    ) -> Result<(), CatalogError> {
        let none = DebtRecord::none(policy_id, table.clone(), flag);
        for _ in 0..TRIES {
            let read = self.0.get(&none.key()).await?.unwrap_or_else(|| none.clone());
            let changed = read.with(&change);
            if changed == read || self.0.transact(vec![self.0.debt_write(&changed)?]).await? {
                return Ok(());
            }
        }
        Err(self.0.unwritable(&none.key(), &std::io::Error::other("others change it all the time")))
    }
}

fn partition(policy_id: Uuid) -> String {
    format!("OWED#{policy_id}")
}
