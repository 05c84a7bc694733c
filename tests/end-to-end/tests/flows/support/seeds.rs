//! Restore points of any age in a world, and what retention makes of them.

use std::time::{Duration, Instant};

use aws_sdk_backup::config::Credentials;
use aws_sdk_backup::error::ProvideErrorMetadata as _;
use dynachain::chain::Flag;
use dynachain::metadata::Core;
use dynachain::retention::Keep;
use end_to_end::seeding::{Seed, Seeder};
use jiff::{SignedDuration, Timestamp};
use local_stack::{SOURCE_REGION, VAULT};
use serde_json::Value;

use super::{SEVEN, World, arn, at, list};

const DEADLINE: Duration = Duration::from_secs(30);

/// 07:00 in Berlin, so many days before the world begins.
pub(crate) fn days_ago(days: i64) -> Timestamp {
    at(SEVEN) - SignedDuration::from_hours(24 * days)
}

impl World {
    /// Makes points in the source Region's vault.
    pub(crate) async fn seeder(&self) -> Seeder<'_> {
        Seeder::new(&self.stack, SOURCE_REGION, &arn("a-1")).await.expect("a seeder")
    }

    /// One daily point of a table for each of these days ago, each kept for so many days.
    pub(crate) async fn seed_days(
        &self,
        table: &str,
        days: impl IntoIterator<Item = i64>,
        keep: u32,
    ) -> Vec<String> {
        let seeder = self.seeder().await;
        let seeds: Vec<_> = days.into_iter().map(|day| daily(&seeder, table, day, keep)).collect();
        seeder.make(&seeds).await.expect("points");
        self.ages(table).await.into_iter().map(|(_, point)| point).collect()
    }

    /// The points of a table that the vault lists, with their creation, oldest first; those that are being deleted count as
    /// gone.
    pub(crate) async fn ages(&self, table: &str) -> Vec<(Timestamp, String)> {
        let backup = self.backup().await;
        let pages = backup
            .list_recovery_points_by_backup_vault()
            .backup_vault_name(VAULT)
            .by_resource_arn(arn(table).as_str())
            .into_paginator()
            .items()
            .send();
        let points = pages.collect::<Result<Vec<_>, _>>().await.expect("the points");
        let mut ages: Vec<_> = points
            .iter()
            .filter(|point| point.status().is_some_and(|status| status.as_str() != "DELETING"))
            .map(|point| {
                let created = point.creation_date().expect("a date");
                let created = Timestamp::from_second(created.secs()).expect("a time");
                (created, point.recovery_point_arn().expect("an ARN").to_owned())
            })
            .collect();
        ages.sort();
        ages
    }

    /// How many days ago the points of a table were scheduled, oldest first.
    pub(crate) async fn days_left(&self, table: &str) -> Vec<i64> {
        let of = |created: Timestamp| (at(SEVEN).duration_since(created).as_secs() + 3600) / 86_400;
        self.ages(table).await.into_iter().map(|(created, _)| of(created)).collect()
    }

    /// Waits until a point of a table is gone that a run deletes which nobody waits for.
    pub(crate) async fn gone(&self, table: &str, days: i64) {
        let began = Instant::now();
        while self.days_left(table).await.contains(&days) {
            assert!(began.elapsed() < DEADLINE, "the point of {table} of {days} days ago is still there");
            // A function of another process deletes it; the deadline above ends the wait.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A point's status; `None` when it is gone.
    pub(crate) async fn status(&self, point: &str) -> Option<String> {
        let describe = self.backup().await.describe_recovery_point().backup_vault_name(VAULT);
        match describe.recovery_point_arn(point).send().await {
            Ok(point) => point.status().map(|status| status.as_str().to_owned()),
            Err(error) if error.code() == Some("ResourceNotFoundException") => None,
            Err(error) => unreachable!("{error:?}"),
        }
    }

    /// AWS Backup as seen by a role of the source Region's stack, by its name in the template.
    pub(crate) async fn as_role(&self, name: &str) -> aws_sdk_backup::Client {
        let roles = crate::permissions::roles(self).await;
        let role = roles.iter().find(|role| role.short() == name).expect("the role");
        let mut command = self.stack.aws_cli(SOURCE_REGION);
        command.args([
            "sts",
            "assume-role",
            "--role-session-name",
            "flow",
            "--output",
            "json",
            "--role-arn",
            role.arn(),
        ]);
        let answer = command.output().await.expect("the AWS CLI");
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        let answer: Value = serde_json::from_slice(&answer.stdout).expect("credentials");
        let given = |member: &str| answer["Credentials"][member].as_str().expect("credentials").to_owned();
        let credentials = Credentials::new(
            given("AccessKeyId"),
            given("SecretAccessKey"),
            Some(given("SessionToken")),
            None,
            "sts",
        );
        let config = aws_sdk_backup::config::Builder::from(&self.stack.backup_config(SOURCE_REGION).await);
        aws_sdk_backup::Client::from_conf(config.credentials_provider(credentials).build())
    }

    /// Takes a statement from a role of the source Region's stack.
    pub(crate) async fn take_from_role(&self, role: &str, sid: &str) {
        let roles = crate::permissions::roles(self).await;
        let role = roles.iter().find(|known| known.short() == role).expect("the role");
        let name = role.arn().rsplit('/').next().expect("a name");
        let iam = self.iam().await;
        let policies = iam.list_role_policies().role_name(name).send().await.expect("its policies");
        for policy in policies.policy_names() {
            let found = iam.get_role_policy().role_name(name).policy_name(policy).send().await;
            let mut document = crate::permissions::document(found.expect("the policy").policy_document());
            let statements = document["Statement"].as_array_mut().expect("statements");
            statements.retain(|statement| statement["Sid"] != sid);
            let put = iam.put_role_policy().role_name(name).policy_name(policy);
            put.policy_document(document.to_string()).send().await.expect("the policy is stored");
        }
        self.stack.forget_roles();
    }

    /// Lets ten emulated seconds go by, in which a hold comes into force or ends.
    pub(crate) async fn moment(&self) {
        self.stack.jump_to(self.stack.now() + SignedDuration::from_secs(10)).await;
    }

    /// Deletes a recovery point, as somebody with the rights could.
    pub(crate) async fn delete_point(&self, point: &str) {
        let delete = self.backup().await.delete_recovery_point().backup_vault_name(VAULT);
        delete.recovery_point_arn(point).send().await.expect("the point goes");
        self.finish_jobs().await;
    }

    /// Waits until the first of the faults has struck.
    pub(crate) async fn struck(&self) {
        while self.stack.control().strikes().await.expect("strikes")[0] == 0 {
            // The run is another process's; its answer ends the wait.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// How often functions deleted a point, or tried to.
    pub(crate) async fn deletes(&self) -> usize {
        self.calls().await.iter().filter(|(operation, _)| operation == "DeleteRecoveryPoint").count()
    }
}

/// A daily point.
pub(crate) fn daily(seeder: &Seeder<'_>, table: &str, days: i64, keep: u32) -> Seed {
    seeder.seed(&arn(table), &daily_core(seeder, days, keep)).expect("a seed")
}

/// What it says of itself.
pub(crate) fn daily_core(seeder: &Seeder<'_>, days: i64, keep: u32) -> Core {
    seeder.core(days_ago(days), &[(Flag::D, Keep::Days(keep))]).expect("a core")
}

/// The decision and the reasons about a point in an answer.
pub(crate) fn verdict<'a>(answer: &'a Value, point: &str) -> (&'a str, Vec<&'a str>) {
    let found = list(&answer["points"]).iter().find(|shown| shown["recovery_point"] == point);
    let found = found.unwrap_or_else(|| unreachable!("{point} is not in {answer:#}"));
    let reasons = list(&found["reasons"]).iter().filter_map(Value::as_str).collect();
    (found["decision"].as_str().unwrap_or_default(), reasons)
}

/// What failed in an answer: recovery point and reason.
pub(crate) fn failures(answer: &Value) -> Vec<(&str, &str)> {
    list(&answer["failures"])
        .iter()
        .map(|failure| {
            (
                failure["recovery_point"].as_str().unwrap_or_default(),
                failure["reason"].as_str().unwrap_or_default(),
            )
        })
        .collect()
}
