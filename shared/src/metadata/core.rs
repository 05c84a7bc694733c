//! The core: all that copying and retention need to know about a point, and how it came to be.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::chain::{Flags, PerFlag};
use crate::id::{PolicyName, SessionId, VaultArn};
use crate::retention::{End, Keep};

/// Whether a point belongs to a chain or was taken by hand, outside every chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Made by a session; retention may remove it.
    #[serde(rename = "c")]
    Chain,
    /// Taken by hand; retention never removes it.
    #[serde(rename = "m")]
    Manual,
}

impl Kind {
    /// The value of the plain tag.
    pub fn as_tag(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Manual => "manual",
        }
    }

    pub(super) fn from_tag(value: &str) -> Option<Self> {
        [Self::Chain, Self::Manual].into_iter().find(|kind| kind.as_tag() == value)
    }
}

/// The policy as it was when a point was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyStamp {
    /// The policy's id, which outlives no deletion.
    #[serde(rename = "i")]
    pub id: Uuid,
    /// Its name.
    #[serde(rename = "n")]
    pub name: PolicyName,
    /// Its version.
    #[serde(rename = "v")]
    pub version: u64,
    /// The IANA time zone in which its calendar counts.
    #[serde(rename = "z")]
    pub timezone: String,
}

/// What is to be copied to one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyPlan {
    /// How long a copy is kept there, for the flags of this point that the target names.
    #[serde(rename = "k")]
    pub keep: PerFlag<Keep>,
}

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        let mut sum = [0; 32];
        sum.copy_from_slice(digest.as_ref());
        Self(sum)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ciborium::Value::deserialize(deserializer)?;
        let bytes = value.as_bytes().and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("a digest has 32 bytes"))
    }
}

/// What a point's own sealed metadata says about it: retention and copying read nothing else.
///
/// Written in CBOR with short names, for tags have little room; wrap it in [`Evolving`](crate::evolving::Evolving) to encode and decode it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Core {
    /// Chain or manual.
    #[serde(rename = "k")]
    pub kind: Kind,
    /// The policy that made it; none for a manual backup.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyStamp>,
    /// The session that made it; none for a manual backup.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The moment the session was scheduled for; retention counts from it. For one by hand, the moment it began.
    #[serde(rename = "at", with = "jiff::fmt::serde::timestamp::second::required")]
    pub scheduled_at: Timestamp,
    /// When this table's backup was asked for.
    #[serde(rename = "st", with = "jiff::fmt::serde::timestamp::second::required")]
    pub started_at: Timestamp,
    /// Minutes that AWS Backup had to begin with it.
    #[serde(rename = "sw")]
    pub start_window_minutes: u32,
    /// The table's id: a table of the same name that is created anew has another.
    #[serde(rename = "t")]
    pub table_id: String,
    /// The vault it was made in.
    #[serde(rename = "h")]
    pub home_vault: VaultArn,
    /// How long each flag of the point keeps it; a point has the flags named here.
    #[serde(rename = "f", default, skip_serializing_if = "no_flags")]
    pub keep: PerFlag<Keep>,
    /// How long it is kept without any flag: sessions started by hand with a `keep`.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub own_keep: Option<Keep>,
    /// How long somebody extended its life, in this vault or in the one it was copied from; flags that end later still keep
    /// it longer.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none", with = "short_end")]
    pub until: Option<End>,
    /// Where it is to be copied.
    #[serde(rename = "c", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub copies: BTreeMap<VaultArn, CopyPlan>,
    /// How many usable points of its chain stay, whatever else retention says.
    #[serde(rename = "l")]
    pub keep_last: u32,
    /// Days after which it moves to cold storage; not at all if `None`.
    #[serde(rename = "cs", default, skip_serializing_if = "Option::is_none")]
    pub cold_after_days: Option<u32>,
    /// SHA-256 of the encoded table configuration.
    #[serde(rename = "d")]
    pub config_digest: Digest,
    /// Items in the table as DynamoDB last counted them (it does so about every six hours).
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub item_count: Option<u64>,
    /// The table's size in bytes, as old as the count.
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// The version of dynachain that made it.
    #[serde(rename = "v")]
    pub product_version: String,
}

/// An end in few bytes: seconds since 1970, or `"forever"`. Anything else is no end that this version could honour, and
/// the whole core is unreadable.
mod short_end {
    use jiff::Timestamp;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::retention::End;

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Short {
        Second(i64),
        Word(String),
    }

    pub(super) fn serialize<S: Serializer>(end: &Option<End>, serializer: S) -> Result<S::Ok, S::Error> {
        let short = |end: &End| match end {
            End::At(end) => Short::Second(end.as_second()),
            End::Never => Short::Word(End::Never.to_string()),
        };
        end.as_ref().map(short).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<End>, D::Error> {
        match Short::deserialize(deserializer)? {
            Short::Second(second) => Timestamp::from_second(second).map(End::At).map_err(D::Error::custom),
            Short::Word(word) if word == End::Never.to_string() => Ok(End::Never),
            Short::Word(word) => Err(D::Error::custom(format!("{word:?} is no end"))),
        }
        .map(Some)
    }
}

fn no_flags(keep: &PerFlag<Keep>) -> bool {
    keep.flags().is_empty()
}

impl Core {
    /// The flags the point carries.
    pub fn flags(&self) -> Flags {
        self.keep.flags()
    }

