//! What is to become of every property.

use std::collections::BTreeMap;

use super::forms::{Bounds, Capacity, Maxima, Units};
use super::overrides::may_be_set;
use super::{Action, Overrides, Place, Property, ProvisionedOverride, Setting, Step, alarms, arns, show};
use crate::table_config::{
    AutoScaling, BillingMode, Insights, KinesisDestination, Part, PointInTimeRecovery, Stream, TableClass,
    TableConfig, TargetsByDimension, TimeToLive,
};

/// What is known of a table's configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// It was recorded.
    Config(Box<TableConfig>),
    /// Nothing is known, for this reason.
    Nothing(String),
}

impl Known {
    /// The configuration.
    pub fn config(&self) -> Option<&TableConfig> {
        match self {
            Self::Config(config) => Some(config),
            Self::Nothing(_) => None,
        }
    }
}

/// What a restore is to come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The configuration that the new table is to have.
    pub wanted: TableConfig,
    /// What is to become of each property, in the order of answers.
    pub steps: Vec<Step>,
    /// What the caller should know beside.
    pub notes: Vec<String>,
}

/// An override that does not go with the rest: which, and why not.
pub(super) type Misfit = (Property, String);

/// Plans a restore from what is known of the table and what is wanted otherwise.
///
/// # Errors
/// With every override that does not go with the rest.
pub fn plan(known: &Known, overrides: &Overrides, place: &Place) -> Result<Plan, Vec<Misfit>> {
    let mut plan = Plan { wanted: TableConfig::default(), steps: Vec::new(), notes: Vec::new() };
    let recorded = known.config().cloned().unwrap_or_default();
    plan.wanted = moved(recorded.clone(), place, &mut plan.notes);
    let mut misfits = indexes_are_there(known, overrides);
    override_billing(&mut plan, &recorded, overrides, &mut misfits);
    override_rest(&mut plan.wanted, overrides, place);
    override_scaling(&mut plan.wanted, overrides, place, &mut misfits);
    plan.wanted.alarms = alarms::wanted(&recorded, overrides.alarms, place, &mut plan.notes);
    if !misfits.is_empty() {
        return Err(misfits);
    }
    plan.notes.extend(about(&recorded));
    plan.steps =
        Property::ALL.iter().map(|property| step(*property, known, overrides, &plan.wanted)).collect();
    Ok(plan)
}

/// The recorded configuration as it goes with the new table: without tags that cannot be set, and with the new table's name
/// in place of the old one's.
fn moved(mut config: TableConfig, place: &Place, notes: &mut Vec<String>) -> TableConfig {
    config.tags.retain(|key, _| may_be_set(key));
    if let Part::On(policy) = &mut config.resource_policy {
        *policy = arns::policy(policy, place);
    }
    if let Some(Stream { policy: Part::On(policy), .. }) = &mut config.stream {
        *policy = arns::policy(policy, place);
    }
    if let Part::On(streams) = &mut config.kinesis {
        let here = |arn: &String| arn.split(':').nth(3) == Some(place.target.region());
        for stream in streams.keys().filter(|arn| !here(arn)) {
            notes.push(format!(
                "changes went to the Kinesis stream {stream} of another Region, which a table cannot write to; say one of \
                 this Region with \"overrides\": {{\"kinesis\": …}}, or none"
            ));
        }
        streams.retain(|arn, _| here(arn));
        if streams.is_empty() {
            config.kinesis = Part::Off;
        }
    }
    if let Part::On(scaling) = &mut config.auto_scaling {
        targets(scaling).for_each(|target| rename_metrics(target, place));
    }
    config
}

fn targets(scaling: &mut AutoScaling) -> impl Iterator<Item = &mut TargetsByDimension> {
    std::iter::once(&mut scaling.table).chain(scaling.indexes.values_mut())
}

/// A metric of the table's own, by which it is scaled, has the table's name among its dimensions.
fn rename_metrics(targets: &mut TargetsByDimension, place: &Place) {
    let policies = targets.values_mut().flat_map(|target| target.policies.values_mut());
    for policy in policies {
        let Part::On(tracking) = policy else { continue };
        let metric = tracking.custom_metric.iter_mut();
        let dimensions = metric.flat_map(|metric| metric.dimensions.iter_mut());
        for (_, value) in
            dimensions.filter(|(name, value)| *name == "TableName" && *value == place.source.name())
        {
            place.target.name().clone_into(value);
        }
    }
}

