//! What is refused as a whole: one clear error, and nothing is started, stored or changed.

use local_stack::SOURCE_REGION;
use serde_json::{Value, json};

use crate::support::{SEVEN, World, chains, example};

impl World {
    /// A request that the session function refuses with this type and, as the beginning of its lines, these words.
    async fn refuses(&self, request: &Value, error_type: &str, lines: &[&str]) {
        let (before, starts) = (self.catalog().await, self.starts().await);
        let refusal = self.refused("backup-session", request).await;
        let said = refusal.error_message.as_str();
        assert_eq!(refusal.error_type, error_type, "{request}: {said}");
        assert_eq!(said.lines().count(), lines.len(), "{request}: {said}");
        for (said, line) in said.lines().zip(lines) {
            assert!(said.starts_with(line), "{request}: {said}");
        }
        assert_eq!(self.starts().await, starts, "{request}: nothing is started");
        assert_eq!(self.catalog().await, before, "{request}: nothing is recorded");
    }

    async fn key(&self) -> String {
        self.stack.deployments()[0].output("KeyArn").expect("a key").to_owned()
    }

    pub(crate) async fn advanced_features(&self, on: bool) {
        let client = self.backup().await;
        let update = client.update_region_settings().resource_type_management_preference("DynamoDB", on);
        update.resource_type_opt_in_preference("DynamoDB", on).send().await.expect("settings");
    }

    async fn advanced_features_on(&self) -> bool {
        let settings = self.backup().await.describe_region_settings().send().await.expect("settings");
        settings.resource_type_management_preference().and_then(|types| types.get("DynamoDB")) == Some(&true)
            && settings.resource_type_opt_in_preference().and_then(|types| types.get("DynamoDB"))
                == Some(&true)
    }
}

