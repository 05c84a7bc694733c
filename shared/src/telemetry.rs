//! Logs and metrics: JSON lines with ids, never payloads, keys, tag values or items.

use std::io::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::id::{PolicyName, VaultArn};

/// The namespace of our metrics. The dashboard and the alarms of `infra/template.yaml` draw them, and a test holds the dashboard
/// against what the functions emit.
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

    /// A length of time, in whole seconds.
    pub fn seconds(name: &'static str, value: u64) -> Self {
        Self { name, unit: "Seconds", value }
    }
}

/// Figures that belong together, written to the log in CloudWatch's embedded metric format, from which CloudWatch makes
/// metrics (Amazon CloudWatch User Guide, "Embedded metric format specification").
#[derive(Clone, Debug)]
pub struct Metrics<'a> {
    /// The dimensions, and their values.
    of: Vec<(&'static str, &'a str)>,
    at: Timestamp,
}

impl<'a> Metrics<'a> {
    /// Figures of one policy.
    pub fn of_policy(policy: &'a PolicyName, at: Timestamp) -> Self {
        Self { of: vec![("Policy", policy.as_str())], at }
    }

    /// Figures of one policy's copies in one target vault.
    pub fn of_target(policy: &'a PolicyName, target: &'a VaultArn, at: Timestamp) -> Self {
        Self { of: vec![("Policy", policy.as_str()), ("Target", target.as_str())], at }
    }

    /// Figures of one vault.
    pub fn of_vault(vault: &'a VaultArn, at: Timestamp) -> Self {
        Self { of: vec![("Vault", vault.name())], at }
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
        let dimensions: Vec<_> = self.of.iter().map(|(dimension, _)| dimension).collect();
        let mut line = json!({
            "_aws": {
                "Timestamp": self.at.as_millisecond(),
                "CloudWatchMetrics": [
                    { "Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": definitions },
                ],
            },
        });
        for (dimension, value) in &self.of {
            line[*dimension] = json!(value);
        }
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
    fn figures_of_a_target_have_its_policy_and_its_vault_for_dimensions() {
        let policy = "orders".parse().unwrap();
        let target = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain".parse().unwrap();
        let metrics = Metrics::of_target(&policy, &target, "2025-01-06T06:00:00Z".parse().unwrap());
        let line = metrics.line(&[Metric::seconds("NewestCopyAge", 60)]);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["Policy", "Target"]]));
        assert_eq!(directive["Metrics"], json!([{"Name": "NewestCopyAge", "Unit": "Seconds"}]));
        assert_eq!(
            [&line["Policy"], &line["Target"], &line["NewestCopyAge"]],
            [&json!("orders"), &json!(target.as_str()), &json!(60)]
        );
    }

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
