//! Requests as the wire has them, without an SDK.

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::REGION;

/// One request in HTTP/1.0, read to the end as the functions' clock reads it: the whole answer, head included.
pub(crate) async fn http(address: &str, method: &str, path: &str, body: &str) -> Result<String> {
    exchange(address, method, path, "", body).await
}

/// As [`http`], of the account's root, with a signature that nobody verifies.
pub(crate) async fn http_as_root(address: &str, method: &str, path: &str, body: &str) -> Result<String> {
    let scope = format!("test/20250106/{REGION}/backup/aws4_request");
    let signature = "0".repeat(64);
    let header = format!(
        "Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={signature}\r\n"
    );
    exchange(address, method, path, &header, body).await
}

async fn exchange(address: &str, method: &str, path: &str, headers: &str, body: &str) -> Result<String> {
    let address = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {length}\r\n");
    stream.write_all(format!("{head}{headers}\r\n{body}").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
