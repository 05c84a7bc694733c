//! The control endpoint: what a test does to the emulated world from outside. Its own port, loopback only, no credentials.
//!
//! | request | does |
//! |---|---|
//! | `GET /clock` | `{"now", "speed"}`; also for a client of HTTP/1.0 that reads to the end |
//! | `PUT /clock {"now"?, "speed"?}` | sets the emulated time and how fast it runs, and answers when all that was due on the way has been done |
//! | `GET /jobs`, `PUT /jobs {"backup_seconds"?, "copy_seconds"?, "restore_seconds"?}` | how long jobs take, in emulated seconds |
//! | `GET /quotas`, `PUT /quotas {"concurrent_copies"?}` | how many copy jobs may be on their way to one account in one Region, 100 at first |
//! | `GET /calls`, `DELETE /calls` | the latest calls and event deliveries, oldest first |
//! | `DELETE /` | all of the above as at the start, but for the time: it stays where it is and runs at the speed of real time. Vaults, jobs and recovery points stay |

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::service::{JobTimes, Quotas, Service};

/// What there is, for those who ask for something else.
const PATHS: [&str; 9] = [
    "GET /clock",
    "PUT /clock",
    "GET /jobs",
    "PUT /jobs",
    "GET /quotas",
    "PUT /quotas",
    "GET /calls",
    "DELETE /calls",
    "DELETE /",
];
/// A week: no job in a test takes longer.
const LONGEST_JOB: u32 = 7 * 24 * 60 * 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockInput {
    now: Option<Timestamp>,
    speed: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobsInput {
    backup_seconds: Option<u32>,
    copy_seconds: Option<u32>,
    restore_seconds: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuotasInput {
    concurrent_copies: Option<usize>,
}

/// Every path of the control endpoint.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new().fallback(answer).with_state(service)
}

async fn answer(State(service): State<Arc<Service>>, method: Method, uri: Uri, body: String) -> Response {
    let path = uri.path().trim_end_matches('/');
    let (status, body) = match (method.as_str(), path) {
        ("GET", "/clock") => (StatusCode::OK, clock(&service)),
        ("PUT", "/clock") => answer_to(set_clock(&service, &body).await),
        ("GET", "/jobs") => (StatusCode::OK, jobs(&service)),
        ("PUT", "/jobs") => answer_to(set_jobs(&service, &body)),
        ("GET", "/quotas") => (StatusCode::OK, quotas(&service)),
        ("PUT", "/quotas") => answer_to(set_quotas(&service, &body)),
        ("GET", "/calls") => (StatusCode::OK, service.calls.describe()),
        ("DELETE", "/calls") => {
            service.calls.clear();
            (StatusCode::OK, service.calls.describe())
        }
        ("DELETE", "") => answer_to(reset(&service).await),
        _ => {
            let error = format!("{method} {}: there is no such control", uri.path());
            (StatusCode::NOT_FOUND, json!({ "error": error, "controls": PATHS }))
        }
    };
    (status, axum::Json(body)).into_response()
}

fn answer_to(result: Result<Value, String>) -> (StatusCode, Value) {
    match result {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => (StatusCode::BAD_REQUEST, json!({ "error": error })),
    }
}

fn read<T: DeserializeOwned>(body: &str, expected: &str) -> Result<T, String> {
    serde_json::from_str(body).map_err(|error| format!("{error}; expected {expected}"))
}

fn clock(service: &Service) -> Value {
    let now = crate::time::milliseconds(service.timeline.now());
    json!({ "now": now, "speed": service.timeline.speed() })
}

async fn set_clock(service: &Arc<Service>, body: &str) -> Result<Value, String> {
    let input: ClockInput = read(body, r#"{"now": "2025-01-06T06:00:00Z"}, {"speed": 60} or both"#)?;
    if input.now.is_none() && input.speed.is_none() {
        return Err("neither now nor speed is given".to_owned());
    }
    // The jump goes on to its end even when the client gives up waiting.
    let timeline = service.timeline.clone();
    let moved = tokio::spawn(async move {
        if let Some(speed) = input.speed {
            timeline.set_speed(speed).await.map_err(|error| error.to_string())?;
        }
        if let Some(now) = input.now {
            timeline.advance_to(now).await;
        }
        Ok(())
    });
    moved.await.map_err(|error| error.to_string()).flatten()?;
    Ok(clock(service))
}

fn jobs(service: &Service) -> Value {
    let JobTimes { backup_seconds, copy_seconds, restore_seconds } = service.job_times();
    json!({ "backup_seconds": backup_seconds, "copy_seconds": copy_seconds, "restore_seconds": restore_seconds })
}

fn set_jobs(service: &Service, body: &str) -> Result<Value, String> {
    let input: JobsInput =
        read(body, r#"{"backup_seconds": 60, "copy_seconds": 60, "restore_seconds": 60}, or some of them"#)?;
    let mut times = service.job_times();
    let given = [
        ("backup_seconds", input.backup_seconds, &mut times.backup_seconds),
        ("copy_seconds", input.copy_seconds, &mut times.copy_seconds),
        ("restore_seconds", input.restore_seconds, &mut times.restore_seconds),
    ];
    for (name, given, time) in given {
        let seconds = given.unwrap_or(*time);
        if seconds > LONGEST_JOB {
            return Err(format!("{name} must be 0 to {LONGEST_JOB}, not {seconds}"));
        }
        *time = seconds;
    }
    service.set_job_times(times);
    Ok(jobs(service))
}

fn quotas(service: &Service) -> Value {
    let Quotas { concurrent_copies } = service.quotas();
    json!({ "concurrent_copies": concurrent_copies })
}

fn set_quotas(service: &Service, body: &str) -> Result<Value, String> {
    let input: QuotasInput = read(body, r#"{"concurrent_copies": 100}"#)?;
    let mut quotas = service.quotas();
    quotas.concurrent_copies = input.concurrent_copies.unwrap_or(quotas.concurrent_copies);
    service.set_quotas(quotas);
    Ok(self::quotas(service))
}

async fn reset(service: &Service) -> Result<Value, String> {
    service.set_job_times(JobTimes::default());
    service.set_quotas(Quotas::default());
    service.calls.clear();
    service.timeline.set_speed(1.0).await.map_err(|error| error.to_string())?;
    Ok(clock(service))
}
