//! What a caller wants otherwise than it was recorded, property by property.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Property;
use super::alarms::AlarmsOverride;
use super::forms::{Bounds, Capacity, InsightsOfAll, Maxima, Pitr, Ttl, Units};
use super::scaling_override::ScalingOverride;
use super::stream::StreamOverride;
use crate::id::KeyArn;
use crate::metadata::PREFIX;
use crate::request::Request;
use crate::table_config::{BillingMode, InsightsMode, KinesisPrecision, TableClass, is_user_tag};

/// One property, otherwise.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Setting<T> {
    /// `"none"`: the new table is not to have it.
    Off,
    /// It is to be this.
    To(T),
}

/// Provisioned capacity, otherwise.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ProvisionedOverride {
    /// `"minimum"`: where auto scaling was on, its least capacity in place of that of the moment of the backup.
    Minimum,
    /// These units.
    Units(Capacity),
}

/// Encryption, otherwise.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum EncryptionOverride {
    /// `"aws/dynamodb"`: the key that AWS manages for DynamoDB in this account.
    AwsManaged,
    /// A key of the customer, in the Region of the new table.
    Key(KeyArn),
}

/// All that is wanted otherwise. What is not said is as it was recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    pub(super) billing_mode: Option<BillingMode>,
    pub(super) provisioned: Option<ProvisionedOverride>,
    pub(super) on_demand: Option<Setting<Maxima>>,
    pub(super) warm_throughput: Option<Setting<Capacity>>,
    pub(super) table_class: Option<Setting<TableClass>>,
    pub(super) encryption: Option<Setting<EncryptionOverride>>,
    pub(super) stream: Option<Setting<StreamOverride>>,
    pub(super) kinesis: Option<Setting<BTreeMap<String, KinesisPrecision>>>,
    pub(super) ttl: Option<Setting<Ttl>>,
    pub(super) pitr: Option<Setting<Pitr>>,
    pub(super) tags: Option<Setting<BTreeMap<String, String>>>,
    pub(super) resource_policy: Option<Setting<Value>>,
    pub(super) contributor_insights: Option<Setting<InsightsOfAll>>,
    pub(super) auto_scaling: Option<Setting<ScalingOverride>>,
    pub(super) alarms: Option<AlarmsOverride>,
    pub(super) deletion_protection: Option<bool>,
}

impl Overrides {
    /// Reads the members of `overrides`; problems are noted with their paths.
    ///
    /// ```
    /// use dynachain::request::Request;
    /// use dynachain::restore::{Overrides, Property};
    /// use serde_json::json;
    ///
    /// let request = json!({"overrides": {"stream": "none", "ttl": {"attribute": "expires"}, "colour": "red"}});
    /// let mut request = Request::of(&request)?;
    /// request.object("overrides", Overrides::read);
    /// assert!(request.finish().unwrap_err().to_string().starts_with("$.overrides.colour: is unknown"));
    /// # Ok::<(), dynachain::error::Refusal>(())
    /// ```
    pub fn read(request: &mut Request<'_>) -> Option<Self> {
        Some(Self {
            billing_mode: billing_mode(request),
            provisioned: provisioned(request),
            on_demand: bounded(request, "on_demand", |maxima: &Maxima| {
                let indexes = maxima.indexes.values().copied();
                indexes.chain([maxima.of_table()]).all(positive_bounds)
            }),
            warm_throughput: bounded(request, "warm_throughput", positive_capacity),
            table_class: word(
                request,
                "table_class",
                "say \"STANDARD\" or \"STANDARD_INFREQUENT_ACCESS\"",
                |class: &TableClass| !matches!(class, TableClass::Other(_)),
            ),
            encryption: encryption(request),
            stream: StreamOverride::read(request),
            kinesis: word(
                request,
                "kinesis",
                "say {\"<stream ARN>\": \"MILLISECOND\" or \"MICROSECOND\"}, or \"none\"",
                |streams: &BTreeMap<String, KinesisPrecision>| {
                    let known =
                        |precision: &KinesisPrecision| !matches!(precision, KinesisPrecision::Other(_));
                    streams.iter().all(|(arn, precision)| arn.starts_with("arn:") && known(precision))
                },
            ),
            ttl: word(request, "ttl", "say {\"attribute\": <name>} or \"none\"", |ttl: &Ttl| {
                !ttl.attribute.is_empty()
            }),
            pitr: word(request, "pitr", "say {\"days\": 1 to 35} or \"none\"", |pitr: &Pitr| {
                pitr.days.is_none_or(|days| (1..=35).contains(&days))
            }),
            tags: word(
                request,
                "tags",
                "say {<key>: <value>} without keys that begin aws: or dynachain:, or \"none\"",
                |tags: &BTreeMap<String, String>| tags.keys().all(|key| may_be_set(key)),
            ),
            resource_policy: document(request, "resource_policy"),
            contributor_insights: word(
                request,
                "contributor_insights",
                "say {\"table\"?: <mode>, \"indexes\"?: {<index>: <mode>}} with the modes \
                 \"ACCESSED_AND_THROTTLED_KEYS\" and \"THROTTLED_KEYS\", or \"none\"",
                |insights: &InsightsOfAll| {
                    let modes = insights.table.iter().chain(insights.indexes.values());
                    modes.clone().all(|mode| !matches!(mode, InsightsMode::Other(_)))
                },
            ),
            auto_scaling: ScalingOverride::read(request),
            alarms: AlarmsOverride::read(request),
            deletion_protection: match setting(request, "deletion_protection", "say true, false or \"none\"")
            {
                Some(Setting::To(on)) => Some(on),
                Some(Setting::Off) => Some(false),
                None => None,
            },
        })
    }

