//! A plain client: HTTP/1.1 over connections that stay open, without an SDK between the emulator and the clock.

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

pub(crate) const REGION: &str = "eu-central-1";

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), body: String::new() }
    }

    pub(crate) fn with(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }
}

/// A connection that stays open.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    address: String,
}

impl Connection {
    pub(crate) async fn to(endpoint: &str) -> Result<Self> {
        let address = endpoint.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), address })
    }

    /// The body of the answer, which must be a success.
    pub(crate) async fn call(&mut self, request: &Request) -> Result<String> {
        let Request { method, path, body } = request;
        let (address, length, signature) = (&self.address, body.len(), "0".repeat(64));
        let text = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20250106/{REGION}/backup/aws4_request, \
             SignedHeaders=host, Signature={signature}\r\n\r\n{body}"
        );
        self.stream.write_all(text.as_bytes()).await?;
        let (status, length) = self.head().await?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        let body = String::from_utf8(body)?;
        ensure!(status.contains(" 200 "), "{method} {path}: {status}{body}");
        Ok(body)
    }

    /// The line with the status, and how long the body is.
    async fn head(&mut self) -> Result<(String, usize)> {
        let (mut status, mut length) = (String::new(), 0);
        self.stream.read_line(&mut status).await?;
        loop {
            let mut line = String::new();
            ensure!(self.stream.read_line(&mut line).await? > 0, "the answer ends in its head");
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                return Ok((status, length));
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().context(line.clone())?;
            }
        }
    }
}
