//! Running a function's binary alone, with an environment of one's choice: no stack, no AWS.
//!
//! A Lambda Runtime API of its own serves one event; Lambda Developer Guide, "Using the Lambda runtime API for custom
//! runtimes".

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::sync::mpsc;

use super::FunctionError;

/// How long a function may take for its one event.
const DEADLINE: Duration = Duration::from_secs(60);
const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000001";

/// What became of the one event.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The function answered.
    Answered(Value),
    /// The function answered with an error.
    Refused(FunctionError),
    /// The function reported that it cannot start.
    CannotStart(FunctionError),
    /// The function ended without taking the event or without answering it.
    Ended {
        /// Its exit code, when it was not killed.
        code: Option<i32>,
        /// What it wrote to standard output and standard error.
        output: String,
    },
}

enum Reply {
    Answer(Value),
    Error(FunctionError),
    InitError(FunctionError),
}

type Replies = mpsc::Sender<Reply>;

#[derive(Clone)]
struct Api {
    /// The one event; taken by the first who asks.
    event: std::sync::Arc<std::sync::Mutex<Option<String>>>,
    replies: Replies,
}

/// Starts a function's binary with nothing but these variables (and the Runtime API's own), gives it one event, and ends it.
///
/// # Errors
/// When the binary cannot be run, or has neither answered nor ended within a minute.
pub async fn run_function_once(
    binary: &Path,
    variables: &BTreeMap<String, String>,
    event: &Value,
) -> anyhow::Result<Outcome> {
    let (replies, mut replied) = mpsc::channel(1);
    let event = std::sync::Arc::new(std::sync::Mutex::new(Some(event.to_string())));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(axum::serve(listener, routes(Api { event, replies })).into_future());
    let mut function = Command::new(binary)
        .env_clear()
        .envs(runtime_variables(&address.to_string()))
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("the function binary {} does not run", binary.display()))?;
    let mut output = read_all(function.stdout.take());
    let mut errors = read_all(function.stderr.take());
    let outcome = tokio::select! {
        biased;
        Some(reply) = replied.recv() => match reply {
            Reply::Answer(answer) => Outcome::Answered(answer),
            Reply::Error(error) => Outcome::Refused(error),
            Reply::InitError(error) => Outcome::CannotStart(error),
        },
        status = function.wait() => {
            let output = (&mut output).await? + &(&mut errors).await?;
            Outcome::Ended { code: status?.code(), output }
        }
        // Reached only by a function that hangs.
        () = tokio::time::sleep(DEADLINE) => {
            anyhow::bail!("{} has not answered within {DEADLINE:?}", binary.display())
        }
    };
    server.abort();
    Ok(outcome)
}

fn runtime_variables(address: &str) -> [(&'static str, String); 7] {
    [
        ("AWS_LAMBDA_RUNTIME_API", address.to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", "alone".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/alone".to_owned()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "alone".to_owned()),
        ("AWS_REGION", "eu-central-1".to_owned()),
    ]
}

fn read_all(
    pipe: Option<impl tokio::io::AsyncRead + Send + Unpin + 'static>,
) -> tokio::task::JoinHandle<String> {
    tokio::spawn(async move {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before the pipe broke is still worth showing.
            let _ = pipe.read_to_end(&mut bytes).await;
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn routes(api: Api) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(api)
}

async fn next(State(api): State<Api>) -> Response {
    let event = api.event.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    let Some(event) = event else {
        // There is no second event: the function waits until it is ended.
        return std::future::pending().await;
    };
    let deadline = jiff::Timestamp::now().as_millisecond() + 60_000;
    let headers = [
        ("Content-Type", "application/json".to_owned()),
        ("Lambda-Runtime-Aws-Request-Id", REQUEST_ID.to_owned()),
        ("Lambda-Runtime-Deadline-Ms", deadline.to_string()),
        (
            "Lambda-Runtime-Invoked-Function-Arn",
            "arn:aws:lambda:eu-central-1:111122223333:function:alone".to_owned(),
        ),
    ];
    (headers, event).into_response()
}

async fn response(State(api): State<Api>, body: String) -> StatusCode {
    let answer = serde_json::from_str(&body).unwrap_or(Value::String(body));
    reply(&api, Reply::Answer(answer)).await
}

async fn error(State(api): State<Api>, body: String) -> StatusCode {
    reply(&api, Reply::Error(read_error(body))).await
}

async fn init_error(State(api): State<Api>, body: String) -> StatusCode {
    reply(&api, Reply::InitError(read_error(body))).await
}

fn read_error(body: String) -> FunctionError {
    serde_json::from_str(&body).unwrap_or(FunctionError { error_type: String::new(), error_message: body })
}

async fn reply(api: &Api, reply: Reply) -> StatusCode {
    // Nobody waits any longer once the first reply has been taken.
    let _ = api.replies.send(reply).await;
    StatusCode::ACCEPTED
}
