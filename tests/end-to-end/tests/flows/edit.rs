//! Edits of points: extensions and their undoing, restamps after a policy edit, edits that were cut short.

mod runs;

use dynachain::evolving::Evolving;
use dynachain::metadata::{Core, Part, PartName, PointTags, Sealer};
use dynachain::retention::End;
use end_to_end::points::open;
use local_stack::{SOURCE_REGION, TARGET_REGION, VAULT};
use serde_json::{Value, json};

use crate::support::{SEVEN, World, arn, at, chains, example_with_copies, list, points};

/// 08:00 in Berlin on that day.
const EIGHT: &str = "2027-01-04T07:00:00Z";

/// A policy for 07:00 and 08:00.
fn hourly(keep: u32) -> Value {
    json!({
        "name": "a", "timezone": "Europe/Berlin", "scope": { "tables": ["a-*"] },
        "schedules": { "daily": { "at": ["07:00", "08:00"], "on": "every day", "keep": { "hours": keep } } },
    })
}

/// A core as a later version of the product writes it.
#[derive(serde::Serialize)]
struct Later<'a> {
    #[serde(flatten)]
    core: &'a Core,
    zz: &'static str,
}

impl World {
    /// Two points of each table, an hour apart.
    async fn two_points(&self, tables: &[&str], policy: &Value) {
        self.tables(tables).await;
        self.apply(policy).await;
        for moment in [SEVEN, EIGHT] {
            self.jump(moment).await;
            self.session(&json!({"policy": "a", "scheduled_at": moment})).await;
            self.finish_jobs().await;
        }
    }

    async fn edit(&self, request: &Value) -> Value {
        self.ask("chain-edit", request).await
    }

    /// An edit planned, done, and asked for again: the second time there is nothing left to do.
    async fn edited(&self, request: &Value) -> Value {
        let mut dry = request.clone();
        dry["dry_run"] = json!(true);
        let tags = self.catalog().await;
        let planned = self.edit(&dry).await;
        assert_eq!(self.catalog().await, tags, "a plan changes nothing");
        let done = self.edit(request).await;
        assert_eq!((&done["digest"], &done["points"]), (&planned["digest"], &planned["points"]));
        assert_eq!((&done["failures"], &done["finished"]), (&json!([]), &json!(true)), "{done:#}");
        let again = self.edit(request).await;
        assert_eq!((&again["points"], &again["edited"]), (&json!([]), &json!(0)), "{again:#}");
        done
    }

    async fn core(&self, point: &str, table: &str) -> Core {
        open(&self.stack, SOURCE_REGION, &self.tags(point).await, &arn(table)).await.expect("it opens").core
    }

    /// Tags with the same point's core sealed anew, with more in it than this version knows.
    async fn sealed_later(&self, point: &str, table: &str) {
        let tags = self.tags(point).await;
        let found = PointTags::read(&tags);
        let key = self.stack.deployments()[0].output("KeyArn").expect("a key").parse().expect("its ARN");
        let opener = dynachain::aws::KeyOpener::new(&self.stack.sdk_config(SOURCE_REGION).await, key);
        let key = opener.open(&found.keys, &arn(table)).await.expect("the data key");
        let of = arn(table);
        let sealer = Sealer::new(&key, &of);
        let Part::Whole(core) = found.core else { unreachable!() };
        let core: Evolving<Core> =
            Evolving::decode(&sealer.open(PartName::Core, &core).expect("it opens")).expect("it decodes");
        let later = Evolving::new(Later { core: &core.value, zz: "from a later version" }).encode();
        let sealed = sealer.seal(PartName::Core, &later.expect("it encodes")).expect("it seals");
        let layout = dynachain::metadata::lay_out_core(&sealed, &tags).expect("room");
        self.set_tags(point, layout.set).await;
    }

    /// What the core says in CBOR, unknown members included.
    async fn raw_core(&self, point: &str, table: &str) -> Vec<u8> {
        let found = PointTags::read(&self.tags(point).await);
        let key = self.stack.deployments()[0].output("KeyArn").expect("a key").parse().expect("its ARN");
        let opener = dynachain::aws::KeyOpener::new(&self.stack.sdk_config(SOURCE_REGION).await, key);
        let key = opener.open(&found.keys, &arn(table)).await.expect("the data key");
        let Part::Whole(core) = found.core else { unreachable!() };
        Sealer::new(&key, &arn(table)).open(PartName::Core, &core).expect("it opens")
    }
}

