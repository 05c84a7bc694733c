//! The JSON Schema of the policy document, for editors: made from the names and bounds that the reader itself uses.
//!
//! It says all that JSON Schema (draft 2020-12) can say. What depends on the stack or on other members only the reader knows:
//! time zones, targets in the policy's own Region, keys of other accounts, keeps of schedules that are not there.

use serde_json::{Map, Value, json};

use super::document::MEMBERS;
use super::schedule::{MONTHS, NTH, WEEKDAYS};
use crate::chain::Flag;
use crate::retention::Keep;

/// The schema. `docs/policy.schema.json` is a copy of it.
pub fn json_schema() -> Value {
    let properties: Map<String, Value> =
        MEMBERS.into_iter().map(|name| (name.to_owned(), member(name))).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "dynachain policy",
        "description": "What to back up, when, how long to keep it and where to copy it.",
        "type": "object",
        "required": ["name", "scope"],
        "additionalProperties": false,
        "properties": properties,
        "$defs": {
            "keep": keep(),
            "time": {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
            "weekdays": distinct(&json!({"enum": WEEKDAYS})),
            "month": {"enum": MONTHS},
            "monthDay": {"type": "string", "pattern": month_day()},
            "tables": tables(),
            "tags": tags(),
        },
    })
}

fn member(name: &str) -> Value {
    match name {
        "name" => described(
            "The policy's name: 1 to 59 letters, digits, hyphens and underscores.",
            json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,59}$"}),
        ),
        "description" => described("What the policy is for.", json!({"type": "string", "maxLength": 512})),
        "enabled" => {
            described("Whether its schedules start sessions.", json!({"type": "boolean", "default": true}))
        }
        "priority" => described(
            "A table that several enabled policies cover belongs to the lowest number.",
            whole(0, 1000, Some(100)),
        ),
        "timezone" => described(
            "The IANA name of the zone of all its local times.",
            json!({"type": "string", "minLength": 1, "default": "UTC"}),
        ),
        "scope" => described("Which tables it covers.", scope()),
        "schedules" => described("When, by the flag that the points get.", schedules()),
        "copies" => described("The vaults that points are copied to.", copies()),
        "cold_storage" => described(
            "When points move to cold storage: later than copies are given up.",
            object(&[("after_days", whole(1, 36_500, None))], &["after_days"]),
        ),
        "tags" => described("Further tags for the recovery points.", own_tags()),
        "retries" => described("How often a failed backup or copy is tried again.", whole(0, 10, Some(3))),
        "keep_last" => described(
            "How many of the newest usable points of each chain stay whatever their age.",
            whole(0, 100, Some(1)),
        ),
        // A member that is new in the reader and unknown here would let anything through; a test sees to it.
        _ => json!(true),
    }
}

fn described(description: &str, mut schema: Value) -> Value {
    schema["description"] = json!(description);
    schema
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

/// An object of just these members.
fn object(properties: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
}

fn whole(least: u32, most: u32, default: Option<u32>) -> Value {
    let mut schema = json!({"type": "integer", "minimum": least, "maximum": most});
    if let Some(default) = default {
        schema["default"] = json!(default);
    }
    schema
}

/// A list that is not empty and has nothing twice.
fn distinct(items: &Value) -> Value {
    json!({"type": "array", "minItems": 1, "uniqueItems": true, "items": items})
}

fn keep() -> Value {
    let units = Keep::MAX.map(|(unit, most)| (unit, whole(1, most, None)));
    let mut one = object(&units, &[]);
    one["minProperties"] = json!(1);
    one["maxProperties"] = json!(1);
    json!({"anyOf": [{"const": "forever"}, one]})
}

fn schedules() -> Value {
    let at = json!({"anyOf": [reference("time"), distinct(&reference("time"))]});
    let schedule = |flag: Flag| {
        let on = match flag {
            Flag::D => json!({"anyOf": [{"enum": ["every day", "workdays"]}, reference("weekdays")]}),
            Flag::W => reference("weekdays"),
            Flag::M | Flag::Y => reference("monthDay"),
        };
        let mut members = vec![("at", at.clone()), ("on", on), ("keep", reference("keep"))];
        let mut required = vec!["at", "on", "keep"];
        match flag {
            Flag::D | Flag::W => {}
            Flag::M => members.push(("months", distinct(&reference("month")))),
            Flag::Y => {
                members.push(("month", reference("month")));
                required.push("month");
            }
        }
        (flag.schedule_name(), object(&members, &required))
    };
    object(&Flag::ALL.map(schedule), &[])
}

fn month_day() -> String {
    let nth: Vec<&str> = NTH.iter().map(|(name, _)| *name).collect();
    format!("^(({}) ({})|day ([1-9]|[12][0-9]|3[01])|last day)$", nth.join("|"), WEEKDAYS.join("|"))
}

/// Table names have 3 to 255 characters; globs may be shorter.
fn tables() -> Value {
    json!({
        "type": "array",
        "uniqueItems": true,
        "items": {
            "type": "string",
            "maxLength": 255,
            "pattern": "^[A-Za-z0-9_.*-]+$",
            "anyOf": [{"minLength": 3}, {"pattern": "\\*"}],
        },
    })
}

/// Letters and digits of any script, as AWS has it.
fn tags() -> Value {
    const TEXT: &str = r"^[\p{Alphabetic}\p{N} _.:/=+\-@]*$";
    json!({
        "type": "object",
        "propertyNames": {"minLength": 1, "maxLength": 128, "pattern": TEXT},
        "additionalProperties": {"type": "string", "maxLength": 256, "pattern": TEXT},
    })
}

fn own_tags() -> Value {
    let reserved = "^([aA][wW][sS]|[dD][yY][nN][aA][cC][hH][aA][iI][nN]):";
    json!({
        "$ref": "#/$defs/tags",
        "maxProperties": super::tags::MOST,
        "propertyNames": {"not": {"pattern": reserved}},
    })
}

fn scope() -> Value {
    let selection = [("tables", reference("tables")), ("tags", reference("tags"))];
    let mut members = vec![("all", json!({"type": "boolean", "default": false}))];
    members.extend(selection.clone());
    members.push(("exclude", object(&selection, &[])));
    let mut scope = object(&members, &[]);
    scope["anyOf"] = json!([
        {"required": ["all"], "properties": {"all": {"const": true}}},
        {"required": ["tables"], "properties": {"tables": {"minItems": 1}}},
        {"required": ["tags"], "properties": {"tags": {"minProperties": 1}}},
    ]);
    scope
}

fn copies() -> Value {
    const REGION: &str = "(?=[^:]*-[^:]*-)[a-z0-9][a-z0-9-]{8,24}";
    let arn = |service: &str, resource: &str| {
        let pattern = format!("^arn:aws[^:]*:{service}:{REGION}:[0-9]{{12}}:{resource}$");
        json!({"type": "string", "pattern": pattern})
    };
    let mut keeps = object(&Flag::ALL.map(|flag| (flag.schedule_name(), reference("keep"))), &[]);
    keeps["minProperties"] = json!(1);
    let members = [
        ("vault", arn("backup", "backup-vault:[A-Za-z0-9_-]{2,50}")),
        ("key", arn("kms", "key/.+")),
        ("keep", keeps),
    ];
    json!({
        "type": "array",
        "maxItems": super::target::MOST,
        "items": object(&members, &["vault", "keep"]),
    })
}

#[cfg(test)]
mod tests;
