use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::retention::Keep;

pub(in crate::policy) fn home() -> Home {
    Home { region: "eu-central-1".to_owned(), account: "111122223333".to_owned(), copy_deadline_days: 7 }
}

/// A document that uses every member.
pub(in crate::policy) fn whole() -> Value {
    json!({
        "name": "orders", "description": "Order tables", "enabled": true, "priority": 100,
        "timezone": "Europe/Berlin",
        "scope": {
            "all": false, "tables": ["orders", "order-*"], "tags": {"backup": "gold"},
            "exclude": {"tables": ["order-tmp-*"], "tags": {"backup": "none"}}
        },
        "schedules": {
            "daily": {"at": ["07:00", "11:00"], "on": "every day", "keep": {"days": 3}},
            "weekly": {"at": "07:00", "on": ["monday"], "keep": {"days": 14}},
            "monthly": {
                "at": "07:00", "on": "first monday",
                "months": ["january", "march", "may", "july", "september", "november"],
                "keep": {"months": 6}
            },
            "yearly": {"at": "07:00", "on": "first monday", "month": "january", "keep": {"years": 2}}
        },
        "copies": [{
            "vault": "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain",
            "keep": {
                "daily": {"days": 7}, "weekly": {"days": 30}, "monthly": {"months": 12}, "yearly": {"years": 7}
            }
        }],
        "cold_storage": {"after_days": 30}, "tags": {"cost-center": "42"}, "retries": 3, "keep_last": 1
    })
}

/// The whole document with one member set (`null` takes it out); the pointer's parents exist.
pub(in crate::policy) fn with(pointer: &str, value: Value) -> Value {
    let mut document = whole();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Object(map) if value.is_null() => drop(map.shift_remove(name)),
        Value::Object(map) => drop(map.insert(name.to_owned(), value)),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{parent} is no object or list"),
    }
    document
}

