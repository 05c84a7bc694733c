//! What retention decides about a point, and why.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::chain::Flag;

/// What is to become of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// A flag or an extension keeps it.
    Keep,
    /// Nothing keeps it.
    Delete,
    /// No flag keeps it, but something else forbids to delete it.
    Protected,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "keep",
            Self::Delete => "delete",
            Self::Protected => "protected",
        })
    }
}

/// Why a point stays or goes, in the order in which answers list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// Its daily flag is active.
    FlagD,
    /// Its weekly flag is active.
    FlagW,
    /// Its monthly flag is active.
    FlagM,
    /// Its yearly flag is active.
    FlagY,
    /// An end of its own is still to come, which no flag gave it: an extension, or the `keep` of a session started by hand.
    Extended,
    /// None of those: it has outlived its flags, or never had one.
    NoActiveFlag,
    /// It was taken by hand, outside every chain.
    Manual,
    /// It is not ours.
    Foreign,
    /// Its metadata is not authentic, or of another point.
    Suspect,
    /// Its metadata cannot be read.
    Unreadable,
    /// AWS is still at work on it: it has no status that lasts.
    NotFinal,
    /// It is among the newest usable points of its chain.
    KeepLast,
    /// A copy that is still wanted has not been made of it.
    CopyPending,
    /// A legal hold covers it.
    LegalHold,
    /// Its vault is locked: AWS refuses every delete there.
    VaultLock,
    /// It is dated ahead of now: a clock is wrong.
    Future,
}

impl Reason {
    /// All of them, in their order.
    pub const ALL: [Self; 16] = [
        Self::FlagD,
        Self::FlagW,
        Self::FlagM,
        Self::FlagY,
        Self::Extended,
        Self::NoActiveFlag,
        Self::Manual,
        Self::Foreign,
        Self::Suspect,
        Self::Unreadable,
        Self::NotFinal,
        Self::KeepLast,
        Self::CopyPending,
        Self::LegalHold,
        Self::VaultLock,
        Self::Future,
    ];

    /// The reason that an active flag is.
    pub fn of_flag(flag: Flag) -> Self {
        match flag {
            Flag::D => Self::FlagD,
            Flag::W => Self::FlagW,
            Flag::M => Self::FlagM,
            Flag::Y => Self::FlagY,
        }
    }

    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FlagD => "flag_D",
            Self::FlagW => "flag_W",
            Self::FlagM => "flag_M",
            Self::FlagY => "flag_Y",
            Self::Extended => "extended",
            Self::NoActiveFlag => "no_active_flag",
            Self::Manual => "manual",
            Self::Foreign => "foreign",
            Self::Suspect => "suspect",
            Self::Unreadable => "unreadable",
            Self::NotFinal => "not_final",
            Self::KeepLast => "keep_last",
            Self::CopyPending => "copy_pending",
            Self::LegalHold => "legal_hold",
            Self::VaultLock => "vault_lock",
            Self::Future => "future",
        }
    }

    /// What the reason means for its point, as long as no weightier one applies.
    fn decision(self) -> Decision {
        match self {
            Self::FlagD | Self::FlagW | Self::FlagM | Self::FlagY | Self::Extended => Decision::Keep,
            Self::NoActiveFlag => Decision::Delete,
            _ => Decision::Protected,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// All the reasons that apply to one point; written as a list in the order of [`Reason::ALL`].
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Reasons(u16);

impl Reasons {
    /// Whether `reason` applies.
    pub fn contains(self, reason: Reason) -> bool {
        self.0 & bit(reason) != 0
    }

    /// These, and `reason` where it applies.
    #[must_use]
    pub fn with(self, reason: Reason, applies: bool) -> Self {
        match applies {
            true => Self(self.0 | bit(reason)),
            false => self,
        }
    }

    /// The reasons in their order.
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        Reason::ALL.into_iter().filter(move |reason| self.contains(*reason))
    }

    /// What they amount to: an active flag or an extension keeps the point; otherwise any protection protects it; only where
    /// nothing but `no_active_flag` is said does it go.
    pub fn decision(self) -> Decision {
        let says = |decision| self.iter().any(|reason| reason.decision() == decision);
        if says(Decision::Keep) {
            Decision::Keep
        } else if says(Decision::Delete) && !says(Decision::Protected) {
            Decision::Delete
        } else {
            Decision::Protected
        }
    }
}

fn bit(reason: Reason) -> u16 {
    1 << reason as u16
}

impl FromIterator<Reason> for Reasons {
    fn from_iter<T: IntoIterator<Item = Reason>>(reasons: T) -> Self {
        reasons.into_iter().fold(Self::default(), |all, reason| all.with(reason, true))
    }
}

impl fmt::Debug for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Reasons {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_listed_in_the_order_of_the_contract() {
        let words: Vec<_> =
            Reason::ALL.iter().rev().copied().collect::<Reasons>().iter().map(Reason::as_str).collect();
        let contract = "flag_D flag_W flag_M flag_Y extended no_active_flag manual foreign suspect unreadable not_final \
                        keep_last copy_pending legal_hold vault_lock future";
        assert_eq!(words.join(" "), contract);
        let json =
            serde_json::to_value(Reasons::default().with(Reason::Future, true).with(Reason::FlagD, true));
        assert_eq!(json.unwrap(), serde_json::json!(["flag_D", "future"]));
    }

    #[test]
    fn a_point_goes_only_where_nothing_but_the_lack_of_a_flag_is_said() {
        for n in 0..=u16::MAX {
            let reasons = Reasons(n);
            assert_eq!(reasons.decision() == Decision::Delete, n == bit(Reason::NoActiveFlag), "{reasons:?}");
        }
        assert_eq!(Reasons::default().decision(), Decision::Protected, "nothing said is a doubt");
        let kept: Reasons = [Reason::FlagW, Reason::KeepLast].into_iter().collect();
        assert_eq!(kept.decision(), Decision::Keep);
        assert_eq!(serde_json::to_value(Decision::Protected).unwrap(), "protected");
    }
}
