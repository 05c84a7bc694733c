//! Flags: which of the schedules daily, weekly, monthly and yearly a restore point serves.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the four schedules a restore point can serve. Ordered from daily to yearly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Flag {
    /// Daily.
    D,
    /// Weekly.
    W,
    /// Monthly.
    M,
    /// Yearly.
    Y,
}

impl Flag {
    /// All flags, in their order.
    pub const ALL: [Self; 4] = [Self::D, Self::W, Self::M, Self::Y];

    /// The name that the policy document uses: `daily` … `yearly`.
    pub fn schedule_name(self) -> &'static str {
        match self {
            Self::D => "daily",
            Self::W => "weekly",
            Self::M => "monthly",
            Self::Y => "yearly",
        }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::D => "D",
            Self::W => "W",
            Self::M => "M",
            Self::Y => "Y",
        })
    }
}

/// A set of flags; written as a list of `"D" "W" "M" "Y"` in that order.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Flag>", into = "Vec<Flag>")]
pub struct Flags(u8);

impl Flags {
    /// No flag at all.
    pub const NONE: Self = Self(0);

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `flag` is in the set.
    pub fn contains(self, flag: Flag) -> bool {
        self.0 & bit(flag) != 0
    }

    /// The set with `flag` added.
    #[must_use]
    pub fn with(self, flag: Flag) -> Self {
        Self(self.0 | bit(flag))
    }

    /// The flags, daily first.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |flag| self.contains(*flag))
    }

    /// These and those.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// All but D: those that are owed when they are lost, for no other point of the day makes up for them.
    #[must_use]
    pub fn above_daily(self) -> Self {
        Self(self.0 & !bit(Flag::D))
    }
}

fn bit(flag: Flag) -> u8 {
    match flag {
        Flag::D => 1,
        Flag::W => 2,
        Flag::M => 4,
        Flag::Y => 8,
    }
}

impl FromIterator<Flag> for Flags {
    fn from_iter<T: IntoIterator<Item = Flag>>(flags: T) -> Self {
        flags.into_iter().fold(Self::NONE, Self::with)
    }
}

impl From<Vec<Flag>> for Flags {
    fn from(flags: Vec<Flag>) -> Self {
        flags.into_iter().collect()
    }
}

impl From<Flags> for Vec<Flag> {
    fn from(flags: Flags) -> Self {
        flags.iter().collect()
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Something said separately for each of some flags, such as how long to keep a point for each of them.
///
/// A flag that this version does not know makes the whole unreadable, other than unknown members elsewhere: whoever left it
/// out would think that nothing keeps the point any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerFlag<T> {
    /// For the daily flag.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub daily: Option<T>,
    /// For the weekly flag.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub weekly: Option<T>,
    /// For the monthly flag.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub monthly: Option<T>,
    /// For the yearly flag.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub yearly: Option<T>,
}

fn none<T>() -> Option<T> {
    None
}

impl<T> Default for PerFlag<T> {
    fn default() -> Self {
        Self { daily: None, weekly: None, monthly: None, yearly: None }
    }
}

impl<T> PerFlag<T> {
    /// What is said for `flag`.
    pub fn get(&self, flag: Flag) -> Option<&T> {
        match flag {
            Flag::D => self.daily.as_ref(),
            Flag::W => self.weekly.as_ref(),
            Flag::M => self.monthly.as_ref(),
            Flag::Y => self.yearly.as_ref(),
        }
    }

    /// Says `value` for `flag`, in place of what was said before.
    pub fn set(&mut self, flag: Flag, value: T) {
        match flag {
            Flag::D => self.daily = Some(value),
            Flag::W => self.weekly = Some(value),
            Flag::M => self.monthly = Some(value),
            Flag::Y => self.yearly = Some(value),
        }
    }

    /// The flags for which something is said, daily first, with what is said.
    pub fn iter(&self) -> impl Iterator<Item = (Flag, &T)> {
        Flag::ALL.into_iter().filter_map(|flag| self.get(flag).map(|value| (flag, value)))
    }

    /// What is made of each value.
    pub fn map<U>(&self, make: impl Fn(&T) -> U) -> PerFlag<U> {
        let mut made = PerFlag::default();
        for (flag, value) in self.iter() {
            made.set(flag, make(value));
        }
        made
    }

    /// Only what there is for these flags.
    #[must_use]
    pub fn only(&self, flags: Flags) -> Self
    where
        T: Clone,
    {
        let mut only = Self::default();
        for (flag, value) in self.iter().filter(|(flag, _)| flags.contains(*flag)) {
            only.set(flag, value.clone());
        }
        only
    }

    /// The flags for which something is said.
    pub fn flags(&self) -> Flags {
        self.iter().map(|(flag, _)| flag).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_written_in_the_order_daily_to_yearly() {
        let flags: Flags = [Flag::Y, Flag::D, Flag::M].into_iter().collect();
        assert_eq!(serde_json::to_string(&flags).unwrap(), r#"["D","M","Y"]"#);
        assert_eq!(serde_json::from_str::<Flags>(r#"["M","Y","D","D"]"#).unwrap(), flags);
        assert!(serde_json::from_str::<Flags>(r#"["X"]"#).is_err());
    }

    #[test]
    fn per_flag_values_name_the_schedules() {
        let mut keep = PerFlag::default();
        keep.set(Flag::W, 14);
        keep.set(Flag::D, 3);
        assert_eq!(serde_json::to_string(&keep).unwrap(), r#"{"daily":3,"weekly":14}"#);
        assert_eq!(keep.iter().collect::<Vec<_>>(), [(Flag::D, &3), (Flag::W, &14)]);
        assert_eq!(keep.flags(), [Flag::D, Flag::W].into_iter().collect());
    }

    #[test]
    fn a_flag_that_nobody_knows_is_not_passed_over() {
        let fifth = serde_json::from_str::<PerFlag<u32>>(r#"{"daily":3,"hourly":24}"#);
        assert!(fifth.unwrap_err().to_string().contains("hourly"));
    }
}
