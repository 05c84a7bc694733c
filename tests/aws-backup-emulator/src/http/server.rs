//! From the wire to an operation and back.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::gate::{self, Passage};
use super::{ApiError, Call, Connection, without_nulls};
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

/// What a call ends in.
enum Reply {
    Answer(StatusCode, Value),
    Refused(ApiError),
    /// Status 503 and nothing else: nobody is there.
    RegionOff,
    /// The connection is broken off; before anything was done, or after something that ended with this status.
    NoAnswer(Option<u16>),
}

impl Reply {
    /// As the call log has it.
    fn outcome(&self) -> String {
        match self {
            Self::Answer(status, _) => status.as_u16().to_string(),
            Self::Refused(error) => format!("{} {}", error.status.as_u16(), error.kind),
            Self::RegionOff => "503 Region off".to_owned(),
            Self::NoAnswer(None) => "dropped before".to_owned(),
            Self::NoAnswer(Some(status)) => format!("dropped after {status}"),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Refused(error) => error.status,
            Self::RegionOff => StatusCode::SERVICE_UNAVAILABLE,
            Self::Answer(status, _) => *status,
            Self::NoAnswer(_) => StatusCode::OK,
        }
    }
}

async fn answer(
    State(service): State<Arc<Service>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response<Body> {
    let mut entry = Entry::new(service.timeline.now());
    let reply = handle(&service, request, &mut entry).await.unwrap_or_else(Reply::Refused);
    let request_id = entry.request_id.clone();
    entry.outcome = reply.outcome();
    service.calls.record(entry);
    if matches!(reply, Reply::NoAnswer(_)) {
        connection.break_off();
    }
    respond(&service, &request_id, reply)
}

async fn handle(service: &Arc<Service>, request: Request, entry: &mut Entry) -> Result<Reply, ApiError> {
    let (head, body) = request.into_parts();
    let (method, path) = (head.method.as_str(), head.uri.path());
    // Read whatever comes of the call: a body that is left makes the server hang up on the client's next call.
    let body = to_bytes(body, LARGEST_BODY).await;
    let caller = service.callers.identify(&head.headers).await?;
    (entry.principal, entry.region) = (caller.arn.clone(), caller.region.clone());
    let found = route(method, path);
    entry.operation =
        found.as_ref().map_or_else(|| format!("{method} {path}"), |(operation, _)| operation.name.to_owned());
    if service.agenda.holds(&caller.region) {
        return Ok(Reply::RegionOff);
    }
    let (operation, path) = found.ok_or_else(|| ApiError::not_emulated(method, path))?;
    let passage = gate::pass(service, operation.name, &caller).await?;
    if passage == Passage::Dropped {
        return Ok(Reply::NoAnswer(None));
    }
    let call = |body| Call {
        service: service.clone(),
        operation,
        scope: Scope { account: caller.account.clone(), region: caller.region.clone() },
        caller,
        path,
        query: query(head.uri.query().unwrap_or_default()),
        body,
    };
    let body = if takes_body(operation) { whole(body) } else { Ok(Bytes::new()) };
    let reply = match body {
        Ok(body) => carry_out(&call(body)).await.unwrap_or_else(Reply::Refused),
        Err(error) => Reply::Refused(error),
    };
    Ok(if passage == Passage::Unanswered { Reply::NoAnswer(Some(reply.status().as_u16())) } else { reply })
}

async fn carry_out(call: &Call) -> Result<Reply, ApiError> {
    call.authorize_operation().await?;
    let answer = (call.operation.run)(call).await?;
    Ok(Reply::Answer(call.operation.status, without_nulls(answer)))
}

/// The operation that a path belongs to, and the path's named parts.
fn route(method: &str, path: &str) -> Option<(&'static Operation, Vec<(&'static str, String)>)> {
    let path = path.strip_prefix('/')?.trim_end_matches('/');
    let operation = operation::ALL
        .iter()
        .filter(|operation| operation.method == method)
        .find(|operation| fits(operation.path, path))?;
    let named = operation.path.split('/').zip(path.split('/')).filter_map(|(want, part)| {
        let name = want.strip_prefix('{')?.strip_suffix('}')?;
        Some((name, percent_decode_str(part).decode_utf8_lossy().into_owned()))
    });
    Some((operation, named.collect()))
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut parts) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), parts.next()) {
            (None, None) => return true,
            (Some(want), Some(part)) if want.starts_with('{') || want == part => {}
            _ => return false,
        }
    }
}

/// The members of a query string, decoded.
pub(crate) fn query(text: &str) -> Vec<(String, String)> {
    let decode = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(k, v)| (decode(k), decode(v)))
        .collect()
}

/// No operation by another method has members in its body.
fn takes_body(operation: &Operation) -> bool {
    matches!(operation.method, "PUT" | "POST")
}

/// A body must be a JSON object, or nothing.
fn whole(body: Result<Bytes, axum::Error>) -> Result<Bytes, ApiError> {
    let body = body.map_err(|error| ApiError::serialization(error.to_string()))?;
    if body.is_empty() || serde_json::from_slice::<Value>(&body).is_ok_and(|value| value.is_object()) {
        return Ok(body);
    }
    Err(ApiError::serialization("The request's body is not a JSON object."))
}

fn respond(service: &Service, request_id: &str, reply: Reply) -> Response<Body> {
    let mut response = Response::builder().status(reply.status());
    let body = match reply {
        Reply::RegionOff | Reply::NoAnswer(_) => return response.body(Body::empty()).unwrap_or_default(),
        Reply::Answer(_, Value::Null) => String::new(),
        Reply::Answer(_, value) => value.to_string(),
        Reply::Refused(error) => {
            response = response.header("x-amzn-errortype", error.kind);
            error.body()
        }
    };
    response = response
        .header("content-type", "application/json")
        .header("date", crate::time::http_date(service.timeline.now()))
        .header("x-amzn-requestid", request_id);
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
    #[case::not_emulated("PUT", "/scan/job", None)]
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
