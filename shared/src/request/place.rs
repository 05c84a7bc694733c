//! The cursor that an answer hands out whose list of points was cut.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::chain::ListedPoint;
use crate::id::{RecoveryPointArn, TableArn};

/// A point's place in the order of every list: by table, then creation, then ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Its table.
    pub table: TableArn,
    /// When it was created.
    pub created_at: Timestamp,
    /// The point.
    pub recovery_point: RecoveryPointArn,
}

impl Place {
    /// Where a point stands.
    pub fn of(point: &ListedPoint) -> Self {
        Self { table: point.table.clone(), created_at: point.created_at, recovery_point: point.arn.clone() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(self).map_err(|_| fmt::Error)?;
        f.write_str(&URL_SAFE_NO_PAD.encode(json))
    }
}

/// The text is no cursor that an answer gave out.
#[derive(Clone, Copy, Debug)]
pub struct NoPlace;

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not the \"next\" of an earlier answer; leave it out to begin anew")
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| NoPlace)?;
        serde_json::from_slice(&json).map_err(|_| NoPlace)
    }
}