fn first(report: &Value, table: &str) -> String {
    points(report, table)[0]["recovery_point"].as_str().expect("an ARN").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_is_extended_and_the_extension_undone() {
    let world = World::start().await;
    world.two_points(&["a-1"], &hourly(1)).await;
    let report = world.verified(&[]).await;
    let point = first(&report, "a-1");
    assert_eq!(points(&report, "a-1")[0]["decision"], "delete", "{report:#}");
    world.sealed_later(&point, "a-1").await;
    let before = world.tags(&point).await;

    let request = |until: Value| json!({"extend": {"recovery_point": point, "until": until}});
    let extended = world.edited(&request(json!("2027-02-01T00:00:00Z"))).await;
    assert_eq!((&extended["edited"], &extended["deletable"]), (&json!(1), &json!(0)));
    assert_eq!(extended["points"][0]["would_be"], "2027-02-01T00:00:00Z");
    assert_eq!(world.core(&point, "a-1").await.until, Some(End::At(at("2027-02-01T00:00:00Z"))));
    let raw = world.raw_core(&point, "a-1").await;
    assert!(raw.windows(20).any(|bytes| bytes == b"from a later version"), "nothing unknown is lost");
    let after = world.tags(&point).await;
    let core = |tag: &String| tag.starts_with("dynachain:core:");
    assert!(before.iter().filter(|(tag, _)| !core(tag)).eq(after.iter().filter(|(tag, _)| !core(tag))));
    let report = world.verified(&[]).await;
    let shown = points(&report, "a-1")[0];
    assert_eq!((&shown["decision"], &shown["reasons"]), (&json!("keep"), &json!(["extended"])));
    assert_eq!(shown["expires_at"], "2027-02-01T00:00:00Z");

    assert_eq!(world.edited(&request(json!("forever"))).await["points"][0]["would_be"], "forever");

    // Without it the point is deletable: that takes a confirmation.
    let planned = world.edit(&request(json!(null))).await;
    assert_eq!(
        (&planned["confirm_needed"], &planned["deletable"], &planned["edited"]),
        (&json!(true), &json!(1), &json!(0))
    );
    let mut confirmed = request(json!(null));
    confirmed["confirm"] = json!("0".repeat(64));
    assert_eq!(world.refused("chain-edit", &confirmed).await.error_type, "PlanChanged");
    assert_eq!(world.core(&point, "a-1").await.until, Some(End::Never));
    confirmed["confirm"] = planned["digest"].clone();
    assert_eq!(world.edit(&confirmed).await["edited"], 1);
    assert_eq!(world.core(&point, "a-1").await.until, None);
    assert_eq!(points(&world.verified(&[]).await, "a-1")[0]["decision"], "delete");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restamp_lets_points_live_by_the_policy_as_it_is_now() {
    let world = World::start().await;
    world.two_points(&["a-1", "a-2"], &hourly(5 * 24)).await;
    let other = json!({
        "name": "b", "scope": { "tables": ["b-1"] },
        "schedules": { "daily": { "at": "07:00", "on": "every day", "keep": { "days": 5 } } },
    });
    world.tables(&["b-1"]).await;
    world.apply(&other).await;
    world.session(&json!({"policy": "b"})).await;
    world.finish_jobs().await;
    let before = world.verified(&[]).await;

    // Longer: nothing becomes deletable. The policy said the same would come of it.
    let applied = world.apply(&hourly(30 * 24)).await;
    let longer = world.edited(&json!({"restamp": {"policy": "a"}})).await;
    assert_eq!(
        (&longer["edited"], &longer["points_count"], &longer["deletable"]),
        (&json!(4), &json!(4), &json!(0))
    );
    let told = |points: &Value| -> std::collections::BTreeSet<(String, String)> {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        list(points).iter().map(|point| (text(&point["recovery_point"]), text(&point["would_be"]))).collect()
    };
    assert_eq!(told(&applied["points"]), told(&longer["points"]));
    let report = world.verified(&[]).await;
    assert_eq!(points(&report, "b-1"), points(&before, "b-1"), "another policy's points stay");
    for table in ["a-1", "a-2"] {
        assert_eq!(points(&report, table)[0]["expires_at"], "2027-02-03T06:00:00Z");
    }

    // Shorter, and only one table: its first point becomes deletable. Nothing happens until that is confirmed.
    world.apply(&hourly(1)).await;
    let request = json!({"restamp": {"policy": "a", "tables": ["a-1"]}});
    let planned = world.edit(&request).await;
    assert_eq!(
        (&planned["confirm_needed"], &planned["deletable"], &planned["edited"]),
        (&json!(true), &json!(1), &json!(0))
    );
    assert_eq!(world.report(&json!({})).await["chains"], report["chains"]);
    let confirmed = json!({"restamp": {"policy": "a", "tables": ["a-1"]}, "confirm": planned["digest"]});
    let done = world.edit(&confirmed).await;
    assert_eq!((&done["edited"], &done["failures"]), (&json!(2), &json!([])), "{done:#}");
    let restamped = world.verified(&[]).await;
    let decisions = |table: &str| -> Vec<Value> {
        points(&restamped, table).iter().map(|point| point["decision"].clone()).collect()
    };
    assert_eq!(decisions("a-1"), ["delete", "keep"]);
    assert_eq!(decisions("a-2"), ["keep", "keep"]);
    assert_eq!(world.core(&first(&restamped, "a-1"), "a-1").await.policy.expect("a policy").version, 3);

    let unknown = world.refused("chain-edit", &json!({"restamp": {"policy": "c"}})).await;
    assert_eq!(unknown.error_type, "PolicyNotFound");
    let unknown = json!({"restamp": {"policy": "a", "tables": ["a-1", "a-9"]}});
    let unknown = world.refused("chain-edit", &unknown).await;
    assert_eq!(unknown.error_type, "TableNotFound");
    assert!(unknown.error_message.starts_with("$.restamp.tables[1]"), "{}", unknown.error_message);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_is_cut_short_is_seen_and_finished() {
    let world = World::start().await;
    world.two_points(&["a-1"], &hourly(1)).await;
    let point = first(&world.verified(&[]).await, "a-1");
    let request = json!({"extend": {"recovery_point": point, "until": "forever"}});

    // AWS takes none of the new tags: the edit stands in the catalog, the tags are as before.
    world
        .control("PUT", "/faults", Some(&json!([{ "operation": "TagResource", "effect": "access_denied" }])))
        .await;
    let failed = world.edit(&request).await;
    assert_eq!(
        (&failed["edited"], &failed["failures"][0]["reason"]),
        (&json!(0), &json!("edit_refused")),
        "{failed:#}"
    );
    assert_eq!(world.core(&point, "a-1").await.until, None);
    let still = world.edit(&json!({"reconcile": true})).await;
    assert_eq!((&still["resumed"], &still["failures"][0]["reason"]), (&json!(0), &json!("edit_refused")));
    world.control("PUT", "/faults", Some(&json!([]))).await;

    // It took some of them: nobody can read the point, so it stays, and the report says so.
    let begun = world.catalog().await;
    let stored =
        begun.iter().find(|((pk, sk), _)| pk == "EDITS" && sk.starts_with("POINT#")).expect("the edit").1;
    let tags = stored["new_tags"].as_m().expect("tags");
    let some = tags.iter().take(1).map(|(tag, value)| (tag.clone(), value.as_s().expect("a text").clone()));
    world.set_tags(&point, some).await;
    let report = world.report(&json!({"rebuild": true})).await;
    let half = points(&report, "a-1")
        .into_iter()
        .find(|shown| shown["recovery_point"] == point.as_str())
        .expect("it");
    assert_eq!(half["decision"], "protected", "{half:#}");

    let finished = world.edit(&json!({"reconcile": true})).await;
    assert_eq!((&finished["resumed"], &finished["failures"]), (&json!(1), &json!([])), "{finished:#}");
    assert_eq!(world.core(&point, "a-1").await.until, Some(End::Never));
    assert_eq!(world.edit(&json!({"reconcile": true})).await["resumed"], 0);
    assert_eq!(points(&world.verified(&[]).await, "a-1")[0]["reasons"], json!(["extended"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_a_chain_or_not_there_is_never_edited() {
    let world = World::start().await;
    world.two_points(&["a-1"], &hourly(1)).await;
    let point = first(&world.verified(&[]).await, "a-1");
    let extend = |point: &str| json!({"extend": {"recovery_point": point, "until": "forever"}});
    world.session(&json!({"backup_now": {"table": "a-1"}})).await;
    world.finish_jobs().await;
    let report = world.verified(&[]).await;
    let manual = points(&report, "a-1").into_iter().find(|point| point["chain"] == "manual").expect("it");
    let refusal =
        world.refused("chain-edit", &extend(manual["recovery_point"].as_str().expect("an ARN"))).await;
    assert_eq!(refusal.error_type, "InvalidRequest");
    assert!(refusal.error_message.contains("taken by hand"), "{}", refusal.error_message);

    let unknown = point.replace(&point[point.len() - 4..], "none");
    assert_eq!(world.refused("chain-edit", &extend(&unknown)).await.error_type, "PointNotFound");
    let past = json!({"extend": {"recovery_point": point, "until": SEVEN}});
    let refusal = world.refused("chain-edit", &past).await;
    assert!(refusal.error_message.starts_with("$.extend.until: is past"), "{}", refusal.error_message);

    let mut tags = world.tags(&point).await;
    tags.retain(|tag, _| tag.starts_with("dynachain:core:"));
    world.remove_tags(&point, &["dynachain:core:1"]).await;
    let refusal = world.refused("chain-edit", &extend(&point)).await;
    assert!(refusal.error_message.contains("unreadable"), "{}", refusal.error_message);
    world.set_tags(&point, tags).await;

    let lock = world.backup().await.put_backup_vault_lock_configuration().backup_vault_name(VAULT);
    lock.min_retention_days(1).send().await.expect("a lock");
    assert_eq!(world.refused("chain-edit", &extend(&point)).await.error_type, "VaultLockConflict");
    let restamp = world.edit(&json!({"restamp": {"policy": "a"}})).await;
    assert_eq!((&restamp["edited"], &restamp["failures"][0]["reason"]), (&json!(0), &json!("vault_lock")));
    let locked = world.report(&json!({"table": "a-1"})).await;
    assert!(
        points(&locked, "a-1").iter().all(|point| list(&point["reasons"]).contains(&json!("vault_lock")))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_restamped_in_their_region() {
    let world = World::start_with_target().await;
    world.tables(&["a-1"]).await;
    let mut policy = example_with_copies("a", &json!({"tables": ["a-*"]}));
    world.apply(&policy).await;
    world.jump(SEVEN).await;
    world.session(&json!({"policy": "a", "scheduled_at": SEVEN})).await;
    world.finish_jobs().await;
    let point = first(&world.verified(&[]).await, "a-1");
    let there = |request: Value| {
        let world = &world;
        async move { world.stack.invoke(TARGET_REGION, "chain-report", &request).await.expect("a report") }
    };
    let before = there(json!({"rebuild": true})).await;
    assert_eq!(chains(&before), [("a-1", "copy", 1)]);

    policy["copies"][0]["keep"]["yearly"] = json!({ "years": 9 });
    world.apply(&policy).await;
    // The point itself ends as before; what it says about its copies changes with them.
    let restamped = world.edited(&json!({"restamp": {"policy": "a"}})).await;
    assert_eq!((&restamped["edited"], &restamped["deletable"]), (&json!(2), &json!(0)), "{restamped:#}");
    let report = there(json!({})).await;
    assert_eq!(points(&before, "a-1")[0]["expires_at"], "2034-01-04T06:00:00Z");
    assert_eq!(points(&report, "a-1")[0]["expires_at"], "2036-01-04T06:00:00Z");
    assert_eq!(
        there(json!({"rebuild": true})).await["chains"],
        report["chains"],
        "the catalog there was told"
    );
    let own = points(&world.verified(&[]).await, "a-1")[0]["expires_at"].clone();
    assert_eq!(own, "2029-01-04T06:00:00Z");

    // The stack there extends its copy alone.
    let copy = first(&report, "a-1");
    let extend = json!({"extend": {"recovery_point": copy, "until": "forever"}});
    let answer = world.stack.invoke(TARGET_REGION, "chain-edit", &extend).await.expect("extended");
    assert_eq!((&answer["edited"], &answer["failures"]), (&json!(1), &json!([])), "{answer:#}");
    assert_eq!(points(&there(json!({})).await, "a-1")[0]["expires_at"], "forever");
    assert_eq!(world.core(&point, "a-1").await.until, None);
    assert_eq!(world.refused("chain-edit", &extend).await.error_type, "PointNotFound", "it lies elsewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_aws_itself_ends_lives_no_longer_than_that() {
    let world = World::start().await;
    world.tables(&["a-1"]).await;
    world.apply(&hourly(1)).await;
    let backup = world.backup().await;
    let lock = backup.put_backup_vault_lock_configuration().backup_vault_name(VAULT);
    lock.min_retention_days(7).send().await.expect("a lock");
    world.jump(SEVEN).await;
    world.session(&json!({"policy": "a", "scheduled_at": SEVEN})).await;
    world.finish_jobs().await;
    let unlock = backup.delete_backup_vault_lock_configuration().backup_vault_name(VAULT);
    unlock.send().await.expect("no lock any more");

    let point = first(&world.verified(&[]).await, "a-1");
    let extend = |until: Value| json!({"extend": {"recovery_point": point, "until": until}});
    for until in ["forever", "2027-01-12T00:00:00Z"] {
        let refusal = world.refused("chain-edit", &extend(json!(until))).await;
        assert_eq!(refusal.error_type, "VaultLockConflict");
        assert!(
            refusal.error_message.contains("AWS itself deletes it at 2027-01-11T06:0"),
            "{}",
            refusal.error_message
        );
    }
    let explained = world.report(&json!({"explain": point})).await;
    let said = |explained: &Value| {
        explained["sentences"].to_string().contains("AWS Backup itself deletes it at 2027-01-11T06:0")
    };
    assert!(said(&explained), "{explained:#}");

    // Up to then it can be kept, and an extension undone.
    assert_eq!(world.edited(&extend(json!("2027-01-11T00:00:00Z"))).await["edited"], 1);
    assert_eq!(points(&world.verified(&[]).await, "a-1")[0]["expires_at"], "2027-01-11T00:00:00Z");
    assert_eq!(world.edit(&extend(json!(null))).await["failures"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_a_restored_catalog_brings_back_does_not_undo_a_later_one() {
    let world = World::start().await;
    world.two_points(&["a-1"], &hourly(1)).await;
    let point = first(&world.verified(&[]).await, "a-1");
    let extend = |until: &str| json!({"extend": {"recovery_point": point, "until": until}});
    let denied = json!([{ "operation": "TagResource", "effect": "access_denied" }]);
    world.control("PUT", "/faults", Some(&denied)).await;
    assert_eq!(world.edit(&extend("2027-02-01T00:00:00Z")).await["edited"], 0);
    world.control("PUT", "/faults", Some(&json!([]))).await;
    let begun = world.catalog().await.into_iter().find(|((pk, sk), _)| pk == "EDITS" && sk != "LOCK");
    let (_, begun) = begun.expect("the edit");

    let later = world.edit(&extend("forever")).await;
    assert_eq!((&later["resumed"], &later["edited"]), (&json!(1), &json!(1)), "{later:#}");
    let put = world.dynamodb().await.put_item().table_name(crate::support::CATALOG).set_item(Some(begun));
    put.send().await.expect("the edit as it was");
    for _ in 0..2 {
        let again = world.edit(&json!({"reconcile": true})).await;
        assert_eq!((&again["resumed"], &again["failures"]), (&json!(0), &json!([])), "{again:#}");
        assert_eq!(world.core(&point, "a-1").await.until, Some(End::Never));
    }
    assert!(!world.catalog().await.keys().any(|(pk, sk)| pk == "EDITS" && sk != "LOCK"), "it is forgotten");
    world.verified(&[]).await;
}
