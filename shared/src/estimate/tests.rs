use proptest::prelude::{ProptestConfig, Strategy, prop_assert, prop_assert_eq, proptest};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

const GIB: u64 = 1 << 30;
/// The document and the answer that the guide shows.
const GUIDE: &str = include_str!("../../../docs/guides/estimate.md");

fn vault(region: &str) -> VaultArn {
    format!("arn:aws:backup:{region}:111122223333:backup-vault:dynachain").parse().unwrap()
}

fn now() -> Timestamp {
    "2026-11-25T13:00:00Z".parse().unwrap()
}

fn settings() -> Settings {
    Settings {
        start_rate: 5,
        start_window_minutes: 120,
        copy_concurrency: 5,
        copy_deadline_days: 7,
        arm64: true,
    }
}

fn document(schedules: &Value, copies: &Value) -> Document {
    let document = json!({
        "name": "orders", "scope": {"all": true}, "timezone": "UTC", "schedules": schedules, "copies": copies
    });
    serde_json::from_value(document).unwrap()
}

fn daily(keep: &Value) -> Value {
    json!({"daily": {"at": "07:00", "on": "every day", "keep": keep}})
}

fn copy_to(region: &str, days: u32) -> Value {
    json!([{"vault": vault(region), "keep": {"daily": {"days": days}}}])
}

fn table(name: &str, size_bytes: u64) -> SizedTable {
    SizedTable { name: name.parse().unwrap(), size_bytes, item_count: 1, inherited_tags: 0 }
}

fn tables(count: usize, size_bytes: u64) -> Vec<SizedTable> {
    (0..count).map(|i| table(&format!("table-{i:05}"), size_bytes)).collect()
}

fn estimated(policy: &Document, region: &str, tables: &[SizedTable]) -> Estimate {
    let home_vault = vault(region);
    let question = Question { policy, home_vault: &home_vault, now: now(), tables, settings: settings() };
    estimate(&question, &Prices::built_in().unwrap())
}

fn line<'a>(estimate: &'a Estimate, item: Item, region: &str) -> &'a Line {
    let found = estimate.lines.iter().find(|line| line.item == item && line.region == region);
    found.unwrap_or_else(|| panic!("{item:?} in {region}: {:#?}", estimate.lines))
}

fn limits(estimate: &Estimate) -> Vec<(Limit, u64, u64)> {
    estimate.warnings.iter().map(|warning| (warning.limit, warning.value, warning.most)).collect()
}

#[test]
fn storage_is_the_living_points_times_the_size_of_their_tables() {
    let policy = document(&daily(&json!({"days": 10})), &copy_to("us-west-2", 30));
    let estimate = estimated(&policy, "us-east-1", &[table("orders", 100 * GIB), table("users", 50 * GIB)]);

    let home = line(&estimate, Item::WarmStorage, "us-east-1");
    assert_eq!(home.steady_state.quantity.to_string(), "1500", "ten points of 150 GB");
    assert_eq!(home.steady_state.usd.unwrap().to_string(), "150.00");
    let transfer = line(&estimate, Item::Transfer, "us-east-1");
    assert_eq!(transfer.to.as_deref(), Some("us-west-2"));
    assert_eq!(transfer.steady_state.quantity.to_string(), "4562.5", "365 / 12 copies of 150 GB");
    assert_eq!(transfer.steady_state.usd.unwrap().to_string(), "91.25");
    assert_eq!(transfer.first_month.quantity.to_string(), "4500");
    let copies = line(&estimate, Item::WarmStorage, "us-west-2");
    assert_eq!(
        (copies.steady_state.quantity.to_string(), copies.steady_state.usd),
        ("4500".to_owned(), None)
    );

    let [regular, copy] = &estimate.chains[..] else { panic!("{:?}", estimate.chains) };
    assert_eq!((regular.points.steady_state.alive.to_string(), regular.most), ("20".to_owned(), 20));
    assert_eq!((copy.points.steady_state.alive.to_string(), copy.most), ("60".to_owned(), 60));
    assert_eq!(regular.points.first_month.made.to_string(), "60");
}

#[test]
fn a_region_without_prices_has_quantities_and_the_total_is_a_lower_bound() {
    let policy = document(&daily(&json!({"days": 10})), &json!([]));
    let tables = tables(3, GIB);
    let (known, unknown) =
        (estimated(&policy, "us-east-1", &tables), estimated(&policy, "eu-central-1", &tables));
    assert!(known.unknown.is_empty() && !known.total.lower_bound, "{:?}", known.unknown);
    assert!(unknown.total.lower_bound);
    let quantities = |estimate: &Estimate| -> Vec<_> {
        estimate.lines.iter().map(|line| (line.item, line.steady_state.quantity)).collect()
    };
    assert_eq!(quantities(&known), quantities(&unknown));
    assert!(unknown.unknown.iter().any(|unknown| unknown.item == Item::WarmStorage));
    for line in &unknown.lines {
        let listed = unknown.unknown.iter().any(|unknown| unknown.item == line.item);
        assert_eq!(line.unit_price.is_none(), listed, "{line:?}");
        assert_eq!(line.steady_state.usd.is_none(), listed, "{line:?}");
    }
    let keys = line(&unknown, Item::KmsKeys, "eu-central-1");
    assert_eq!(keys.steady_state.usd.unwrap().to_string(), "1.00", "keys cost the same everywhere");
    assert!(unknown.total.steady_state < known.total.steady_state);
}

