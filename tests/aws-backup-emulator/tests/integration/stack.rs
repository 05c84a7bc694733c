//! A local AWS and an emulator for one test, with what most tests need in it. Both end with the test.

mod clients;
mod local_aws;
mod wire;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use aws_backup_emulator::{Emulator, Settings};
use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_sdk_backup::config::{Credentials, ProvideCredentials as _, SharedCredentialsProvider};
use aws_sdk_backup::types::BackupJobState;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, PutRequest,
    ScalarAttributeType, Tag, WriteRequest,
};
use jiff::{SignedDuration, Timestamp};

pub(crate) use self::clients::refusal;
use self::clients::{backup, config, credentials, root_of};
use self::local_aws::LocalAws;
pub(crate) use self::wire::{http, http_as_root};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const VAULT: &str = "dynachain";
/// The role that backups run as.
pub(crate) const BACKUP_ROLE: &str = "arn:aws:iam::111122223333:role/backup";
pub(crate) const START: &str = "2025-01-06T06:00:00Z";

/// All that a backup does as its role.
pub(crate) const BACKUP_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Resource":"arn:aws:dynamodb:*:*:table/*",
     "Action":["dynamodb:DescribeTable","dynamodb:CreateBackup","dynamodb:DescribeBackup","dynamodb:DeleteBackup",
               "dynamodb:ListTagsOfResource","dynamodb:StartAwsBackupJob"]},
    {"Effect":"Allow","Action":"backup:DescribeBackupVault","Resource":"arn:aws:backup:*:*:backup-vault:*"},
    {"Effect":"Allow","Action":"backup:TagResource","Resource":"arn:aws:backup:*:*:recovery-point:*",
     "Condition":{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}}]}"#;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where no local AWS answers.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:1";

/// An emulator beside the local AWS at this endpoint, whose clock shows [`START`] at first.
pub(crate) fn settings(aws_endpoint: &str) -> Result<Settings> {
    Ok(Settings {
        aws_endpoint: aws_endpoint.to_owned(),
        account: ACCOUNT.to_owned(),
        backup_port: 0,
        control_port: 0,
        now: Some(START.parse()?),
    })
}

/// A local AWS with an emulator whose clock stands still at [`START`] until a test moves it.
pub(crate) struct Stack {
    pub(crate) emulator: Emulator,
    local: LocalAws,
    /// As the account's root.
    pub(crate) backup: aws_sdk_backup::Client,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) kms: aws_sdk_kms::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) events: aws_sdk_eventbridge::Client,
}

impl Stack {
    /// With the vault and the backup role in place.
    pub(crate) async fn start() -> Result<Self> {
        let local = LocalAws::start().await?;
        let emulator = Emulator::start(settings(&local.endpoint)?).await?;
        emulator.timeline().set_speed(0.0).await?;
        emulator.timeline().advance_to(START.parse()?).await;
        let config = config(&local.endpoint, credentials(), REGION);
        let stack = Self {
            backup: backup(emulator.backup_endpoint(), credentials(), REGION),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            kms: aws_sdk_kms::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            events: aws_sdk_eventbridge::Client::new(&config),
            emulator,
            local,
        };
        stack.role("backup", r#"{"Service":"backup.amazonaws.com"}"#, BACKUP_POLICY).await?;
        stack.backup.create_backup_vault().backup_vault_name(VAULT).send().await?;
        Ok(stack)
    }

    /// A client of the emulator in another Region.
    pub(crate) fn backup_in(&self, region: &'static str) -> aws_sdk_backup::Client {
        backup(self.emulator.backup_endpoint(), credentials(), region)
    }

    /// A client of the emulator as the root of another account.
    pub(crate) fn backup_of(&self, account: &str, region: &'static str) -> aws_sdk_backup::Client {
        backup(self.emulator.backup_endpoint(), root_of(account), region)
    }

    /// How to reach the local AWS as the root of another account.
    pub(crate) fn config_of(&self, account: &str, region: &'static str) -> SdkConfig {
        config(&self.local.endpoint, root_of(account), region)
    }

    /// What a client of the local AWS needs in a Region, as the account's root, without second attempts.
    pub(crate) fn aws_in(&self, region: &'static str) -> SdkConfig {
        let config = config(&self.local.endpoint, credentials(), region);
        config.into_builder().retry_config(RetryConfig::disabled()).build()
    }

    /// A client of the emulator with any access key.
    pub(crate) fn backup_as(&self, key: &str, token: Option<&str>) -> aws_sdk_backup::Client {
        let credentials = Credentials::new(key, "test", token.map(str::to_owned), None, "test");
        backup(self.emulator.backup_endpoint(), SharedCredentialsProvider::new(credentials), REGION)
    }

    /// A client of the emulator that has assumed a role.
    pub(crate) async fn backup_with(&self, role: &str) -> Result<aws_sdk_backup::Client> {
        let (key, token) = self.session(role).await?;
        Ok(self.backup_as(&key, Some(&token)))
    }

    /// Access key and session token of a role that has been assumed.
    pub(crate) async fn session(&self, role: &str) -> Result<(String, String)> {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(&self.local.endpoint)
            .credentials_provider(credentials());
        let provider =
            aws_config::sts::AssumeRoleProvider::builder(format!("arn:aws:iam::{ACCOUNT}:role/{role}"))
                .session_name("test")
                .configure(&config.load().await)
                .build_from_provider(credentials())
                .await;
        let session = provider.provide_credentials().await?;
        let token = session.session_token().context("a session without a token")?;
        Ok((session.access_key_id().to_owned(), token.to_owned()))
    }

    /// A role with one inline policy.
    pub(crate) async fn role(&self, name: &str, principal: &str, policy: &str) -> Result<()> {
        let trust = format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}]}}"#
        );
        self.iam.create_role().role_name(name).assume_role_policy_document(trust).send().await?;
        self.allow(name, policy).await
    }

    /// Replaces a role's inline policy, which counts at once.
    pub(crate) async fn allow(&self, role: &str, policy: &str) -> Result<()> {
        let put = self.iam.put_role_policy().role_name(role).policy_name("inline").policy_document(policy);
        put.send().await?;
        self.emulator.forget_callers();
        Ok(())
    }

    /// A role that a caller can take.
    pub(crate) async fn caller(&self, name: &str, statements: &str) -> Result<()> {
        let principal = format!(r#"{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}}"#);
        self.role(name, &principal, &format!(r#"{{"Statement":[{statements}]}}"#)).await
    }

    /// A table with as many items of some 100 bytes, and tags; its ARN.
    pub(crate) async fn table(&self, name: &str, items: usize, tags: &[(&str, &str)]) -> Result<String> {
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build());
        let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
        self.dynamodb
            .create_table()
            .table_name(name)
            .attribute_definitions(id.build()?)
            .key_schema(KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build()?)
            .billing_mode(BillingMode::PayPerRequest)
            .set_tags(Some(tags.collect::<Result<_, _>>()?))
            .send()
            .await?;
        self.fill(name, 0..items, 100).await?;
        Ok(format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"))
    }

    /// Puts items of about so many bytes each.
    pub(crate) async fn fill(&self, table: &str, numbers: std::ops::Range<usize>, size: usize) -> Result<()> {
        let numbers: Vec<usize> = numbers.collect();
        for some in numbers.chunks(25) {
            let puts = some.iter().map(|n| {
                let put = PutRequest::builder()
                    .item("id", AttributeValue::S(format!("item-{n}")))
                    .item("text", AttributeValue::S("x".repeat(size)));
                Ok(WriteRequest::builder().put_request(put.build()?).build())
            });
            let puts = puts.collect::<Result<Vec<_>>>()?;
            self.dynamodb.batch_write_item().request_items(table, puts).send().await?;
        }
        Ok(())
    }

    /// A backup of a table with nothing special about it, not sent yet.
    pub(crate) fn start_backup(
        &self,
        table: &str,
    ) -> aws_sdk_backup::operation::start_backup_job::builders::StartBackupJobFluentBuilder {
        self.backup.start_backup_job().backup_vault_name(VAULT).resource_arn(table).iam_role_arn(BACKUP_ROLE)
    }

    /// A backup that has completed: its job's id and its recovery point.
    pub(crate) async fn backed_up(&self, table: &str) -> Result<(String, String)> {
        let job = self.start_backup(table).send().await?.backup_job_id.context("id")?;
        self.pass(100).await;
        let done = self.backup.describe_backup_job().backup_job_id(&job).send().await?;
        ensure!(done.state() == Some(&BackupJobState::Completed), "{job}: {:?}", done.status_message());
        Ok((job, done.recovery_point_arn.context("arn")?))
    }

    /// A description of a recovery point of the vault, not sent yet.
    pub(crate) fn describe_point(
        &self,
        point: &str,
    ) -> aws_sdk_backup::operation::describe_recovery_point::builders::DescribeRecoveryPointFluentBuilder
    {
        self.backup.describe_recovery_point().backup_vault_name(VAULT).recovery_point_arn(point)
    }

    /// The whole answer to one request of the account's root, as the wire has it.
    pub(crate) async fn raw(&self, method: &str, path: &str, body: &str) -> Result<String> {
        http_as_root(self.emulator.backup_endpoint(), method, path, body).await
    }

    /// The local AWS's endpoint.
    pub(crate) fn local_aws(&self) -> &str {
        &self.local.endpoint
    }

    /// Lets so many emulated seconds pass.
    pub(crate) async fn pass(&self, seconds: i64) {
        let timeline = self.emulator.timeline();
        timeline.advance_to(timeline.now() + SignedDuration::from_secs(seconds)).await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.emulator.timeline().now()
    }

    /// A job's state and message now.
    pub(crate) async fn job(&self, id: &str) -> Result<(String, String)> {
        let job = self.backup.describe_backup_job().backup_job_id(id).send().await?;
        let state = job.state().context("a job without a state")?.as_str().to_owned();
        Ok((state, job.status_message().unwrap_or_default().to_owned()))
    }

    /// The body of an answer of the control endpoint.
    pub(crate) async fn control(&self, method: &str, path: &str, body: &str) -> Result<serde_json::Value> {
        let answer = http(self.emulator.control_endpoint(), method, path, body).await?;
        let (_, body) = answer.split_once("\r\n\r\n").context("an answer without a body")?;
        serde_json::from_str(body).context(answer.clone())
    }

    /// Gives a table a status: the local DynamoDB makes tables at once.
    pub(crate) async fn table_status(&self, status: &str, arn: &str) -> Result<()> {
        let path = format!("/_local/tables/{status}/{arn}");
        let answer = http(&self.local.endpoint, "PUT", &path, "").await?;
        ensure!(answer.contains(" 200 "), "{path}: {answer}");
        Ok(())
    }

    /// What the control endpoint refuses with.
    pub(crate) async fn refused(&self, method: &str, path: &str, body: &str) -> Result<String> {
        let answer = http(self.emulator.control_endpoint(), method, path, body).await?;
        ensure!(answer.starts_with("HTTP/1.0 400"), "{method} {path} {body}: {answer}");
        let body = self.control(method, path, body).await?;
        Ok(body["error"].as_str().context("no error")?.to_owned())
    }

    /// `operation outcome` of each call since the log was cleared.
    pub(crate) async fn calls(&self) -> Result<Vec<String>> {
        let calls = self.control("GET", "/calls", "").await?;
        let text =
            |call: &serde_json::Value, member: &str| call[member].as_str().unwrap_or_default().to_owned();
        let calls = calls["calls"].as_array().context("no calls")?;
        Ok(calls
            .iter()
            .map(|call| format!("{} {}", text(call, "operation"), text(call, "outcome")))
            .collect())
    }

    /// A directory that goes with the stack.
    pub(crate) fn directory(&self) -> &Path {
        self.local.directory.path()
    }
}
