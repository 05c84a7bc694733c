use dynachain::chain::{ListedPoint, PerFlag, Reading};
use dynachain::metadata::{CopyPlan, Core, Digest, Kind, PolicyStamp};
use dynachain::retention::Keep;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

const HOME: &str = "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain";
const TARGET: &str = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain";
const NOW: &str = "2025-01-10T06:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn source(day: u32) -> RecoveryPointArn {
    format!("arn:aws:backup:eu-central-1:111122223333:recovery-point:{day:02}").parse().unwrap()
}

fn table(name: &str) -> TableArn {
    format!("arn:aws:dynamodb:eu-central-1:111122223333:table/shop-{name}").parse().unwrap()
}

/// The point of a day of January at 06:00, wanted in the target.
fn point(name: &str, day: u32, status: &str) -> RestorePoint {
    let moment = at(&format!("2025-01-{day:02}T06:00:00Z"));
    let keep: PerFlag<Keep> = serde_json::from_value(json!({"daily": {"days": 30}})).unwrap();
    let core = Core {
        kind: Kind::Chain,
        policy: Some(PolicyStamp {
            id: Uuid::nil(),
            name: "a".parse().unwrap(),
            version: 1,
            timezone: "UTC".to_owned(),
        }),
        session: None,
        scheduled_at: moment,
        started_at: moment,
        start_window_minutes: 60,
        table_id: "t".to_owned(),
        home_vault: HOME.parse().unwrap(),
        keep: keep.clone(),
        own_keep: None,
        copies: [(TARGET.parse().unwrap(), CopyPlan { keep })].into(),
        keep_last: 1,
        cold_after_days: None,
        config_digest: Digest::of(b""),
        item_count: None,
        size_bytes: None,
        product_version: "0".to_owned(),
    };
    let listed = ListedPoint {
        arn: source(day),
        table: table(name),
        vault: HOME.parse().unwrap(),
        created_at: moment,
        status: status.to_owned(),
        size_bytes: None,
    };
    RestorePoint::identify(listed, Reading::Opened(Box::new(core)))
}

/// The record of the copy of that day's point, as the catalog has it.
fn record(name: &str, day: u32, state: CopyState) -> (Wanted, CopyRecord) {
    let created_at = at(&format!("2025-01-{day:02}T06:00:00Z"));
    let queued_at = at(&format!("2025-01-{day:02}T06:05:00Z"));
    let owed = state.is_owed().then(|| ("refused".to_owned(), "AWS Backup refused it".to_owned()));
    let (reason, message) = owed.unzip();
    let target: VaultArn = TARGET.parse().unwrap();
    let copy = CopyRecord {
        source: source(day),
        target: target.clone(),
        table: table(name),
        policy: "a".parse().unwrap(),
        policy_id: Uuid::nil(),
        scheduled_at: created_at,
        created_at,
        state,
        attempts: 2,
        failures: 1,
        retries: 3,
        backfill: None,
        look_first: false,
        slot: None,
        job: None,
        copy: (state == CopyState::Usable).then(|| source(day + 50)),
        reason,
        message,
        queued_at,
        due_at: queued_at,
        started_at: None,
        settled_at: state.is_settled().then(|| at(&format!("2025-01-{day:02}T06:20:00Z"))),
        announced: false,
        made_up: false,
        revision: 0,
    };
    ((source(day), target), copy)
}

fn gathered(points: &[RestorePoint], records: &[(Wanted, CopyRecord)]) -> (Vec<Value>, Vec<&'static str>) {
    let points: Vec<&RestorePoint> = points.iter().collect();
    let (copies, findings) = gather(&points, &records.iter().cloned().collect(), at(NOW));
    let copies = copies.iter().map(|copies| serde_json::to_value(copies).unwrap()).collect();
    (copies, findings.iter().map(|finding| finding.reason).collect())
}

#[test]
fn a_target_tells_its_newest_copy_and_how_far_it_is_behind() {
    let points = [point("a", 6, "COMPLETED"), point("a", 7, "COMPLETED"), point("a", 8, "CREATING")];
    let records = [record("a", 6, CopyState::Usable), record("a", 7, CopyState::Usable)];
    let (copies, findings) = gathered(&points, &records);
    assert_eq!(
        copies,
        [json!({
            "table": table("a"), "target": TARGET,
            "newest_copied": source(7), "copy": source(57), "lag_seconds": 1200, "rpo_seconds": 3 * 86_400,
            "usable": 2, "missing_count": 0, "missing": [],
        })],
        "what is still being made is not missing yet"
    );
    assert!(findings.is_empty());
}