#[test]
fn cold_storage_has_a_line_of_its_own() {
    let mut policy = document(&daily(&json!({"days": 120})), &json!([]));
    policy.cold_storage = Some(crate::policy::ColdStorage { after_days: 30 });
    let estimate = estimated(&policy, "us-east-1", &tables(1, GIB));
    assert_eq!(line(&estimate, Item::WarmStorage, "us-east-1").steady_state.quantity.to_string(), "30");
    assert_eq!(line(&estimate, Item::ColdStorage, "us-east-1").steady_state.quantity.to_string(), "90");
}

#[test]
fn what_is_kept_for_ever_grows_and_says_by_how_much() {
    let policy = document(&daily(&json!("forever")), &copy_to("us-west-2", 7));
    let estimate = estimated(&policy, "us-east-1", &tables(2, GIB));
    let [growth] = &estimate.grows[..] else { panic!("{:?}", estimate.grows) };
    assert_eq!((growth.chain, &growth.vault), (crate::chain::ChainKind::Regular, &vault("us-east-1")));
    assert_eq!(growth.points_per_month.to_string(), "60.833");
    assert_eq!(growth.gb_per_month.to_string(), "60.833");
    assert_eq!(growth.usd_per_month.unwrap().to_string(), "6.08");
    let nothing_forever = document(&daily(&json!({"years": 20})), &json!([]));
    assert_eq!(estimated(&nothing_forever, "us-east-1", &tables(2, GIB)).grows, []);
}

#[test]
fn a_policy_without_schedules_or_tables_costs_what_the_stack_has_anyway() {
    for (schedules, tables) in [(json!({}), tables(3, GIB)), (daily(&json!({"days": 3})), vec![])] {
        let estimate = estimated(&document(&schedules, &json!([])), "us-east-1", &tables);
        let items: Vec<Item> =
            estimate.lines.iter().filter(|line| !line.shared).map(|line| line.item).collect();
        assert!(!items.contains(&Item::WarmStorage), "{items:?}");
        assert!(estimate.lines.iter().any(|line| line.shared && line.item == Item::KmsKeys));
        assert_eq!(estimate.warnings, []);
    }
}

#[rstest]
#[case::within_all_limits(daily(&json!({"days": 3})), json!([]), 100, &[])]
#[case::a_full_vault(daily(&json!({"years": 3})), json!([]), 1_000, &[(Limit::PointsPerVault, 1_096_000, 1_000_000)])]
#[case::too_many_copies(
    daily(&json!({"days": 3})), copy_to("us-west-2", 3), 2_000,
    &[(Limit::CopiesPerDay, 2_000, 240), (Limit::CopyDeadlineDays, 9, 7)]
)]
#[case::a_slow_start(
    json!({"yearly": {"at": "07:00", "on": "day 1", "month": "may", "keep": {"days": 3}}}), json!([]), 40_000,
    &[(Limit::StartWindowMinutes, 134, 120)]
)]
#[case::sessions_that_overlap(
    json!({"daily": {"at": ["07:00", "07:10"], "on": "every day", "keep": {"days": 3}}}), json!([]), 4_000,
    &[(Limit::MinutesBetweenSessions, 14, 10)]
)]
#[case::no_time_to_copy(
    json!({"daily": {"at": ["07:00", "07:40"], "on": "every day", "keep": {"days": 3}}}),
    copy_to("us-west-2", 3), 1,
    &[(Limit::CopiesBetweenSessions, 30, 25)]
)]
fn limits_that_would_be_exceeded_are_told(
    #[case] schedules: Value,
    #[case] copies: Value,
    #[case] count: usize,
    #[case] expected: &[(Limit, u64, u64)],
) {
    let estimate = estimated(&document(&schedules, &copies), "us-east-1", &tables(count, GIB));
    assert_eq!(limits(&estimate), expected, "{:#?}", estimate.warnings);
}

#[test]
fn tables_whose_tags_leave_no_room_are_named() {
    let policy = document(&daily(&json!({"days": 3})), &json!([]));
    let mut tables = tables(3, GIB);
    tables[1].inherited_tags = 49;
    let estimate = estimated(&policy, "us-east-1", &tables);
    let [warning] = &estimate.warnings[..] else { panic!("{:?}", estimate.warnings) };
    assert_eq!((warning.limit, warning.most), (Limit::TagsPerPoint, 50));
    assert!(warning.value > 50 && warning.message.ends_with(": table-00001"), "{warning:?}");
}

