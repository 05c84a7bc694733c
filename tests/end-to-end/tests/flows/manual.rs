//! Manual backups: whole, outside every chain, and never in the way of one.

use serde_json::{Value, json};

use crate::support::{World, chains, details, example, list, only_point, points};

/// 07:00 in Berlin on the next day.
const NEXT_SEVEN: &str = "2027-01-05T06:00:00Z";

async fn world() -> World {
    let world = World::start().await;
    world.tables(&["a-1", "a-2"]).await;
    world
}

fn point(answer: &Value) -> String {
    answer["details"][0]["recovery_point"].as_str().expect("an ARN").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_backup_is_a_chain_of_its_own_that_nothing_ends() {
    let world = world().await;
    let planned = world.session(&json!({"backup_now": {"table": "a-1"}, "dry_run": true})).await;
    assert_eq!(details(&planned), [("a-1", "would_start", "")]);
    assert_eq!(world.starts().await, 0);

    let answer = world.session(&json!({"backup_now": {"table": "a-1"}})).await;
    assert_eq!(
        (&answer["session"], &answer["policy"], &answer["flags"]),
        (&json!(null), &json!(null), &json!([]))
    );
    assert_eq!(answer["tables"], json!({"covered": 1, "started": 1, "skipped": 0, "failed": 0}));
    world.finish_jobs().await;
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "manual", 1)]);
    assert_eq!(only_point(&report, "a-1"), point(&answer));
    let entry = points(&report, "a-1")[0].clone();
    assert_eq!((&entry["expires_at"], &entry["flags"]), (&json!(null), &json!(null)));
    assert_eq!(world.tags(&point(&answer)).await["dynachain:managed"], "manual");

    // A policy's chain goes on beside it.
    world.apply(&example("a", &json!({"tables": ["a-*"]}))).await;
    world.jump(NEXT_SEVEN).await;
    world.finish_jobs().await;
    let report = world.verified(&[]).await;
    let sessions = chains(&report)[0].2;
    let expected = [("a-1", "regular", sessions), ("a-1", "manual", 1), ("a-2", "regular", sessions)];
    assert_eq!(chains(&report), expected);
    let again = world.session(&json!({"reconcile": true})).await;
    assert_eq!((&again["settled"], &again["failures"]), (&json!(0), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_backup_whose_event_is_lost_is_completed_by_reconciliation() {
    let world = world().await;
    let rule = world.job_rule().await;
    world.event_bridge().await.disable_rule().name(&rule).send().await.expect("no more events");
    world.backup().await.create_backup_vault().backup_vault_name("elsewhere").send().await.expect("a vault");
    let answer = world.session(&json!({"backup_now": {"table": "a-2", "vault": "elsewhere"}})).await;
    world.finish_jobs().await;
    let before = world.tags(&point(&answer)).await;
    assert_eq!(world.session(&json!({"reconcile": true})).await["settled"], 1);
    let after = world.tags(&point(&answer)).await;
    assert!(after.len() >= before.len() && after.contains_key("dynachain:core:1"), "{after:?}");
    assert_eq!(world.session(&json!({"reconcile": true})).await["settled"], 0, "once");
    // Another vault is another place: the stack's own has nothing of it.
    assert_eq!(chains(&world.verified(&[]).await), []);
    let listed = world.backup().await.list_recovery_points_by_backup_vault().backup_vault_name("elsewhere");
    let listed = listed.send().await.expect("its points");
    assert_eq!(listed.recovery_points()[0].recovery_point_arn(), Some(point(&answer).as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_backed_up_by_hand_is_refused_or_said() {
    let world = world().await;
    world.table_status("a-2", "CREATING").await;
    let answer = world.session(&json!({"backup_now": {"table": "a-2"}})).await;
    assert_eq!(details(&answer), [("a-2", "failed", "table_not_active")]);
    for (request, error_type, said) in [
        (json!({"table": "missing"}), "TableNotFound", "$.backup_now.table: "),
        (json!({"table": "a-1", "vault": "missing"}), "VaultUnavailable", "missing"),
        (
            json!({"table": "arn:aws:dynamodb:eu-west-1:111122223333:table/a-1"}),
            "InvalidRequest",
            "is not in eu-central-1",
        ),
        (json!({"table": "x", "valt": 1}), "InvalidRequest", "$.backup_now.valt: is unknown"),
    ] {
        let refused = world.refused("backup-session", &json!({"backup_now": request})).await;
        assert_eq!(refused.error_type, error_type, "{refused:?}");
        assert!(refused.error_message.contains(said), "{refused:?}");
    }
    assert_eq!(list(&world.report(&json!({})).await["chains"]).len(), 0);
    assert_eq!((world.starts().await, chains(&world.verified(&[]).await)), (0, vec![]));
}
