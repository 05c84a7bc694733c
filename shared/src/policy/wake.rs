//! Wake-ups: the EventBridge schedules that a policy needs, one for each distinct time of day.
//!
//! They only wake the session function; the [calendar](super::calendar) decides there whether anything is due.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Document;
use crate::id::PolicyName;

/// What EventBridge Scheduler puts in place of this is the time for which it woke the function (EventBridge Scheduler User
/// Guide, "Adding context attributes").
const SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";

/// Reconciliation starts sessions late that are up to 6 hours overdue; a wake-up older than that is of no use.
const MAX_AGE_SECONDS: i32 = 6 * 3600;
/// As often as EventBridge Scheduler can.
const MAX_ATTEMPTS: i32 = 185;

/// What the schedules of every policy have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The session function's ARN.
    pub function: String,
    /// The role with which EventBridge Scheduler invokes it.
    pub role: String,
    /// The queue that gets what could not be delivered.
    pub dead_letter_queue: String,
}

/// An EventBridge schedule, as far as dynachain sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WakeUp {
    /// Its name in the group: `<policy>-<HHMM>`.
    pub name: String,
    /// When, as `cron(<minute> <hour> * * ? *)`.
    pub expression: String,
    /// The zone of the expression.
    pub timezone: String,
    /// Whether it is ENABLED.
    pub enabled: bool,
    /// Whether it may wake only at the exact time: FlexibleTimeWindow OFF.
    pub exact: bool,
    /// What the function gets.
    pub input: String,
    /// Whom it wakes.
    pub target: Target,
    /// For how long delivery is tried.
    pub max_age_seconds: i32,
    /// How often delivery is tried again.
    pub max_attempts: i32,
}

impl WakeUp {
    /// The policy that its input names.
    pub fn policy(&self) -> Option<PolicyName> {
        let input: Value = serde_json::from_str(&self.input).ok()?;
        input.get("policy")?.as_str()?.parse().ok()
    }
}

/// The beginning of the names of all schedules of a policy. Schedules of other policies may begin so too.
pub fn name_prefix(policy: &PolicyName) -> String {
    format!("{policy}-")
}

/// Whether a schedule's name is one that a policy's schedule can have: the prefix and four digits.
pub fn is_name_of(policy: &PolicyName, name: &str) -> bool {
    name.strip_prefix(&name_prefix(policy))
        .is_some_and(|time| time.len() == 4 && time.bytes().all(|b| b.is_ascii_digit()))
}

/// The schedules a policy needs, in the order of their times.
pub fn wanted(policy: &Document, target: &Target) -> Vec<WakeUp> {
    let times: BTreeSet<_> = policy.schedules.iter().flat_map(|(_, schedule)| schedule.at.iter()).collect();
    times
        .into_iter()
        .map(|time| WakeUp {
            name: format!("{}{:02}{:02}", name_prefix(&policy.name), time.hour(), time.minute()),
            expression: format!("cron({} {} * * ? *)", time.minute(), time.hour()),
            timezone: policy.timezone.name().to_owned(),
            enabled: policy.enabled,
            exact: true,
            input: json!({"policy": policy.name, "scheduled_at": SCHEDULED_TIME}).to_string(),
            target: target.clone(),
            max_age_seconds: MAX_AGE_SECONDS,
            max_attempts: MAX_ATTEMPTS,
        })
        .collect()
}

/// What has to be done to a policy's schedules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Schedules to create.
    pub create: Vec<WakeUp>,
    /// Schedules to overwrite.
    pub update: Vec<WakeUp>,
    /// Names of schedules to delete.
    pub remove: Vec<String>,
}

impl Plan {
    /// Whether nothing has to be done.
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.update.is_empty() && self.remove.is_empty()
    }
}