    /// Whether a property is wanted otherwise than recorded.
    pub fn has(&self, property: Property) -> bool {
        match property {
            Property::BillingMode => self.billing_mode.is_some(),
            Property::Provisioned => self.provisioned.is_some(),
            Property::OnDemand => self.on_demand.is_some(),
            Property::WarmThroughput => self.warm_throughput.is_some(),
            Property::TableClass => self.table_class.is_some(),
            Property::Encryption => self.encryption.is_some(),
            Property::Stream => self.stream.is_some(),
            Property::Kinesis => self.kinesis.is_some(),
            Property::Ttl => self.ttl.is_some(),
            Property::Pitr => self.pitr.is_some(),
            Property::Tags => self.tags.is_some(),
            Property::ResourcePolicy => self.resource_policy.is_some(),
            Property::ContributorInsights => self.contributor_insights.is_some(),
            Property::AutoScaling => self.auto_scaling.is_some(),
            Property::Alarms => self.alarms.is_some(),
            Property::DeletionProtection => self.deletion_protection.is_some(),
        }
    }
}

/// Tags that a restore may set: AWS's own cannot be set, and dynachain's own are of points, not of tables.
pub(super) fn may_be_set(key: &str) -> bool {
    is_user_tag(key) && !key.starts_with(PREFIX)
}

fn problem(request: &mut Request<'_>, name: &'static str, message: impl Into<String>) {
    let path = request.path(name);
    request.problem(name, &path, message);
}

/// A property's override in its form, or `"none"`.
fn setting<T: DeserializeOwned>(
    request: &mut Request<'_>,
    name: &'static str,
    hint: &str,
) -> Option<Setting<T>> {
    let value = request.raw(name)?;
    if value == "none" {
        return Some(Setting::Off);
    }
    match T::deserialize(value) {
        Ok(value) => Some(Setting::To(value)),
        Err(error) => {
            problem(request, name, format!("{error}; {hint}"));
            None
        }
    }
}

