//! Reading a vault: its state, the recovery points it lists, and their tags.

use std::collections::BTreeMap;

use aws_sdk_backup::Client;
use aws_sdk_backup::operation::describe_recovery_point::DescribeRecoveryPointOutput;
use aws_sdk_backup::types::{CalculatedLifecycle, Lifecycle, RecoveryPointByBackupVault, StorageClass};
use jiff::{SignedDuration, Timestamp};

use super::client::client;
use super::date::DateOfAnswer;
use super::{instant, size};
use crate::aws::{AwsError, Fault, Rate};
use crate::chain::ListedPoint;
use crate::copying::LONGEST;
use crate::id::{KeyArn, RecoveryPointArn, TableArn, VaultArn};
use crate::retention::VaultLock;

const DESCRIBE: &str = "DescribeBackupVault";

/// A vault as AWS describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    /// The vault.
    pub arn: VaultArn,
    /// The key its recovery points are encrypted with.
    pub key: Option<KeyArn>,
    /// Whether a lock is active, its grace time included.
    pub locked: bool,
    /// The lock's shortest retention in days.
    pub min_retention_days: Option<i64>,
    /// The lock's longest retention in days.
    pub max_retention_days: Option<i64>,
}

impl Vault {
    /// The bounds of the vault's lock, when it has one.
    pub fn lock(&self) -> Option<VaultLock> {
        let bound = |days: Option<i64>| days.and_then(|days| u32::try_from(days).ok());
        let lock =
            VaultLock { min_days: bound(self.min_retention_days), max_days: bound(self.max_retention_days) };
        self.locked.then_some(lock)
    }
}

/// One page of a vault's list.
#[derive(Clone, Debug, Default)]
pub struct PointPage {
    /// The recovery points that are of DynamoDB tables.
    pub points: Vec<ListedPoint>,
    /// Recovery points of other resources, or that cannot be made out; they are none of our business.
    pub others: usize,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// A recovery point as AWS describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointState {
    /// As its vault lists it.
    pub listed: ListedPoint,
    /// Whether it has moved to cold storage.
    pub is_cold: bool,
    /// When AWS deletes it by itself, by the lifecycle that it was given; `None` when it never does.
    pub ends_at: Option<Timestamp>,
}

/// Reads one vault; it cannot change anything.
#[derive(Clone, Debug)]
pub struct VaultReader {
    client: Client,
    name: String,
    list: Rate,
    describe: Rate,
}

impl VaultReader {
    /// Reads the vault called `name` in the client's Region, at most so many calls a second.
    pub fn new(config: &aws_config::SdkConfig, name: impl Into<String>, list: Rate, describe: Rate) -> Self {
        Self { client: client(config), name: name.into(), list, describe }
    }