/// At 07:00 with a policy whose session has not run: only a request can start it.
async fn at_seven() -> World {
    let world = World::start().await;
    world.tables(&["a-1", "a-2", "b-1"]).await;
    world.jump(SEVEN).await;
    world.apply(&example("a", &json!({"tables": ["a-*"]}))).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_makes_no_sense_is_refused_with_the_place_of_every_problem() {
    let world = at_seven().await;
    let scheduled = |at: &str| json!({"policy": "a", "scheduled_at": at});
    world.apply(&json!({"name": "bare", "scope": {"tables": ["b-*"]}})).await;
    for (request, error_type, lines) in [
        (json!({"policy": "none"}), "PolicyNotFound", &["$.policy: there is no policy none"][..]),
        (json!({"policy": "none", "scheduled_at": SEVEN}), "PolicyNotFound", &["$.policy: "]),
        (json!({}), "InvalidRequest", &["$.policy: is missing"]),
        (json!([]), "InvalidRequest", &["$: must be a JSON object"]),
        (
            json!({"policy": "no name", "tables": "a-1", "x": 1}),
            "InvalidRequest",
            &["$.policy: ", "$.tables: ", "$.x: is unknown"],
        ),
        (
            scheduled("2027-01-03T05:59:59Z"),
            "InvalidRequest",
            &["$.scheduled_at: 2027-01-03T05:59:59Z is more than 24 hours"],
        ),
        (
            scheduled("2027-01-04T06:05:01Z"),
            "InvalidRequest",
            &["$.scheduled_at: 2027-01-04T06:05:01Z lies more than 5 minutes"],
        ),
        (scheduled("seven"), "InvalidRequest", &["$.scheduled_at: "]),
        (
            json!({"policy": "a", "tables": ["b-1"]}),
            "InvalidRequest",
            &["$.tables[0]: b-1 is no table that the policy covers"],
        ),
        (
            json!({"policy": "a", "tables": ["a-1", "a-9", "b-1"]}),
            "InvalidRequest",
            &["$.tables[1]: ", "$.tables[2]: "],
        ),
        (json!({"policy": "a", "keep": {"days": 0}}), "InvalidRequest", &["$.keep.days: "]),
        (json!({"policy": "bare"}), "InvalidRequest", &["$.keep: is missing: the policy has no schedule"]),
        (
            json!({"source": "aws.backup", "detail-type": "Backup Job State Change", "detail": {"state": "COMPLETED"}}),
            "InvalidRequest",
            &["$.detail.backupJobId: "],
        ),
        (
            json!({"source": "dynachain", "detail-type": "Backup Session Continued", "detail": {"session": "no session"}}),
            "InvalidRequest",
            &["$.detail.session: "],
        ),
    ] {
        world.refuses(&request, error_type, lines).await;
        world.refuses(&request, error_type, lines).await;
    }
    assert_eq!(chains(&world.verified(&[]).await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_policy_is_refused_by_hand_and_quiet_by_schedule() {
    let world = at_seven().await;
    world.policy(&json!({"disable": "a"})).await;
    world
        .refuses(
            &json!({"policy": "a"}),
            "PolicyDisabled",
            &["$.policy: the policy a is disabled; enable it"],
        )
        .await;
    let before = world.catalog().await;
    let quiet = world.session(&json!({"policy": "a", "scheduled_at": SEVEN})).await;
    assert_eq!((&quiet["flags"], &quiet["details"]), (&json!([]), &json!([])));
    assert_eq!(quiet["tables"], json!({"covered": 0, "started": 0, "skipped": 0, "failed": 0}));
    assert_eq!((world.catalog().await, world.starts().await), (before, 0));
    assert_eq!(chains(&world.verified(&[]).await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_could_not_succeed_is_refused_before_any_job() {
    let world = at_seven().await;
    let (kms, key) = (world.kms().await, world.key().await);
    let request = json!({"policy": "a", "scheduled_at": SEVEN});

    kms.disable_key().key_id(&key).send().await.expect("disabled");
    let line = format!("$: the key {key} cannot be used");
    world.refuses(&request, "KeyUnavailable", &[&line]).await;
    world.refuses(&request, "KeyUnavailable", &[&line]).await;
    world.refuses(&json!({"policy": "a", "dry_run": true}), "KeyUnavailable", &[&line]).await;
    kms.enable_key().key_id(&key).send().await.expect("enabled");

    let backup = world.backup().await;
    backup.delete_backup_vault().backup_vault_name("dynachain").send().await.expect("the vault goes");
    world.refuses(&request, "VaultUnavailable", &["$: "]).await;
    world.refuses(&request, "VaultUnavailable", &["$: "]).await;
    let refusal = world.refused("chain-report", &json!({})).await;
    assert_eq!(refusal.error_type, "VaultUnavailable");
    assert!(refusal.error_message.contains("dynachain"), "{}", refusal.error_message);
    backup
        .create_backup_vault()
        .backup_vault_name("dynachain")
        .encryption_key_arn(&key)
        .send()
        .await
        .expect("a vault");

    // All is well again: what was refused can be done now.
    let answer = world.session(&request).await;
    assert_eq!((&answer["tables"]["started"], &answer["duplicate"]), (&json!(2), &json!(false)));
    world.finish_jobs().await;
    assert_eq!(chains(&world.verified(&[]).await), [("a-1", "regular", 1), ("a-2", "regular", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn advanced_features_that_are_off_are_turned_on_by_the_session() {
    let world = at_seven().await;
    world.advanced_features(false).await;
    let request = json!({"policy": "a", "scheduled_at": SEVEN});
    let planned = world.session(&json!({"policy": "a", "scheduled_at": SEVEN, "dry_run": true})).await;
    assert_eq!(planned["tables"]["covered"], 2);
    assert!(!world.advanced_features_on().await, "a dry run changes nothing");
    let answer = world.session(&request).await;
    assert_eq!(answer["tables"]["started"], 2);
    assert!(world.advanced_features_on().await);
    world.finish_jobs().await;
    assert_eq!(chains(&world.verified(&[]).await), [("a-1", "regular", 1), ("a-2", "regular", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn advanced_features_that_are_off_stay_off_where_the_stack_may_not_manage_them() {
    let world = World::with(&[("ManageBackupSettings", "false")], false).await;
    world.tables(&["a-1"]).await;
    world.jump(SEVEN).await;
    world.apply(&example("a", &json!({"tables": ["a-*"]}))).await;
    world.advanced_features(false).await;
    let line = format!("$: AWS Backup's advanced features for DynamoDB are off in {SOURCE_REGION}");
    for request in [
        json!({"policy": "a", "scheduled_at": SEVEN}),
        json!({"policy": "a"}),
        json!({"policy": "a", "dry_run": true}),
    ] {
        world.refuses(&request, "AdvancedFeaturesOff", &[&line]).await;
    }
    assert!(!world.advanced_features_on().await);
    world.advanced_features(true).await;
    let answer = world.session(&json!({"policy": "a", "scheduled_at": SEVEN})).await;
    assert_eq!(answer["tables"]["started"], 1);
    world.finish_jobs().await;
    assert_eq!(chains(&world.verified(&[]).await), [("a-1", "regular", 1)]);
}
