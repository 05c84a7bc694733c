//! Whether a copy that is claimed can begin: its source, its target, and what else may stand in its way.

use dynachain::catalog::{CopyRecord, CopyState};
use dynachain::chain::ListedPoint;
use dynachain::copying::CopyLifecycle;
use dynachain::error::Refusal;
use dynachain::metadata::Core;
use dynachain::retention::{End, copy_lifespan};
use jiff::{SignedDuration, Timestamp};

use crate::Deps;
use crate::before_backup;
use crate::existing::{self, Existing};

/// A backup that began longer ago has long ended: AWS Backup gives a job seven days by default.
const LONGEST_BACKUP: SignedDuration = SignedDuration::from_hours(8 * 24);

/// What is to be done with a copy that is claimed.
pub(crate) enum Next {
    Start(CopyLifecycle),
    /// Something is in its way: a word, and a sentence.
    Wait(&'static str, String),
    Settle(CopyState, &'static str, String),
    Found(Existing),
}

/// Looks at all that a copy needs, cheapest first. Trouble that says nothing about the copy is an error.
pub(crate) async fn look(deps: &Deps, record: &CopyRecord, now: Timestamp) -> Result<Next, Refusal> {
    if record.look_first {
        match existing::look(deps, record).await.map_err(|error| error.refusal())? {
            Existing::Nothing => {}
            found => return Ok(Next::Found(found)),
        }
    }
    let source = match deps.points.vault().point(&record.source).await {
        Ok(Some(source)) => source,
        Ok(None) => return Ok(gone("it is gone")),
        Err(error) => return Err(error.refusal()),
    };
    let status = source.listed.status.clone();
    match status.as_str() {
        "COMPLETED" | "AVAILABLE" => {}
        "CREATING" => return Ok(Next::Wait("source_not_complete", "its point is CREATING".to_owned())),
        _ => return Ok(gone(&format!("it is {status}"))),
    }
    if source.is_cold {
        let message = "its point is in cold storage, and AWS Backup copies none from there".to_owned();
        return Ok(Next::Settle(CopyState::Impossible, "cold_storage", message));
    }
    let core = match core(deps, &source.listed).await? {
        Ok(core) => core,
        Err(doubt) => return Ok(Next::Wait("source_doubtful", doubt)),
    };
    let lifespan = copy_lifespan(&core, &record.target, record.backfill.as_ref());
    if lifespan.active_flags(now).is_empty() {
        let message = "every flag for which it is wanted has ended meanwhile".to_owned();
        return Ok(Next::Settle(CopyState::Impossible, "no_longer_wanted", message));
    }
    let since = now.checked_sub(LONGEST_BACKUP).unwrap_or(now);
    if deps.backups.is_backed_up(&record.table, since).await.map_err(|error| error.refusal())? {
        return Ok(Next::Wait("backup_running", "a backup of its table runs".to_owned()));
    }
    if before_backup::is_due(deps, record).await? {
        return Ok(Next::Wait("session_running", "a session is about to back its table up".to_owned()));
    }
    let end = lifespan.expires_at().unwrap_or(End::Never);
    let lock = match deps.there(&record.target)? {
        None => None,
        Some(there) => match there.describe().await.map_err(|error| error.refusal())? {
            Some(vault) => {
                keep_config_there(deps, record, &core).await?;
                vault.lock()
            }
            None => {
                let message = format!("there is no vault {} any more", record.target);
                return Ok(Next::Settle(CopyState::Impossible, "vault_gone", message));
            }
        },
    };
    Ok(match CopyLifecycle::of(lock, record.created_at, end, source.ends_at.is_some()) {
        Ok(lifecycle) => Next::Start(lifecycle),
        Err(conflict) => {
            Next::Settle(CopyState::GivenUp, "vault_lock", format!("{}: {conflict}", record.target))
        }
    })
}

fn gone(what: &str) -> Next {
    Next::Settle(CopyState::Impossible, "source_gone", format!("its point cannot be copied: {what}"))
}

/// What the source says about itself; or why it is not to be trusted.
async fn core(deps: &Deps, listed: &ListedPoint) -> Result<Result<Box<Core>, String>, Refusal> {
    let tags = deps.points.vault().tags(&listed.arn).await.map_err(|error| error.refusal())?;
    let point = deps.points.identify_with(listed.clone(), &tags).await;
    let doubt = point.doubt.unwrap_or_else(|| "its point has no metadata of ours".to_owned());
    Ok(point.core.ok_or(doubt))
}

/// What of the table's configuration the tags have no room for goes to the target's own catalog before the copy: there a restore
/// needs nothing from here.
async fn keep_config_there(deps: &Deps, record: &CopyRecord, core: &Core) -> Result<(), Refusal> {
    let Some(there) = deps.there(&record.target)? else { return Ok(()) };
    let Some(config) = deps.catalog.points().config(&record.source).await? else { return Ok(()) };
    match there.catalog.points().put_copied_config(&record.table, core, &record.target, &config).await {
        // No stack, no catalog: better a copy without its configuration than none.
        Err(error) if error.is_missing_table() => {
            tracing::warn!(target_vault = %record.target, %error, "the target has no catalog for the configuration");
            Ok(())
        }
        kept => Ok(kept?),
    }
}