/// Overrides that name indexes which the table does not have.
fn indexes_are_there(known: &Known, overrides: &Overrides) -> Vec<Misfit> {
    let Some(config) = known.config() else { return Vec::new() };
    let mut named: Vec<(Property, &String)> = Vec::new();
    if let Some(ProvisionedOverride::Units(capacity)) = &overrides.provisioned {
        named.extend(capacity.indexes.keys().map(|index| (Property::Provisioned, index)));
    }
    if let Some(Setting::To(maxima)) = &overrides.on_demand {
        named.extend(maxima.indexes.keys().map(|index| (Property::OnDemand, index)));
    }
    if let Some(Setting::To(capacity)) = &overrides.warm_throughput {
        named.extend(capacity.indexes.keys().map(|index| (Property::WarmThroughput, index)));
    }
    if let Some(Setting::To(insights)) = &overrides.contributor_insights {
        named.extend(insights.indexes.keys().map(|index| (Property::ContributorInsights, index)));
    }
    if let Some(Setting::To(scaling)) = &overrides.auto_scaling {
        named.extend(scaling.indexes().map(|index| (Property::AutoScaling, index)));
    }
    let missing = named.into_iter().filter(|(_, index)| !config.global_indexes.contains_key(*index));
    missing
        .map(|(property, index)| {
            (property, format!("names {index}, which is no global secondary index of the table"))
        })
        .collect()
}

/// Billing mode and all that depends on it.
fn override_billing(
    plan: &mut Plan,
    recorded: &TableConfig,
    overrides: &Overrides,
    misfits: &mut Vec<Misfit>,
) {
    let wanted = &mut plan.wanted;
    if let Some(mode) = &overrides.billing_mode {
        wanted.billing_mode = mode.clone();
    }
    // Of a table of which nothing is known, DynamoDB judges what goes with its billing mode.
    let is_told = overrides.billing_mode.is_some() || !recorded.key.is_empty();
    let on_demand = wanted.billing_mode == BillingMode::OnDemand;
    match &overrides.provisioned {
        Some(_) if is_told && on_demand => misfits.push((
            Property::Provisioned,
            "the table is billed on demand; say \"billing_mode\": \"PROVISIONED\" as well".to_owned(),
        )),
        Some(ProvisionedOverride::Units(capacity)) => provision(wanted, capacity),
        Some(ProvisionedOverride::Minimum) => match minimum(recorded) {
            Some(capacity) => provision(wanted, &capacity),
            None => misfits.push((
                Property::Provisioned,
                "\"minimum\" is the least capacity of auto scaling, and none was recorded; say the units"
                    .to_owned(),
            )),
        },
        None if is_told && !on_demand && wanted.provisioned.is_none() => misfits.push((
            Property::Provisioned,
            "is missing: with provisioned billing say how much, {\"read\": 5, \"write\": 5} for example"
                .to_owned(),
        )),
        None => {}
    }
    match &overrides.on_demand {
        Some(Setting::To(_)) if is_told && !on_demand => misfits.push((
            Property::OnDemand,
            "the table has provisioned capacity; say \"billing_mode\": \"PAY_PER_REQUEST\" as well"
                .to_owned(),
        )),
        Some(Setting::To(maxima)) => bound(wanted, maxima),
        Some(Setting::Off) => unbound(wanted),
        None => {}
    }
    if on_demand {
        wanted.provisioned = None;
        wanted.global_indexes.values_mut().for_each(|index| index.provisioned = None);
        if wanted.auto_scaling.on().is_some() {
            wanted.auto_scaling = Part::Off;
            plan.notes.push("auto scaling is left out: a table that is billed on demand has none".to_owned());
        }
    } else if is_told {
        unbound(wanted);
    }
}

