//! What is missing of a table's auto scaling.

use super::{Change, ScaledPlace};
use crate::table_config::{AutoScaling, Part, ScalableTarget, TableConfig, TargetsByDimension};

/// The calls in an order that works: a target is registered before anything hangs on it (Application Auto Scaling API
/// Reference, `PutScalingPolicy`).
pub(super) fn changes(wanted: &TableConfig, current: &TableConfig) -> Result<Vec<Change>, String> {
    let Some(scaling) = wanted.auto_scaling.on() else { return Ok(Vec::new()) };
    let none = AutoScaling::default();
    let current = match &current.auto_scaling {
        Part::On(current) => current,
        Part::Off => &none,
        Part::Unknown(unknown) => return Err(unknown.reason.clone()),
    };
    let nothing = TargetsByDimension::new();
    let mut all = of_targets(None, &scaling.table, &current.table);
    for (name, targets) in &scaling.indexes {
        let current = current.indexes.get(name).unwrap_or(&nothing);
        all.extend(of_targets(Some(name), targets, current));
    }
    Ok(all)
}

fn of_targets(
    index: Option<&String>,
    wanted: &TargetsByDimension,
    current: &TargetsByDimension,
) -> Vec<Change> {
    let of = |(capacity, target): (&String, &ScalableTarget)| {
        let place = ScaledPlace { index: index.cloned(), capacity: capacity.clone() };
        of_target(&place, target, current.get(capacity))
    };
    wanted.iter().flat_map(of).collect()
}

fn of_target(place: &ScaledPlace, wanted: &ScalableTarget, current: Option<&ScalableTarget>) -> Vec<Change> {
    let mut all = Vec::new();
    let bounds = |target: &ScalableTarget| (target.min, target.max, target.suspended.clone());
    if current.map(bounds) != Some(bounds(wanted)) {
        all.push(Change::Scale(place.clone(), wanted.clone()));
    }
    for (name, policy) in &wanted.policies {
        // One that could not be recorded cannot be put back; the step says so.
        let Part::On(tracking) = policy else { continue };
        if current.and_then(|current| current.policies.get(name)) != Some(policy) {
            all.push(Change::ScalingPolicy(place.clone(), name.clone(), tracking.clone()));
        }
    }
    for (name, action) in &wanted.scheduled_actions {
        if current.and_then(|current| current.scheduled_actions.get(name)) != Some(action) {
            all.push(Change::ScheduledAction(place.clone(), name.clone(), action.clone()));
        }
    }
    all
}