/// How to get from the schedules that exist to those that are wanted, each list in name order.
///
/// A schedule of a wanted name is overwritten whatever it says. Others are removed only when their input names `policy`:
/// names alone do not tell, as policy `a-0700` has schedules whose names begin like those of policy `a`.
pub fn plan(policy: &PolicyName, existing: &[WakeUp], wanted: Vec<WakeUp>) -> Plan {
    let mut left: BTreeMap<&str, &WakeUp> = existing.iter().map(|wake| (wake.name.as_str(), wake)).collect();
    let mut plan = Plan::default();
    for wake in wanted {
        match left.remove(wake.name.as_str()) {
            None => plan.create.push(wake),
            Some(found) if *found != wake => plan.update.push(wake),
            Some(_) => {}
        }
    }
    let ours = left.into_values().filter(|wake| wake.policy().as_ref() == Some(policy));
    plan.remove = ours.map(|wake| wake.name.clone()).collect();
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target {
            function: "function".to_owned(),
            role: "role".to_owned(),
            dead_letter_queue: "queue".to_owned(),
        }
    }

    fn policy(name: &str, times: &[&str], enabled: bool) -> Document {
        serde_json::from_value(json!({
            "name": name, "enabled": enabled, "timezone": "Europe/Berlin", "scope": {"all": true},
            "schedules": {
                "daily": {"at": times, "on": "every day", "keep": {"days": 3}},
                "weekly": {"at": "07:00", "on": ["monday"], "keep": {"days": 14}},
            }
        }))
        .unwrap()
    }

    fn names(wakes: &[WakeUp]) -> Vec<&str> {
        wakes.iter().map(|wake| wake.name.as_str()).collect()
    }

    #[test]
    fn a_policy_has_one_schedule_for_each_distinct_time_of_day() {
        let wanted = wanted(&policy("orders", &["11:05", "07:00"], true), &target());
        assert_eq!(names(&wanted), ["orders-0700", "orders-1105"]);
        assert_eq!(wanted[1].expression, "cron(5 11 * * ? *)");
        assert_eq!(wanted[1].timezone, "Europe/Berlin");
        assert_eq!(wanted[0].input, r#"{"policy":"orders","scheduled_at":"<aws.scheduler.scheduled-time>"}"#);
    }

    #[test]
    fn a_plan_creates_updates_and_removes_and_is_then_empty() {
        let (before, after) = (policy("a", &["07:00", "09:00"], true), policy("a", &["10:00"], false));
        let (existing, later) = (wanted(&before, &target()), wanted(&after, &target()));
        let plan_made = plan(&before.name, &existing, later.clone());
        assert_eq!(names(&plan_made.create), ["a-1000"]);
        assert_eq!(names(&plan_made.update), ["a-0700"]);
        assert!(!plan_made.update[0].enabled);
        assert_eq!(plan_made.remove, ["a-0900"]);
        assert!(plan(&before.name, &later, later.clone()).is_empty());
    }

    #[test]
    fn a_half_failed_apply_is_finished_by_the_next() {
        let document = policy("a", &["08:00", "09:00"], true);
        let all = wanted(&document, &target());
        let mut damaged = all[0].clone();
        damaged.input = "{}".to_owned();
        let plan = plan(&document.name, &[damaged], all.clone());
        assert_eq!((names(&plan.create), names(&plan.update)), (vec!["a-0800", "a-0900"], vec!["a-0700"]));
    }

    #[test]
    fn schedules_of_a_policy_with_a_similar_name_are_left_alone() {
        let (a, similar) = (policy("a", &["06:00"], true), policy("a-0700", &["08:00"], true));
        let mut foreign = wanted(&similar, &target());
        foreign.push(WakeUp { name: "a-2300".to_owned(), ..foreign[0].clone() });
        assert_eq!(plan(&a.name, &foreign, vec![]), Plan::default());
        assert!(is_name_of(&a.name, "a-0700"));
        assert!(!is_name_of(&a.name, "a-0700-0800"));
        assert!(!is_name_of(&a.name, "a-07:0"));
    }
}
