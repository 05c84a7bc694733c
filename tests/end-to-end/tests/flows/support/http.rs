//! Plain HTTP to what the local AWS offers tests beside AWS's own APIs.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Sends a request with a JSON body, or none, and reads the JSON answer.
pub(crate) async fn request(endpoint: &str, method: &str, path: &str, body: Option<&Value>) -> Value {
    let address = endpoint.strip_prefix("http://").expect("an http:// endpoint");
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // HTTP/1.0: the server closes when it is done, so the answer is all there is to read.
    let head =
        format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).await.expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
    assert_eq!(head.split(' ').nth(1), Some("200"), "{method} {endpoint}{path}: {answer}");
    serde_json::from_str(body).expect("a JSON answer")
}
