//! Scope: which tables a policy covers, and which of several policies a table belongs to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Document;
use super::pattern::TablePatterns;
use super::reader::Spot;
use super::tags;
use crate::id::{PolicyName, TableName};

const MEMBERS: [&str; 4] = ["all", "tables", "tags", "exclude"];

/// The tables a policy covers: the union of what it names, less what it excludes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// Every table of the Region.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// Tables by name and tag.
    #[serde(flatten)]
    pub include: Selection,
    /// Tables that are not covered whatever else is said.
    #[serde(skip_serializing_if = "Selection::is_empty")]
    pub exclude: Selection,
}

/// Tables by name, glob and tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// Names and `*` globs.
    #[serde(skip_serializing_if = "TablePatterns::is_empty")]
    pub tables: TablePatterns,
    /// Tables that carry any of these pairs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A table as far as a scope looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// Its tags; empty when no scope asks for tags.
    pub tags: BTreeMap<String, String>,
}

impl Selection {
    /// Whether no table can be selected.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.tags.is_empty()
    }

    fn selects(&self, name: &TableName, tags: &BTreeMap<String, String>) -> bool {
        self.tables.matches(name) || self.tags.iter().any(|(key, value)| tags.get(key) == Some(value))
    }

    fn read(tables: Option<Spot<'_>>, pairs: Option<Spot<'_>>) -> Option<Self> {
        let tables = tables.map_or_else(|| Some(TablePatterns::default()), |spot| TablePatterns::read(&spot));
        let tags = pairs.map_or_else(|| Some(BTreeMap::new()), |spot| tags::read(&spot));
        Some(Self { tables: tables?, tags: tags? })
    }
}

impl Scope {
    /// Whether a table with these tags is covered.
    pub fn covers(&self, name: &TableName, tags: &BTreeMap<String, String>) -> bool {
        (self.all || self.include.selects(name, tags)) && !self.exclude.selects(name, tags)
    }

    /// The keys of the tags that make a difference.
    pub fn tag_keys(&self) -> impl Iterator<Item = &str> {
        self.include.tags.keys().chain(self.exclude.tags.keys()).map(String::as_str)
    }

    pub(super) fn read(spot: &Spot<'_>) -> Option<Self> {
        let members = spot.object(&MEMBERS)?;
        let all = members.or("all", false, Spot::boolean);
        let include = Selection::read(members.get("tables"), members.get("tags"));
        let exclude = members.or("exclude", Selection::default(), |spot| {
            let members = spot.object(&["tables", "tags"])?;
            Selection::read(members.get("tables"), members.get("tags"))
        });
        let scope = Self { all: all?, include: include?, exclude: exclude? };
        // A misspelt member is not reported a second time as its absence.
        let understood = members.iter().all(|member| MEMBERS.contains(&member.name));
        if !scope.all && scope.include.is_empty() && understood {
            spot.note(
                "is empty, so no table would be covered; give \"tables\" or \"tags\", or {\"all\": true}",
            );
        }
        Some(scope)
    }
}

/// What a policy covers when all enabled policies are considered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    /// The tables that belong to the policy, in name order.
    pub covered: Vec<TableName>,
    /// Tables in its scope that belong to a stronger policy, which is named; in name order.
    pub skipped: Vec<(TableName, PolicyName)>,
    /// Names in its scope of which there is no table, in name order.
    pub missing: Vec<TableName>,
}

/// The keys of the tables' tags that [`assign`] looks at for this policy among these; often none.
pub fn tag_keys<'a>(policy: &'a Document, enabled: &[&'a Document]) -> BTreeSet<&'a str> {
    let own = policy.scope.tag_keys();
    own.chain(stronger(policy, enabled).into_iter().flat_map(|other| other.scope.tag_keys())).collect()
}

/// What `policy` covers of `tables`, where every table belongs to the strongest of the policies whose scope has it: the
/// lowest priority, then the first in name order. `enabled` are all enabled policies; whether `policy` itself is among
/// them, in whatever version, makes no difference.
pub fn assign(policy: &Document, enabled: &[&Document], tables: &[Table]) -> Assignment {
    let stronger = stronger(policy, enabled);
    let mut assignment = Assignment::default();
    for table in tables.iter().filter(|table| policy.scope.covers(&table.name, &table.tags)) {
        match stronger.iter().find(|other| other.scope.covers(&table.name, &table.tags)) {
            Some(other) => assignment.skipped.push((table.name.clone(), other.name.clone())),
            None => assignment.covered.push(table.name.clone()),
        }
    }
    let existing: std::collections::HashSet<&TableName> = tables.iter().map(|table| &table.name).collect();
    let gone = |name: &&TableName| !existing.contains(name) && !policy.scope.exclude.tables.matches(name);
    assignment.missing = policy.scope.include.tables.literals().filter(gone).cloned().collect();
    assignment.covered.sort();
    assignment.skipped.sort();
    assignment
}

/// The policies that come before this one, strongest first.
fn stronger<'a>(policy: &Document, enabled: &[&'a Document]) -> Vec<&'a Document> {
    let rank = |policy: &Document| (policy.priority, policy.name.clone());
    let mut stronger: Vec<&Document> = enabled
        .iter()
        .copied()
        .filter(|other| other.enabled && other.name != policy.name && rank(other) < rank(policy))
        .collect();
    stronger.sort_by_key(|policy| rank(policy));
    stronger
}

#[cfg(test)]
mod tests;
