//! Reading how long something is kept.

use serde_json::Value;

use super::reader::{Members, Problems, Spot, unknown};
use crate::chain::{Flag, PerFlag};
use crate::error::Problem;
use crate::retention::Keep;

const EXPECTED: &str = "one of {\"hours\"|\"days\"|\"weeks\"|\"months\"|\"years\": n}, or \"forever\"";
const UNITS: [&str; 5] = ["hours", "days", "weeks", "months", "years"];

/// Reads how long something is kept, where a request says so at `path`: `{"days": 3}` … or `"forever"`.
///
/// # Errors
/// Every problem, at its JSON path.
pub fn parse_keep(value: &Value, path: &str) -> Result<Keep, Vec<Problem>> {
    let problems = Problems::default();
    let read = read(&Spot::at(path, value, &problems));
    problems.finish(read)
}

/// `{"days": 3}` … or `"forever"`.
pub(super) fn read(spot: &Spot<'_>) -> Option<Keep> {
    if let Some("forever") = spot.value().as_str() {
        return Some(Keep::Forever);
    }
    let members = spot.map(EXPECTED)?;
    if members.len() != 1 {
        spot.note(format!("has {} members, it must be exactly {EXPECTED}", members.len()));
    }
    let read: Vec<Option<Keep>> = members
        .iter()
        .map(|member| match Keep::MAX.into_iter().find(|(unit, _)| *unit == member.name) {
            Some((unit, most)) => member.spot.whole(1..=most).and_then(|n| of(unit, n)),
            None => {
                member.spot.note(unknown(member.name, &UNITS));
                None
            }
        })
        .collect();
    match read.as_slice() {
        [keep] => *keep,
        _ => None,
    }
}

fn of(unit: &str, n: u32) -> Option<Keep> {
    Some(match unit {
        "hours" => Keep::Hours(n),
        "days" => Keep::Days(n),
        "weeks" => Keep::Weeks(n),
        "months" => Keep::Months(n),
        "years" => Keep::Years(n),
        _ => return None,
    })
}

/// How long each flag is kept, for some flags.
pub(super) fn read_per_flag(members: &Members<'_>) -> Option<PerFlag<Keep>> {
    let mut keeps = PerFlag::default();
    let mut sound = true;
    for flag in Flag::ALL {
        match members.optional(flag.schedule_name(), read) {
            Some(Some(keep)) => keeps.set(flag, keep),
            Some(None) => {}
            None => sound = false,
        }
    }
    sound.then_some(keeps)
}
