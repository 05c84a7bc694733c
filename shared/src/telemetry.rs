//! Logs and metrics: JSON lines with ids, never payloads, keys, tag values or items.

use std::io::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::id::{PolicyName, VaultArn};

/// The namespace of our metrics.
pub const NAMESPACE: &str = "dynachain";

/// Starts logging as Lambda asks for it (`AWS_LAMBDA_LOG_FORMAT`, `AWS_LAMBDA_LOG_LEVEL`; AWS Lambda Developer Guide,
/// "Configuring advanced logging controls").
pub fn init() {
    lambda_runtime::tracing::init_default_subscriber();
}

/// One figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    name: &'static str,
    unit: &'static str,
    value: u64,
}

impl Metric {
    /// A number of things.
    pub fn count(name: &'static str, value: u64) -> Self {
        Self { name, unit: "Count", value }
    }
}

/// Figures that belong together, written to the log in CloudWatch's embedded metric format, from which CloudWatch makes
/// metrics (Amazon CloudWatch User Guide, "Embedded metric format specification").
#[derive(Clone, Debug)]
pub struct Metrics<'a> {
    /// The dimension, and its value.
    of: (&'static str, &'a str),
    at: Timestamp,
}

impl<'a> Metrics<'a> {
    /// Figures of one policy.
    pub fn of_policy(policy: &'a PolicyName, at: Timestamp) -> Self {
        Self { of: ("Policy", policy.as_str()), at }
    }

    /// Figures of one vault.
    pub fn of_vault(vault: &'a VaultArn, at: Timestamp) -> Self {
        Self { of: ("Vault", vault.name()), at }
    }

    /// Writes them as one line of the function's output.
    pub fn emit(&self, metrics: &[Metric]) {
        // A line that cannot be written is lost: figures are no reason to fail a backup.
        let written = writeln!(std::io::stdout().lock(), "{}", self.line(metrics));
        if let Err(error) = written {
            tracing::warn!(%error, "metrics could not be written");
        }
    }

    fn line(&self, metrics: &[Metric]) -> Value {
        let definitions: Vec<_> =
            metrics.iter().map(|metric| json!({ "Name": metric.name, "Unit": metric.unit })).collect();
        let (dimension, value) = self.of;
        let mut line = json!({
            "_aws": {
                "Timestamp": self.at.as_millisecond(),
                "CloudWatchMetrics": [
                    { "Namespace": NAMESPACE, "Dimensions": [[dimension]], "Metrics": definitions },
                ],
            },
        });
        line[dimension] = json!(value);
        for metric in metrics {
            line[metric.name] = json!(metric.value);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_one_line_of_the_embedded_format() {
        let policy = "orders".parse().unwrap();
        let metrics = Metrics::of_policy(&policy, "2025-01-06T06:00:00Z".parse().unwrap());
        let line = metrics.line(&[Metric::count("TablesCovered", 3)]);
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 1_736_143_200_000_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "dynachain",
                        "Dimensions": [["Policy"]],
                        "Metrics": [{"Name": "TablesCovered", "Unit": "Count"}],
                    }],
                },
                "Policy": "orders",
                "TablesCovered": 3,
            })
        );
    }
}
