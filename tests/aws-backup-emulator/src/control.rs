//! The control endpoint: what a test does to the emulated world from outside. Its own port, loopback only, no credentials.
//!
//! One table of controls, which `GET /` lists; one module for each subject, which reads the input and leaves the rest to
//! the part of the emulator that it is about.

mod calls;
mod clock;
mod events;
mod faults;
mod jobs;
mod limits;
mod points;
mod quotas;
mod regions;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::service::Service;

/// What a control is given.
#[derive(Debug)]
struct Input {
    service: Arc<Service>,
    /// What comes after the control's own path.
    name: String,
    query: Vec<(String, String)>,
    body: String,
}

/// One thing that can be done here.
struct Control {
    method: &'static str,
    /// Without the slash at its end; `{…}` at the end stands for a name.
    path: &'static str,
    does: &'static str,
    run: for<'a> fn(&'a Input) -> BoxFuture<'a, Result<Value, String>>,
}

macro_rules! control {
    ($method:literal, $path:literal, $run:path, $does:literal) => {
        Control { method: $method, path: $path, does: $does, run: |input| Box::pin($run(input)) }
    };
}

/// All of them.
static CONTROLS: &[Control] = &[
    control!("GET", "", list, "this list"),
    control!("DELETE", "", reset, "resets all controls but the time; vaults, jobs and recovery points stay"),
    control!("GET", "/clock", clock::get, "the emulated time, and how fast it runs"),
    control!(
        "PUT",
        "/clock",
        clock::put,
        r#"{"now", "speed"}: sets the time or its speed; answers when all that was due on the way is done"#
    ),
    control!("GET", "/jobs", jobs::get, "how long jobs take, in emulated seconds"),
    control!("PUT", "/jobs", jobs::put, r#"{"backup_seconds", "copy_seconds", "restore_seconds"}: sets it"#),
    control!("GET", "/quotas", quotas::get, "quotas that a test may lower"),
    control!(
        "PUT",
        "/quotas",
        quotas::put,
        r#"{"concurrent_copies"}: sets how many copy jobs may be on their way to one account in one Region"#
    ),
    control!("GET", "/limits", limits::get, "request rates per second"),
    control!(
        "PUT",
        "/limits",
        limits::put,
        r#"{operation: per second or null}: sets rates or takes them away; "*" is all calls together, {"preset": "aws"} AWS's rates"#
    ),
    control!("GET", "/faults", faults::get, "the faults, and how often each has struck"),
    control!(
        "PUT",
        "/faults",
        faults::put,
        r#"[{"operation", "principal", "count" or "probability", "effect"}]: replaces all faults"#
    ),
    control!("GET", "/events", events::get, "how events travel, and what has happened to them"),
    control!(
        "PUT",
        "/events",
        events::put,
        r#"{"lose", "double", "reorder", "delay", "spread", "seed"}: makes them travel so; what is left out is 0"#
    ),
    control!(
        "POST",
        "/points",
        points::post,
        r#"{"region", "account", "vault", "table", "created", "role", "tags", "lifecycle", "status"} or a list: makes recovery points without a backup"#
    ),
    control!("GET", "/regions", regions::get, "the Regions that are off"),
    control!(
        "PUT",
        "/regions/{region}",
        regions::put,
        r#"{"available": false}: switches a Region off; true: on"#
    ),
    control!(
        "GET",
        "/calls",
        calls::get,
        "the latest calls and event deliveries, oldest first; ?operation=, principal= and region= take patterns"
    ),
    control!("DELETE", "/calls", calls::delete, "forgets them"),
];

/// Every path of the control endpoint.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new().fallback(answer).with_state(service)
}

async fn answer(State(service): State<Arc<Service>>, method: Method, uri: Uri, body: String) -> Response {
    let path = uri.path().trim_end_matches('/');
    let (status, body) = match find(method.as_str(), path) {
        Some((control, name)) => {
            let query = crate::http::query(uri.query().unwrap_or_default());
            let input = Input { service, name: name.to_owned(), query, body };
            match (control.run)(&input).await {
                Ok(body) => (StatusCode::OK, body),
                Err(error) => (StatusCode::BAD_REQUEST, json!({ "error": error })),
            }
        }
        None => {
            let error = format!("{method} {}: there is no such control", uri.path());
            (StatusCode::NOT_FOUND, json!({ "error": error, "controls": controls() }))
        }
    };
    (status, axum::Json(body)).into_response()
}

/// The control, and the name at the end of the path.
fn find<'a>(method: &str, path: &'a str) -> Option<(&'static Control, &'a str)> {
    CONTROLS.iter().filter(|control| control.method == method).find_map(|control| {
        match control.path.split_once('{') {
            None => (control.path == path).then_some((control, "")),
            Some((before, _)) => {
                let name = path.strip_prefix(before)?;
                (!name.is_empty() && !name.contains('/')).then_some((control, name))
            }
        }
    })
}

fn controls() -> Value {
    let line = |control: &Control| {
        let path = if control.path.is_empty() { "/" } else { control.path };
        (format!("{} {path}", control.method), Value::from(control.does))
    };
    Value::Object(CONTROLS.iter().map(line).collect())
}

async fn list(_: &Input) -> Result<Value, String> {
    Ok(json!({ "controls": controls() }))
}

async fn reset(input: &Input) -> Result<Value, String> {
    let service = &input.service;
    service.set_job_times(crate::service::JobTimes::default());
    service.set_quotas(crate::service::Quotas::default());
    service.limits.clear();
    service.faults.set(Vec::new());
    service.transit.set(crate::event::Quirks::default());
    service.calls.clear();
    service.timeline.set_speed(1.0).await.map_err(|error| error.to_string())?;
    crate::regions::switch_all_on(service).await?;
    clock::get(input).await
}

impl Input {
    fn read<T: DeserializeOwned>(&self, expected: &str) -> Result<T, String> {
        serde_json::from_str(&self.body).map_err(|error| format!("{error}; expected {expected}"))
    }
}

/// All problems in one sentence, or none.
fn no_problems(problems: &[String]) -> Result<(), String> {
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}
