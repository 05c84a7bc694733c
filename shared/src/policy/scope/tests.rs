use rstest::rstest;
use serde_json::{Value, json};

use super::*;

fn scope(value: &Value) -> Scope {
    policy("p", 100, value).scope
}

fn policy(name: &str, priority: u32, scope: &Value) -> Document {
    serde_json::from_value(json!({"name": name, "priority": priority, "scope": scope})).unwrap()
}

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn table(name: &str) -> Table {
    Table { name: name.parse().unwrap(), tags: BTreeMap::new() }
}

fn names(tables: &[TableName]) -> Vec<&str> {
    tables.iter().map(TableName::as_str).collect()
}

#[rstest]
#[case::by_name("orders", &[], true)]
#[case::case_matters("Orders", &[], false)]
#[case::by_glob("order-2025", &[], true)]
#[case::by_tag("billing", &[("backup", "gold")], true)]
#[case::other_value("billing", &[("backup", "silver")], false)]
#[case::other_case_of_key("billing", &[("Backup", "gold")], false)]
#[case::any_pair_is_enough("billing", &[("tier", "1")], true)]
#[case::excluded_by_glob("order-tmp-1", &[("backup", "gold")], false)]
#[case::excluded_by_tag("orders", &[("backup", "none")], false)]
#[case::not_mentioned("customers", &[], false)]
fn exclusion_wins_over_every_inclusion(
    #[case] name: &str,
    #[case] pairs: &[(&str, &str)],
    #[case] covered: bool,
) {
    let scope = scope(&json!({
        "tables": ["orders", "order-*"], "tags": {"backup": "gold", "tier": "1"},
        "exclude": {"tables": ["order-tmp-*"], "tags": {"backup": "none"}}
    }));
    assert_eq!(scope.covers(&name.parse().unwrap(), &tags(pairs)), covered);
}

#[test]
fn a_table_belongs_to_the_strongest_policy_and_the_others_say_so() {
    let gold = policy("gold", 10, &json!({"tables": ["order-*"]}));
    let silver = policy("silver", 20, &json!({"tables": ["order-1", "user-*", "gone"]}));
    let all = policy("all", 20, &json!({"all": true}));
    let enabled = [&gold, &silver, &all];
    let tables = ["user-1", "order-1", "other"].map(table);

    assert_eq!(names(&assign(&gold, &enabled, &tables).covered), ["order-1"]);
    let silver_has = assign(&silver, &enabled, &tables);
    assert_eq!(silver_has.covered, vec![], "ties go by name: all comes before silver");
    let by: Vec<(&str, &str)> = silver_has.skipped.iter().map(|(t, p)| (t.as_str(), p.as_str())).collect();
    assert_eq!(by, [("order-1", "gold"), ("user-1", "all")]);
    assert_eq!(names(&silver_has.missing), ["gone"]);
    assert_eq!(names(&assign(&all, &enabled, &tables).covered), ["other", "user-1"]);
}

#[test]
fn a_disabled_policy_and_an_older_version_of_the_same_take_nothing() {
    let mut gold = policy("gold", 10, &json!({"all": true}));
    gold.enabled = false;
    let (before, now) = (policy("p", 1, &json!({"all": true})), policy("p", 100, &json!({"all": true})));
    let assignment = assign(&now, &[&gold, &before], &[table("orders")]);
    assert_eq!(names(&assignment.covered), ["orders"]);
}

#[test]
fn a_missing_name_that_is_excluded_is_not_missed() {
    let policy = policy("p", 1, &json!({"tables": ["gone-1", "gone-2"], "exclude": {"tables": ["*-2"]}}));
    assert_eq!(names(&assign(&policy, &[], &[]).missing), ["gone-1"]);
}

#[test]
fn tags_are_needed_only_when_this_or_a_stronger_policy_looks_at_them() {
    let by_name = policy("by-name", 50, &json!({"all": true}));
    let by_tag = |priority| policy("by-tag", priority, &json!({"tags": {"a": "b"}}));
    let (stronger, weaker) = (by_tag(40), by_tag(60));
    assert_eq!(tag_keys(&by_name, &[&by_name, &weaker]), BTreeSet::new());
    assert_eq!(tag_keys(&by_name, &[&stronger, &by_name]), ["a"].into());
    assert_eq!(tag_keys(&weaker, &[]), ["a"].into());
    let excluding = policy("excluding", 50, &json!({"all": true, "exclude": {"tags": {"x": "y"}}}));
    assert_eq!(tag_keys(&excluding, &[&stronger]), ["a", "x"].into());
}

#[test]
fn thousands_of_names_and_tables_are_assigned_each_to_one_policy() {
    let listed: Vec<String> = (0..10_000).map(|i| format!("table-{i:05}")).collect();
    let tables: Vec<Table> = listed.iter().map(|name| table(name)).collect();
    let by_name = policy("by-name", 1, &json!({"tables": &listed[..5_000]}));
    let rest = policy("rest", 2, &json!({"tables": ["table-*"]}));
    let enabled = [&rest, &by_name];
    assert_eq!(assign(&by_name, &enabled, &tables).covered.len(), 5_000);
    let rest = assign(&rest, &enabled, &tables);
    assert_eq!((rest.covered.len(), rest.skipped.len()), (5_000, 5_000));
}
