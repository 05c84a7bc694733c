//! The few plain HTTP requests to our own answers in ministack.

use anyhow::Context as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// `GET` a JSON answer from a loopback endpoint.
pub(crate) async fn get_json(endpoint: &str, path: &str) -> anyhow::Result<Value> {
    request_json(endpoint, "GET", path, None).await
}

/// A request with or without a JSON body to a loopback endpoint, and its JSON answer.
pub(crate) async fn request_json(
    endpoint: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Value> {
    let address =
        endpoint.strip_prefix("http://").with_context(|| format!("{endpoint} is not an http:// URL"))?;
    let asked = || format!("{method} {endpoint}{path}");
    let mut stream = TcpStream::connect(address).await.with_context(asked)?;
    let body = body.map(ToString::to_string).unwrap_or_default();
    let length = body.len();
    // HTTP/1.0: the server closes when it is done, so the answer is all there is to read.
    let head = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await.with_context(asked)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.with_context(asked)?;
    let (head, body) =
        answer.split_once("\r\n\r\n").with_context(|| format!("{}: no HTTP answer", asked()))?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    anyhow::ensure!(status == "200", "{} answers {status}: {body}", asked());
    serde_json::from_str(body).with_context(asked)
}
