//! Two years of points on the local AWS, pruned as time goes by, held against an oracle that knows no planner.
//!
//! The points are put into the vault as a session would have made them, on the day they are due. The clock jumps from one
//! moment at which something ends to the next, days apart; after each prune the vault must have exactly the points that the
//! oracle says, which walks through calendar days, and counts in fields of dates.

use std::collections::BTreeSet;

use dynachain::chain::Flag;
use dynachain::retention::Keep;
use end_to_end::own_function::OwnFunction;
use end_to_end::seeding::{Seed, Seeder};
use jiff::civil::{Date, DateTime, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use local_stack::SOURCE_REGION;
use serde_json::json;

use crate::support::{World, arn, chains};

const TABLE: &str = "a-1";
const FROM: Date = date(2027, 1, 4);
const DAYS: i32 = 2 * 365;
/// No two prunes are further apart: the breaker would want a confirmation.
const STEP: SignedDuration = SignedDuration::from_hours(52);
/// In these weeks nothing is backed up, and all but the newest points outlive their flags.
const PAUSE: (Date, Date) = (date(2027, 10, 4), date(2027, 11, 22));

/// A point as the oracle knows it.
struct Point {
    at: DateTime,
    flags: Vec<Flag>,
}

/// Every point that the policy of the product's example makes.
fn all() -> Vec<Point> {
    let mut all = Vec::new();
    for day in (0..DAYS).map(|n| FROM + n.days()).filter(|day| *day < PAUSE.0 || PAUSE.1 <= *day) {
        let first_monday = day.weekday() == Weekday::Monday && day.day() <= 7;
        let mut flags = vec![Flag::D];
        flags.extend((day.weekday() == Weekday::Monday).then_some(Flag::W));
        flags.extend((first_monday && day.month() % 2 == 1).then_some(Flag::M));
        flags.extend((first_monday && day.month() == 1).then_some(Flag::Y));
        all.push(Point { at: day.at(7, 0, 0, 0), flags });
        all.push(Point { at: day.at(11, 0, 0, 0), flags: vec![Flag::D] });
    }
    all
}

fn keep(flag: Flag) -> (Flag, Keep) {
    let keep = match flag {
        Flag::D => Keep::Days(3),
        Flag::W => Keep::Days(14),
        Flag::M => Keep::Months(6),
        Flag::Y => Keep::Years(1),
    };
    (flag, keep)
}

/// When a flag ends on local clocks: days are counted one by one, months by their numbers. All monthly and yearly points are
/// of the first days of a month, so that none is ever clamped.
fn end(at: DateTime, flag: Flag) -> DateTime {
    let after = |days: i32| (0..days).fold(at.date(), |day, _| day.tomorrow().expect("a day"));
    let months = |months: i8| {
        let month = at.month() - 1 + months;
        date(at.year() + i16::from(month / 12), month % 12 + 1, at.day())
    };
    let day = match flag {
        Flag::D => after(3),
        Flag::W => after(14),
        Flag::M => months(6),
        Flag::Y => months(12),
    };
    day.to_datetime(at.time())
}

/// The points that must be there at a local time: those with a flag that has not ended, and the newest.
fn expected(all: &[Point], now: DateTime) -> BTreeSet<Timestamp> {
    let made: Vec<_> = all.iter().filter(|point| point.at <= now).collect();
    let flagged = |point: &&&Point| point.flags.iter().any(|flag| now < end(point.at, *flag));
    made.iter().filter(flagged).chain(made.last()).map(|point| instant(point.at)).collect()
}

fn instant(local: DateTime) -> Timestamp {
    TimeZone::get("Europe/Berlin").expect("a zone").to_timestamp(local).expect("an instant")
}

/// The moments of the prunes: every end of a weekly, monthly or yearly flag, and between them steps that end when a daily
/// flag does, at 07:00 and at 11:00 by turns.
fn moments(all: &[Point]) -> BTreeSet<DateTime> {
    let until = (FROM + DAYS.days()).at(12, 0, 0, 0);
    let mut moments: BTreeSet<_> = all
        .iter()
        .flat_map(|point| {
            point.flags.iter().filter(|flag| **flag != Flag::D).map(|flag| end(point.at, *flag))
        })
        .filter(|moment| *moment < until)
        .collect();
    let mut step = FROM.at(7, 0, 0, 0);
    for hours in [52, 44].into_iter().cycle() {
        step += SignedDuration::from_hours(hours);
        if step >= until {
            break;
        }
        moments.insert(step);
    }
    moments
}

fn seeds(seeder: &Seeder<'_>, points: &[&Point]) -> Vec<Seed> {
    let seed = |point: &&Point| {
        let keeps: Vec<_> = point.flags.iter().map(|flag| keep(*flag)).collect();
        let core = seeder.core(instant(point.at), &keeps).expect("a core");
        let seed = seeder.seed(&arn(TABLE), &core).expect("a seed");
        // As if it had been made at once, so that it is there at the very moment.
        Seed { created_at: instant(point.at), ..seed }
    };
    points.iter().map(seed).collect()
}

impl World {
    /// Disables whatever a rule starts by the clock: two years have many quarters of an hour.
    async fn no_clockwork(&self) {
        let events = aws_sdk_eventbridge::Client::new(&self.stack.sdk_config(SOURCE_REGION).await);
        for rule in events.list_rules().send().await.expect("the rules").rules() {
            if rule.schedule_expression().is_some() {
                events.disable_rule().name(rule.name().expect("a name")).send().await.expect("disabled");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_two_years_the_vault_is_what_an_oracle_says_after_every_prune() {
    let world = World::start_at("2027-01-04T05:30:00Z").await;
    world.no_clockwork().await;
    let wide = ["LIST_RATE", "DESCRIBE_RATE", "DELETE_RATE"].map(|rate| (rate, "1000".to_owned()));
    let function = OwnFunction::retention(&world.stack, &wide).await.expect("the function");
    let seeder = world.seeder().await;
    let all = all();
    let (mut made, mut deleted, mut before) = (0, 0, None);
    for moment in moments(&all) {
        let gap = before.map(|before| moment.duration_since(before)).unwrap_or_default();
        assert!(gap <= STEP, "{moment} is {gap} after the step before");
        before = Some(moment);
        world.stack.jump_to(instant(moment)).await;
        let due: Vec<_> = all.iter().skip(made).take_while(|point| point.at <= moment).collect();
        made += due.len();
        seeder.make(&seeds(&seeder, &due)).await.expect("points");

        let pruned = function.invoke(json!({})).await.expect("a prune");
        assert_eq!(
            (&pruned["blocked"], &pruned["failures"]),
            (&json!([]), &json!([])),
            "{moment}: {pruned:#}"
        );
        deleted += usize::try_from(pruned["deleted"].as_u64().expect("a count")).expect("a number");
        let left: BTreeSet<_> = world.ages(TABLE).await.into_iter().map(|(created, _)| created).collect();
        assert_eq!(left, expected(&all, moment), "at {moment} in Berlin");
        assert_eq!(deleted + left.len(), made, "nothing goes but what a prune deletes");
    }
    assert!(made > 1300 && deleted > 1250, "{made} made, {deleted} deleted");
    let again = function.invoke(json!({})).await.expect("a prune");
    assert_eq!(again["deleted"], 0);
    world.finish_jobs().await;
    let left = made - deleted;
    assert_eq!(chains(&world.verified(&[]).await), [(TABLE, "regular", left)]);
}
