//! Changes of a policy that AWS stops half-way: the next one finishes or undoes them.

use serde_json::{Value, json};

use crate::permissions::roles;
use crate::support::{World, example, list};

/// The name of the role's policy that stands in the way.
const DENIED: &str = "denied";

impl World {
    /// From now on the policy function may not do this to that schedule.
    async fn deny(&self, action: &str, schedule: &str) {
        let deny = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Action": action, "Resource": format!("arn:aws:scheduler:*:*:schedule/dynachain/{schedule}"),
        }]});
        let put = self.iam().await.put_role_policy().role_name(self.policy_role().await).policy_name(DENIED);
        put.policy_document(deny.to_string()).send().await.expect("denied");
    }

    async fn allow_again(&self) {
        let delete = self.iam().await.delete_role_policy().role_name(self.policy_role().await);
        delete.policy_name(DENIED).send().await.expect("allowed again");
    }

    async fn policy_role(&self) -> String {
        let roles = roles(self).await;
        let role =
            roles.iter().find(|role| role.short() == "PolicyRole").expect("the policy function's role");
        role.arn().rsplit('/').next().expect("a name").to_owned()
    }

    /// A request that is refused half-way, and says what is done by then and how to go on.
    async fn stopped(&self, request: &Value, done: &str, repeat: &str) {
        let refusal = self.refused("policy", request).await;
        assert_eq!(refusal.error_type, "AccessDenied", "{refusal:?}");
        let said = &refusal.error_message;
        assert!(said.starts_with(&format!("$: {done}: ")) && said.contains("scheduler:"), "{said}");
        assert!(said.ends_with(&format!("; {repeat} to finish it")), "{said}");
    }

    /// Each schedule's name and zone.
    async fn zones(&self) -> Vec<(String, String)> {
        let zone =
            |schedule: &Value| schedule["ScheduleExpressionTimezone"].as_str().unwrap_or_default().to_owned();
        self.schedules().await.iter().map(|(name, schedule)| (name.clone(), zone(schedule))).collect()
    }

    /// What a check says about the policy's schedules.
    async fn schedules_ok(&self) -> Value {
        let checked = self.policy(&json!({"check": "a"})).await;
        let finding = list(&checked["findings"]).iter().find(|finding| finding["check"] == "schedules");
        finding.expect("the finding about schedules")["ok"].clone()
    }
}

fn zones(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, zone)| ((*name).to_owned(), (*zone).to_owned())).collect()
}

const BERLIN: &str = "Europe/Berlin";
const KATHMANDU: &str = "Asia/Kathmandu";

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_could_not_create_every_schedule_is_finished_by_the_next() {
    let world = World::start().await;
    let document = example("a", &json!({"tables": ["a-*"]}));
    world.deny("scheduler:CreateSchedule", "a-0700").await;
    let done = "version 1 of policy a is stored, but its schedules are not all in line";
    for _ in 0..2 {
        world.stopped(&json!({"apply": document}), done, "apply it once more").await;
        assert_eq!(world.zones().await, zones(&[("a-1100", BERLIN)]), "the others are made all the same");
    }
    world.allow_again().await;
    assert_eq!(world.schedules_ok().await, false);
    let finished = world.apply(&document).await;
    assert_eq!((&finished["changed"], &finished["version"]), (&json!(false), &json!(1)));
    assert_eq!(finished["schedules"], json!({"created": ["a-0700"], "updated": [], "removed": []}));
    assert_eq!(world.zones().await, zones(&[("a-0700", BERLIN), ("a-1100", BERLIN)]));
    assert_eq!(world.schedules_ok().await, true);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_could_not_create_every_schedule_is_undone_by_a_delete() {
    let world = World::start().await;
    world.deny("scheduler:CreateSchedule", "a-1100").await;
    let done = "version 1 of policy a is stored, but its schedules are not all in line";
    let document = example("a", &json!({"tables": ["a-*"]}));
    world.stopped(&json!({"apply": document}), done, "apply it once more").await;
    let deleted = world.policy(&json!({"delete": "a"})).await;
    assert_eq!(deleted["schedules"]["removed"], json!(["a-0700"]));
    assert_eq!(world.zones().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_could_not_update_every_schedule_is_finished_or_undone_by_the_next() {
    let world = World::start().await;
    let before = example("a", &json!({"tables": ["a-*"]}));
    world.apply(&before).await;
    let mut after = before.clone();
    after["timezone"] = json!(KATHMANDU);

    world.deny("scheduler:UpdateSchedule", "a-0700").await;
    let done = "version 2 of policy a is stored, but its schedules are not all in line";
    world.stopped(&json!({"apply": after}), done, "apply it once more").await;
    assert_eq!(world.zones().await, zones(&[("a-0700", BERLIN), ("a-1100", KATHMANDU)]));
    let undone = world.apply(&before).await;
    assert_eq!((&undone["version"], &undone["schedules"]["updated"]), (&json!(3), &json!(["a-1100"])));
    assert_eq!(world.zones().await, zones(&[("a-0700", BERLIN), ("a-1100", BERLIN)]));

    let done = "version 4 of policy a is stored, but its schedules are not all in line";
    world.stopped(&json!({"apply": after}), done, "apply it once more").await;
    world.allow_again().await;
    let finished = world.apply(&after).await;
    assert_eq!((&finished["version"], &finished["schedules"]["updated"]), (&json!(4), &json!(["a-0700"])));
    assert_eq!(world.zones().await, zones(&[("a-0700", KATHMANDU), ("a-1100", KATHMANDU)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn removals_that_were_stopped_are_finished_by_the_next_and_wake_nothing_meanwhile() {
    let world = World::start().await;
    world.tables(&["a-1"]).await;
    let mut document = example("a", &json!({"tables": ["a-*"]}));
    world.apply(&document).await;
    world.deny("scheduler:DeleteSchedule", "a-1100").await;

    document["schedules"]["daily"]["at"] = json!("07:00");
    let done = "version 2 of policy a is stored, but its schedules are not all in line";
    world.stopped(&json!({"apply": document}), done, "apply it once more").await;
    let done = "policy a is deleted, but not all its schedules are";
    world.stopped(&json!({"delete": "a"}), done, "delete it once more").await;
    assert_eq!(world.refused("policy", &json!({"show": "a"})).await.error_type, "PolicyNotFound");
    assert_eq!(world.zones().await, zones(&[("a-1100", BERLIN)]));
    world.jump("2027-01-04T10:01:00Z").await;
    assert_eq!((world.woken("a").len(), world.starts().await), (1, 0), "the policy is gone");

    world.allow_again().await;
    let finished = world.policy(&json!({"delete": "a"})).await;
    assert_eq!((&finished["id"], &finished["schedules"]["removed"]), (&Value::Null, &json!(["a-1100"])));
    assert_eq!(world.zones().await, []);
    assert_eq!(world.refused("policy", &json!({"delete": "a"})).await.error_type, "PolicyNotFound");
}
