//! One point lives longer, or no longer.

use dynachain::aws::backup::PointState;
use dynachain::chain::{ChainKind, RestorePoint};
use dynachain::copying::LONGEST;
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::RecoveryPointArn;
use dynachain::invocation::Invocation;
use dynachain::point_reader::PointReader;
use dynachain::retention::End;
use jiff::{SignedDuration, Timestamp};

use crate::Deps;
use crate::answer::Answer;
use crate::change::Change;
use crate::request::{Extend, How};
use crate::run;
use crate::site::Site;

const POINT: &str = "$.extend.recovery_point";

pub(crate) async fn run(
    deps: &Deps,
    invocation: &Invocation,
    extend: &Extend,
    how: &How,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    if let Some(End::At(until)) = extend.until
        && until <= now
    {
        let message = format!("is past, it is {now}; null undoes an extension");
        return Err(Refusal::at(ErrorType::InvalidRequest, "$.extend.until", message));
    }
    let place = deps.place(deps.home())?;
    let (judge, locked) = place.judge(now).await?;
    let reader = place.points.clone();
    let found = find(&reader, &extend.point).await?;
    let table = found.listed.table.clone();
    let (point, _) = reader.open_one(found.listed.clone()).await.map_err(|error| error.refusal())?;
    check(&point)?;
    if locked {
        let message = format!(
            "the vault {} is locked: AWS ends its points at the time that was set when they were made, whatever their \
             metadata says",
            place.vault
        );
        return Err(Refusal::at(ErrorType::VaultLockConflict, POINT, message));
    }
    outlived(&found, extend.until)?;
    let change = Change::Extend(extend.point.clone(), extend.until);
    let site = Site { place, judge, tables: [table].into() };
    let answer = run::run(deps, invocation, change, vec![site], how, now).await?;
    if answer.points_count == 0 {
        // Retention may have deleted it by the time that the lock was this run's.
        find(&reader, &extend.point).await?;
    }
    Ok(answer)
}

/// The point, unless it is on its way out.
async fn find(reader: &PointReader, point: &RecoveryPointArn) -> Result<PointState, Refusal> {
    let found = reader.find(point, POINT).await?;
    if !found.listed.is_being_deleted() {
        return Ok(found);
    }
    let message = format!("{point} is being deleted, and nothing brings it back");
    Err(Refusal::at(ErrorType::PointNotFound, POINT, message))
}

/// Refuses a life that AWS itself cuts short: by a lifecycle that the point got while its vault was locked, or from somebody.
/// The longest one that there is cuts nothing short: copies have it whose sources have an end.
fn outlived(found: &PointState, until: Option<End>) -> Result<(), Refusal> {
    let (Some(until), Some(ends_at)) = (until, found.ends_at) else { return Ok(()) };
    let longest = SignedDuration::from_hours(24 * i64::from(LONGEST));
    if until <= End::At(ends_at) || ends_at.duration_since(found.listed.created_at) >= longest {
        return Ok(());
    }
    let message = format!(
        "cannot be kept until {until}: by its lifecycle in AWS Backup, AWS itself deletes it at {ends_at}, whatever its \
         metadata says; restore it, or change the lifecycle with the AWS CLI (update-recovery-point-lifecycle)"
    );
    Err(Refusal::at(ErrorType::VaultLockConflict, POINT, message))
}

/// Only points of chains end by what they say.
fn check(point: &RestorePoint) -> Result<(), Refusal> {
    let why = match (point.chain, point.doubt.as_deref()) {
        (ChainKind::Regular | ChainKind::Copy, _) => return Ok(()),
        (ChainKind::Manual, _) => "it was taken by hand, and retention never removes it anyway".to_owned(),
        (ChainKind::Foreign, _) => "it carries no metadata of dynachain, and is never removed".to_owned(),
        (kind, doubt) => format!("it is {kind}, and never removed: {}", doubt.unwrap_or("nobody knows why")),
    };
    Err(Refusal::at(ErrorType::InvalidRequest, POINT, format!("cannot be extended: {why}")))
}