fn provision(wanted: &mut TableConfig, capacity: &Capacity) {
    wanted.provisioned = Some(capacity.of_table().provisioned());
    for name in capacity.indexes.keys() {
        wanted.global_indexes.entry(name.clone()).or_default();
    }
    for (name, index) in &mut wanted.global_indexes {
        let units = capacity.indexes.get(name).copied().map(Units::provisioned);
        let recorded = index.provisioned.take();
        index.provisioned = units.or(recorded).or_else(|| wanted.provisioned.clone());
    }
}

/// The recorded capacity, with the least that auto scaling goes down to in place of what it stood at.
fn minimum(recorded: &TableConfig) -> Option<Capacity> {
    let scaling = recorded.auto_scaling.on()?;
    let of = |targets: Option<&TargetsByDimension>, recorded: Units| {
        let least =
            |capacity: &str| targets.and_then(|targets| targets.get(capacity)).map(|t| i64::from(t.min));
        Units {
            read: least("ReadCapacityUnits").unwrap_or(recorded.read),
            write: least("WriteCapacityUnits").unwrap_or(recorded.write),
        }
    };
    let stood = Capacity::provisioned(recorded)?;
    let table = of(Some(&scaling.table), stood.of_table());
    let indexes = stood.indexes.iter();
    let indexes: BTreeMap<_, _> =
        indexes.map(|(name, units)| (name.clone(), of(scaling.indexes.get(name), *units))).collect();
    Some(Capacity { read: table.read, write: table.write, indexes })
}

fn bound(wanted: &mut TableConfig, maxima: &Maxima) {
    wanted.on_demand = maxima.of_table().max_throughput();
    for (name, bounds) in &maxima.indexes {
        wanted.global_indexes.entry(name.clone()).or_default().on_demand = Bounds::max_throughput(*bounds);
    }
}

fn unbound(wanted: &mut TableConfig) {
    wanted.on_demand = None;
    wanted.global_indexes.values_mut().for_each(|index| index.on_demand = None);
}

/// Everything that stands by itself.
fn override_rest(wanted: &mut TableConfig, overrides: &Overrides, place: &Place) {
    if let Some(warm) = &overrides.warm_throughput {
        warm_up(wanted, warm);
    }
    match &overrides.table_class {
        Some(Setting::Off) => wanted.table_class = TableClass::Standard,
        Some(Setting::To(class)) => wanted.table_class = class.clone(),
        None => {}
    }
    match &overrides.stream {
        Some(Setting::Off) => wanted.stream = None,
        Some(Setting::To(stream)) => wanted.stream = Some(stream.over(wanted.stream.take(), place)),
        None => {}
    }
    part(&mut wanted.kinesis, overrides.kinesis.as_ref(), |streams| {
        let destination = |(arn, precision): (&String, &_)| {
            let precision: &crate::table_config::KinesisPrecision = precision;
            (arn.clone(), KinesisDestination { precision: precision.clone() })
        };
        streams.iter().map(destination).collect()
    });
    part(&mut wanted.ttl, overrides.ttl.as_ref(), |ttl| TimeToLive { attribute: ttl.attribute.clone() });
    part(&mut wanted.pitr, overrides.pitr.as_ref(), |pitr| PointInTimeRecovery { days: pitr.days });
    part(&mut wanted.resource_policy, overrides.resource_policy.as_ref(), |policy| {
        arns::policy(&policy.to_string(), place)
    });
    match &overrides.tags {
        Some(Setting::Off) => wanted.tags.clear(),
        Some(Setting::To(tags)) => wanted.tags.clone_from(tags),
        None => {}
    }
    if let Some(insights) = &overrides.contributor_insights {
        let all = match insights {
            Setting::Off => super::forms::InsightsOfAll::default(),
            Setting::To(all) => all.clone(),
        };
        let on = |mode: Option<&crate::table_config::InsightsMode>| {
            Part::known(mode.map(|mode| Insights { mode: mode.clone() }))
        };
        wanted.contributor_insights = on(all.table.as_ref());
        for name in all.indexes.keys() {
            wanted.global_indexes.entry(name.clone()).or_default();
        }
        for (name, index) in &mut wanted.global_indexes {
            index.contributor_insights = on(all.indexes.get(name));
        }
    }
    if let Some(on) = overrides.deletion_protection {
        wanted.deletion_protection = on;
    }
}

