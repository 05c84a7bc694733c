//! Time zones by their IANA name.

use std::fmt;
use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Serialize, Serializer};

use super::reader::{Spot, brief, nearest};

/// The database that is compiled in, so that every machine knows the same zones and rules.
static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone and its IANA name, such as `Europe/Berlin`. Two zones are equal when their names are.
#[derive(Clone)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// UTC, the zone of a policy that names none.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// The zone of this name; upper and lower case do not matter, the name is kept as IANA spells it.
    pub fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("UTC") {
            return Some(Self::utc());
        }
        let zone = DATABASE.get(name).ok().filter(|zone| !zone.is_unknown())?;
        let name = zone.iana_name()?.to_owned();
        Some(Self { name, zone })
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone's rules.
    pub fn rules(&self) -> &TimeZone {
        &self.zone
    }

    pub(super) fn read(spot: &Spot<'_>) -> Option<Self> {
        let name = spot.text("the IANA name of a time zone, such as \"Europe/Berlin\"")?;
        let zone = Self::named(name);
        if zone.is_none() {
            let known: Vec<String> = DATABASE.available().map(|name| name.to_string()).collect();
            let advice = match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near:?}?"),
                None => "use one such as \"Europe/Berlin\" or \"UTC\"".to_owned(),
            };
            spot.note(format!("{} is not the IANA name of a time zone; {advice}", brief(spot.value())));
        }
        zone
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Europe/Berlin", Some("Europe/Berlin"))]
    #[case("europe/BERLIN", Some("Europe/Berlin"))]
    #[case("utc", Some("UTC"))]
    #[case("Asia/Kathmandu", Some("Asia/Kathmandu"))]
    #[case("Mars/Olympus", None)]
    #[case("right/Europe/Berlin", None)]
    #[case("Etc/Unknown", None)]
    #[case("../etc/passwd", None)]
    #[case("+01:00", None)]
    #[case("", None)]
    fn a_zone_is_known_by_its_iana_name(#[case] name: &str, #[case] known: Option<&str>) {
        assert_eq!(Zone::named(name).as_ref().map(Zone::name), known);
    }
}
