//! What must hold before any job starts: checked once per session, one clear error when it does not.

use dynachain::aws::backup::{Vault, VaultReader};
use dynachain::aws::{AwsError, Fault, NewDataKey};
use dynachain::catalog::SessionRecord;
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::{KeyArn, TableArn, TableName};
use dynachain::policy::Document;
use dynachain::retention::{End, Lifespan};
use jiff::Timestamp;

use crate::{Deps, seal};

/// A session may start.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) vault: Vault,
    pub(crate) key: NewDataKey,
}

/// Checks the stack's own vault, advanced features, and keys, and makes the invocation's data key for all who are to open
/// the policy's points. Under `dry_run` the advanced features are not turned on.
pub(crate) async fn check(deps: &Deps, policy: &Document, dry_run: bool) -> Result<Ready, Refusal> {
    let mut ready = check_vault(deps, &deps.vault, dry_run).await?;
    let any_table = any_table(deps)?;
    // All of them, whatever is due today: a key that cannot be used is found out long before the year's one copy.
    for recipient in policy.recipients(|_| true) {
        let wrapped = deps.keys.wrap(&mut ready.key, recipient, &any_table).await;
        wrapped.map_err(|error| about_recipient(policy, recipient, &error))?;
    }
    Ok(ready)
}

/// The same for any vault of the Region and points that are not copied.
pub(crate) async fn check_vault(deps: &Deps, vault: &VaultReader, dry_run: bool) -> Result<Ready, Refusal> {
    let vault = vault.describe().await.map_err(|error| error.about_vault(vault.name()))?;
    advanced_features(deps, dry_run).await?;
    let key = deps.keys.generate(&any_table(deps)?).await.map_err(|error| about_own_key(deps, &error))?;
    Ok(Ready { vault, key })
}

impl Ready {
    /// Refuses a session whose points a lock would not let live as long as they are to, or not let go.
    pub(crate) fn allows(
        &self,
        session: &SessionRecord,
        policy: &Document,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let Some(lock) = self.vault.lock() else { return Ok(()) };
        let kept = seal::kept(session.flags, policy);
        let lifespan = Lifespan::counted(session.scheduled_at, policy.timezone.name(), &kept, session.keep);
        let wanted = lock.delete_after_days(now, lifespan.expires_at().unwrap_or(End::Never));
        wanted.map(drop).map_err(|conflict| {
            let message = format!("{}: {conflict}; shorten the keep, or change the lock", self.vault.arn);
            Refusal::new(ErrorType::VaultLockConflict, message)
        })
    }
}

async fn advanced_features(deps: &Deps, dry_run: bool) -> Result<(), Refusal> {
    let on = deps.region.advanced_features_on().await.map_err(|error| error.refusal())?;
    if on || (dry_run && deps.settings.manage_backup_settings) {
        return Ok(());
    }
    if !deps.settings.manage_backup_settings {
        let region = &deps.settings.region;
        return Err(Refusal::new(
            ErrorType::AdvancedFeaturesOff,
            format!(
                "AWS Backup's advanced features for DynamoDB are off in {region}, and without them backups carry no tags \
                 and cannot be copied. Turn them on (aws backup update-region-settings \
                 --resource-type-opt-in-preference DynamoDB=true \
                 --resource-type-management-preference DynamoDB=true --region {region}), or set the stack parameter \
                 ManageBackupSettings to true"
            ),
        ));
    }
    tracing::info!("turning on AWS Backup's advanced features for DynamoDB");
    deps.region.turn_advanced_features_on().await.map_err(|error| error.refusal())
}

/// The encryption context names only account and Region of the table: any table of ours stands for all.
fn any_table(deps: &Deps) -> Result<TableArn, Refusal> {
    let name: Result<TableName, _> = "any".parse();
    name.and_then(|name| TableArn::of(&deps.settings.region, &deps.settings.account, &name))
        .map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
}

fn about_own_key(deps: &Deps, error: &AwsError) -> Refusal {
    let key = deps.keys.key();
    match trouble(error) {
        Trouble::Denied => unavailable(format!(
            "this function may not use the key {key}; allow its role in the key's policy: {error}"
        )),
        Trouble::Unusable => unavailable(format!(
            "the key {key} cannot be used; enable it, or give the stack another: {error}"
        )),
        Trouble::Other => error.refusal(),
    }
}

/// The refusal of a policy with targets in another account, under whose key the data key cannot be wrapped.
fn about_recipient(policy: &Document, key: &KeyArn, error: &AwsError) -> Refusal {
    let targets = policy.copies.iter().filter(|copy| copy.key.as_ref() == Some(key));
    let targets = targets.map(|copy| copy.vault.as_str()).collect::<Vec<_>>().join(", ");
    match trouble(error) {
        Trouble::Denied => unavailable(format!(
            "this function may not encrypt under {key}, the key of the copy target {targets}; name the key in the parameter \
             TargetKeyArns of this stack, and this account in the parameter SourceAccounts of the target's: {error}"
        )),
        Trouble::Unusable => unavailable(format!(
            "the key {key} of the copy target {targets} cannot be used; enable it there, or name another in the policy: \
             {error}"
        )),
        Trouble::Other => error.refusal(),
    }
}

fn unavailable(message: String) -> Refusal {
    Refusal::new(ErrorType::KeyUnavailable, message)
}

/// What is wrong with a key.
enum Trouble {
    Denied,
    Unusable,
    Other,
}

fn trouble(error: &AwsError) -> Trouble {
    let state =
        ["DisabledException", "KMSInvalidStateException", "NotFoundException", "InvalidKeyUsageException"];
    match error.fault() {
        Fault::NoAnswer | Fault::Throttled => Trouble::Other,
        Fault::AccessDenied => Trouble::Denied,
        _ if state.contains(&error.code()) => Trouble::Unusable,
        _ => Trouble::Other,
    }
}
