//! Why a point is still there: decisions and reasons in the report, and the whole story of one point.

use aws_sdk_backup::types::RecoveryPointSelection;
use local_stack::VAULT;
use serde_json::{Value, json};

use crate::support::{SEVEN, World, arn, example, list, only_point, points};

fn sentences(explained: &Value) -> Vec<&str> {
    list(&explained["sentences"]).iter().filter_map(Value::as_str).collect()
}

impl World {
    /// One table backed up at 07:00; its point.
    async fn one_backed_up(&self, table: &str) -> String {
        self.tables(&[table]).await;
        self.apply(&example("a", &json!({"tables": ["a-*"]}))).await;
        self.jump(SEVEN).await;
        self.session(&json!({"policy": "a", "scheduled_at": SEVEN})).await;
        self.finish_jobs().await;
        only_point(&self.verified(&[]).await, table)
    }

    async fn explained(&self, point: &str) -> Value {
        let explained = self.report(&json!({"explain": point})).await;
        assert_eq!(self.report(&json!({"explain": point, "dry_run": true})).await, explained);
        explained
    }

    /// Places a legal hold on all points of a table in the vault; its id.
    pub(crate) async fn hold(&self, table: &str) -> String {
        let selection = RecoveryPointSelection::builder()
            .vault_names(VAULT)
            .resource_identifiers(arn(table).to_string())
            .build();
        let hold = self.backup().await.create_legal_hold().title("audit").description("an audit");
        let hold = hold.recovery_point_selection(selection).send().await.expect("a hold");
        hold.legal_hold_id.expect("an id")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_is_explained_from_its_first_day_to_its_last() {
    let world = World::start().await;
    let point = world.one_backed_up("a-1").await;

    let report = world.report(&json!({})).await;
    let shown = points(&report, "a-1")[0];
    assert_eq!(shown["decision"], "keep");
    assert_eq!(shown["reasons"], json!(["flag_D", "flag_W", "flag_M", "flag_Y", "keep_last"]));
    let explained = world.explained(&point).await;
    assert_eq!(&explained["point"], shown);
    assert_eq!(explained["now"], report["now"]);
    assert_eq!(sentences(&explained)[0], "It is kept until 2029-01-04T06:00:00Z.");
    let ends: Vec<_> = list(&explained["ends"]).iter().map(|end| end["ends_at"].as_str()).collect();
    let expected =
        ["2027-01-07T06:00:00Z", "2027-01-18T06:00:00Z", "2027-07-04T05:00:00Z", "2029-01-04T06:00:00Z"];
    assert_eq!(ends, expected.map(Some));

    let hold = world.hold("a-1").await;
    world.finish_jobs().await;
    let held = world.explained(&point).await;
    assert_eq!(list(&held["protections"]).last().expect("a protection")["reason"], "legal_hold");
    assert_eq!(held["earlier"], json!([]), "nobody removes a point that is held");
    let cancel = world.backup().await.cancel_legal_hold().legal_hold_id(hold).cancel_description("over");
    cancel.send().await.expect("the hold is released");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_point_of_a_chain_stays_for_that_alone() {
    let world = World::start().await;
    world.tables(&["a-1"]).await;
    let hourly = json!({ "daily": { "at": "07:00", "on": "every day", "keep": { "hours": 1 } } });
    let document = json!({ "name": "a", "timezone": "Europe/Berlin", "scope": { "tables": ["a-1"] }, "schedules": hourly });
    world.apply(&document).await;
    world.jump(SEVEN).await;
    world.session(&json!({"policy": "a", "scheduled_at": SEVEN})).await;
    world.jump("2027-01-04T07:00:00Z").await;
    let report = world.verified(&[]).await;
    let explained = world.explained(&only_point(&report, "a-1")).await;
    assert_eq!(explained["point"]["decision"], "protected");
    assert_eq!(explained["point"]["reasons"], json!(["no_active_flag", "keep_last"]));
    assert_eq!(points(&report, "a-1")[0], &explained["point"]);
    let end = &list(&explained["ends"])[0];
    assert_eq!((&end["ends_at"], &end["active"]), (&json!("2027-01-04T07:00:00Z"), &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_reads_the_points_own_tags_and_finds_only_points_of_the_vault() {
    let world = World::start().await;
    let point = world.one_backed_up("a-1").await;
    world.remove_tags(&point, &["dynachain:core:1"]).await;
    let explained = world.explained(&point).await;
    assert_eq!(
        explained["point"]["reasons"],
        json!(["no_active_flag", "unreadable"]),
        "whatever the catalog says"
    );
    assert!(
        sentences(&explained)[1].contains("pieces of its dynachain:core tags are missing"),
        "{explained:#}"
    );

    let unknown = point.replace(&point[point.len() - 4..], "none");
    let refusal = world.refused("chain-report", &json!({"explain": unknown})).await;
    assert_eq!(refusal.error_type, "PointNotFound");
    assert!(refusal.error_message.starts_with("$.explain: "), "{}", refusal.error_message);
}
