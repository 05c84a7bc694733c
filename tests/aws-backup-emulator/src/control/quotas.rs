//! Quotas that a test may lower.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Input;
use crate::service::Quotas;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuotasInput {
    concurrent_copies: Option<usize>,
}

pub(super) async fn get(input: &Input) -> Result<Value, String> {
    let Quotas { concurrent_copies } = input.service.quotas();
    Ok(json!({ "concurrent_copies": concurrent_copies }))
}

pub(super) async fn put(input: &Input) -> Result<Value, String> {
    let given: QuotasInput = input.read(r#"{"concurrent_copies": 100}"#)?;
    let mut quotas = input.service.quotas();
    quotas.concurrent_copies = given.concurrent_copies.unwrap_or(quotas.concurrent_copies);
    input.service.set_quotas(quotas);
    get(input).await
}
