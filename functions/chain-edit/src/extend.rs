//! One point lives longer, or no longer.

use dynachain::chain::{ChainKind, RestorePoint};
use dynachain::error::{ErrorType, Refusal};
use dynachain::invocation::Invocation;
use dynachain::retention::End;
use jiff::Timestamp;

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
    let listed = place.points.find(&extend.point, POINT).await?.listed;
    let table = listed.table.clone();
    let (point, _) = place.points.open_one(listed).await.map_err(|error| error.refusal())?;
    check(&point)?;
    if locked {
        let message = format!(
            "the vault {} is locked: AWS ends its points at the time that was set when they were made, whatever their \
             metadata says",
            place.vault
        );
        return Err(Refusal::at(ErrorType::VaultLockConflict, POINT, message));
    }
    let change = Change::Extend(extend.point.clone(), extend.until);
    let site = Site { place, judge, tables: [table].into() };
    run::run(deps, invocation, change, vec![site], how, now).await
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
