//! What a policy would cost, with the prices that are known and without those that are not.

use serde_json::{Value, json};

use crate::support::{World, arn, chains, example, list, vault};

/// The lines of an item: Region, where it goes, and whether it has a price.
fn lines<'a>(estimate: &'a Value, item: &str) -> Vec<(&'a str, &'a str, bool)> {
    let of_item = list(&estimate["lines"]).iter().filter(|line| line["item"] == item);
    of_item
        .map(|line| {
            let text = |member: &str| line[member].as_str().unwrap_or_default();
            (text("region"), text("to"), line["unit_price"].is_object())
        })
        .collect()
}

/// What has a quantity and no price.
fn unknown(estimate: &Value) -> Vec<(&str, &str)> {
    list(&estimate["unknown"])
        .iter()
        .map(|unknown| {
            (unknown["item"].as_str().unwrap_or_default(), unknown["region"].as_str().unwrap_or_default())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_estimated_before_it_is_applied_and_after() {
    let world = World::start().await;
    world.tables(&["a-1", "a-2", "b-1"]).await;
    let document = example("a", &json!({"tables": ["a-*", "gone"]}));

    let catalog = world.catalog().await;
    let planned = world.policy(&json!({"estimate": document})).await;
    assert_eq!(world.catalog().await, catalog, "an estimate stores nothing");
    assert_eq!(
        (&planned["policy"], &planned["version"], &planned["tables"]),
        (&json!("a"), &Value::Null, &json!({"estimated": 2, "skipped": 0, "failed": 1}))
    );
    let gone = json!({
        "table": arn("gone"), "reason": "table_not_found", "message": format!("the table {} does not exist", arn("gone"))
    });
    assert_eq!(planned["failures"], json!([gone]));
    // Two sessions a day in 2028, a leap year, and a point of each table in each.
    assert_eq!(planned["sessions"]["steady_state"], "61");
    assert_eq!(planned["chains"][0]["steady_state"]["made"], "122");

    world.apply(&document).await;
    for enabled in [true, false] {
        let mut stored = world.policy(&json!({"estimate": "a", "dry_run": true})).await;
        assert_eq!(
            (&stored["version"], &stored["enabled"]),
            (&json!(if enabled { 1 } else { 2 }), &json!(enabled))
        );
        stored["version"] = Value::Null;
        stored["enabled"] = json!(true);
        assert_eq!(stored, planned, "what is stored costs what was planned");
        world.policy(&json!({"disable": "a"})).await;
    }
    assert_eq!(chains(&world.verified(&[]).await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_that_are_not_known_are_said_and_make_the_total_a_lower_bound() {
    let world = World::start().await;
    world.tables(&["a-1", "a-2", "a-3"]).await;
    let mut document = example("a", &json!({"tables": ["a-*"]}));
    let copies = [vault("us-east-1"), vault("eu-west-1")]
        .map(|vault| json!({"vault": vault, "keep": {"weekly": {"days": 30}}}));
    document["copies"] = json!(copies);
    let estimate = world.policy(&json!({"estimate": document})).await;

    // Nothing is known of the home Region, and of us-east-1 the price of storage.
    assert_eq!(
        lines(&estimate, "warm_storage"),
        [("eu-central-1", "", false), ("eu-west-1", "", false), ("us-east-1", "", true)]
    );
    assert_eq!(
        lines(&estimate, "transfer"),
        [("eu-central-1", "eu-west-1", false), ("eu-central-1", "us-east-1", false)]
    );
    for item in ["warm_storage", "transfer", "lambda_requests"] {
        assert!(unknown(&estimate).contains(&(item, "eu-central-1")), "{:#}", estimate["unknown"]);
    }
    assert!(!unknown(&estimate).iter().any(|(item, _)| *item == "kms_keys"));
    assert_eq!(estimate["total"]["lower_bound"], true);
    assert_eq!((&estimate["currency"], estimate["prices_of"].is_string()), (&json!("USD"), true));
    for line in list(&estimate["lines"]) {
        assert_eq!(line["steady_state"]["usd"].is_string(), line["unit_price"].is_object(), "{line:#}");
    }
    assert_eq!(chains(&world.verified(&[]).await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estimate_of_nothing_that_is_a_policy_is_refused() {
    let world = World::start().await;
    let mut document = example("a b", &json!({}));
    document["schedules"]["daily"]["keep"] = json!({"days": 0});
    for (asked, error_type, said) in [
        (json!("nobody"), "PolicyNotFound", vec!["$.estimate: there is no policy nobody"]),
        (json!(["a"]), "InvalidRequest", vec!["$.estimate: must be a policy's name or a policy document"]),
        (json!("a b"), "InvalidRequest", vec!["$.estimate: \"a b\" is not a policy name"]),
        (document, "InvalidPolicy", vec!["$.name: ", "$.scope: ", "$.schedules.daily.keep.days: "]),
    ] {
        let refusal = world.refused("policy", &json!({"estimate": asked})).await;
        assert_eq!(refusal.error_type, error_type);
        for line in &said {
            assert!(
                refusal.error_message.lines().any(|found| found.starts_with(line)),
                "{line}: {refusal:?}"
            );
        }
        assert_eq!(refusal.error_message.lines().count(), said.len(), "{refusal:?}");
    }
    assert_eq!(chains(&world.verified(&[]).await), []);
}
