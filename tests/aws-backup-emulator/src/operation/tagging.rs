//! Tags of recovery points and vaults, as `ListTags`, `TagResource` and `UntagResource` treat them.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{ApiError, Call};
use crate::state::RegionState;
use crate::state::recovery_point::Status;
use crate::state::tags::{self, Tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagInput {
    tags: Option<Tags>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagInput {
    tag_key_list: Option<Vec<String>>,
}

/// Refuses tags that break a rule; how many they are is another matter.
pub(super) fn check(tags: &Tags) -> Result<(), ApiError> {
    match tags.iter().find_map(|(key, value)| tags::problem(key, value)) {
        Some(problem) => Err(ApiError::invalid_parameter(problem)),
        None => Ok(()),
    }
}

/// Only AWS Backup's own ARNs have tags here: not those of DynamoDB backups made without advanced features.
fn own_arn(call: &Call) -> Result<&str, ApiError> {
    let arn = call.part("resourceArn")?;
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "backup", _, _, _] => Ok(arn),
        _ => Err(ApiError::invalid_parameter(format!("Invalid resource ARN: {arn}"))),
    }
}

fn missing(arn: &str) -> ApiError {
    ApiError::not_found(format!("Resource {arn} does not exist."))
}

/// The tags of what is there; those of a point that is being created are not to be changed yet.
fn changeable<'a>(state: &'a mut RegionState, arn: &str) -> Result<&'a mut Tags, ApiError> {
    if state.points.get(arn).is_some_and(|point| point.status == Status::Creating) {
        let message =
            format!("The tags of recovery point {arn} cannot be changed while it is being created.");
        return Err(ApiError::invalid_parameter(message));
    }
    state.tags_mut(arn).ok_or_else(|| missing(arn))
}

pub(super) async fn list(call: &Call) -> Result<Value, ApiError> {
    let arn = own_arn(call)?;
    let page = call.page()?;
    let tags = call.state(|state| state.tags(arn).cloned()).ok_or_else(|| missing(arn))?;
    let entries = tags.into_iter().map(|(key, value)| (key.clone(), (key, Value::from(value)))).collect();
    let (tags, next) = page.cut(entries);
    let tags: serde_json::Map<String, Value> = tags.into_iter().collect();
    Ok(json!({ "Tags": tags, "NextToken": next }))
}

pub(super) async fn tag(call: &Call) -> Result<Value, ApiError> {
    let arn = own_arn(call)?;
    let input: TagInput = call.body()?;
    let more = input.tags.ok_or_else(|| ApiError::missing_parameter("Tags"))?;
    if more.is_empty() {
        return Err(ApiError::invalid_parameter("Tags must not be empty."));
    }
    check(&more)?;
    call.state(|state| {
        let tags = changeable(state, arn)?;
        match tags::merge(tags.clone(), &more) {
            Ok(merged) => *tags = merged,
            Err(_) => {
                let message = "The resultant tag set must not have more than 50 user tags.";
                return Err(ApiError::limit_exceeded(message));
            }
        }
        Ok(Value::Null)
    })
}

pub(super) async fn untag(call: &Call) -> Result<Value, ApiError> {
    let arn = own_arn(call)?;
    let input: UntagInput = call.body()?;
    let keys = input.tag_key_list.ok_or_else(|| ApiError::missing_parameter("TagKeyList"))?;
    if keys.is_empty() {
        return Err(ApiError::invalid_parameter("TagKeyList must not be empty."));
    }
    if let Some(problem) = keys.iter().find_map(|key| tags::problem(key, "")) {
        return Err(ApiError::invalid_parameter(problem));
    }
    call.state(|state| {
        let tags = changeable(state, arn)?;
        tags.retain(|key, _| !keys.contains(key));
        Ok(Value::Null)
    })
}
