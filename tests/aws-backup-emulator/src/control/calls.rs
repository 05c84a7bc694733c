//! The call log.

use serde_json::Value;

use super::{Input, no_problems};
use crate::calls::Filter;

pub(super) async fn get(input: &Input) -> Result<Value, String> {
    let (mut filter, mut problems) = (Filter::default(), Vec::new());
    for (name, value) in &input.query {
        match name.as_str() {
            "operation" => filter.operation = Some(value),
            "principal" => filter.principal = Some(value),
            "region" => filter.region = Some(value),
            name => problems.push(format!("{name} is none of operation, principal and region")),
        }
    }
    no_problems(&problems)?;
    Ok(input.service.calls.describe(&filter))
}

pub(super) async fn delete(input: &Input) -> Result<Value, String> {
    input.service.calls.clear();
    Ok(input.service.calls.describe(&Filter::default()))
}
