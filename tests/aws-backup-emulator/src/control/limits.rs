//! Request rates.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Input, no_problems};
use crate::limits::AWS;
use crate::operation;

pub(super) async fn get(input: &Input) -> Result<Value, String> {
    Ok(json!(input.service.limits.rates()))
}

pub(super) async fn put(input: &Input) -> Result<Value, String> {
    let given: BTreeMap<String, Value> =
        input.read(r#"{"StartBackupJob": 5, "*": 50, "ListTags": null} or {"preset": "aws"}"#)?;
    let (mut rates, mut problems) = (Vec::new(), Vec::new());
    // The preset comes first, so that what else is given goes before it.
    if let Some(preset) = given.get("preset") {
        match preset.as_str() {
            Some("aws") => rates.extend(AWS.map(|(name, rate)| (name.to_owned(), Some(rate)))),
            _ => problems.push(format!("preset must be \"aws\", not {preset}")),
        }
    }
    for (name, rate) in given.iter().filter(|(name, _)| *name != "preset") {
        let known = operation::named(name).next().is_some() || AWS.iter().any(|(known, _)| known == name);
        if !known {
            problems.push(format!("{name} is no operation, and no pattern of operations"));
        }
        match rate.as_f64() {
            Some(rate) if rate > 0.0 => rates.push((name.clone(), Some(rate))),
            None if rate.is_null() => rates.push((name.clone(), None)),
            _ => problems
                .push(format!("{name} must be a positive number of calls per second or null, not {rate}")),
        }
    }
    no_problems(&problems)?;
    input.service.limits.set(rates);
    get(input).await
}
