//! The policy document, version 1: read whole, with every problem at once, and written in one canonical form.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::reader::{Problems, Spot};
use super::schedule::{self, Schedules};
use super::{CopyTarget, Scope, Zone, tags, target};
use crate::chain::{Flag, Flags, PerFlag};
use crate::error::Problem;
use crate::id::{KeyArn, PolicyName, VaultArn};
use crate::retention::Keep;

/// The largest document, in bytes of compact JSON: it is one item of the catalog, and DynamoDB's items end at 400 KB
/// (Amazon DynamoDB Developer Guide, "Quotas").
const LARGEST: usize = 300 * 1024;

pub(super) const MEMBERS: [&str; 12] = [
    "name",
    "description",
    "enabled",
    "priority",
    "timezone",
    "scope",
    "schedules",
    "copies",
    "cold_storage",
    "tags",
    "retries",
    "keep_last",
];

/// Where a policy lives, which some of its rules refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The stack's Region, such as `eu-central-1`.
    pub region: String,
    /// The stack's account, 12 digits.
    pub account: String,
    /// After how many days a copy is given up; points must not move to cold storage before.
    pub copy_deadline_days: u32,
}

/// A policy document that keeps every rule. Its JSON form is canonical: defaults written out, what does not apply left
/// out, lists in one order, so that two documents that mean the same are written the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    /// The policy's name.
    pub name: PolicyName,
    /// What it is for, in the user's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether its schedules start sessions.
    pub enabled: bool,
    /// 0 to 1000; a table that several enabled policies cover belongs to the lowest number.
    pub priority: u32,
    /// The zone of all its local times.
    pub timezone: Zone,
    /// Which tables it covers.
    pub scope: Scope,
    /// When, by the flag that the points get. There may be none: such a policy runs only by hand.
    pub schedules: Schedules,
    /// Where points are copied; in the order of the vaults' ARNs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<CopyTarget>,
    /// When points move to cold storage, if at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cold_storage: Option<ColdStorage>,
    /// Further tags for its recovery points.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// How often a failed backup or copy is tried again.
    pub retries: u32,
    /// How many of the newest usable points of each chain stay whatever their age.
    pub keep_last: u32,
}

/// The move to cold storage. It applies only to points that will live at least 90 days longer (AWS Backup Developer
/// Guide, "Lifecycle").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ColdStorage {
    /// Days after the start of the backup.
    pub after_days: u32,
}

impl Document {
    /// How often a failed backup or copy is tried again where nothing else is said.
    pub const DEFAULT_RETRIES: u32 = 3;

    /// Reads a document that somebody wants to apply in `home`.
    ///
    /// # Errors
    /// Every problem the document has, in document order.
    pub fn parse(value: &Value, home: &Home) -> Result<Self, Vec<Problem>> {
        let size = value.to_string().len();
        if size > LARGEST { Err(too_large(size)) } else { read(value, Some(home)) }
    }

    /// Reads a document from the bytes of a file or request.
    ///
    /// # Errors
    /// As [`Document::parse`]; bytes that are no JSON, or too many, are one problem.
    pub fn parse_bytes(bytes: &[u8], home: &Home) -> Result<Self, Vec<Problem>> {
        if bytes.len() > LARGEST {
            return Err(too_large(bytes.len()));
        }
        let value = serde_json::from_slice(bytes)
            .map_err(|error| vec![Problem::new("$", format!("is not JSON: {error}"))])?;
        read(&value, Some(home))
    }

    /// How long each schedule's points are kept in the policy's own vault.
    pub fn keeps(&self) -> PerFlag<Keep> {
        self.schedules.map(|schedule| schedule.keep)
    }

    /// The flags for which the policy has schedules.
    pub fn flags(&self) -> Flags {
        self.schedules.flags()
    }

