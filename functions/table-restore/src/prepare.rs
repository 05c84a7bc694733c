//! A restore as it is planned and checked, before anything is written or started.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dynachain::catalog::RestoreRecord;
use dynachain::error::{ErrorType, Problem, Refusal};
use dynachain::id::TableArn;
use dynachain::point_reader::SealedConfig;
use dynachain::restore::{Known, Place, Plan, Property, RestoreRequest, RestoreState, plan};
use jiff::Timestamp;

use crate::find::{Found, find};
use crate::{Deps, encryption};

/// A restore that can be started.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) record: RestoreRecord,
    pub(crate) known: Known,
}

/// Plans and checks every restore of a request.
///
/// # Errors
/// What stands in the way of any of them, all of it at once.
pub(crate) async fn all(
    deps: &Deps,
    requests: &[RestoreRequest],
    restore_id: &str,
    now: Timestamp,
) -> Result<Vec<Prepared>, Refusal> {
    let open = deps.catalog.restores().open().await?;
    let busy: BTreeSet<&TableArn> =
        open.iter().filter(|open| open.restore_id != restore_id).map(|open| &open.target).collect();
    let (mut all, mut refusals) = (Vec::new(), Vec::new());
    for (number, request) in (0..).zip(requests) {
        match one(deps, request, restore_id, number, now).await {
            Ok(prepared) if busy.contains(&prepared.record.target) => {
                let message = format!("another restore is making the table {}", prepared.record.target);
                refusals.push(Refusal::at(ErrorType::Busy, target_path(request), message));
            }
            Ok(prepared) => all.push(prepared),
            Err(refusal) => refusals.push(refusal),
        }
    }
    let mut targets = BTreeSet::new();
    for (prepared, request) in all.iter().zip(requests) {
        if refusals.is_empty() && !targets.insert(&prepared.record.target) {
            let message = format!("two restores would make the table {}", prepared.record.target);
            refusals.push(Refusal::at(ErrorType::InvalidRequest, target_path(request), message));
        }
    }
    together(&refusals).map_or(Ok(all), Err)
}

/// One refusal of several: of the first one's type, with the problems of all.
fn together(refusals: &[Refusal]) -> Option<Refusal> {
    let error_type = refusals.first()?.error_type();
    Refusal::of(error_type, refusals.iter().flat_map(|refusal| refusal.problems().to_vec()).collect())
}

fn target_path(request: &RestoreRequest) -> String {
    match request.target {
        Some(_) => format!("{}.target.table", request.path),
        None => format!("{}.target", request.path),
    }
}

async fn one(
    deps: &Deps,
    request: &RestoreRequest,
    restore_id: &str,
    number: u32,
    now: Timestamp,
) -> Result<Prepared, Refusal> {
    let Found { whole, is_cold } = find(deps, request).await?;
    let listed = whole.point.listed;
    let place = Place { target: target(deps, request, &listed.table)?, source: listed.table };
    let (known, sealed) = match whole.config {
        Ok((config, sealed)) => (Known::Config(Box::new(config)), Some(sealed)),
        Err(why) => (Known::Nothing(why), None),
    };
    let mut planned = planned(request, &known, &place)?;
    absent(deps, request, &place.target).await?;
    let encryption = encryption::choose(deps, request, &known).await?;
    if is_cold {
        planned
            .notes
            .push("the point lies in cold storage: AWS Backup takes about four hours more".to_owned());
    }
    if known.config().is_none() && !request.overrides.has(Property::Encryption) {
        planned.notes.push(
            "nothing is known of the table's key: the new table is encrypted with one that AWS owns, unless \
             \"overrides\": {\"encryption\": …} says another"
                .to_owned(),
        );
    }
    let record = RestoreRecord {
        restore_id: restore_id.to_owned(),
        number,
        state: RestoreState::Planned,
        recovery_point: listed.arn,
        source: place.source,
        target: place.target,
        encryption,
        overrides: request.overrides_given.as_ref().map(ToString::to_string),
        reason: request.reason.clone(),
        keys: sealed.iter().flat_map(wrapped).collect(),
        sealed_config: sealed.as_ref().map(|sealed| STANDARD.encode(&sealed.record)),
        unknown: match &known {
            Known::Config(_) => None,
            Known::Nothing(why) => Some(why.clone()),
        },
        notes: planned.notes,
        steps: planned.steps,
        job: None,
        message: None,
        claimed_at: now,
        restored_at: None,
        table_id: None,
        finished_at: None,
        generation: 1,
        lease_until: None,
    };
    Ok(Prepared { record, known })
}

fn wrapped(sealed: &SealedConfig) -> impl Iterator<Item = (u8, String)> {
    sealed.keys.iter().map(|(recipient, key)| (*recipient, STANDARD.encode(key)))
}

fn target(deps: &Deps, request: &RestoreRequest, source: &TableArn) -> Result<TableArn, Refusal> {
    match &request.target {
        Some(name) => deps.table(name),
        None => {
            let name = source.name().parse();
            name.map_err(|_| Refusal::new(ErrorType::Internal, format!("{source} has no name")))
                .and_then(|name| deps.table(&name))
        }
    }
}

fn planned(request: &RestoreRequest, known: &Known, place: &Place) -> Result<Plan, Refusal> {
    plan(known, &request.overrides, place).map_err(|misfits| {
        let path = &request.path;
        let problems = misfits.into_iter();
        let problems =
            problems.map(|(property, why)| Problem::new(format!("{path}.overrides.{property}"), why));
        Refusal::of(ErrorType::InvalidRequest, problems.collect())
            .unwrap_or_else(|| Refusal::new(ErrorType::Internal, "the restore cannot be planned"))
    })
}

/// A restore never touches a table that is there (AWS Backup Developer Guide, "Restore an Amazon DynamoDB table").
async fn absent(deps: &Deps, request: &RestoreRequest, target: &TableArn) -> Result<(), Refusal> {
    match deps.tables.of(target).await {
        Ok(None) => Ok(()),
        Ok(Some(state)) => {
            let message = format!(
                "the table {target} exists ({}); a restore makes a new one: say another name with \"target\": {{\"table\": \
                 <new name>}}, or delete the table first",
                state.status
            );
            Err(Refusal::at(ErrorType::TargetExists, target_path(request), message))
        }
        Err(error) => Err(error.refusal()),
    }
}

/// The place of a restore that was written down.
pub(crate) fn place(record: &RestoreRecord) -> Place {
    Place { source: record.source.clone(), target: record.target.clone() }
}
