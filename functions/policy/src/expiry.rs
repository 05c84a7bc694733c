//! Existing points that would live shorter or longer under a new document. Only a restamp changes them.

use dynachain::error::Refusal;
use dynachain::id::RecoveryPointArn;
use dynachain::metadata::Core;
use dynachain::policy::Document;
use dynachain::retention::{End, Lifespan, restamped};
use serde::Serialize;
use uuid::Uuid;

use crate::{Deps, LIMIT, points};

/// Points whose expiry would differ; the list is cut, and the count covers the whole.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct PointChanges {
    points: Vec<PointChange>,
    points_count: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct PointChange {
    recovery_point: RecoveryPointArn,
    expires_at: End,
    would_be: End,
}

/// The points of a policy that the catalog knows, compared with what the document would make of them.
pub(crate) async fn changes(deps: &Deps, policy: Uuid, document: &Document) -> Result<PointChanges, Refusal> {
    let mut changes = PointChanges::default();
    points::each_of(deps, policy, |recovery_point, core| {
        let Some((expires_at, would_be)) = difference(core, document) else { return };
        changes.points_count += 1;
        if changes.points.len() < LIMIT {
            changes.points.push(PointChange { recovery_point, expires_at, would_be });
        }
    })
    .await?;
    Ok(changes)
}

/// When the point ends, and when it would under the document, where that is another time.
fn difference(core: &Core, document: &Document) -> Option<(End, End)> {
    let expires_at = Lifespan::of_regular(core).expires_at()?;
    let would_be = Lifespan::of_regular(&restamped(core, 0, document)).expires_at()?;
    (expires_at != would_be).then_some((expires_at, would_be))
}

#[cfg(test)]
mod tests {
    use dynachain::chain::PerFlag;
    use dynachain::retention::Keep;
    use serde_json::{Value, json};

    use super::*;
    use crate::points::tests::core;

    fn document(zone: &str, schedules: &Value) -> Document {
        let document =
            json!({"name": "orders", "timezone": zone, "scope": {"all": true}, "schedules": schedules});
        serde_json::from_value(document).unwrap()
    }

    fn changed(core: &Core, document: &Document) -> Option<(String, String)> {
        difference(core, document).map(|(now, then)| (now.to_string(), then.to_string()))
    }

    fn weekly(days: u32) -> Value {
        json!({"weekly": {"at": "07:00", "on": ["monday"], "keep": {"days": days}}})
    }

    #[test]
    fn a_point_differs_when_its_last_flag_would_end_at_another_time() {
        let change = changed(&core(), &document("Europe/Berlin", &weekly(30)));
        let expected = ("2025-01-20T06:00:00Z".to_owned(), "2025-02-05T06:00:00Z".to_owned());
        assert_eq!(change, Some(expected));
    }

    #[test]
    fn a_flag_that_the_new_document_no_longer_gives_keeps_as_before() {
        let daily = json!({"daily": {"at": "07:00", "on": "every day", "keep": {"days": 5}}});
        assert_eq!(changed(&core(), &document("Europe/Berlin", &daily)), None);
        let longer = json!({"daily": {"at": "07:00", "on": "every day", "keep": "forever"}});
        let change = changed(&core(), &document("Europe/Berlin", &longer));
        assert_eq!(change.unwrap().1, "forever");
    }

    #[test]
    fn another_zone_moves_the_end_only_where_clocks_change() {
        assert_eq!(changed(&core(), &document("Asia/Kathmandu", &weekly(14))), None);
        let change = changed(&core(), &document("Asia/Kathmandu", &weekly(200)));
        assert_eq!(change.unwrap().1, "2025-07-25T06:00:00Z");
    }

    #[test]
    fn a_point_kept_by_hand_does_not_follow_the_document() {
        let by_hand = Core { keep: PerFlag::default(), own_keep: Some(Keep::Days(2)), ..core() };
        assert_eq!(changed(&by_hand, &document("Europe/Berlin", &weekly(30))), None);
    }
}
