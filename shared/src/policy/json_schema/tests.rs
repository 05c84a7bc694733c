use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::{any, proptest};
use rstest::rstest;

use super::*;
use crate::policy::Document;
use crate::policy::document::tests::{anything, home, pointers, whole as whole_document, with};

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| jsonschema::draft202012::new(&json_schema()).unwrap());

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn is_accepted(document: &Value) -> bool {
    Document::parse(document, &home()).is_ok()
}

#[test]
fn the_file_in_docs_is_up_to_date() {
    let file = fs::read_to_string(repository().join("docs/policy.schema.json")).unwrap();
    let schema = format!("{}\n", serde_json::to_string_pretty(&json_schema()).unwrap());
    assert!(file == schema, "run `cargo run -p dynachain --example policy_schema > docs/policy.schema.json`");
}

#[test]
fn every_member_that_the_reader_knows_has_a_schema() {
    let schema = json_schema();
    for name in MEMBERS {
        assert!(schema["properties"][name]["description"].is_string(), "{name}");
    }
}

#[test]
fn the_example_policies_are_good() {
    let mut names = Vec::new();
    for entry in fs::read_dir(repository().join("infra/policies")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let document = Document::parse_bytes(&bytes, &home())
            .unwrap_or_else(|problems| panic!("{}: {problems:#?}", path.display()));
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(document.name.as_str(), stem, "a file is named after its policy");
        assert!(SCHEMA.is_valid(&serde_json::from_slice(&bytes).unwrap()), "{}", path.display());
        names.push(stem.to_owned());
    }
    names.sort();
    assert_eq!(names, ["bronze", "everything-with-exclusions", "gold", "silver"]);
}

#[rstest]
#[case::bare(json!({"name": "a", "scope": {"all": true}}))]
#[case::whole(whole_document())]
#[case::one_time(with("/schedules/daily/at", json!("00:00")))]
#[case::workdays(with("/schedules/daily/on", json!("workdays")))]
#[case::some_days(with("/schedules/daily/on", json!(["sunday"])))]
#[case::a_day(with("/schedules/monthly/on", json!("day 31")))]
#[case::last_day(with("/schedules/yearly/on", json!("last day")))]
#[case::forever(with("/schedules/daily/keep", json!("forever")))]
#[case::no_copies(with("/copies", json!([])))]
#[case::no_schedules(json!({"name": "a", "scope": {"all": true}, "schedules": {}}))]
#[case::short_glob(with("/scope/tables", json!(["*"])))]
#[case::odd_tags(with("/tags", json!({"Straße 1": "a@b+c=d:e/f"})))]
#[case::nothing_excluded(with("/scope/exclude", json!({})))]
#[case::hours(with("/copies/0/keep", json!({"daily": {"hours": 5}})))]
fn a_good_document_is_good_to_both(#[case] document: Value) {
    assert_eq!((is_accepted(&document), SCHEMA.is_valid(&document)), (true, true), "{document:#}");
}

