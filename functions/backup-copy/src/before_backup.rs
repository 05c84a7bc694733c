//! Tables that a session has yet to back up: their older points are not copied now, since AWS Backup runs one job of a table at a
//! time (AWS Backup Developer Guide, "Quotas"), and the backup would wait for the copy.

use dynachain::catalog::{CopyRecord, SessionRecord, SessionState, TableState};
use dynachain::error::Refusal;
use dynachain::id::{PolicyName, TableArn};

use crate::Deps;

/// Whether a session that goes on now is about to back up the table of a copy, for the first time or once more.
pub(crate) async fn is_due(deps: &Deps, record: &CopyRecord) -> Result<bool, Refusal> {
    let sessions = deps.catalog.sessions();
    for session in sessions.open().await? {
        let table = sessions.table(&session.session, &record.table).await?;
        if is_to_come(&session, table.map(|table| table.state), &record.policy, &record.table) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_to_come(
    session: &SessionRecord,
    state: Option<TableState>,
    policy: &PolicyName,
    table: &TableArn,
) -> bool {
    match state {
        Some(state) => matches!(state, TableState::Claimed | TableState::Again),
        // Nothing is noted of a table before its turn has come.
        None => {
            session.state == SessionState::Starting
                && session.policy == *policy
                && session.tables.as_ref().is_none_or(|tables| tables.contains(table))
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders";

    fn session(state: &str, tables: Option<Value>) -> SessionRecord {
        let mut record = json!({
            "session": "orders@2027-01-04T06:00:00Z", "policy": "orders",
            "policy_id": "0190a3a4-0000-7000-8000-000000000000", "policy_version": 1, "document": "{}",
            "scheduled_at": "2027-01-04T06:00:00Z", "flags": ["D"], "state": state, "generation": 1,
            "claimed_at": "2027-01-04T06:00:01Z", "lease_until": "2027-01-04T06:16:01Z"
        });
        if let Some(tables) = tables {
            record["tables"] = tables;
        }
        serde_json::from_value(record).unwrap()
    }

    #[rstest]
    #[case::not_come_to("starting", None, None, "orders", true)]
    #[case::claimed("running", None, Some(TableState::Claimed), "orders", true)]
    #[case::to_be_tried_again("running", None, Some(TableState::Again), "another", true)]
    #[case::under_way("starting", None, Some(TableState::Started), "orders", false)]
    #[case::backed_up("starting", None, Some(TableState::Completed), "orders", false)]
    #[case::not_covered("running", None, None, "orders", false)]
    #[case::of_another_policy("starting", None, None, "another", false)]
    #[case::among_those_asked_for("starting", Some(json!([TABLE])), None, "orders", true)]
    #[case::not_asked_for("starting", Some(json!([])), None, "orders", false)]
    fn a_table_is_to_be_backed_up_until_its_job_has_begun(
        #[case] state: &str,
        #[case] tables: Option<Value>,
        #[case] table: Option<TableState>,
        #[case] policy: &str,
        #[case] to_come: bool,
    ) {
        let session = session(state, tables);
        assert_eq!(is_to_come(&session, table, &policy.parse().unwrap(), &TABLE.parse().unwrap()), to_come);
    }
}
