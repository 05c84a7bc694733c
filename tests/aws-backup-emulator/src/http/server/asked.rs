//! The emulator's router, asked without a network.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::timeline::Timeline;

/// An emulator beside a local AWS that knows no more than that every caller is the account's root.
pub(super) struct Asked {
    service: Arc<Service>,
    local_aws: tokio::task::JoinHandle<()>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.local_aws.abort();
    }
}

impl Asked {
    /// With a vault.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let local_aws = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _request = stream.read(&mut [0; 1024]).await;
                let holder = json!({ "arn": "arn:aws:iam::111122223333:root", "account": "111122223333" });
                let answer = format!("HTTP/1.0 200 OK\r\n\r\n{holder}");
                let _sent = stream.write_all(answer.as_bytes()).await;
            }
        });
        let timeline = Arc::new(Timeline::new("2025-01-06T06:00:00Z".parse().unwrap()));
        let asked = Self { service: Arc::new(Service::new(&endpoint, "111122223333", timeline)), local_aws };
        assert_eq!(asked.ask("PUT", "/backup-vaults/dynachain", "").await, "200");
        asked
    }

    /// The whole answer, or `None` for a request that HTTP does not have.
    pub(super) async fn send(
        &self,
        method: &str,
        target: &str,
        body: impl Into<Body>,
    ) -> Option<(String, Value)> {
        let signature = "a".repeat(64);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=test/20250106/eu-central-1/backup/aws4_request, SignedHeaders=host, \
             Signature={signature}"
        );
        let request = axum::http::Request::builder().method(method).uri(target);
        let request = request.header("authorization", authorization).body(body.into()).ok()?;
        let response = answer(State(self.service.clone()), request).await;
        let kind = response.headers().get("x-amzn-errortype").map(|kind| kind.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        Some((kind.map_or_else(|| status.to_string(), |kind| format!("{status} {kind}")), body))
    }

    /// Status, and the error's name if it is one.
    pub(super) async fn ask(&self, method: &str, target: &str, body: impl Into<Body>) -> String {
        self.send(method, target, body).await.unwrap().0
    }
}