/// The same for a form that is read as a request of its own.
pub(super) fn none_or<T>(
    request: &mut Request<'_>,
    name: &'static str,
    hint: &str,
    read: impl FnOnce(&mut Request<'_>) -> Option<T>,
) -> Option<Setting<T>> {
    match request.raw(name)? {
        value if value == "none" => Some(Setting::Off),
        value if value.is_object() => request.object(name, read).map(Setting::To),
        _ => {
            problem(request, name, format!("is not possible; {hint}"));
            None
        }
    }
}

/// A policy document.
pub(super) fn document(request: &mut Request<'_>, name: &'static str) -> Option<Setting<Value>> {
    word(request, name, "say the policy document as an object, or \"none\"", Value::is_object)
}

/// A setting with a rule for what may be said.
pub(super) fn word<T: DeserializeOwned>(
    request: &mut Request<'_>,
    name: &'static str,
    hint: &str,
    good: impl Fn(&T) -> bool,
) -> Option<Setting<T>> {
    match setting(request, name, hint)? {
        Setting::Off => Some(Setting::Off),
        Setting::To(value) if good(&value) => Some(Setting::To(value)),
        Setting::To(_) => {
            problem(request, name, format!("is not possible; {hint}"));
            None
        }
    }
}

fn billing_mode(request: &mut Request<'_>) -> Option<BillingMode> {
    const NAME: &str = "billing_mode";
    let known = |mode: &BillingMode| !matches!(mode, BillingMode::Other(_));
    match word(request, NAME, "say \"PROVISIONED\" or \"PAY_PER_REQUEST\"", known)? {
        Setting::To(mode) => Some(mode),
        Setting::Off => {
            problem(request, NAME, "is something that every table has: \"none\" cannot be said of it");
            None
        }
    }
}

fn bounded<T: DeserializeOwned>(
    request: &mut Request<'_>,
    name: &'static str,
    good: impl Fn(&T) -> bool,
) -> Option<Setting<T>> {
    let hint = "say {\"read\": n, \"write\": n, \"indexes\"?: {<index>: {\"read\": n, \"write\": n}}} with n of at least 1, or \"none\"";
    word(request, name, hint, good)
}

fn positive_capacity(capacity: &Capacity) -> bool {
    let positive = |units: &Units| units.read >= 1 && units.write >= 1;
    positive(&capacity.of_table()) && capacity.indexes.values().all(positive)
}

fn positive_bounds(bounds: Bounds) -> bool {
    [bounds.read, bounds.write].into_iter().flatten().all(|units| units >= 1)
}

fn provisioned(request: &mut Request<'_>) -> Option<ProvisionedOverride> {
    const NAME: &str = "provisioned";
    const HINT: &str = "say \"minimum\", or {\"read\": n, \"write\": n, \"indexes\"?: {<index>: {\"read\": n, \"write\": n}}} with n of at least 1";
    if request.raw(NAME)? == "minimum" {
        return Some(ProvisionedOverride::Minimum);
    }
    match setting(request, NAME, HINT)? {
        Setting::To(capacity) if positive_capacity(&capacity) => Some(ProvisionedOverride::Units(capacity)),
        _ => {
            problem(request, NAME, format!("is not possible; {HINT}"));
            None
        }
    }
}

fn encryption(request: &mut Request<'_>) -> Option<Setting<EncryptionOverride>> {
    const NAME: &str = "encryption";
    let hint = "say the ARN of a KMS key, \"aws/dynamodb\" for the key that AWS manages, or \"none\" for the one that AWS owns";
    match setting::<String>(request, NAME, hint)? {
        Setting::Off => Some(Setting::Off),
        Setting::To(text) if text == "aws/dynamodb" => Some(Setting::To(EncryptionOverride::AwsManaged)),
        Setting::To(text) => match text.parse() {
            Ok(key) => Some(Setting::To(EncryptionOverride::Key(key))),
            Err(error) => {
                problem(request, NAME, format!("{error}; {hint}"));
                None
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<Overrides, String> {
        let value = json!({ "overrides": value });
        let mut request = Request::of(&value).unwrap();
        let read = request.object("overrides", Overrides::read);
        request.finish().map_err(|refusal| refusal.to_string())?;
        Ok(read.unwrap())
    }

    #[rstest]
    #[case(json!({"billing_mode": "none"}), "$.overrides.billing_mode: is something that every table has")]
    #[case(json!({"billing_mode": "cheap"}), "$.overrides.billing_mode: is not possible")]
    #[case(json!({"provisioned": {"read": 0, "write": 1}}), "$.overrides.provisioned: is not possible")]
    #[case(json!({"provisioned": "none"}), "$.overrides.provisioned: is not possible")]
    #[case(json!({"on_demand": {"read": -1}}), "$.overrides.on_demand: is not possible")]
    #[case(json!({"on_demand": {"reads": 1}}), "$.overrides.on_demand: unknown field `reads`")]
    #[case(json!({"table_class": "COLD"}), "$.overrides.table_class: is not possible; say \"STANDARD\"")]
    #[case(json!({"encryption": "alias/mine"}), "$.overrides.encryption: \"alias/mine\" is not a KMS key ARN")]
    #[case(json!({"stream": true}), "$.overrides.stream: invalid type")]
    #[case(json!({"pitr": {"days": 36}}), "$.overrides.pitr: is not possible; say {\"days\": 1 to 35}")]
    #[case(json!({"tags": {"aws:x": "y"}}), "$.overrides.tags: is not possible")]
    #[case(json!({"tags": {"dynachain:managed": "chain"}}), "$.overrides.tags: is not possible")]
    #[case(json!({"resource_policy": "text"}), "$.overrides.resource_policy: is not possible")]
    #[case(json!({"stream": {"view": "NEW"}}), "$.overrides.stream.view: is not possible; say \"KEYS_ONLY\"")]
    #[case(json!({"stream": {"view": "none"}}), "$.overrides.stream.view: is something that every stream has")]
    #[case(json!({"stream": {"policy": {}}}), "$.overrides.stream.view: is missing")]
    #[case(json!({"stream": {"view": "NEW_IMAGE", "policy": "text"}}), "$.overrides.stream.policy: is not possible")]
    #[case(json!({"alarms": ["orders-slow"]}), "$.overrides.alarms: is not possible; say \"recorded\"")]
    #[case(json!({"keys": "none"}), "$.overrides.keys: is unknown")]
    fn an_override_that_makes_no_sense_is_refused_with_what_would(#[case] value: Value, #[case] said: &str) {
        let refused = read(&value).unwrap_err();
        assert!(refused.starts_with(said), "{refused}");
        assert_eq!(refused.lines().count(), 1, "{refused}");
    }

    #[test]
    fn every_property_can_be_overridden() {
        let all = json!({
            "billing_mode": "PROVISIONED", "provisioned": "minimum", "on_demand": "none", "warm_throughput": "none",
            "table_class": "none", "encryption": "none", "stream": "none", "kinesis": "none", "ttl": "none",
            "pitr": "none", "tags": "none", "resource_policy": "none", "contributor_insights": "none",
            "auto_scaling": "none", "alarms": "none", "deletion_protection": "none",
        });
        let overrides = read(&all).unwrap();
        assert!(Property::ALL.into_iter().all(|property| overrides.has(property)));
        assert!(!Property::ALL.into_iter().any(|property| Overrides::default().has(property)));
        assert_eq!(overrides.deletion_protection, Some(false));
    }
}
