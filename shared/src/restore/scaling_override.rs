//! Auto scaling, otherwise than it was recorded: capacity by capacity, and what is not named stays as it was recorded.

use std::collections::BTreeMap;

use serde_json::Value;

use super::overrides::none_or;
use super::plan::Misfit;
use super::{Place, Property, ScaledPlace, Setting};
use crate::request::Request;
use crate::table_config::{
    AutoScaling, BillingMode, Part, ScalableTarget, TableConfig, TargetTracking, TargetsByDimension,
};

const NAME: &str = "auto_scaling";
const HINT: &str = "say {\"table\"?: {\"read\"?: <scaling>, \"write\"?: <scaling>}, \"indexes\"?: {<index>: {\"read\"?, \"write\"?}}} with \
                    {\"min\": n, \"max\": n, \"target\"?: 20 to 90} or \"none\" as <scaling>, or \"none\" for all of it";
/// The utilisation that DynamoDB can be held at, in percent (Amazon DynamoDB Developer Guide, "Managing throughput capacity
/// automatically with DynamoDB auto scaling").
const UTILISATION: std::ops::RangeInclusive<f64> = 20.0..=90.0;

/// What is wanted of the capacities that it names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ScalingOverride {
    table: Capacities,
    indexes: BTreeMap<String, Capacities>,
}

/// The capacities of a table or of an index; as recorded where `None`.
#[derive(Clone, Debug, Default, PartialEq)]
struct Capacities {
    read: Option<Setting<Scaling>>,
    write: Option<Setting<Scaling>>,
}

/// How one capacity is scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scaling {
    /// The least units.
    min: i32,
    /// The most units.
    max: i32,
    /// The utilisation that it is held at, in percent; by the policies that were recorded if `None`.
    target: Option<f64>,
}

impl ScalingOverride {
    /// Reads the override; problems are noted with their paths.
    pub(super) fn read(request: &mut Request<'_>) -> Option<Setting<Self>> {
        none_or(request, NAME, HINT, |scaling| {
            let table = scaling.object("table", Capacities::read);
            let indexes = scaling.objects_by_name("indexes", Capacities::read);
            let named = scaling.raw("table").is_some() || scaling.raw("indexes").is_some();
            if !named {
                scaling.problem_here(format!("names nothing; {HINT}"));
            }
            Some(Self { table: table.unwrap_or_default(), indexes: indexes.unwrap_or_default() })
        })
    }

    /// The indexes that it names.
    pub(super) fn indexes(&self) -> impl Iterator<Item = &String> {
        self.indexes.keys()
    }

    /// Puts what is wanted in place of what was recorded.
    pub(super) fn put_over(&self, wanted: &mut TableConfig, place: &Place, misfits: &mut Vec<Misfit>) {
        if wanted.billing_mode == BillingMode::OnDemand {
            let why = "the table is billed on demand; say \"billing_mode\": \"PROVISIONED\" as well";
            misfits.push((Property::AutoScaling, why.to_owned()));
            return;
        }
        let mut scaling = match std::mem::take(&mut wanted.auto_scaling) {
            Part::On(scaling) => scaling,
            Part::Off => AutoScaling::default(),
            Part::Unknown(unknown) => {
                wanted.unrecorded.insert(format!("{NAME} of what is not named"), unknown.reason);
                AutoScaling::default()
            }
        };
        self.table.put_over(&mut scaling.table, None, place, misfits);
        for (index, capacities) in &self.indexes {
            let targets = scaling.indexes.entry(index.clone()).or_default();
            capacities.put_over(targets, Some(index), place, misfits);
        }
        scaling.indexes.retain(|_, targets| !targets.is_empty());
        wanted.auto_scaling = Part::known((scaling != AutoScaling::default()).then_some(scaling));
    }
}

impl Capacities {
    fn read(request: &mut Request<'_>) -> Option<Self> {
        let capacities = Self {
            read: none_or(request, "read", HINT, Scaling::read),
            write: none_or(request, "write", HINT, Scaling::read),
        };
        if request.raw("read").is_none() && request.raw("write").is_none() {
            request.problem_here("names neither read nor write".to_owned());
        }
        Some(capacities)
    }

    fn put_over(
        &self,
        targets: &mut TargetsByDimension,
        index: Option<&String>,
        place: &Place,
        misfits: &mut Vec<Misfit>,
    ) {
        for (name, setting) in [("Read", &self.read), ("Write", &self.write)] {
            let capacity = format!("{name}CapacityUnits");
            let scaling = match setting {
                None => continue,
                Some(Setting::Off) => {
                    targets.remove(&capacity);
                    continue;
                }
                Some(Setting::To(scaling)) => scaling,
            };
            let scaled = ScaledPlace { index: index.cloned(), capacity: capacity.clone() };
            match scaling.over(
                targets.remove(&capacity),
                &format!("DynamoDB{name}CapacityUtilization"),
                &scaled,
                place,
            ) {
                Some(target) => drop(targets.insert(capacity, target)),
                None => misfits.push((Property::AutoScaling, no_target(index, name))),
            }
        }
    }
}

fn no_target(index: Option<&String>, name: &str) -> String {
    let of = index.map_or_else(|| "table".to_owned(), |index| format!("indexes.{index}"));
    let capacity = name.to_lowercase();
    format!(
        "{of}.{capacity} says no \"target\", and no scaling of it was recorded that would go on; say {{\"min\", \"max\", \"target\"}}"
    )
}

impl Scaling {
    fn read(request: &mut Request<'_>) -> Option<Self> {
        let (min, max) = (units(request, "min"), units(request, "max"));
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            let path = request.path("min");
            request.problem("min", &path, format!("is more than \"max\", which is {max}"));
        }
        let target = request.raw("target").map(Value::as_f64);
        if let Some(target) = target
            && !target.is_some_and(|target| UTILISATION.contains(&target))
        {
            let path = request.path("target");
            request.problem("target", &path, "must be a utilisation from 20 to 90 percent");
        }
        Some(Self { min: min?, max: max?, target: target.flatten() })
    }

    /// The target that is wanted in place of the recorded one. One with a utilisation of its own is held there by a single
    /// policy, named as the console of DynamoDB names it; without, the recorded policies and scheduled actions go on within the
    /// new bounds. `None` where there are none.
    fn over(
        &self,
        recorded: Option<ScalableTarget>,
        metric: &str,
        scaled: &ScaledPlace,
        place: &Place,
    ) -> Option<ScalableTarget> {
        let (min, max) = (self.min, self.max);
        let Some(value) = self.target else {
            return recorded.map(|recorded| ScalableTarget { min, max, ..recorded });
        };
        let tracking =
            TargetTracking { value, predefined_metric: Some(metric.to_owned()), ..TargetTracking::default() };
        let name = format!("{metric}:{}", scaled.resource_id(&place.target));
        Some(ScalableTarget {
            min,
            max,
            policies: [(name, Part::On(tracking))].into(),
            ..ScalableTarget::default()
        })
    }
}

/// A number of capacity units that has to be there.
fn units(request: &mut Request<'_>, name: &'static str) -> Option<i32> {
    let Some(value) = request.raw(name) else {
        request.missing(name, "say how many capacity units");
        return None;
    };
    let units = value.as_i64().and_then(|units| i32::try_from(units).ok()).filter(|units| *units >= 1);
    if units.is_none() {
        let path = request.path(name);
        request.problem(name, &path, "must be a whole number of capacity units, at least 1");
    }
    units
}

#[cfg(test)]
mod tests;