    /// Whether a recovery point created at this moment can be the one the record was made for: not before the backup was
    /// asked for and not after AWS Backup had to begin, with some minutes for clocks that differ. Copies keep the creation
    /// date of their source (AWS Backup Developer Guide, "Creating a copy").
    pub fn fits_creation(&self, created_at: Timestamp) -> bool {
        let early = SignedDuration::from_mins(5);
        let late = SignedDuration::from_mins(i64::from(self.start_window_minutes) + 15);
        let (from, until) = (self.started_at.checked_sub(early), self.started_at.checked_add(late));
        from.is_ok_and(|from| from <= created_at) && until.is_ok_and(|until| created_at <= until)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rstest::rstest;

    use super::*;
    use crate::chain::Flag;
    use crate::evolving::Evolving;

    pub(crate) fn core() -> Core {
        let mut keep = PerFlag::default();
        keep.set(Flag::D, Keep::Days(3));
        keep.set(Flag::M, Keep::Months(6));
        let target = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain".parse().unwrap();
        Core {
            kind: Kind::Chain,
            policy: Some(PolicyStamp {
                id: Uuid::from_u128(7),
                name: "orders".parse().unwrap(),
                version: 3,
                timezone: "Europe/Berlin".to_owned(),
            }),
            session: Some("orders@2025-01-06T06:00:00Z".parse().unwrap()),
            scheduled_at: "2025-01-06T06:00:00Z".parse().unwrap(),
            started_at: "2025-01-06T06:01:10Z".parse().unwrap(),
            start_window_minutes: 120,
            table_id: "0b2f6d3e-0000-4000-8000-000000000001".to_owned(),
            home_vault: "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain".parse().unwrap(),
            keep: keep.clone(),
            own_keep: None,
            until: None,
            copies: [(target, CopyPlan { keep })].into(),
            keep_last: 1,
            cold_after_days: None,
            config_digest: Digest::of(b"config"),
            item_count: Some(12_000),
            size_bytes: Some(3_400_000),
            product_version: "0.1.0".to_owned(),
        }
    }

    #[test]
    fn a_core_survives_encoding_and_is_small_enough_for_its_tags() {
        let bytes = Evolving::new(core()).encode().unwrap();
        assert_eq!(Evolving::<Core>::decode(&bytes).unwrap().value, core());
        let sealed = 1 + 12 + 16 + miniz_oxide::deflate::compress_to_vec(&bytes, 10).len();
        // Ten tags at the start: five of the policy, one plain, one key leave three pieces of 192 bytes.
        assert!(sealed < 3 * 192, "{sealed} bytes sealed, {} encoded", bytes.len());
    }

    #[test]
    fn an_extension_survives_encoding_and_one_that_makes_no_sense_is_refused() {
        for until in [End::At("2031-05-06T07:08:09Z".parse().unwrap()), End::Never] {
            let extended = Core { until: Some(until), ..core() };
            let bytes = Evolving::new(extended.clone()).encode().unwrap();
            assert_eq!(Evolving::<Core>::decode(&bytes).unwrap().value, extended);
        }
        let mut bytes = Vec::new();
        let mut tree = ciborium::Value::serialized(&core()).unwrap();
        tree.as_map_mut().unwrap().push(("u".into(), "for ever and a day".into()));
        ciborium::into_writer(&tree, &mut bytes).unwrap();
        assert!(Evolving::<Core>::decode(&bytes).is_err());
    }

    #[rstest]
    #[case::of_the_point("f")]
    #[case::of_a_copy("c")]
    fn a_keep_for_a_flag_of_a_later_version_makes_a_core_unreadable(#[case] member: &str) {
        let mut tree = ciborium::Value::serialized(&core()).unwrap();
        let members = tree.as_map_mut().unwrap();
        let (_, found) = members.iter_mut().find(|(name, _)| name.as_text() == Some(member)).unwrap();
        let keep = match member {
            "f" => found,
            _ => &mut found.as_map_mut().unwrap()[0].1.as_map_mut().unwrap()[0].1,
        };
        let hours = ciborium::Value::Map(vec![("hours".into(), 48.into())]);
        keep.as_map_mut().unwrap().push(("hourly".into(), hours));
        let mut bytes = Vec::new();
        ciborium::into_writer(&tree, &mut bytes).unwrap();
        let error = Evolving::<Core>::decode(&bytes).unwrap_err().to_string();
        assert!(error.contains("hourly"), "{error}");
    }

    #[rstest]
    #[case::just_started("2025-01-06T06:01:10Z", true)]
    #[case::a_clock_five_minutes_behind("2025-01-06T05:56:10Z", true)]
    #[case::earlier("2025-01-06T05:56:09Z", false)]
    #[case::end_of_window_and_a_quarter("2025-01-06T08:16:10Z", true)]
    #[case::later("2025-01-06T08:16:11Z", false)]
    #[case::another_days_point("2025-01-07T06:01:10Z", false)]
    fn a_creation_date_outside_the_start_window_does_not_fit(#[case] created: Timestamp, #[case] fits: bool) {
        assert_eq!(core().fits_creation(created), fits);
    }
}
