//! Region settings.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{ApiError, Call};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateInput {
    resource_type_opt_in_preference: Option<BTreeMap<String, bool>>,
    resource_type_management_preference: Option<BTreeMap<String, bool>>,
}

pub(super) async fn describe(call: &Call) -> Result<Value, ApiError> {
    let settings = call.state(|state| state.settings.clone());
    Ok(json!({
        "ResourceTypeOptInPreference": settings.opt_in,
        "ResourceTypeManagementPreference": settings.management,
    }))
}

/// Types that are not named keep what they have.
pub(super) async fn update(call: &Call) -> Result<Value, ApiError> {
    let input: UpdateInput = call.body()?;
    let (opt_in, management) =
        (input.resource_type_opt_in_preference, input.resource_type_management_preference);
    if opt_in.is_none() && management.is_none() {
        return Err(ApiError::missing_parameter("ResourceTypeOptInPreference"));
    }
    let (opt_in, management) = (opt_in.unwrap_or_default(), management.unwrap_or_default());
    call.state(|state| {
        let settings = &mut state.settings;
        for (given, there) in [(&opt_in, &settings.opt_in), (&management, &settings.management)] {
            if let Some(strange) = given.keys().find(|name| !there.contains_key(*name)) {
                return Err(ApiError::invalid_parameter(format!("Unsupported resource type: {strange}")));
            }
        }
        settings.opt_in.extend(opt_in);
        settings.management.extend(management);
        Ok(Value::Null)
    })
}
