//! As much of a local AWS as the emulator alone needs: every key is the root's, and EventBridge has no rules.

use anyhow::Result;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const ACCOUNT: &str = "111122223333";

/// Its endpoint. It serves until the program ends.
pub(crate) async fn start() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    Ok(endpoint)
}

async fn serve(stream: TcpStream) -> Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if stream.read_line(&mut first).await? == 0 {
            return Ok(());
        }
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        stream.read_exact(&mut vec![0; length]).await?;
        let body = if first.starts_with("GET /_local/callers/") {
            format!(
                r#"{{"arn": "arn:aws:iam::{ACCOUNT}:root", "account": "{ACCOUNT}", "session_token": null}}"#
            )
        } else {
            r#"{"Rules": []}"#.to_owned()
        };
        let length = body.len();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n";
        stream.write_all(format!("{head}Content-Length: {length}\r\n\r\n{body}").as_bytes()).await?;
        // Who speaks HTTP/1.0 reads to the end.
        if first.trim_end().ends_with("HTTP/1.0") {
            return Ok(());
        }
    }
}
