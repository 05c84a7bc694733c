//! What points are to be made, read and checked.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::aws::Scope;
use crate::operation::vaults::is_name;
use crate::state::recovery_point::{Lifecycle, Status};
use crate::state::tags::{self, Tags};

/// One batch or a list of them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum PointsInput {
    One(Box<BatchInput>),
    List(Vec<BatchInput>),
}

/// Points of one table in one vault that differ in their time alone.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchInput {
    region: String,
    account: Option<String>,
    vault: String,
    table: String,
    created: Created,
    /// The ARN of the role that made them, as which AWS Backup deletes them.
    role: Option<String>,
    #[serde(default)]
    tags: Tags,
    lifecycle: Option<LifecycleInput>,
    status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Created {
    At(Vec<Timestamp>),
    Every { from: Timestamp, every_seconds: u32, count: u32 },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LifecycleInput {
    cold_after_days: Option<i64>,
    delete_after_days: Option<i64>,
}

/// A batch that makes sense.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) scope: Scope,
    pub(super) vault: String,
    pub(super) table: String,
    pub(super) role: String,
    pub(super) created: Created,
    pub(super) tags: Tags,
    pub(super) lifecycle: Option<Lifecycle>,
    pub(super) status: Status,
}

impl PointsInput {
    pub(super) fn all(self) -> Vec<BatchInput> {
        match self {
            Self::One(batch) => vec![*batch],
            Self::List(batches) => batches,
        }
    }
}

impl BatchInput {
    /// In this account unless another is named; all problems otherwise.
    pub(super) fn accept(self, account: &str, now: Timestamp) -> Result<Batch, Vec<String>> {
        let account = self.account.unwrap_or_else(|| account.to_owned());
        let scope = Scope { account, region: self.region };
        let role = self
            .role
            .unwrap_or_else(|| scope.global_arn("iam", "role/service-role/AWSBackupDefaultServiceRole"));
        let mut problems: Vec<String> = [
            (!is_account(&scope.account))
                .then(|| format!("an account has 12 digits, not {:?}", scope.account)),
            (!is_region(&scope.region)).then(|| format!("{:?} is no Region", scope.region)),
            (!is_name(&self.vault)).then(|| format!("{:?} is no name of a vault", self.vault)),
            (!is_table(&self.table)).then(|| format!("{:?} is no ARN of a table", self.table)),
            (!role.starts_with("arn:") || !role.contains(":role/"))
                .then(|| format!("{role:?} is no ARN of a role")),
        ]
        .into_iter()
        .flatten()
        .collect();
        problems.extend(self.tags.iter().filter_map(|(key, value)| tags::problem(key, value)));
        if self.tags.len() > tags::MOST {
            problems.push(format!("a point has at most {} tags, not {}", tags::MOST, self.tags.len()));
        }
        let created = self.created.check(now).map_err(|problem| problems.push(problem));
        let lifecycle = self.lifecycle.map(LifecycleInput::accept).transpose();
        let lifecycle = lifecycle.map_err(|problem| problems.push(problem));
        let status = status(self.status.as_deref()).map_err(|problem| problems.push(problem));
        match (created, lifecycle, status) {
            (Ok(created), Ok(lifecycle), Ok(status)) if problems.is_empty() => Ok(Batch {
                scope,
                vault: self.vault,
                table: self.table,
                role,
                created,
                tags: self.tags,
                lifecycle,
                status,
            }),
            _ => Err(problems),
        }
    }
}

impl Created {
    /// Checked without writing all times down, which may be a million.
    fn check(self, now: Timestamp) -> Result<Self, String> {
        if self.count() == 0 {
            return Err("created has no time".to_owned());
        }
        match self.last() {
            None => Err("created runs past the end of the calendar".to_owned()),
            Some(last) if last > now => {
                Err(format!("created must not be after the emulated time {now}, as {last} is"))
            }
            Some(_) => Ok(self),
        }
    }

    pub(super) fn count(&self) -> usize {
        match self {
            Self::At(times) => times.len(),
            Self::Every { count, .. } => usize::try_from(*count).unwrap_or(usize::MAX),
        }
    }

    fn last(&self) -> Option<Timestamp> {
        match self {
            Self::At(times) => times.iter().max().copied(),
            Self::Every { count, .. } => self.nth(count.checked_sub(1)?),
        }
    }

    fn nth(&self, n: u32) -> Option<Timestamp> {
        match self {
            Self::At(times) => times.get(usize::try_from(n).ok()?).copied(),
            Self::Every { from, every_seconds, .. } => {
                let seconds = i64::from(*every_seconds).checked_mul(i64::from(n))?;
                from.checked_add(SignedDuration::from_secs(seconds)).ok()
            }
        }
    }

    pub(super) fn times(&self) -> impl Iterator<Item = Timestamp> {
        (0..)
            .map_while(|n| if usize::try_from(n).ok()? < self.count() { self.nth(n) } else { None })
            .map(crate::time::milliseconds)
    }
}

impl LifecycleInput {
    /// As requests have it (AWS Backup API Reference, "Lifecycle"), though always in days.
    fn accept(self) -> Result<Lifecycle, String> {
        let Self { cold_after_days: cold_after, delete_after_days: delete_after } = self;
        if [cold_after, delete_after].into_iter().flatten().any(|days| days < 1) {
            return Err("days of a lifecycle must be at least 1".to_owned());
        }
        match (cold_after, delete_after) {
            (Some(cold), Some(delete)) if delete < cold.saturating_add(90) => {
                Err("delete_after_days must be at least 90 more than cold_after_days".to_owned())
            }
            _ => Ok(Lifecycle { cold_after, delete_after }),
        }
    }
}

/// One that a point can have for long.
fn status(text: Option<&str>) -> Result<Status, String> {
    match text {
        None | Some("COMPLETED") => Ok(Status::Completed),
        Some("PARTIAL") => Ok(Status::Partial),
        Some("EXPIRED") => Ok(Status::Expired),
        Some(other) => Err(format!("status must be COMPLETED, PARTIAL or EXPIRED, not {other:?}")),
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_region(text: &str) -> bool {
    text.contains('-') && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Of any account and Region: a copy is of its source's table.
fn is_table(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let [arn, partition, "dynamodb", region, account, table] = parts[..] else { return false };
    let name = table.strip_prefix("table/").unwrap_or_default();
    arn == "arn"
        && partition.starts_with("aws")
        && is_region(region)
        && is_account(account)
        && (3..=255).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}
