//! Billing mode, throughput and table class.

use serde::{Deserialize, Serialize};

use super::is_default;
use crate::open_text::open_text;

open_text! {
    /// How capacity is paid for. DynamoDB leaves it out for tables that never were on-demand: those are provisioned.
    BillingMode, default Provisioned {
        /// Capacity units are provisioned.
        Provisioned = "PROVISIONED",
        /// Requests are paid one by one.
        OnDemand = "PAY_PER_REQUEST",
    }
}

open_text! {
    /// The table class. DynamoDB leaves it out for tables that never had another: those are standard.
    TableClass, default Standard {
        /// DynamoDB Standard.
        Standard = "STANDARD",
        /// DynamoDB Standard-Infrequent Access.
        InfrequentAccess = "STANDARD_INFREQUENT_ACCESS",
    }
}

/// Provisioned capacity units.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Throughput {
    /// Read capacity units.
    #[serde(rename = "r", skip_serializing_if = "is_default")]
    pub read: i64,
    /// Write capacity units.
    #[serde(rename = "w", skip_serializing_if = "is_default")]
    pub write: i64,
}

/// The most that an on-demand table or index serves; `None` is no bound of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MaxThroughput {
    /// Read request units a second.
    #[serde(rename = "r", skip_serializing_if = "is_default")]
    pub read: Option<i64>,
    /// Write request units a second.
    #[serde(rename = "w", skip_serializing_if = "is_default")]
    pub write: Option<i64>,
}

/// What a table or index can serve at once, without warming up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WarmThroughput {
    /// Read units a second.
    #[serde(rename = "r", skip_serializing_if = "is_default")]
    pub read: i64,
    /// Write units a second.
    #[serde(rename = "w", skip_serializing_if = "is_default")]
    pub write: i64,
}