    /// The same for another vault of the Region.
    #[must_use]
    pub fn of(&self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self.clone() }
    }

    /// The vault's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The vault's state.
    ///
    /// # Errors
    /// When AWS refuses: it answers `AccessDeniedException` for a vault that does not exist.
    pub async fn describe(&self) -> Result<Vault, AwsError> {
        self.described(None).await
    }

    /// The vault's state, and what time it is by AWS's clock: the `Date` of its answer.
    ///
    /// # Errors
    /// As [`Self::describe`], and when the answer has no date.
    pub async fn describe_and_date(&self) -> Result<(Vault, Timestamp), AwsError> {
        let date = DateOfAnswer::default();
        let vault = self.described(Some(date.clone())).await?;
        let date = date.read().ok_or_else(|| AwsError::incomplete(DESCRIBE, "Date"))?;
        Ok((vault, date))
    }

    async fn described(&self, date: Option<DateOfAnswer>) -> Result<Vault, AwsError> {
        let mut call = self.client.describe_backup_vault().backup_vault_name(&self.name).customize();
        if let Some(date) = date {
            call = call.interceptor(date);
        }
        let answer = self
            .describe
            .call(|turn| call.interceptor(turn).send())
            .await
            .map_err(|error| AwsError::new(DESCRIBE, &error))?;
        let arn = answer.backup_vault_arn().and_then(|arn| arn.parse().ok());
        Ok(Vault {
            arn: arn.ok_or_else(|| AwsError::incomplete(DESCRIBE, "BackupVaultArn"))?,
            key: answer.encryption_key_arn().and_then(|arn| arn.parse().ok()),
            locked: answer.locked().unwrap_or_default(),
            min_retention_days: answer.min_retention_days(),
            max_retention_days: answer.max_retention_days(),
        })
    }

    /// Whether the Region has a vault of this name. [`VaultReader::describe`] cannot tell a missing one from a missing
    /// permission; the list can.
    ///
    /// # Errors
    /// When AWS refuses a page.
    pub async fn exists(&self) -> Result<bool, AwsError> {
        let mut next = None;
        loop {
            let call = self.client.list_backup_vaults().max_results(1000).set_next_token(next);
            let answer = self
                .list
                .call(|turn| call.customize().interceptor(turn).send())
                .await
                .map_err(|error| AwsError::new("ListBackupVaults", &error))?;
            if answer.backup_vault_list().iter().any(|vault| vault.backup_vault_name() == Some(&self.name)) {
                return Ok(true);
            }
            next = answer.next_token;
            if next.is_none() {
                return Ok(false);
            }
        }
    }

    /// A recovery point of this vault as it is now; `None` when it is not there (any more).
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn point(&self, point: &RecoveryPointArn) -> Result<Option<PointState>, AwsError> {
        const OPERATION: &str = "DescribeRecoveryPoint";

        let call = self
            .client
            .describe_recovery_point()
            .backup_vault_name(&self.name)
            .recovery_point_arn(point.as_str());
        let answer = self.describe.call(|turn| call.customize().interceptor(turn).send()).await;
        match answer.map_err(|error| AwsError::new(OPERATION, &error)) {
            Ok(answer) => described(&answer).map(Some).ok_or_else(|| {
                AwsError::incomplete(OPERATION, "DynamoDB recovery point's ARNs, date and status")
            }),
            Err(error) if error.fault() == Fault::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A recovery point as the list of its table has it now; `None` when it is not there any more. AWS Backup may answer
    /// `AccessDeniedException` to [`VaultReader::point`] about what does not exist (AWS Backup Developer Guide,
    /// "Troubleshooting"); the list can tell.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn in_list(&self, point: &ListedPoint) -> Result<Option<ListedPoint>, AwsError> {
        let listed = self.points(Some(&point.table)).await?;
        Ok(listed.into_iter().find(|other| other.arn == point.arn))
    }

    /// One page (up to 1,000) of the vault's recovery points, of one table or of all.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn page(&self, table: Option<&TableArn>, next: Option<String>) -> Result<PointPage, AwsError> {
        let call = self
            .client
            .list_recovery_points_by_backup_vault()
            .backup_vault_name(&self.name)
            .set_by_resource_arn(table.map(ToString::to_string))
            .max_results(1000)
            .set_next_token(next);
        let answer = self
            .list
            .call(|turn| call.customize().interceptor(turn).send())
            .await
            .map_err(|error| AwsError::new("ListRecoveryPointsByBackupVault", &error))?;
        let mut page = PointPage { next: answer.next_token, ..PointPage::default() };
        for point in answer.recovery_points.unwrap_or_default() {
            match listed(&point) {
                Some(point) => page.points.push(point),
                None => page.others += 1,
            }
        }
        Ok(page)
    }

    /// All recovery points of one table, or of all tables, in no particular order.
    ///
    /// # Errors
    /// When AWS refuses a page.
    pub async fn points(&self, table: Option<&TableArn>) -> Result<Vec<ListedPoint>, AwsError> {
        let mut points = Vec::new();
        let mut next = None;
        loop {
            let page = self.page(table, next).await?;
            points.extend(page.points);
            next = page.next;
            if next.is_none() {
                return Ok(points);
            }
        }
    }

    /// A recovery point's tags. Points made without the advanced features have none and are not asked for any (AWS answers
    /// with an error).
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn tags(&self, point: &RecoveryPointArn) -> Result<BTreeMap<String, String>, AwsError> {
        let mut tags = BTreeMap::new();
        if !point.is_advanced() {
            return Ok(tags);
        }
        let mut next = None;
        loop {
            let call = self.client.list_tags().resource_arn(point.as_str()).set_next_token(next);
            let answer = self
                .list
                .call(|turn| call.customize().interceptor(turn).send())
                .await
                .map_err(|error| AwsError::new("ListTags", &error))?;
            tags.extend(answer.tags.unwrap_or_default());
            next = answer.next_token;
            if next.is_none() {
                return Ok(tags);
            }
        }
    }
}

fn listed(point: &RecoveryPointByBackupVault) -> Option<ListedPoint> {
    Some(ListedPoint {
        arn: point.recovery_point_arn()?.parse().ok()?,
        table: point.resource_arn()?.parse().ok()?,
        vault: point.backup_vault_arn()?.parse().ok()?,
        created_at: instant(point.creation_date()?)?,
        status: point.status()?.as_str().to_owned(),
        size_bytes: size(point.backup_size_in_bytes()),
    })
}

fn described(point: &DescribeRecoveryPointOutput) -> Option<PointState> {
    let created_at = instant(point.creation_date()?)?;
    Some(PointState {
        listed: ListedPoint {
            arn: point.recovery_point_arn()?.parse().ok()?,
            table: point.resource_arn()?.parse().ok()?,
            vault: point.backup_vault_arn()?.parse().ok()?,
            created_at,
            status: point.status()?.as_str().to_owned(),
            size_bytes: size(point.backup_size_in_bytes()),
        },
        is_cold: point.storage_class() == Some(&StorageClass::Cold),
        ends_at: end(point, created_at),
    })
}

/// What AWS has worked out, or what it will: days count from the creation, and deletion after -1 days is none (AWS Backup API
/// Reference, "Lifecycle").
fn end(point: &DescribeRecoveryPointOutput, created_at: Timestamp) -> Option<Timestamp> {
    let days = point.lifecycle().and_then(Lifecycle::delete_after_days).filter(|days| *days > 0)?;
    let calculated = point.calculated_lifecycle().and_then(CalculatedLifecycle::delete_at).and_then(instant);
    let counted = created_at.checked_add(SignedDuration::from_hours(24 * days.min(i64::from(LONGEST))));
    Some(calculated.unwrap_or(counted.unwrap_or(Timestamp::MAX)))
}
