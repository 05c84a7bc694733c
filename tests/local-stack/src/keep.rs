//! Keeping a local AWS up for somebody to play with, and telling how.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::{LocalStack, SOURCE_REGION, environment, repository_root};

/// Completes when somebody ends this process with Ctrl-C or SIGTERM. Both are listened to from the call on, so that an
/// early one leaves nothing behind.
///
/// # Errors
/// When the signals cannot be listened to.
pub fn ended() -> anyhow::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Writes the notes, tells how to use the stack, and keeps it up: drop the future to end it all.
///
/// # Errors
/// When the notes or standard output cannot be written.
pub async fn keep(stack: LocalStack, notes: Notes) -> anyhow::Result<Infallible> {
    notes.write(&environment::exports(&stack.environment(SOURCE_REGION)))?;
    let how = how_to_use(&stack, &notes.path)?;
    std::io::stdout().write_all(how.as_bytes()).context("standard output")?;
    Ok(std::future::pending().await)
}

/// `.local/env`, which one running local AWS owns and takes away when it ends.
#[derive(Debug)]
pub struct Notes {
    path: PathBuf,
    /// Locked for as long as we live, also when we are killed: the kernel lets go of it.
    _lock: std::fs::File,
}

impl Notes {
    /// Takes hold of the notes; nothing is written yet.
    ///
    /// # Errors
    /// When another local AWS of this checkout has them, or the directory cannot be written.
    pub fn take() -> anyhow::Result<Self> {
        let directory = repository_root().join(".local");
        std::fs::create_dir_all(&directory).with_context(|| format!("{}", directory.display()))?;
        let lock = std::fs::File::create(directory.join("lock")).context("the lock in .local")?;
        let path = directory.join("env");
        lock.try_lock().map_err(|_| {
            anyhow::anyhow!(
                "a local AWS is running already: use it with `. {}`, or end it first",
                path.display()
            )
        })?;
        Ok(Self { path, _lock: lock })
    }

    fn write(&self, exports: &str) -> anyhow::Result<()> {
        // Moved into place, so that whoever waits for the file never reads half of it.
        let draft = self.path.with_extension("draft");
        std::fs::write(&draft, exports).with_context(|| format!("{}", draft.display()))?;
        std::fs::rename(&draft, &self.path).with_context(|| format!("{}", self.path.display()))
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        // It is not there when the start failed.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn how_to_use(stack: &LocalStack, notes: &Path) -> anyhow::Result<String> {
    let policy = r#"{"apply":{"name":"orders","scope":{"tables":["orders"]},"schedules":{"daily":{"at":"07:00","on":"every day","keep":{"days":3}}}}}"#;
    let mut text = String::new();
    for (what, endpoint) in [
        ("AWS", stack.endpoint()),
        ("AWS Backup", stack.backup_endpoint()),
        ("Application Auto Scaling", stack.auto_scaling_endpoint()),
        ("controls: GET / lists them", stack.control_endpoint()),
    ] {
        writeln!(text, "{what:>28}  {endpoint}")?;
    }
    writeln!(text, "\nThe local AWS is up, its time is {}. In a second terminal:\n", stack.now())?;
    writeln!(text, "  . {}", notes.display())?;
    if let Some(other) = stack.other_account() {
        let (account, region) = (other.account, other.region);
        writeln!(
            text,
            "\n  # the stack in another account, into whose vault this one may copy: its id is its access key\n  \
             AWS_ACCESS_KEY_ID={account} aws --region {region} cloudformation describe-stacks --query 'Stacks[0].Outputs'"
        )?;
    }
    writeln!(
        text,
        r#"
  # a table with an item
  aws dynamodb create-table --table-name orders --billing-mode PAY_PER_REQUEST \
    --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH
  aws dynamodb put-item --table-name orders --item '{{"id":{{"S":"1"}},"total":{{"N":"42"}}}}'

  # a policy, and a session by hand
  aws lambda invoke --function-name $DYNACHAIN_POLICY_FUNCTION --payload '{policy}' out.json && cat out.json
  aws lambda invoke --function-name $DYNACHAIN_BACKUP_SESSION_FUNCTION --payload '{{"policy":"orders"}}' out.json && cat out.json

  # what the vault has, and the newest point's tags
  aws backup list-recovery-points-by-backup-vault --backup-vault-name $DYNACHAIN_VAULT
  aws backup list-tags --resource-arn "$(aws backup list-recovery-points-by-backup-vault --backup-vault-name $DYNACHAIN_VAULT \
    --query 'sort_by(RecoveryPoints,&CreationDate)[-1].RecoveryPointArn' --output text)"

  # the chains
  aws lambda invoke --function-name $DYNACHAIN_CHAIN_REPORT_FUNCTION --payload '{{}}' out.json && cat out.json

  # the emulated time: what it is, a jump (it fires every schedule on the way), and how long jobs take
  curl $DYNACHAIN_CONTROL/clock
  curl -X PUT $DYNACHAIN_CONTROL/clock -d '{{"now":"{tomorrow}"}}'
  curl -X PUT $DYNACHAIN_CONTROL/jobs -d '{{"backup_seconds":5}}'

  # all that can be done to it: faults, request rates, lost events, Regions that are off
  curl $DYNACHAIN_CONTROL/

Ctrl-C here ends it."#,
        tomorrow =
            stack.now().checked_add(jiff::SignedDuration::from_hours(24))?.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )?;
    Ok(text)
}
