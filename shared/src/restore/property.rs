//! What a table has besides its items and indexes, in the words of requests and answers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One property of a table that a restore accounts for; also what an override is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    /// How capacity is paid for.
    BillingMode,
    /// Provisioned capacity of table and indexes.
    Provisioned,
    /// The most that table and indexes serve on demand.
    OnDemand,
    /// What table and indexes serve at once.
    WarmThroughput,
    /// The table class.
    TableClass,
    /// The key that the table is encrypted with.
    Encryption,
    /// The table's stream.
    Stream,
    /// The Kinesis streams that changes go to.
    Kinesis,
    /// Time to live.
    Ttl,
    /// Point-in-time recovery.
    Pitr,
    /// Tags.
    Tags,
    /// The resource-based policy.
    ResourcePolicy,
    /// Contributor Insights of table and indexes.
    ContributorInsights,
    /// Application Auto Scaling of table and indexes.
    AutoScaling,
    /// CloudWatch alarms that name the table.
    Alarms,
    /// Protection from deletion.
    DeletionProtection,
}

impl Property {
    /// All of them, in the order of answers.
    pub const ALL: [Self; 16] = [
        Self::BillingMode,
        Self::Provisioned,
        Self::OnDemand,
        Self::WarmThroughput,
        Self::TableClass,
        Self::Encryption,
        Self::Stream,
        Self::Kinesis,
        Self::Ttl,
        Self::Pitr,
        Self::Tags,
        Self::ResourcePolicy,
        Self::ContributorInsights,
        Self::AutoScaling,
        Self::Alarms,
        Self::DeletionProtection,
    ];

    /// All of them, in an order that works: maxima need on-demand billing and scaling needs provisioned billing, so billing
    /// comes first; a resource policy may shut this function out, so it comes after whatever else there is to do; the
    /// protection from deletion comes last, so that a restore gone wrong can be thrown away until then.
    pub const IN_TURN: [Self; 16] = [
        Self::BillingMode,
        Self::Provisioned,
        Self::OnDemand,
        Self::WarmThroughput,
        Self::TableClass,
        Self::Encryption,
        Self::Stream,
        Self::Kinesis,
        Self::Ttl,
        Self::Pitr,
        Self::Tags,
        Self::ContributorInsights,
        Self::AutoScaling,
        Self::Alarms,
        Self::ResourcePolicy,
        Self::DeletionProtection,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BillingMode => "billing_mode",
            Self::Provisioned => "provisioned",
            Self::OnDemand => "on_demand",
            Self::WarmThroughput => "warm_throughput",
            Self::TableClass => "table_class",
            Self::Encryption => "encryption",
            Self::Stream => "stream",
            Self::Kinesis => "kinesis",
            Self::Ttl => "ttl",
            Self::Pitr => "pitr",
            Self::Tags => "tags",
            Self::ResourcePolicy => "resource_policy",
            Self::ContributorInsights => "contributor_insights",
            Self::AutoScaling => "auto_scaling",
            Self::Alarms => "alarms",
            Self::DeletionProtection => "deletion_protection",
        }
    }

    /// Whether `UpdateTable` sets it: the table takes one such change at a time, and must be ACTIVE for it (DynamoDB API
    /// Reference, `UpdateTable`).
    pub fn is_of_the_table(self) -> bool {
        matches!(
            self,
            Self::BillingMode
                | Self::Provisioned
                | Self::OnDemand
                | Self::WarmThroughput
                | Self::TableClass
                | Self::Stream
                | Self::DeletionProtection
        )
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_has_its_turn_once_and_protection_comes_last() {
        let mut in_turn = Property::IN_TURN;
        assert_eq!(in_turn.last(), Some(&Property::DeletionProtection));
        in_turn.sort_unstable();
        assert_eq!(in_turn, Property::ALL);
        for property in Property::ALL {
            assert_eq!(serde_json::to_value(property).unwrap(), property.as_str());
        }
    }
}
