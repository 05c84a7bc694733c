//! Copies that are there, or on their way, though the catalog does not know: what AWS Backup tells about them.

use dynachain::aws::AwsError;
use dynachain::catalog::{CatalogError, CopyRecord};
use dynachain::event::{JobId, JobState};
use dynachain::id::RecoveryPointArn;
use dynachain::metadata::key_tag;

use crate::Deps;

/// What there is.
pub(crate) enum Existing {
    Nothing,
    /// A job that has not ended.
    Job(JobId),
    Copy(RecoveryPointArn),
}

/// Looks for a copy among the jobs of the last 30 days, then in the target vault itself.
pub(crate) async fn look(deps: &Deps, record: &CopyRecord) -> Result<Existing, AwsError> {
    let jobs = deps.jobs.of(&record.source, &record.target).await?;
    if let Some(job) = jobs.iter().find(|job| !job.state.is_final()) {
        return Ok(Existing::Job(job.job.clone()));
    }
    if let Some(copy) = in_vault(deps, record).await? {
        return Ok(Existing::Copy(copy));
    }
    // Into a vault of another account nobody here can look: what its job says must do.
    let foreign = record.target.account() != deps.settings.account;
    let mut completed = jobs.into_iter().filter(|job| foreign && job.state == JobState::Completed);
    Ok(completed.find_map(|job| job.copy).map_or(Existing::Nothing, Existing::Copy))
}

/// The copy in its vault, when it can be looked into. A copy has the creation date of its source, and its wrapped data key.
pub(crate) async fn in_vault(deps: &Deps, record: &CopyRecord) -> Result<Option<RecoveryPointArn>, AwsError> {
    let Ok(Some(there)) = deps.there(&record.target) else { return Ok(None) };
    let points = there.vault().points(Some(&record.table)).await?;
    let alike = points.into_iter().filter(|point| {
        point.created_at == record.created_at && point.is_restorable() && point.arn != record.source
    });
    for point in alike {
        let key = key_tag(1);
        let ours = deps.points.vault().tags(&record.source).await?;
        let theirs = there.vault().tags(&point.arn).await?;
        if ours.contains_key(&key) && theirs.get(&key) == ours.get(&key) {
            return Ok(Some(point.arn));
        }
    }
    Ok(None)
}

/// Whether a later copy of the table to the same vault has come about.
pub(crate) async fn is_made_up(deps: &Deps, record: &CopyRecord) -> Result<bool, CatalogError> {
    let newest = deps.catalog.copies().newest(&record.table).await?;
    Ok(newest
        .iter()
        .any(|newest| newest.target == record.target && newest.scheduled_at > record.scheduled_at))
}
