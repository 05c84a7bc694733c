//! What a restore is asked for with.

use jiff::Timestamp;
use serde_json::Value;

use super::Overrides;
use crate::id::{RecoveryPointArn, TableName};
use crate::request::{Request, TableRef};

/// The longest `reason`, in characters.
const REASON: usize = 512;

/// Which point is to be restored.
#[derive(Clone, Debug, PartialEq)]
pub enum Which {
    /// This one, in the stack's own vault or the vault of this name.
    Point {
        /// The point.
        recovery_point: RecoveryPointArn,
        /// The vault's name, of this Region; the stack's own if `None`.
        vault: Option<String>,
    },
    /// The newest usable one of a table that is not newer than a moment, or than now.
    Table {
        /// The table.
        table: TableRef,
        /// The moment.
        at: Option<Timestamp>,
    },
}

/// One table to restore.
#[derive(Clone, Debug, PartialEq)]
pub struct RestoreRequest {
    /// From which point.
    pub which: Which,
    /// What the new table is to be called; as the old one if `None`.
    pub target: Option<TableName>,
    /// What is wanted otherwise than recorded.
    pub overrides: Overrides,
    /// The same as it was given.
    pub overrides_given: Option<Value>,
    /// Why, in the caller's words.
    pub reason: Option<String>,
    /// Where in the request it stands, `$` or `$.restores[2]`.
    pub path: String,
    /// Where in the request it says which point, `$.restore` for example.
    pub which_path: String,
}

impl RestoreRequest {
    /// Reads `{"restore", "target"?, "overrides"?, "reason"?}`.
    pub fn read(request: &mut Request<'_>) -> Option<Self> {
        if request.raw("restore").is_none() {
            request.missing("restore", "say {\"table\"} or {\"recovery_point\"}");
        }
        let which = request.object("restore", Which::read);
        Self::with(request, which, request.path("restore"))
    }

    /// Reads one of several, which may leave out `restore` and have its members at their own level:
    /// `{"table", "at"?, "target"?, "overrides"?, "reason"?}`.
    pub fn read_one_of_several(request: &mut Request<'_>) -> Option<Self> {
        if request.raw("restore").is_some() {
            return Self::read(request);
        }
        let which = Which::read(request);
        Self::with(request, which, own_path(request))
    }

    /// Reads `reason`: why, in the caller's words.
    pub fn reason(request: &mut Request<'_>) -> Option<String> {
        let reason: Option<String> = request.parsed("reason");
        if reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON) {
            let path = request.path("reason");
            request.problem("reason", &path, format!("is longer than {REASON} characters"));
        }
        reason
    }

    fn with(request: &mut Request<'_>, which: Option<Which>, which_path: String) -> Option<Self> {
        let target = match request.raw("target") {
            None => Some(None),
            Some(_) => request
                .object("target", |target| {
                    target.required("table", "name the table that the restore is to make")
                })
                .map(Some),
        };
        let overrides_given = request.raw("overrides").cloned();
        let overrides = match overrides_given {
            None => Some(Overrides::default()),
            Some(_) => request.object("overrides", Overrides::read),
        };
        let reason = Self::reason(request);
        let path = own_path(request);
        Some(Self {
            which: which?,
            target: target?,
            overrides: overrides?,
            overrides_given,
            reason,
            path,
            which_path,
        })
    }
}

/// The path of the request itself.
fn own_path(request: &Request<'_>) -> String {
    request.path("").trim_end_matches('.').to_owned()
}

impl Which {
    fn read(request: &mut Request<'_>) -> Option<Self> {
        let has = |request: &mut Request<'_>, name| request.raw(name).is_some();
        if has(request, "recovery_point") {
            if has(request, "table") || has(request, "at") {
                let path = request.path("recovery_point");
                request.problem("recovery_point", &path, "says which point: leave out table and at");
            }
            let vault = request.parsed("vault");
            return request
                .parsed("recovery_point")
                .map(|recovery_point| Self::Point { recovery_point, vault });
        }
        let table = request.required("table", "name the table, or the recovery_point by its ARN");
        let at = request.parsed("at");
        table.map(|table| Self::Table { table, at })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<RestoreRequest, String> {
        let mut request = Request::of(value).unwrap();
        let read = RestoreRequest::read(&mut request);
        request.finish().map_err(|refusal| refusal.to_string())?;
        Ok(read.unwrap())
    }

    #[test]
    fn a_restore_is_of_a_point_or_of_a_table_and_a_time() {
        let point = "arn:aws:backup:eu-central-1:111122223333:recovery-point:0b2f";
        let asked =
            read(&json!({"restore": {"recovery_point": point}, "target": {"table": "orders-2"}})).unwrap();
        assert_eq!(asked.which, Which::Point { recovery_point: point.parse().unwrap(), vault: None });
        assert_eq!(asked.target, Some("orders-2".parse().unwrap()));
        let asked =
            read(&json!({"restore": {"table": "orders", "at": "2027-01-04T06:00:00Z"}, "reason": "a drill"}))
                .unwrap();
        let at = Some("2027-01-04T06:00:00Z".parse().unwrap());
        assert_eq!(asked.which, Which::Table { table: "orders".parse().unwrap(), at });
        assert_eq!(
            (asked.target, asked.reason.as_deref(), asked.path.as_str()),
            (None, Some("a drill"), "$")
        );
    }

    #[rstest]
    #[case(json!({"restore": {}}), "$.restore.table: is missing")]
    #[case(json!({"restore": {"table": "orders", "recovery_point": "arn:aws:backup:eu-central-1:111122223333:recovery-point:1"}}), "$.restore.recovery_point: says which point")]
    #[case(json!({"restore": {"table": "orders", "at": "yesterday"}}), "$.restore.at: ")]
    #[case(json!({"restore": {"table": "orders"}, "target": "orders-2"}), "$.target: must be an object")]
    #[case(json!({"restore": {"table": "orders"}, "target": {}}), "$.target.table: is missing")]
    #[case(json!({"restore": {"table": "orders"}, "overrides": {"keys": 1}}), "$.overrides.keys: is unknown")]
    #[case(json!({"restore": {"table": "orders"}, "reason": "x".repeat(513)}), "$.reason: is longer")]
    fn a_malformed_request_is_refused_with_its_path(#[case] value: Value, #[case] said: &str) {
        let refused = read(&value).unwrap_err();
        assert!(refused.starts_with(said), "{refused}");
    }

    #[test]
    fn several_restores_are_read_in_either_form() {
        let value = json!({"restores": [{"table": "orders"}, {"restore": {"table": "users"}, "target": {"table": "users-2"}}]});
        let mut request = Request::of(&value).unwrap();
        let read = request.objects("restores", RestoreRequest::read_one_of_several).unwrap();
        request.finish().unwrap();
        let paths: Vec<_> = read.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(paths, ["$.restores[0]", "$.restores[1]"]);
    }
}
