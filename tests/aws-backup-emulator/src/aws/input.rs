//! What a rule's target is given: the event, a part of it, a constant, or what an input transformer makes of it.

mod path;
mod template;

use std::sync::Arc;

use aws_sdk_eventbridge::types::Target;
use jiff::Timestamp;
use serde_json::Value;

/// An event that a rule has matched.
#[derive(Clone, Debug)]
pub(super) struct Occasion {
    pub(super) event: Arc<Value>,
    pub(super) rule_name: String,
    pub(super) rule_arn: String,
    /// When EventBridge got it.
    pub(super) received: Timestamp,
}

/// What the target is given, or why it is given nothing.
pub(super) fn of(target: &Target, occasion: &Occasion) -> Result<String, String> {
    if let Some(transformer) = &target.input_transformer {
        return template::fill(transformer, occasion);
    }
    if let Some(constant) = &target.input {
        return Ok(constant.clone());
    }
    let Some(path) = &target.input_path else { return Ok(occasion.event.to_string()) };
    let part = path::find(&occasion.event, path)?;
    part.map(|part| part.to_string()).ok_or_else(|| format!("not delivered: the event has no {path}"))
}

#[cfg(test)]
mod tests;
