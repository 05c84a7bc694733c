//! Metadata: what a restore point knows about itself, sealed into the tags of its AWS Backup recovery point.
//!
//! | tag | value |
//! |---|---|
//! | `dynachain:managed` | `chain` or `manual`: plain, for IAM conditions; never trusted on its own |
//! | `dynachain:key:<n>` | base64 of the data key, wrapped by KMS for recipient `n` |
//! | `dynachain:core:<n>` | base64 pieces of the sealed [`Core`]: all that copying and retention need |
//! | `dynachain:config:<n>` | base64 pieces of the sealed table configuration |
//!
//! From value to tags: CBOR ([`Evolving`](crate::evolving::Evolving)), compressed and sealed under the session's [`DataKey`] ([`Sealer`]), cut into
//! pieces and laid out in the room the tags leave ([`lay_out`]). And back: [`PointTags::read`], then [`Sealer::open`].

mod core;
#[cfg(test)]
pub(crate) use self::core::tests as core_tests;
mod data_key;
mod layout;
mod pieces;
mod record;
mod tags;

pub use self::core::{CopyPlan, Core, Digest, Kind, PolicyStamp};
pub use data_key::DataKey;
pub(crate) use layout::{AT_START as TAGS_AT_START, IN_ALL as TAGS_IN_ALL};
pub use layout::{CoreTags, Layout, NoTagRoom, SealedPoint, core_tags, lay_out, lay_out_core};
pub use pieces::Part;
pub use record::{FORMAT, OpenError, PartName, SealError, Sealer};
pub use tags::{MANAGED, PREFIX, PointTags, key_tag};

use std::collections::BTreeMap;

use crate::id::TableArn;

/// The KMS encryption context under which the data key of a table's points is wrapped: it follows from the table's ARN
/// alone, and survives copying to another Region or account.
pub fn encryption_context(table: &TableArn) -> BTreeMap<String, String> {
    [("dynachain:format", FORMAT.to_string()), ("dynachain:source", table.source())]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
