//! Regions that are off.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Input;
use crate::regions;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionInput {
    available: bool,
}

pub(super) async fn get(input: &Input) -> Result<Value, String> {
    Ok(json!({ "off": input.service.agenda.held() }))
}

pub(super) async fn put(input: &Input) -> Result<Value, String> {
    let RegionInput { available } = input.read(r#"{"available": false} or {"available": true}"#)?;
    let region = input.name.as_str();
    if !regions::is_name(region) {
        return Err(format!("{region:?} is no Region's name, such as eu-central-1"));
    }
    regions::switch(&input.service, region, available).await?;
    get(input).await
}