#[test]
fn missing_copies_say_how_they_stand_and_those_that_will_not_come_are_found() {
    let points: Vec<_> = (3..=9).map(|day| point("a", day, "COMPLETED")).collect();
    let mut made_up = record("a", 3, CopyState::GivenUp);
    made_up.1.made_up = true;
    let records = [
        made_up,
        record("a", 4, CopyState::Usable),
        record("a", 5, CopyState::GivenUp),
        record("a", 6, CopyState::Impossible),
        record("a", 7, CopyState::Running),
        record("a", 8, CopyState::Queued),
    ];
    let (copies, findings) = gathered(&points, &records);
    let [copies] = &copies[..] else { panic!("{copies:?}") };
    assert_eq!((&copies["newest_copied"], &copies["missing_count"]), (&json!(source(4)), &json!(5)));
    let missing = copies["missing"].as_array().unwrap();
    let states: Vec<_> = missing.iter().map(|missing| missing["state"].clone()).collect();
    assert_eq!(json!(states), json!(["given_up", "impossible", "running", "queued", null]));
    assert_eq!(
        missing[0],
        json!({
            "recovery_point": source(5), "scheduled_at": "2025-01-05T06:00:00Z", "state": "given_up", "attempts": 2,
            "reason": "refused", "message": "AWS Backup refused it", "since": "2025-01-05T06:05:00Z",
        })
    );
    assert_eq!(missing[4]["reason"], "not_queued");
    assert_eq!(findings, ["copy_given_up", "copy_impossible"]);
}

#[test]
fn a_copy_that_nobody_would_queue_any_more_is_not_missing() {
    let points = [point("a", 6, "COMPLETED")];
    let points: Vec<&RestorePoint> = points.iter().collect();
    for (now, missing) in [("2025-01-31T06:00:00Z", 1), ("2025-01-31T06:00:01Z", 0)] {
        let (copies, _) = gather(&points, &Records::new(), at(now));
        assert_eq!(copies[0].missing_count, missing, "{now}");
    }
}

#[test]
fn what_is_owed_outlives_its_point_and_stands_with_its_table() {
    let (_, queued) = record("a", 25, CopyState::Queued);
    let records =
        [((queued.source.clone(), queued.target.clone()), queued), record("b", 5, CopyState::Impossible)];
    let (copies, findings) = gathered(&[], &records);
    let tables: Vec<_> = copies.iter().map(|copies| copies["table"].clone()).collect();
    assert_eq!((tables, findings), (vec![json!(table("a")), json!(table("b"))], vec!["copy_impossible"]));
}

#[test]
fn a_long_list_is_cut_and_keeps_what_will_not_come_by_itself() {
    let mut records: Vec<_> = (0..250)
        .map(|n| {
            let ((_, target), mut copy) = record("a", 1 + n % 25, CopyState::Queued);
            copy.source = source(100 + n);
            ((copy.source.clone(), target), copy)
        })
        .collect();
    records.push(record("a", 28, CopyState::GivenUp));
    let (copies, findings) = gathered(&[], &records);
    let missing = copies[0]["missing"].as_array().unwrap();
    assert_eq!((missing.len(), &copies[0]["missing_count"]), (LISTED, &json!(251)));
    assert_eq!((missing[LISTED - 1]["state"].as_str(), findings.len()), (Some("given_up"), 1));
    assert!(missing.is_sorted_by_key(|missing| missing["scheduled_at"].as_str()));
}

#[test]
fn a_table_is_told_of_once_in_all_the_answers_of_a_long_report() {
    let tables: Vec<_> = ["a", "b", "c", "d"].map(table).into();
    let answers = [
        Span { until: Some(table("b")), ..Span::default() },
        Span { after: Some(table("b")), until: Some(table("c")), only: None },
        Span { after: Some(table("c")), ..Span::default() },
    ];
    for table in &tables {
        assert_eq!(answers.iter().filter(|span| span.has(table)).count(), 1, "{table}");
    }
    let only = Span { only: Some(table("c")), ..Span::default() };
    assert_eq!(tables.iter().filter(|table| only.has(table)).count(), 1);
}

#[test]
fn points_are_looked_up_in_every_target_that_their_table_has() {
    let points = [point("a", 6, "COMPLETED"), point("b", 7, "COMPLETED")];
    let points: Vec<&RestorePoint> = points.iter().collect();
    let (_, mut backfilled) = record("a", 8, CopyState::Queued);
    backfilled.target = HOME.replace("eu-central-1", "us-east-1").parse().unwrap();
    let records = [((backfilled.source.clone(), backfilled.target.clone()), backfilled)].into();
    let pairs = pairs(&points, &records).into_iter();
    let pairs: Vec<_> = pairs.map(|(source, target)| (source, target.region().to_owned())).collect();
    let expected = [(6, "eu-west-1"), (6, "us-east-1"), (7, "eu-west-1")];
    assert_eq!(pairs, expected.map(|(day, region)| (source(day), region.to_owned())));
}