fn override_scaling(
    wanted: &mut TableConfig,
    overrides: &Overrides,
    place: &Place,
    misfits: &mut Vec<Misfit>,
) {
    match &overrides.auto_scaling {
        Some(Setting::Off) => wanted.auto_scaling = Part::Off,
        Some(Setting::To(scaling)) => scaling.put_over(wanted, place, misfits),
        None => {}
    }
}

fn warm_up(wanted: &mut TableConfig, warm: &Setting<Capacity>) {
    let capacity = match warm {
        Setting::Off => None,
        Setting::To(capacity) => Some(capacity),
    };
    wanted.warm_throughput = capacity.map(|capacity| capacity.of_table().warm());
    let of =
        |name: &String| capacity.and_then(|capacity| capacity.indexes.get(name)).map(|units| units.warm());
    for name in capacity.iter().flat_map(|capacity| capacity.indexes.keys()) {
        wanted.global_indexes.entry(name.clone()).or_default();
    }
    wanted.global_indexes.iter_mut().for_each(|(name, index)| index.warm_throughput = of(name));
}

fn part<T, F>(wanted: &mut Part<T>, setting: Option<&Setting<F>>, make: impl FnOnce(&F) -> T) {
    match setting {
        Some(Setting::Off) => *wanted = Part::Off,
        Some(Setting::To(form)) => *wanted = Part::On(make(form)),
        None => {}
    }
}

/// What the caller should know of the recorded table.
fn about(recorded: &TableConfig) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(global) = &recorded.global_table {
        let replicas: Vec<&str> = global.replicas.iter().map(String::as_str).collect();
        notes.push(format!(
            "the table was a replica of a global table ({}); a restore makes a table of one Region",
            replicas.join(", ")
        ));
    }
    notes.extend(recorded.unrecorded.iter().map(|(what, why)| format!("{what}: {why}")));
    notes
}

fn step(property: Property, known: &Known, overrides: &Overrides, wanted: &TableConfig) -> Step {
    if property == Property::Alarms {
        let missing = known.config().and_then(|config| missing(property, config));
        return alarms::step(known, overrides.alarms, missing);
    }
    if overrides.has(property) {
        // Some overrides leave something of the property as it was recorded, which may not be known.
        return Step { error: missing(property, wanted), ..Step::new(property, Action::Override) };
    }
    let config = match known {
        Known::Config(config) => config,
        Known::Nothing(_) if is_restored(property) => return Step::new(property, Action::ByAws),
        Known::Nothing(why) => return Step::skipped(property, Action::NotPossible, Some(why.clone())),
    };
    let missing = missing(property, config);
    if is_restored(property) || (show(config, property).is_null() && missing.is_none()) {
        return Step::new(property, Action::ByAws);
    }
    if show(wanted, property).is_null() {
        return Step::skipped(property, Action::NotPossible, missing.or_else(|| gone(property)));
    }
    Step { error: missing, ..Step::new(property, Action::ReApply) }
}

/// Whether AWS Backup itself restores the property (Amazon DynamoDB Developer Guide, "Backup and restore with AWS Backup").
fn is_restored(property: Property) -> bool {
    matches!(property, Property::BillingMode | Property::Provisioned | Property::Encryption)
}

/// Why something that was recorded is not wanted all the same.
fn gone(property: Property) -> Option<String> {
    match property {
        Property::Kinesis => Some("its Kinesis streams are of another Region".to_owned()),
        // What the caller's own overrides rule out, and tags that nobody can set, are no loss.
        _ => None,
    }
}

/// What of a property is not recorded, though the table may have it.
fn missing(property: Property, config: &TableConfig) -> Option<String> {
    let unknown = config.unknown();
    let about = |name: &str| name.split(' ').next() == Some(property.as_str());
    let said = unknown.iter().filter(|(name, _)| about(name));
    let said: Vec<_> = said.map(|(name, why)| format!("{name} was not recorded: {why}")).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

#[cfg(test)]
mod tests;
