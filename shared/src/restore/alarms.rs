//! CloudWatch alarms that watched the old table, made anew for the new one when the caller asks for them.
//!
//! `PutMetricAlarm` overwrites an alarm of the same name (CloudWatch API Reference, `PutMetricAlarm`), and those of the old
//! table go on whether the table does or not. So alarms are made only when they are asked for, a table of another name gets
//! alarms of other names, and one that is there is never written.

mod names;

use std::collections::BTreeMap;

use super::overrides::may_be_set;
use super::{Action, Change, Known, Place, Property, Step};
use crate::request::Request;
use crate::table_config::{Alarm, Alarms, Part, TableConfig};

/// So many alarms are named in a message; `recorded` shows all of them.
const NAMED: usize = 20;

/// What a caller wants of the alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AlarmsOverride {
    /// `"none"`: none is to be made.
    Off,
    /// `"recorded"`: they are to be made as they were recorded.
    Recorded,
}

impl AlarmsOverride {
    pub(super) fn read(request: &mut Request<'_>) -> Option<Self> {
        const NAME: &str = "alarms";
        match request.raw(NAME)?.as_str() {
            Some("none") => Some(Self::Off),
            Some("recorded") => Some(Self::Recorded),
            _ => {
                let path = request.path(NAME);
                request.problem(
                    NAME,
                    &path,
                    "is not possible; say \"recorded\" for those that were recorded, or \"none\"",
                );
                None
            }
        }
    }
}

/// The alarms that are to be there, with the names that they get. What has to be left out of them is noted.
pub(super) fn wanted(
    recorded: &TableConfig,
    asked: Option<AlarmsOverride>,
    place: &Place,
    notes: &mut Vec<String>,
) -> Part<Alarms> {
    let (Some(AlarmsOverride::Recorded), Some(alarms)) = (asked, recorded.alarms.on()) else {
        return Part::Off;
    };
    let mut names = names::of_alarms(alarms.by_name.keys(), place);
    let mut moved = BTreeMap::new();
    for (name, alarm) in &alarms.by_name {
        let alarm = match alarm {
            Part::On(alarm) => Part::On(moved_alarm(name, alarm.clone(), place, notes)),
            other => other.clone(),
        };
        moved.insert(names.remove(name).unwrap_or_else(|| name.clone()), alarm);
    }
    Part::known(Alarms::of(moved))
}

/// The alarm as it goes with the new table.
fn moved_alarm(name: &str, mut alarm: Alarm, place: &Place, notes: &mut Vec<String>) -> Alarm {
    alarm.watch_instead(place.source.name(), place.target.name());
    if let Part::On(tags) = &mut alarm.tags {
        tags.retain(|key, _| may_be_set(key));
        if tags.is_empty() {
            alarm.tags = Part::Off;
        }
    }
    if place.source.region() != place.target.region() {
        let mut gone = Vec::new();
        for actions in [&mut alarm.alarm_actions, &mut alarm.ok_actions, &mut alarm.insufficient_data_actions]
        {
            gone.extend(actions.extract_if(.., |action| !is_of(action, place.target.region())));
        }
        gone.sort_unstable();
        gone.dedup();
        if !gone.is_empty() {
            notes.push(format!(
                "the alarm {name} comes back without actions of another Region ({}); add those of this Region when it is there",
                gone.join(", ")
            ));
        }
    }
    alarm
}

/// Whether an action is one of this Region, or of none, as response plans are.
fn is_of(action: &str, region: &str) -> bool {
    let of = action.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2));
    of.is_none_or(|of| of.is_empty() || of == region)
}

/// What is to become of the alarms.
pub(super) fn step(known: &Known, asked: Option<AlarmsOverride>, missing: Option<String>) -> Step {
    const ALARMS: Property = Property::Alarms;
    if asked == Some(AlarmsOverride::Off) {
        return Step::new(ALARMS, Action::Override);
    }
    let recorded = match known {
        Known::Config(config) => &config.alarms,
        Known::Nothing(why) => return Step::skipped(ALARMS, Action::NotPossible, Some(why.clone())),
    };
    match (recorded, asked) {
        (Part::Off, _) => Step::new(ALARMS, Action::ByAws),
        (Part::Unknown(_), _) => Step::skipped(ALARMS, Action::NotPossible, missing),
        (Part::On(_), Some(_)) => Step { error: missing, ..Step::new(ALARMS, Action::ReApply) },
        (Part::On(alarms), None) => Step::skipped(ALARMS, Action::ReApply, Some(left(alarms))),
    }
}

/// Why alarms that could be made are not.
fn left(alarms: &Alarms) -> String {
    let names: Vec<&str> = alarms.by_name.keys().take(NAMED).map(String::as_str).collect();
    let more = match alarms.by_name.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "alarms are made only when they are asked for: {}{more} {} recorded; say \"overrides\": {{\"alarms\": \"recorded\"}} \
         to have them, or \"none\"",
        names.join(", "),
        if alarms.by_name.len() == 1 { "is" } else { "are" },
    )
}

/// The alarms that are not there yet.
pub(super) fn changes(wanted: &TableConfig, current: &TableConfig) -> Result<Vec<Change>, String> {
    let Some(alarms) = wanted.alarms.on() else { return Ok(Vec::new()) };
    let there = there(current)?;
    let missing = alarms.by_name.iter().filter(|(name, _)| !there.contains_key(*name));
    // One that could not be recorded cannot be made; the step says so.
    Ok(missing
        .filter_map(|(name, alarm)| Some(Change::Alarm(name.clone(), Box::new(alarm.on()?.clone()))))
        .collect())
}

/// What keeps a property from becoming what is wanted, and is not for this function to move out of the way: alarms that are
/// there under the names of those that are to be made, and are others. Empty when it is not known what is there.
pub fn obstacles(property: Property, wanted: &TableConfig, current: &TableConfig) -> Vec<String> {
    let (Property::Alarms, Some(alarms), Ok(there)) = (property, wanted.alarms.on(), there(current)) else {
        return Vec::new();
    };
    let others = alarms.by_name.iter().filter(|(name, alarm)| match (alarm, there.get(*name)) {
        (Part::On(wanted), Some(there)) => !there.on().is_some_and(|there| same(wanted, there)),
        _ => false,
    });
    let sentence = |name: &String| {
        format!(
            "an alarm {name} is there and is another one, which is not overwritten; delete or rename it and make the recorded \
             one by hand"
        )
    };
    others.map(|(name, _)| sentence(name)).collect()
}

/// Alarms are the same whatever their tags, which those who made them go on keeping.
fn same(one: &Alarm, other: &Alarm) -> bool {
    let untagged = |alarm: &Alarm| Alarm { tags: Part::Off, ..alarm.clone() };
    untagged(one) == untagged(other)
}

fn there(current: &TableConfig) -> Result<BTreeMap<&String, &Part<Alarm>>, String> {
    match &current.alarms {
        Part::Off => Ok(BTreeMap::new()),
        Part::On(alarms) => Ok(alarms.by_name.iter().collect()),
        Part::Unknown(unknown) => Err(unknown.reason.clone()),
    }
}

#[cfg(test)]
mod tests;
