//! Who calls: the access key in the request's `Authorization` header, looked up in the local AWS.
//!
//! Signatures are not verified: the emulator listens on loopback only, and what it stands in for is the answer of AWS to a
//! caller that is who it says it is. A session token is compared, so that a stale or foreign one is refused.

use std::time::Duration;

use axum::http::HeaderMap;
use serde::Deserialize;

use crate::aws::plain;
use crate::cache::Cache;
use crate::http::ApiError;

/// A caller, and where it calls.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// `arn:aws:sts::<account>:assumed-role/<role>/<session>` or `arn:aws:iam::<account>:root`
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Caller {
    pub(crate) fn is_root(&self) -> bool {
        self.arn.starts_with("arn:") && self.arn.ends_with(":root")
    }

    /// The role behind a session of it.
    pub(crate) fn role(&self) -> Option<&str> {
        self.arn.split_once(":assumed-role/")?.1.split('/').next()
    }
}

/// What the local AWS knows about an access key.
#[derive(Clone, Debug, Deserialize)]
struct Holder {
    arn: String,
    account: String,
    session_token: Option<String>,
}

/// Finds out who calls.
#[derive(Debug)]
pub(crate) struct Callers {
    endpoint: String,
    holders: Cache<Option<Holder>>,
}

impl Callers {
    /// Asks the local AWS at this endpoint, `http://127.0.0.1:<port>`.
    pub(crate) fn new(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), holders: Cache::new(Duration::from_secs(2)) }
    }

    pub(crate) fn forget(&self) {
        self.holders.clear();
    }

    /// The caller of a request.
    pub(crate) async fn identify(&self, headers: &HeaderMap) -> Result<Caller, ApiError> {
        let (key, region) = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(credential)
            .ok_or_else(ApiError::missing_authentication)?;
        let holder = self.holders.get_or(key, || self.holder(key)).await.map_err(|why| {
            ApiError::service_unavailable(format!(
                "the local AWS at {} does not answer: {why}",
                self.endpoint
            ))
        })?;
        let Some(holder) = holder else { return Err(ApiError::unrecognized_client()) };
        let token = headers.get("x-amz-security-token").and_then(|value| value.to_str().ok());
        if holder.session_token.is_some() && holder.session_token.as_deref() != token {
            return Err(ApiError::unrecognized_client());
        }
        Ok(Caller { arn: holder.arn, account: holder.account, region: region.to_owned() })
    }

    async fn holder(&self, key: &str) -> std::io::Result<Option<Holder>> {
        let key = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC);
        let (status, body) =
            plain::request(&self.endpoint, "GET", &format!("/_local/callers/{key}"), "").await?;
        match status {
            404 => Ok(None),
            200 => serde_json::from_str(&body).map(Some).map_err(std::io::Error::other),
            _ => Err(std::io::Error::other(format!("it answers {status}: {body}"))),
        }
    }
}

/// Access key and Region of `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/backup/aws4_request, SignedHeaders=…`.
fn credential(authorization: &str) -> Option<(&str, &str)> {
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let find = |name| fields.split(',').find_map(|field| field.trim().strip_prefix(name));
    let (scope, signature) = (find("Credential=")?, find("Signature=")?);
    let mut parts = scope.split('/');
    let (key, date, region) = (parts.next()?, parts.next()?, parts.next()?);
    let rest = (parts.next(), parts.next(), parts.next());
    let well_formed = !key.is_empty()
        && date.len() == 8
        && !region.is_empty()
        && rest == (Some("backup"), Some("aws4_request"), None)
        && signature.len() == 64;
    well_formed.then_some((key, region))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SIGNATURE: &str = "SignedHeaders=host;x-amz-date, Signature=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[rstest]
    #[case::proper("AWS4-HMAC-SHA256 Credential=ASIA1/20250106/eu-central-1/backup/aws4_request,", true)]
    #[case::another_service(
        "AWS4-HMAC-SHA256 Credential=ASIA1/20250106/eu-central-1/s3/aws4_request,",
        false
    )]
    #[case::no_region("AWS4-HMAC-SHA256 Credential=ASIA1/20250106/backup/aws4_request,", false)]
    #[case::basic("Basic dGVzdDp0ZXN0", false)]
    fn only_a_whole_credential_scope_names_a_caller(#[case] beginning: &str, #[case] good: bool) {
        let header = format!("{beginning} {SIGNATURE}");
        assert_eq!(credential(&header), good.then_some(("ASIA1", "eu-central-1")));
    }

    #[test]
    fn a_session_of_a_role_names_the_role() {
        let caller = |arn: &str| Caller { arn: arn.into(), account: "1".into(), region: "r".into() };
        let session = caller("arn:aws:sts::111122223333:assumed-role/dynachain-policy/dynachain-policy");
        assert_eq!((session.role(), session.is_root()), (Some("dynachain-policy"), false));
        let root = caller("arn:aws:iam::111122223333:root");
        assert_eq!((root.role(), root.is_root()), (None, true));
        assert!(!caller("arn:aws:iam::111122223333:user/root").is_root());
    }
}