fn problems(document: &Value) -> Vec<String> {
    match Document::parse(document, &home()) {
        Ok(_) => vec![],
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_canonical_form_of_the_whole_document_is_itself_less_what_says_nothing() {
    let document = Document::parse(&whole(), &home()).unwrap();
    let mut expected = whole();
    expected["scope"].as_object_mut().unwrap().shift_remove("all");
    let written = serde_json::to_string_pretty(&document).unwrap();
    assert_eq!(written, serde_json::to_string_pretty(&expected).unwrap());
    assert_eq!(serde_json::from_str::<Document>(&written).unwrap(), document);
}

#[test]
fn recipients_are_the_keys_of_the_targets_each_once_in_their_order() {
    let target = |account: &str, vault: &str| {
        json!({
            "vault": format!("arn:aws:backup:eu-west-1:{account}:backup-vault:{vault}"),
            "key": format!("arn:aws:kms:eu-west-1:{account}:key/mrk-{account}"),
            "keep": {"daily": {"days": 7}},
        })
    };
    let mut document = whole();
    document["copies"] = json!([
        target("777788889999", "dr"),
        target("444455556666", "two"),
        target("444455556666", "one"),
        document["copies"][0].clone(),
    ]);
    let document = Document::parse(&document, &home()).unwrap();
    let keys = |is_target: fn(&VaultArn) -> bool| -> Vec<String> {
        document.recipients(is_target).iter().map(|key| key.account().to_owned()).collect()
    };
    assert_eq!(keys(|_| true), ["444455556666", "777788889999"]);
    assert_eq!(keys(|vault| vault.account() == "777788889999"), ["777788889999"]);
    assert!(keys(|vault| vault.account() == "111122223333").is_empty());
}

#[test]
fn defaults_are_written_out() {
    let document = Document::parse(&json!({"name": "a", "scope": {"all": true}}), &home()).unwrap();
    assert_eq!(
        serde_json::to_value(&document).unwrap(),
        json!({
            "name": "a", "enabled": true, "priority": 100, "timezone": "UTC", "scope": {"all": true},
            "schedules": {}, "retries": 3, "keep_last": 1
        })
    );
}

#[test]
fn documents_that_mean_the_same_are_equal() {
    let mut other = with("/schedules/daily/at", json!(["11:00", "07:00"]));
    other["scope"]["tables"] = json!(["order-*", "orders"]);
    other["timezone"] = json!("europe/berlin");
    other["schedules"]["weekly"]["at"] = json!(["07:00"]);
    other["schedules"]["monthly"]["months"] =
        json!(["november", "march", "may", "july", "september", "january"]);
    assert_eq!(Document::parse(&other, &home()), Document::parse(&whole(), &home()));
}

#[rstest]
#[case::name_missing("/name", json!(null), "$.name: is missing; give the policy a name")]
#[case::name_empty("/name", json!(""), "$.name: \"\" is not a policy name")]
#[case::name_long("/name", json!("x".repeat(60)), "is not a policy name (1 to 59")]
#[case::name_no_text("/name", json!(7), "$.name: is 7, it must be a policy's name")]
#[case::unknown_member("/timezon", json!("UTC"), "$.timezon: is not known here; did you mean \"timezone\"?")]
#[case::odd_member("/a b", json!(1), "$[\"a b\"]: is not known here; known are \"name\"")]
#[case::description("/description", json!("ü".repeat(513)), "$.description: has 513 characters, at most 512")]
#[case::enabled("/enabled", json!("yes"), "$.enabled: is \"yes\", it must be true or false")]
#[case::priority_high("/priority", json!(1001), "$.priority: is 1001, it must be a whole number from 0 to 1000")]
#[case::priority_negative("/priority", json!(-1), "$.priority: is -1")]
#[case::priority_fraction("/priority", json!(1.5), "$.priority: is 1.5")]
#[case::priority_huge("/priority", json!(u64::MAX), "$.priority: is 18446744073709551615")]
#[case::zone("/timezone", json!("Europe/Berln"), "did you mean \"Europe/Berlin\"?")]
#[case::zone_offset("/timezone", json!("+01:00"), "$.timezone: \"+01:00\" is not the IANA name of a time zone; use")]
#[case::scope_missing("/scope", json!(null), "$.scope: is missing; say which tables are covered")]
#[case::scope_empty("/scope", json!({}), "$.scope: is empty, so no table would be covered")]
#[case::scope_says_nothing("/scope", json!({"all": false, "tables": [], "tags": {}}), "$.scope: is empty")]
#[case::scope_only_exclude("/scope", json!({"exclude": {"tables": ["a*"]}}), "$.scope: is empty")]
#[case::scope_misspelt("/scope", json!({"table": ["a*"]}), "$.scope.table: is not known here; did you mean \"tables\"?")]
#[case::scope_list("/scope", json!([]), "$.scope: is [], it must be an object")]
#[case::scope_arn("/scope/tables/0", json!("arn:aws:dynamodb:eu-central-1:111122223333:table/a"), "$.scope.tables[0]: is an ARN")]
#[case::scope_twice("/scope/tables", json!(["abc", "a*", "abc"]), "$.scope.tables[2]: \"abc\" is listed twice")]
#[case::scope_short("/scope/tables/0", json!("ab"), "$.scope.tables[0]: \"ab\" is not a table name")]
#[case::scope_glob("/scope/tables/0", json!("a?*"), "$.scope.tables[0]: contains '?'")]
#[case::scope_exclude("/scope/exclude/table", json!(["a*"]), "$.scope.exclude.table: is not known here; did you mean \"tables\"?")]
#[case::scope_tag("/scope/tags/backup", json!(1), "$.scope.tags.backup: is 1, it must be the tag's value")]
#[case::schedule_name("/schedules/dayly", json!({}), "$.schedules.dayly: is not known here; did you mean \"daily\"?")]
#[case::at_missing("/schedules/daily/at", json!(null), "$.schedules.daily.at: is missing")]
#[case::at_empty("/schedules/daily/at", json!([]), "$.schedules.daily.at: is empty")]
#[case::at_impossible("/schedules/daily/at/1", json!("25:00"), "$.schedules.daily.at[1]: is \"25:00\", it must be a time of day from")]
#[case::at_twice("/schedules/daily/at", json!(["07:00", "07:00"]), "$.schedules.daily.at[1]: \"07:00\" is listed twice")]
#[case::on_missing("/schedules/daily/on", json!(null), "$.schedules.daily.on: is missing; say which days")]
#[case::on_daily("/schedules/daily/on", json!("weekdays"), "$.schedules.daily.on: is \"weekdays\", it must be \"every day\", \"workdays\"")]
#[case::on_weekly_text("/schedules/weekly/on", json!("monday"), "it must be a list of weekdays such as [\"monday\"]")]
#[case::on_weekly_case("/schedules/weekly/on/0", json!("Monday"), "did you mean \"monday\"?")]
#[case::on_weekly_twice("/schedules/weekly/on", json!(["monday", "monday"]), "$.schedules.weekly.on[1]: \"monday\" is listed twice")]
#[case::on_monthly("/schedules/monthly/on", json!("fifth monday"), "$.schedules.monthly.on: is \"fifth monday\", it must be \"first|second")]
#[case::on_day_32("/schedules/monthly/on", json!("day 32"), "$.schedules.monthly.on: is \"day 32\"")]
#[case::months_empty("/schedules/monthly/months", json!([]), "$.schedules.monthly.months: is empty")]
#[case::months_unknown("/schedules/monthly/months/0", json!("januar"), "did you mean \"january\"?")]
#[case::months_twice("/schedules/monthly/months", json!(["may", "may"]), "$.schedules.monthly.months[1]: \"may\" is listed twice")]
#[case::yearly_month("/schedules/yearly/month", json!(null), "$.schedules.yearly.month: is missing")]
#[case::yearly_months("/schedules/yearly/months", json!(["may"]), "$.schedules.yearly.months: is not known here; did you mean \"month\"?")]
#[case::keep_missing("/schedules/daily/keep", json!(null), "$.schedules.daily.keep: is missing; say how long")]
#[case::keep_zero("/schedules/daily/keep/days", json!(0), "$.schedules.daily.keep.days: is 0, it must be a whole number from 1")]
#[case::keep_negative("/schedules/daily/keep/days", json!(-3), "$.schedules.daily.keep.days: is -3")]
#[case::keep_fraction("/schedules/daily/keep/days", json!(1.5), "$.schedules.daily.keep.days: is 1.5")]
#[case::keep_two_units("/schedules/daily/keep/weeks", json!(1), "$.schedules.daily.keep: has 2 members, it must be exactly one of")]
#[case::keep_nothing("/schedules/daily/keep", json!({}), "$.schedules.daily.keep: has 0 members")]
#[case::keep_unit("/schedules/daily/keep", json!({"day": 1}), "$.schedules.daily.keep.day: is not known here; did you mean \"days\"?")]
#[case::keep_text("/schedules/daily/keep", json!("for ever"), "$.schedules.daily.keep: is \"for ever\", it must be one of")]
#[case::keep_long("/schedules/daily/keep/days", json!(400_000), "$.schedules.daily.keep.days: is 400000")]
#[case::copies_object("/copies", json!({}), "$.copies: is {}, it must be a list of copy targets")]
#[case::copy_home("/copies/0/vault", json!("arn:aws:backup:eu-central-1:111122223333:backup-vault:other"), "$.copies[0].vault: lies in the policy's own Region and account")]
#[case::copy_partition("/copies/0/vault", json!("arn:aws-cn:backup:cn-north-1:111122223333:backup-vault:other"), "$.copies[0].vault: lies in the partition aws-cn")]
#[case::copy_vault("/copies/0/vault", json!("dynachain"), "$.copies[0].vault: \"dynachain\" is not a backup vault ARN")]
#[case::copy_key_missing("/copies/0/vault", json!("arn:aws:backup:eu-west-1:444455556666:backup-vault:dr"), "$.copies[0].key: is missing; a target in another account needs")]
#[case::copy_key_superfluous("/copies/0/key", json!("arn:aws:kms:eu-west-1:111122223333:key/1"), "$.copies[0].key: is superfluous")]
#[case::copy_keep_missing("/copies/0/keep", json!(null), "$.copies[0].keep: is missing")]
#[case::copy_keep_empty("/copies/0/keep", json!({}), "$.copies[0].keep: names no flag")]
#[case::copy_keep_flag("/schedules/yearly", json!(null), "$.copies[0].keep.yearly: the policy has no yearly schedule")]
#[case::copy_keep_wrong("/copies/0/keep/daily", json!({"days": 0}), "$.copies[0].keep.daily.days: is 0")]
#[case::cold_early("/cold_storage/after_days", json!(7), "$.cold_storage.after_days: is 7, it must be more than CopyDeadlineDays (7)")]
#[case::cold_missing("/cold_storage", json!({}), "$.cold_storage.after_days: is missing")]
#[case::tags_aws("/tags/AWS:x", json!("y"), "$.tags[\"AWS:x\"]: the prefix \"aws:\" is reserved")]
#[case::tags_ours("/tags/dynachain:x", json!("y"), "the prefix \"dynachain:\" is reserved")]
#[case::tags_value("/tags/cost-center", json!("x".repeat(257)), "$.tags.cost-center: the tag's value has 257 characters")]
#[case::tags_odd("/tags/cost-center", json!("a#b"), "$.tags.cost-center: the tag's value contains '#'")]
#[case::tags_many("/tags", json!({"a": "", "b": "", "c": "", "d": "", "e": "", "f": ""}), "$.tags: has 6 tags, at most 5")]
#[case::tags_list("/tags", json!([]), "$.tags: is []")]
#[case::retries("/retries", json!(11), "$.retries: is 11, it must be a whole number from 0 to 10")]
#[case::keep_last("/keep_last", json!(101), "$.keep_last: is 101, it must be a whole number from 0 to 100")]
fn a_broken_rule_is_one_problem_with_its_path(
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] said: &str,
) {
    let problems = problems(&with(pointer, value));
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(problems[0].contains(said), "{}", problems[0]);
    assert!(problems[0].starts_with("$"), "{}", problems[0]);
}

#[test]
fn a_key_for_another_account_must_be_of_that_account_and_region() {
    let target = |key: &str| {
        json!([{
            "vault": "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr", "key": key,
            "keep": {"daily": {"days": 7}}
        }])
    };
    let said = |key: &str| problems(&with("/copies", target(key))).join("\n");
    assert_eq!(said("arn:aws:kms:eu-west-1:444455556666:key/1"), "");
    assert!(said("arn:aws:kms:eu-west-1:111122223333:key/1").contains("is a key of account 111122223333"));
    assert!(said("arn:aws:kms:eu-central-1:444455556666:key/1").contains("is a key in eu-central-1"));
    assert!(said("alias/x").starts_with("$.copies[0].key: \"alias/x\" is not a KMS key ARN"));
}

#[test]
fn at_most_five_distinct_targets_are_possible() {
    let target = |region: &str| {
        json!({
            "vault": format!("arn:aws:backup:{region}:111122223333:backup-vault:dynachain"),
            "keep": {"daily": {"days": 7}}
        })
    };
    let regions = ["eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "eu-south-1"];
    let mut targets: Vec<Value> = regions.map(target).to_vec();
    assert_eq!(problems(&with("/copies", json!(targets))), Vec::<String>::new());
    targets.insert(1, target("eu-west-1"));
    targets.push(target("us-east-1"));
    assert_eq!(
        problems(&with("/copies", json!(targets))),
        [
            "$.copies[1]: this vault is a target already; say all its keeps in one place",
            "$.copies[6]: is target number 6, at most 5 are possible",
        ]
    );
}

#[test]
fn every_problem_is_reported_at_once_in_document_order() {
    let document = json!({
        "copies": [{"vault": "x", "keep": {"weekly": {"days": 0}}}],
        "schedules": {"daily": {"on": "every day", "at": "24:00"}},
        "scope": {"tables": [7]},
        "retry": 1
    });
    let found = problems(&document);
    let paths: Vec<&str> = found.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        paths,
        [
            "$.name",
            "$.copies[0].vault",
            "$.copies[0].keep.weekly",
            "$.copies[0].keep.weekly.days",
            "$.schedules.daily.keep",
            "$.schedules.daily.at",
            "$.scope.tables[0]",
            "$.retry",
        ]
    );
}

#[test]
fn forever_is_a_keep() {
    let document = Document::parse(&with("/schedules/daily/keep", json!("forever")), &home()).unwrap();
    assert_eq!(document.schedules.daily.map(|daily| daily.keep), Some(Keep::Forever));
}

#[rstest]
#[case::no_json(b"{\"name\": ".to_vec(), "$: is not JSON: EOF while parsing")]
#[case::invalid_utf8(b"{\"name\": \"\xff\"}".to_vec(), "$: is not JSON: ")]
#[case::a_megabyte(vec![b' '; 1 << 20], "$: is too large (1024 KB), at most 300 KB are possible")]
#[case::no_object(b"[]".to_vec(), "$: is [], it must be an object with \"name\"")]
#[case::nested_too_deeply(vec![b'['; 1000], "$: is not JSON: recursion limit exceeded")]
fn bytes_that_are_no_document_are_one_problem(#[case] bytes: Vec<u8>, #[case] said: &str) {
    let problems = Document::parse_bytes(&bytes, &home()).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].to_string().starts_with(said), "{}", problems[0]);
}