    /// The keys in other accounts under which a point's data key is wrapped too that is copied to these of the targets: each
    /// once, in the order of the targets.
    pub fn recipients(&self, is_target: impl Fn(&VaultArn) -> bool) -> Vec<&KeyArn> {
        let mut keys: Vec<&KeyArn> = Vec::new();
        for key in
            self.copies.iter().filter(|copy| is_target(&copy.vault)).filter_map(|copy| copy.key.as_ref())
        {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }
}

fn too_large(size: usize) -> Vec<Problem> {
    let (size, most) = (size.div_ceil(1024), LARGEST / 1024);
    vec![Problem::new(
        "$",
        format!(
            "is too large ({size} KB), at most {most} KB are possible; use globs or tags instead of long lists"
        ),
    )]
}

/// A document that was accepted once: what depends on the stack's settings is not asked again.
impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        read(&value, None).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            serde::de::Error::custom(lines.join("; "))
        })
    }
}

fn read(value: &Value, home: Option<&Home>) -> Result<Document, Vec<Problem>> {
    let problems = Problems::default();
    let document = read_members(&Spot::root(value, &problems), home);
    problems.finish(document)
}

fn read_members(root: &Spot<'_>, home: Option<&Home>) -> Option<Document> {
    let members = root.object(&MEMBERS)?;
    let name = members.required("name", "give the policy a name").and_then(|name| name.id("a policy's name"));
    let description = members.optional("description", read_description);
    let enabled = members.or("enabled", true, Spot::boolean);
    let priority = members.or("priority", 100, |spot| spot.whole(0..=1000));
    let timezone = members.or("timezone", Zone::utc(), Zone::read);
    let scope = members
        .required(
            "scope",
            "say which tables are covered, such as {\"tables\": [\"order-*\"]} or {\"all\": true}",
        )
        .and_then(|scope| Scope::read(&scope));
    let schedules = members.or("schedules", Schedules::default(), schedule::read_all);
    // Judged by the names alone, so that a mistake inside a schedule is not reported a second time as its absence.
    let named: Flags = match members.get("schedules").as_ref().map(Spot::value) {
        Some(Value::Object(map)) => {
            Flag::ALL.into_iter().filter(|flag| map.contains_key(flag.schedule_name())).collect()
        }
        _ => Flags::NONE,
    };
    let copies = members.or("copies", Vec::new(), |spot| target::read_all(spot, named, home));
    let cold_storage = members.optional("cold_storage", |spot| read_cold_storage(spot, home));
    let tags = members.or("tags", BTreeMap::new(), tags::read_own);
    let retries = members.or("retries", Document::DEFAULT_RETRIES, |spot| spot.whole(0..=10));
    let keep_last = members.or("keep_last", 1, |spot| spot.whole(0..=100));
    Some(Document {
        name: name?,
        description: description?,
        enabled: enabled?,
        priority: priority?,
        timezone: timezone?,
        scope: scope?,
        schedules: schedules?,
        copies: copies?,
        cold_storage: cold_storage?,
        tags: tags?,
        retries: retries?,
        keep_last: keep_last?,
    })
}

fn read_description(spot: &Spot<'_>) -> Option<String> {
    let text = spot.text("a text of at most 512 characters")?;
    let length = text.chars().count();
    if length > 512 {
        spot.note(format!("has {length} characters, at most 512 are possible"));
        return None;
    }
    Some(text.to_owned())
}

fn read_cold_storage(spot: &Spot<'_>, home: Option<&Home>) -> Option<ColdStorage> {
    let members = spot.object(&["after_days"])?;
    let after = members.required("after_days", "say after how many days points move to cold storage")?;
    let after_days = after.whole(1..=36_500)?;
    match home {
        Some(home) if after_days <= home.copy_deadline_days => {
            after.note(format!(
                "is {after_days}, it must be more than CopyDeadlineDays ({}): a point in cold storage can no longer be copied",
                home.copy_deadline_days
            ));
            None
        }
        _ => Some(ColdStorage { after_days }),
    }
}

#[cfg(test)]
pub(super) mod tests;