#[rstest]
#[case("/name", json!(null))]
#[case("/name", json!(""))]
#[case("/name", json!("x".repeat(60)))]
#[case("/name", json!(7))]
#[case("/timezon", json!("UTC"))]
#[case("/timezone", json!(""))]
#[case("/description", json!("ü".repeat(513)))]
#[case("/enabled", json!("yes"))]
#[case("/priority", json!(1001))]
#[case("/priority", json!(-1))]
#[case("/priority", json!(1.5))]
#[case("/scope", json!(null))]
#[case("/scope", json!({}))]
#[case("/scope", json!({"all": false, "tables": [], "tags": {}}))]
#[case("/scope", json!({"exclude": {"tables": ["a*"]}}))]
#[case("/scope", json!([]))]
#[case("/scope/tables/0", json!("arn:aws:dynamodb:eu-central-1:111122223333:table/a"))]
#[case("/scope/tables", json!(["abc", "a*", "abc"]))]
#[case("/scope/tables/0", json!("ab"))]
#[case("/scope/tables/0", json!("a?*"))]
#[case("/scope/tables/0", json!("x".repeat(256)))]
#[case("/scope/exclude/table", json!(["a*"]))]
#[case("/scope/tags/backup", json!(1))]
#[case("/schedules/dayly", json!({}))]
#[case("/schedules/daily/at", json!(null))]
#[case("/schedules/daily/at", json!([]))]
#[case("/schedules/daily/at/1", json!("25:00"))]
#[case("/schedules/daily/at/1", json!("7:00"))]
#[case("/schedules/daily/at", json!(["07:00", "07:00"]))]
#[case("/schedules/daily/on", json!(null))]
#[case("/schedules/daily/on", json!("weekdays"))]
#[case("/schedules/weekly/on", json!("monday"))]
#[case("/schedules/weekly/on", json!([]))]
#[case("/schedules/weekly/on/0", json!("Monday"))]
#[case("/schedules/weekly/on", json!(["monday", "monday"]))]
#[case("/schedules/weekly/months", json!(["may"]))]
#[case("/schedules/monthly/on", json!("fifth monday"))]
#[case("/schedules/monthly/on", json!("day 32"))]
#[case("/schedules/monthly/on", json!("day 07"))]
#[case("/schedules/monthly/months", json!([]))]
#[case("/schedules/monthly/months/0", json!("januar"))]
#[case("/schedules/yearly/month", json!(null))]
#[case("/schedules/yearly/months", json!(["may"]))]
#[case("/schedules/daily/keep", json!(null))]
#[case("/schedules/daily/keep/days", json!(0))]
#[case("/schedules/daily/keep/days", json!(1.5))]
#[case("/schedules/daily/keep/days", json!(400_000))]
#[case("/schedules/daily/keep/weeks", json!(1))]
#[case("/schedules/daily/keep", json!({}))]
#[case("/schedules/daily/keep", json!({"day": 1}))]
#[case("/schedules/daily/keep", json!("for ever"))]
#[case("/copies", json!({}))]
#[case("/copies/0/vault", json!("dynachain"))]
#[case("/copies/0/vault", json!("arn:aws:backup:eu-west-1:1111:backup-vault:dr"))]
#[case("/copies/0/vault", json!("arn:aws:backup:euwest1aa:111122223333:backup-vault:dr"))]
#[case("/copies/0/vault", json!("arn:aws:backup:eu-west-1:111122223333:backup-vault:x"))]
#[case("/copies/0/key", json!("alias/x"))]
#[case("/copies/0/keep", json!(null))]
#[case("/copies/0/keep", json!({}))]
#[case("/copies/0/keep/daily", json!({"days": 0}))]
#[case("/cold_storage", json!({}))]
#[case("/cold_storage/after_days", json!(0))]
#[case("/tags/AWS:x", json!("y"))]
#[case("/tags/dynachain:x", json!("y"))]
#[case("/tags/cost-center", json!("x".repeat(257)))]
#[case("/tags/cost-center", json!("a#b"))]
#[case("/tags", json!({"a": "", "b": "", "c": "", "d": "", "e": "", "f": ""}))]
#[case("/tags", json!({"": "x"}))]
#[case("/tags", json!([]))]
#[case("/retries", json!(11))]
#[case("/keep_last", json!(101))]
fn a_bad_document_is_bad_to_both(#[case] pointer: &str, #[case] value: Value) {
    let document = with(pointer, value);
    assert_eq!((is_accepted(&document), SCHEMA.is_valid(&document)), (false, false), "{document:#}");
}

#[rstest]
#[case::unknown_zone("/timezone", json!("Europe/Berln"))]
#[case::own_region("/copies/0/vault", json!("arn:aws:backup:eu-central-1:111122223333:backup-vault:other"))]
#[case::superfluous_key("/copies/0/key", json!("arn:aws:kms:eu-west-1:111122223333:key/1"))]
#[case::keep_without_schedule("/schedules/yearly", json!(null))]
#[case::cold_before_copied("/cold_storage/after_days", json!(7))]
fn what_a_schema_cannot_say_only_the_reader_refuses(#[case] pointer: &str, #[case] value: Value) {
    let document = with(pointer, value);
    assert_eq!((is_accepted(&document), SCHEMA.is_valid(&document)), (false, true), "{document:#}");
}

proptest! {
    #[test]
    fn the_schema_refuses_nothing_that_the_reader_accepts(
        place in any::<proptest::sample::Index>(),
        value in anything(),
    ) {
        let mut places = Vec::new();
        pointers(&whole_document(), "", &mut places);
        let mut document = whole_document();
        *document.pointer_mut(&places[place.index(places.len())]).unwrap() = value;
        assert!(SCHEMA.is_valid(&document) || !is_accepted(&document), "{document:#}");
    }
}