#[test]
fn a_policy_with_more_tags_than_a_backup_can_start_with_is_told_so() {
    let keys: Vec<Value> = (1..=5)
        .map(|i| {
            json!({
                "vault": format!("arn:aws:backup:eu-west-1:44445555666{i}:backup-vault:dr"),
                "key": format!("arn:aws:kms:eu-west-1:44445555666{i}:key/1"),
                "keep": {"daily": {"days": 7}}
            })
        })
        .collect();
    let mut policy = document(&daily(&json!({"days": 3})), &json!(keys));
    policy.tags = (0..5).map(|i| (format!("tag-{i}"), String::new())).collect();
    let estimate = estimated(&policy, "us-east-1", &tables(1, GIB));
    let limits = limits(&estimate);
    let (_, value, most) = limits.iter().find(|(limit, ..)| *limit == Limit::TagsAtStart).unwrap();
    assert!(*most == 10 && *value > 10, "{limits:?}");
}

#[test]
fn the_guide_shows_what_its_example_comes_to() {
    let blocks: Vec<&str> =
        GUIDE.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    let [shown_document, shown] = &blocks[..] else { panic!("the guide has {} blocks", blocks.len()) };
    let document: Document = serde_json::from_str(shown_document).unwrap();
    let tables = [table("orders", 200 * GIB), table("order-items", 300 * GIB)];
    let estimate = serde_json::to_value(estimated(&document, "us-east-1", &tables)).unwrap();
    let shown: Value = serde_json::from_str(shown).unwrap();
    for (member, value) in shown.as_object().unwrap() {
        match value {
            // The guide shows the first of the lines and of the assumptions.
            Value::Array(items) if member == "lines" || member == "assumptions" => {
                let all = estimate[member].as_array().unwrap();
                assert!(items.iter().all(|item| all.contains(item)), "{member}: {all:#?}");
            }
            _ => assert_eq!(&estimate[member], value, "{member} in the guide"),
        }
    }
    assert!(GUIDE.contains(&estimate["prices_of"].as_str().unwrap().to_owned()));
}

#[test]
fn every_limit_is_explained_in_the_guide() {
    for limit in Limit::ALL {
        let name = serde_json::to_value(limit).unwrap();
        let row = format!("| `{}` |", name.as_str().unwrap());
        assert!(GUIDE.contains(&row), "{row}");
    }
}

/// The sum that the answer must state.
fn sums(estimate: &Estimate) -> (Usd, Usd) {
    let sum = |which: fn(&Line) -> Amount| estimate.lines.iter().filter_map(|line| which(line).usd).sum();
    (sum(|line| line.steady_state), sum(|line| line.first_month))
}

fn some_tables() -> impl Strategy<Value = Vec<SizedTable>> {
    proptest::collection::vec((0..1_u64 << 44, 0..20_usize), 0..6).prop_map(|sizes| {
        let sized = |(i, (size, tags)): (usize, (u64, usize))| SizedTable {
            inherited_tags: tags,
            ..table(&format!("table-{i}"), size)
        };
        sizes.into_iter().enumerate().map(sized).collect()
    })
}

fn total(estimate: &Estimate) -> (Usd, Usd) {
    (estimate.total.steady_state, estimate.total.first_month)
}

fn at_least(more: (Usd, Usd), less: (Usd, Usd)) -> bool {
    more.0 >= less.0 && more.1 >= less.1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_total_is_the_sum_of_the_lines_in_whatever_order_the_tables_come(
        tables in some_tables(),
        keep in 1..400_u32,
        copied in 1..400_u32,
    ) {
        let policy = document(&daily(&json!({"days": keep})), &copy_to("us-east-2", copied));
        let estimate = estimated(&policy, "us-east-1", &tables);
        prop_assert_eq!(total(&estimate), sums(&estimate));
        let mut reversed = tables;
        reversed.reverse();
        prop_assert_eq!(estimated(&policy, "us-east-1", &reversed), estimate);
    }

    #[test]
    fn more_tables_longer_keeps_and_copies_never_cost_less(
        tables in some_tables(),
        more in some_tables(),
        keep in 1..400_u32,
        longer in 0..400_u32,
        copied in 1..400_u32,
    ) {
        let keeping = |days| document(&daily(&json!({"days": days})), &json!([]));
        let copying = |days| document(&daily(&json!({"days": keep})), &copy_to("us-east-2", days));
        let cost = |policy: &Document, tables: &[SizedTable]| total(&estimated(policy, "us-east-1", tables));
        let plain = cost(&keeping(keep), &tables);
        let all: Vec<SizedTable> = tables.iter().chain(&more).cloned().collect();
        prop_assert!(at_least(cost(&keeping(keep), &all), plain));
        prop_assert!(at_least(cost(&keeping(keep + longer), &tables), plain));
        let copies = cost(&copying(copied), &tables);
        prop_assert!(at_least(copies, plain));
        prop_assert!(at_least(cost(&copying(copied + longer), &tables), copies));
    }
}