#[test]
fn a_parsed_document_of_a_megabyte_is_one_problem() {
    let found = problems(&with("/scope/tables/0", json!("x".repeat(1 << 20))));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("$: is too large (1025 KB)"), "{}", found[0]);
}

#[test]
fn a_stored_document_is_read_whatever_the_settings_are_now() {
    let stored = with("/cold_storage/after_days", json!(1));
    assert!(serde_json::from_value::<Document>(stored.clone()).is_ok());
    assert!(Document::parse(&stored, &home()).is_err());
}

/// JSON that is near to what documents hold, and some that is not.
pub(in crate::policy) fn anything() -> impl Strategy<Value = Value> {
    let words = [
        "forever",
        "07:00",
        "25:99",
        "monday",
        "last day",
        "day 31",
        "Europe/Berlin",
        "a*",
        "arn:aws:",
        "a\nb",
        "",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..40_u32).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(words.to_vec()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let names = ["name", "at", "on", "keep", "days", "daily", "vault", "tables", "all", "a\nb", "é"];
    leaf.prop_recursive(3, 12, 4, move |inner| {
        let name = proptest::sample::select(names.to_vec());
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..4).prop_map(|members| {
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }),
        ]
    })
}

/// Every place in a document.
pub(in crate::policy) fn pointers(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                pointers(member, &format!("{here}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                pointers(item, &format!("{here}/{i}"), found);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn whatever_stands_anywhere_is_read_or_refused_line_by_line(
        place in any::<proptest::sample::Index>(),
        value in anything(),
    ) {
        let mut places = Vec::new();
        pointers(&whole(), "", &mut places);
        let mut document = whole();
        *document.pointer_mut(&places[place.index(places.len())]).unwrap() = value;
        match Document::parse(&document, &home()) {
            Ok(read) => {
                let written = serde_json::to_value(&read).unwrap();
                assert_eq!(Document::parse(&written, &home()), Ok(read));
            }
            Err(problems) => {
                assert!(!problems.is_empty());
                for problem in problems {
                    assert!(problem.path.starts_with('$') && !problem.to_string().contains('\n'), "{problem:?}");
                }
            }
        }
    }
}
