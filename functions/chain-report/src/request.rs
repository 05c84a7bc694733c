//! The requests.

use dynachain::error::{ErrorType, Refusal};
use dynachain::id::RecoveryPointArn;
use dynachain::request::{Place, TableRef};
use serde_json::Value;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Chains.
    Chains(Request),
    /// Why one point is still there.
    Explain(RecoveryPointArn),
}

impl Ask {
    pub(crate) fn parse(event: &Value) -> Result<Self, Refusal> {
        let mut members = dynachain::request::Request::of(event)?;
        if members.raw("explain").is_none() {
            return Request::parse(event).map(Self::Chains);
        }
        let point = members.parsed("explain");
        // It changes nothing either way.
        members.flag("dry_run");
        for other in ["table", "rebuild", "next"] {
            if members.raw(other).is_some() {
                members.problem(
                    other,
                    &format!("$.{other}"),
                    "goes without \"explain\", which is about one point",
                );
            }
        }
        members.finish()?;
        point
            .map(Self::Explain)
            .ok_or_else(|| Refusal::at(ErrorType::InvalidRequest, "$.explain", "is no point"))
    }
}

/// Which chains are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// One table, by name or ARN.
    pub(crate) table: Option<TableRef>,
    /// Whether to make the catalog's rows anew first.
    pub(crate) rebuild: bool,
    /// Whether to change nothing.
    pub(crate) dry_run: bool,
    /// The last point of the answer before.
    pub(crate) after: Option<Place>,
}

impl Request {
    pub(crate) fn parse(event: &Value) -> Result<Self, Refusal> {
        let mut members = dynachain::request::Request::of(event)?;
        members.raw("explain");
        let parsed = Self {
            table: members.parsed("table"),
            rebuild: members.flag("rebuild"),
            dry_run: members.flag("dry_run"),
            after: members.parsed("next"),
        };
        if parsed.rebuild && parsed.table.is_some() {
            members.problem("table", "$.table", "goes without \"rebuild\", which is about the whole vault");
        }
        members.finish()?;
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const POINT: &str = "arn:aws:backup:eu-central-1:111122223333:recovery-point:x";

    #[test]
    fn a_point_is_explained_with_or_without_dry_run() {
        for request in [json!({"explain": POINT}), json!({"explain": POINT, "dry_run": true})] {
            assert_eq!(Ask::parse(&request), Ok(Ask::Explain(POINT.parse().unwrap())));
        }
        assert_eq!(Ask::parse(&json!({"explain": null})), Ok(Ask::Chains(Request::default())));
    }

    #[test]
    fn a_place_survives_as_next() {
        let place = Place {
            table: "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap(),
            created_at: "2025-01-06T06:00:00.5Z".parse().unwrap(),
            recovery_point: "arn:aws:backup:eu-central-1:111122223333:recovery-point:x".parse().unwrap(),
        };
        let request = Request::parse(&json!({"next": place.to_string()})).unwrap();
        assert_eq!(request.after, Some(place));
    }

    #[rstest]
    #[case(json!({"next": "!"}), "$.next: is not the \"next\" of an earlier answer")]
    #[case(json!({"table": "a b"}), "$.table: \"a b\" is not a table name")]
    #[case(json!({"table": "arn:aws:s3:::x"}), "$.table: \"arn:aws:s3:::x\" is not a DynamoDB table ARN")]
    #[case(json!({"table": "orders", "rebuild": true}), "$.table: goes without \"rebuild\"")]
    #[case(json!({"rebuild": "yes"}), "$.rebuild: must be true or false")]
    #[case(json!({"tabel": "orders"}), "$.tabel: is unknown")]
    #[case(json!([]), "$: must be a JSON object")]
    #[case(json!({"explain": 7}), "$.explain: must be a text")]
    #[case(json!({"explain": "orders"}), "$.explain: \"orders\" is not a recovery point ARN")]
    #[case(json!({"explain": POINT, "table": "orders"}), "$.table: goes without \"explain\"")]
    #[case(json!({"explain": POINT, "rebuild": true}), "$.rebuild: goes without \"explain\"")]
    fn a_malformed_request_is_refused_with_its_path(#[case] request: Value, #[case] message: &str) {
        let refusal = Ask::parse(&request).unwrap_err().to_string();
        assert!(refusal.starts_with(message), "{refusal}");
    }
}
