//! From the wire to an operation and back.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{ApiError, Call, without_nulls};
use crate::aws::Scope;
use crate::calls::Entry;
use crate::operation::{self, Operation};
use crate::service::Service;

/// The largest body that is read.
const LARGEST_BODY: usize = 1 << 20;

/// Every path of AWS Backup's.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new().fallback(answer).with_state(service)
}

async fn answer(State(service): State<Arc<Service>>, request: Request) -> Response<Body> {
    let mut entry = Entry::new(service.timeline.now());
    let result = handle(&service, request, &mut entry).await;
    let request_id = entry.request_id.clone();
    entry.outcome = match &result {
        Ok(_) => "200".to_owned(),
        Err(error) => format!("{} {}", error.status.as_u16(), error.kind),
    };
    service.calls.record(entry);
    respond(&service, &request_id, result)
}

async fn handle(service: &Arc<Service>, request: Request, entry: &mut Entry) -> Result<Value, ApiError> {
    let (head, body) = request.into_parts();
    let (method, path) = (head.method.as_str(), head.uri.path());
    // Read whatever comes of the call: a body that is left makes the server hang up on the client's next call.
    let body = to_bytes(body, LARGEST_BODY).await;
    let caller = service.callers.identify(&head.headers).await?;
    (entry.principal, entry.region) = (caller.arn.clone(), caller.region.clone());
    entry.operation = format!("{method} {path}");
    let (operation, path) = route(method, path).ok_or_else(|| ApiError::not_emulated(method, path))?;
    entry.operation = operation.name.to_owned();
    let body = body.map_err(|error| ApiError::serialization(error.to_string()))?;
    let call = Call {
        service: service.clone(),
        operation,
        scope: Scope { account: caller.account.clone(), region: caller.region.clone() },
        caller,
        path,
        query: query(head.uri.query().unwrap_or_default()),
        body: readable(body)?,
    };
    let resource = (operation.resource)(&call)?;
    call.authorize(&format!("backup:{}", operation.name), &resource, call.tag_context(&resource)).await?;
    (operation.run)(&call).await.map(without_nulls)
}

/// The operation that a path belongs to, and the path's named parts.
fn route(method: &str, path: &str) -> Option<(&'static Operation, Vec<(&'static str, String)>)> {
    let path: Vec<&str> = path.strip_prefix('/')?.trim_end_matches('/').split('/').collect();
    operation::ALL.iter().filter(|operation| operation.method == method).find_map(|operation| {
        let pattern: Vec<&'static str> = operation.path.split('/').collect();
        let fits = pattern.len() == path.len()
            && pattern.iter().zip(&path).all(|(want, part)| want.starts_with('{') || want == part);
        let named = pattern.iter().zip(&path).filter_map(|(want, part)| {
            let name = want.strip_prefix('{')?.strip_suffix('}')?;
            Some((name, percent_decode_str(part).decode_utf8_lossy().into_owned()))
        });
        fits.then(|| (operation, named.collect()))
    })
}

fn query(text: &str) -> Vec<(String, String)> {
    let decode = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(k, v)| (decode(k), decode(v)))
        .collect()
}

/// A body must be a JSON object, or nothing.
fn readable(body: Bytes) -> Result<Bytes, ApiError> {
    if body.is_empty() || serde_json::from_slice::<Value>(&body).is_ok_and(|value| value.is_object()) {
        return Ok(body);
    }
    Err(ApiError::serialization("The request's body is not a JSON object."))
}

fn respond(service: &Service, request_id: &str, result: Result<Value, ApiError>) -> Response<Body> {
    let (status, kind, body) = match result {
        Ok(Value::Null) => (StatusCode::OK, None, String::new()),
        Ok(value) => (StatusCode::OK, None, value.to_string()),
        Err(error) => (error.status, Some(error.kind), error.body()),
    };
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("date", crate::time::http_date(service.timeline.now()))
        .header("x-amzn-requestid", request_id);
    if let Some(kind) = kind {
        response = response.header("x-amzn-errortype", kind);
    }
    // Every header above is plain ASCII, so the builder has nothing to refuse.
    response.body(Body::from(body)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ARN: &str = "arn%3Aaws%3Abackup%3Aeu-west-1%3A111122223333%3Arecovery-point%3Aab";

    #[rstest]
    #[case::sdk("GET", "/backup-vaults", Some("ListBackupVaults"))]
    #[case::cli("GET", "/backup-vaults/", Some("ListBackupVaults"))]
    #[case::put("PUT", "/backup-vaults/dynachain", Some("CreateBackupVault"))]
    #[case::points(
        "GET",
        "/backup-vaults/dynachain/recovery-points/",
        Some("ListRecoveryPointsByBackupVault")
    )]
    #[case::point("GET", &format!("/backup-vaults/dynachain/recovery-points/{ARN}"), Some("DescribeRecoveryPoint"))]
    #[case::tags("GET", &format!("/tags/{ARN}/"), Some("ListTags"))]
    #[case::tag("POST", &format!("/tags/{ARN}"), Some("TagResource"))]
    #[case::not_emulated("PUT", "/restore-jobs", None)]
    #[case::nothing("GET", "/", None)]
    fn paths_lead_to_operations(#[case] method: &str, #[case] path: &str, #[case] name: Option<&str>) {
        assert_eq!(route(method, path).map(|(operation, _)| operation.name), name);
    }

    #[test]
    fn every_path_is_served_with_and_without_a_trailing_slash() {
        for operation in operation::ALL {
            let path = format!("/{}", operation.path.replace(['{', '}'], ""));
            for path in [path.clone(), format!("{path}/")] {
                let found = route(operation.method, &path).map(|(found, _)| found.name);
                assert_eq!(found, Some(operation.name), "{} {path}", operation.method);
            }
        }
    }

    #[test]
    fn encoded_arns_in_paths_and_queries_are_decoded() {
        let table = "/resources/arn%3Aaws%3Adynamodb%3Aeu-west-1%3A1%3Atable%2Forders/recovery-points";
        let (_, parts) = route("GET", table).unwrap();
        assert_eq!(parts, [("resourceArn", "arn:aws:dynamodb:eu-west-1:1:table/orders".to_owned())]);
        assert_eq!(query("a=x%2By+z&b"), [("a".into(), "x+y z".into()), ("b".into(), String::new())]);
    }
}
