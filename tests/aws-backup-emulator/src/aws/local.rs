//! What the local AWS answers beside AWS's own API: plain HTTP over loopback, under `/_local/`.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The most that is read of an answer.
const LARGEST: u64 = 1 << 20;

/// Status and body of an answer. In HTTP/1.0 the server closes when it is done, so the answer is all there is to read.
pub(crate) async fn request(endpoint: &str, method: &str, path: &str) -> io::Result<(String, String)> {
    let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(LARGEST).read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    Ok((status.to_owned(), body.to_owned()))
}
