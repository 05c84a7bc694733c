//! Legal holds: placed and released here, carried on in [`crate::jobs`].

mod request;

use jiff::SignedDuration;
use serde_json::{Value, json};

use self::request::CreateInput;
use crate::agenda::Task;
use crate::http::{ApiError, Call, Page, newest_first};
use crate::jobs::LEGAL_HOLD_STEP;
use crate::state::RegionState;
use crate::state::legal_hold::{Cancellation, HeldPlace, LegalHold, Status};
use crate::state::recovery_point::RecoveryPoint;

/// A hold to be, which has no id yet.
pub(super) fn new_hold(call: &Call) -> Result<String, ApiError> {
    Ok(call.scope.arn("backup", "legal-hold:*"))
}

pub(super) fn hold(call: &Call) -> Result<String, ApiError> {
    Ok(call.scope.arn("backup", &format!("legal-hold:{}", call.part("legalHoldId")?)))
}

pub(super) async fn create(call: &Call) -> Result<Value, ApiError> {
    let input: CreateInput = call.body()?;
    let (hold, token) = input.accept(&call.scope, call.now())?;
    call.authorize_tagging(&new_hold(call)?).await?;
    let (hold, new) = call.state(|state| insert(state, hold, token))?;
    if new {
        go_on(call, &hold.id);
    }
    Ok(hold.creation())
}

/// A new hold, or the one that the same token made before.
fn insert(
    state: &mut RegionState,
    hold: LegalHold,
    token: Option<String>,
) -> Result<(LegalHold, bool), ApiError> {
    if let Some(made) = token.as_deref().and_then(|token| state.legal_holds.made_by(token)) {
        return Ok((made.clone(), false));
    }
    match state.legal_holds.insert(hold.clone(), token) {
        Ok(()) => Ok((hold, true)),
        Err(too_many) => Err(ApiError::limit_exceeded(too_many.to_string())),
    }
}

/// The hold takes its next step on the emulated clock.
fn go_on(call: &Call, id: &str) {
    let due = call.now().checked_add(LEGAL_HOLD_STEP).unwrap_or(jiff::Timestamp::MAX);
    call.service.agenda.add(due, Task::StepLegalHold { scope: call.scope.clone(), hold: id.to_owned() });
}

pub(super) async fn cancel(call: &Call) -> Result<Value, ApiError> {
    let id = call.part("legalHoldId")?;
    let description = call.query("cancelDescription");
    let description = description.ok_or_else(|| ApiError::missing_parameter("CancelDescription"))?;
    let retain = call.query("retainRecordInDays").map(days).transpose()?;
    call.state(|state| {
        let hold = state.legal_holds.get_mut(id).ok_or_else(|| missing(id))?;
        if hold.status != Status::Active {
            let message = format!("Legal hold {id} is {} and cannot be cancelled.", hold.status.as_str());
            return Err(ApiError::invalid_resource_state(message));
        }
        hold.status = Status::Canceling;
        hold.cancellation = Some(Cancellation { description: description.to_owned(), retain });
        Ok(())
    })?;
    go_on(call, id);
    Ok(Value::Null)
}

/// 100 years, which is the longest that AWS Backup keeps anything.
const LONGEST_RECORD: u32 = 36_500;

fn days(text: &str) -> Result<SignedDuration, ApiError> {
    match text.parse::<u32>() {
        Ok(days) if days <= LONGEST_RECORD => Ok(SignedDuration::from_hours(24 * i64::from(days))),
        _ => {
            let message = format!("RetainRecordInDays must be 0 to {LONGEST_RECORD}, not {text}.");
            Err(ApiError::invalid_parameter(message))
        }
    }
}

fn missing(id: &str) -> ApiError {
    ApiError::not_found(format!("Legal hold {id} does not exist."))
}

pub(super) async fn get(call: &Call) -> Result<Value, ApiError> {
    let id = call.part("legalHoldId")?;
    call.state(|state| state.legal_holds.get(id).map(LegalHold::describe)).ok_or_else(|| missing(id))
}

pub(super) async fn list(call: &Call) -> Result<Value, ApiError> {
    let page = call.page()?;
    call.state(|state| {
        let holds = state.legal_holds.values();
        let (holds, next) =
            page.cut(holds.map(|hold| (newest_first(hold.created, &hold.id), hold)).collect());
        let holds: Vec<Value> = holds.into_iter().map(LegalHold::list_entry).collect();
        Ok(json!({ "LegalHolds": holds, "NextToken": next }))
    })
}

/// A hold that is not there is a bad value: the operation has no `ResourceNotFoundException`.
pub(super) async fn list_points(call: &Call) -> Result<Value, ApiError> {
    let id = call.part("legalHoldId")?;
    let page = call.page()?;
    call.state(|state| {
        let hold = state
            .legal_holds
            .get(id)
            .ok_or_else(|| ApiError::invalid_parameter(format!("Invalid legal hold id: {id}")))?;
        let held = state.held_by(hold, place(&page)?);
        let (points, next) = page
            .begin(held, |(index, point)| format!("{index}\n{}", newest_first(point.created, &point.arn)));
        let points: Vec<Value> = points.into_iter().map(|(_, point)| member(point)).collect();
        Ok(json!({ "RecoveryPoints": points, "NextToken": next }))
    })
}

fn place(page: &Page) -> Result<Option<HeldPlace<'_>>, ApiError> {
    let Some((index, key)) = page.after_prefix()? else { return Ok(None) };
    let (created, arn) = Page::newest(key)?;
    Ok(Some((index, created, arn)))
}

fn member(point: &RecoveryPoint) -> Value {
    json!({
        "RecoveryPointArn": point.arn,
        "ResourceArn": point.resource_arn,
        "ResourceType": "DynamoDB",
        "BackupVaultName": point.vault,
    })
}
