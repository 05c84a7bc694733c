use serde_json::json;

use super::*;

const NOW: &str = "2025-01-06T06:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn event(region: &str, id: &str) -> Event {
    let scope = Scope { account: "111122223333".to_owned(), region: region.to_owned() };
    Event { scope, body: json!({ "id": id }) }
}

fn transit(quirks: Quirks) -> Transit {
    let transit = Transit::default();
    transit.set(quirks);
    transit
}

/// What is delivered of an event sent now: when, and the ids in their order.
fn sent(transit: &Transit, id: &str) -> Option<(i64, Vec<String>)> {
    let (due, task) = transit.send(event("eu-central-1", id), now())?;
    Some((due.duration_since(now()).as_secs(), ids(&task)))
}

fn ids(task: &Task) -> Vec<String> {
    let Task::Deliver(events) = task else { return Vec::new() };
    events.iter().map(|event| event.body["id"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn events_come_once_at_once_and_in_order_unless_a_test_says_otherwise() {
    let transit = Transit::default();
    assert_eq!(sent(&transit, "a"), Some((0, vec!["a".to_owned()])));
    assert_eq!(sent(&transit, "b"), Some((0, vec!["b".to_owned()])));
    assert_eq!(transit.quirks(), (Quirks::default(), Counts { sent: 2, ..Counts::default() }));
}

#[test]
fn lost_events_never_come() {
    let transit = transit(Quirks { lose: 0.5, ..Quirks::default() });
    let come = (0..1_000).filter(|_| sent(&transit, "a").is_some()).count();
    assert!((400..600).contains(&come), "{come}");
    assert_eq!(transit.quirks().1.lost, 1_000 - u64::try_from(come).unwrap());
}

#[test]
fn a_doubled_event_comes_twice_with_the_same_id() {
    let transit = transit(Quirks { double: 1.0, ..Quirks::default() });
    assert_eq!(sent(&transit, "a"), Some((0, vec!["a".to_owned(), "a".to_owned()])));
    assert_eq!(transit.quirks().1.doubled, 1);
}

#[test]
fn a_reordered_event_comes_after_the_next_one_of_its_account_and_region() {
    let transit = transit(Quirks { reorder: 1.0, ..Quirks::default() });
    assert_eq!(sent(&transit, "a"), Some((300, Vec::new())));
    let elsewhere = transit.send(event("eu-west-1", "x"), now());
    assert!(matches!(elsewhere, Some((_, Task::DeliverOvertaken { .. }))), "{elsewhere:?}");
    assert_eq!(sent(&transit, "b"), Some((0, vec!["b".to_owned(), "a".to_owned()])));
    assert_eq!(sent(&transit, "c"), Some((300, Vec::new())));
    assert_eq!(transit.quirks().1.reordered, 1);
}

#[test]
fn a_reordered_event_that_nothing_overtakes_comes_after_5_minutes() {
    let transit = transit(Quirks { reorder: 1.0, ..Quirks::default() });
    let (due, task) = transit.send(event("eu-central-1", "a"), now()).unwrap();
    assert_eq!(due.duration_since(now()), SignedDuration::from_mins(5));
    let Task::DeliverOvertaken { scope, number } = task else { panic!("{task:?}") };
    assert_eq!(transit.give_up_waiting(&scope, number + 1).len(), 0);
    assert_eq!(transit.give_up_waiting(&scope, number).len(), 1);
    assert_eq!(transit.give_up_waiting(&scope, number).len(), 0);
}

#[test]
fn an_event_is_as_late_as_the_delay_and_a_part_of_the_spread() {
    let transit = transit(Quirks { delay: 60, spread: 240, ..Quirks::default() });
    let late: Vec<i64> = (0..200).filter_map(|_| sent(&transit, "a")).map(|(late, _)| late).collect();
    assert!(late.iter().all(|late| (60..=300).contains(late)), "{late:?}");
    assert!(late.iter().max().unwrap() - late.iter().min().unwrap() > 200, "{late:?}");
    assert_eq!(transit.quirks().1.delayed, 200);
}

#[test]
fn the_same_seed_makes_the_same_events_go_astray() {
    let run = |seed| {
        let transit = transit(Quirks { lose: 0.5, seed, ..Quirks::default() });
        (0..64).map(|_| sent(&transit, "a").is_some()).collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
