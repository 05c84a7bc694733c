//! IAM: what roles may do, and who may assume them.

use aws_config::SdkConfig;
use aws_sdk_iam::Client;
use aws_sdk_iam::error::SdkError;
use aws_sdk_iam::operation::simulate_principal_policy::SimulatePrincipalPolicyError;
use aws_sdk_iam::types::{
    ContextEntry as AwsContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType,
    ResourceSpecificResult,
};
use serde_json::Value;

use super::{AwsError, Rate};
use crate::permissions::{ContextEntry, ContextType};

/// IAM does not publish its request rates; this many a second were never seen to be too many.
const PER_SECOND: u32 = 20;
/// The resources of one simulation; each is evaluated for every action.
const RESOURCES: usize = 100;
/// The most results of one page (IAM API Reference, `SimulatePrincipalPolicy`).
const PAGE: i32 = 1000;

/// An action that a role may not do, on these resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// The action.
    pub action: String,
    /// The resources.
    pub resources: Vec<String>,
    /// Why not.
    pub why: Why,
}

/// Why an action is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It depends on these condition keys, whose values nobody knows beforehand.
    Depends(Vec<String>),
    /// Nothing allows it.
    NotAllowed,
    /// A statement of the role denies it, whatever others allow.
    Forbidden,
    /// The organization's policies do not allow it.
    Organization,
}

/// Asks IAM about roles; it can change nothing.
#[derive(Clone, Debug)]
pub struct RoleReader {
    client: Client,
    rate: Rate,
}

impl RoleReader {
    /// The roles of the client's account.
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config), rate: Rate::per_second(PER_SECOND) }
    }

    /// Which of the actions the role may not do on which of the resources, when a request has this context.
    ///
    /// # Errors
    /// When IAM refuses.
    pub async fn denied(
        &self,
        role: &str,
        actions: &[&str],
        resources: &[String],
        context: &[ContextEntry],
    ) -> Result<Vec<Denied>, AwsError> {
        let mut denied: Vec<Denied> = Vec::new();
        for resources in resources.chunks(RESOURCES) {
            for result in self.simulate(role, actions, resources, context).await? {
                let Some(found) = judge(&result, resources) else { continue };
                match denied
                    .iter_mut()
                    .find(|known| (&known.action, &known.why) == (&found.action, &found.why))
                {
                    Some(known) => known.resources.extend(found.resources),
                    None => denied.push(found),
                }
            }
        }
        Ok(denied)
    }

    async fn simulate(
        &self,
        role: &str,
        actions: &[&str],
        resources: &[String],
        context: &[ContextEntry],
    ) -> Result<Vec<EvaluationResult>, AwsError> {
        const OPERATION: &str = "SimulatePrincipalPolicy";
        let context: Vec<AwsContextEntry> = context.iter().map(entry).collect();
        let mut results = Vec::new();
        let mut marker = None;
        loop {
            let call = self
                .client
                .simulate_principal_policy()
                .policy_source_arn(role)
                .set_action_names(Some(actions.iter().map(|action| (*action).to_owned()).collect()))
                .set_resource_arns(Some(resources.to_vec()))
                .set_context_entries((!context.is_empty()).then(|| context.clone()))
                .max_items(PAGE)
                .set_marker(marker);
            let page = self.rate.call(|turn| call.customize().interceptor(turn).send()).await.map_err(
                |error: SdkError<SimulatePrincipalPolicyError, _>| AwsError::new(OPERATION, &error),
            )?;
            results.extend(page.evaluation_results.unwrap_or_default());
            marker = page.marker.filter(|_| page.is_truncated);
            if marker.is_none() {
                return Ok(results);
            }
        }
    }

    /// The services that may assume the role.
    ///
    /// # Errors
    /// When IAM refuses: there is no such role, say.
    pub async fn trusted_services(&self, role: &str) -> Result<Vec<String>, AwsError> {
        const OPERATION: &str = "GetRole";
        let name = role.rsplit('/').next().unwrap_or(role);
        let call = self.client.get_role().role_name(name);
        let answer = self.rate.call(|turn| call.customize().interceptor(turn).send()).await;
        let answer = answer.map_err(|error| AwsError::new(OPERATION, &error))?;
        let document = answer.role().and_then(|role| role.assume_role_policy_document());
        document
            .and_then(percent_decoded)
            .and_then(|document| serde_json::from_str(&document).ok())
            .map(|document| services(&document))
            .ok_or_else(|| AwsError::incomplete(OPERATION, "well-formed AssumeRolePolicyDocument"))
    }
}

fn entry(entry: &ContextEntry) -> AwsContextEntry {
    AwsContextEntry::builder()
        .context_key_name(entry.key)
        .set_context_key_values(Some(entry.values.clone()))
        .context_key_type(match entry.kind {
            ContextType::Text => ContextKeyTypeEnum::String,
            ContextType::TextList => ContextKeyTypeEnum::StringList,
            ContextType::Boolean => ContextKeyTypeEnum::Boolean,
        })
        .build()
}

/// What a result says against the action; `None` when it is allowed. The decision as a whole is the strictest of those on
/// the single resources (IAM API Reference, `EvaluationResult`).
fn judge(result: &EvaluationResult, asked: &[String]) -> Option<Denied> {
    let allowed =
        |decision: &PolicyEvaluationDecisionType| *decision == PolicyEvaluationDecisionType::Allowed;
    if allowed(result.eval_decision()) {
        return None;
    }
    let single = || {
        result.resource_specific_results().iter().filter(|single| !allowed(single.eval_resource_decision()))
    };
    let mut resources: Vec<String> = single().map(|single| single.eval_resource_name().to_owned()).collect();
    if resources.is_empty() {
        resources = asked.to_vec();
    }
    let mut missing: Vec<String> = result
        .missing_context_values()
        .iter()
        .chain(single().flat_map(ResourceSpecificResult::missing_context_values))
        .cloned()
        .collect();
    missing.sort();
    missing.dedup();
    let by_organization =
        result.organizations_decision_detail().is_some_and(|detail| !detail.allowed_by_organizations());
    let why = match result.eval_decision() {
        _ if by_organization => Why::Organization,
        PolicyEvaluationDecisionType::ExplicitDeny => Why::Forbidden,
        _ if !missing.is_empty() => Why::Depends(missing),
        _ => Why::NotAllowed,
    };
    Some(Denied { action: result.eval_action_name().to_owned(), resources, why })
}

/// The services that a trust policy lets assume the role, by statements without or with conditions.
fn services(document: &Value) -> Vec<String> {
    let one_or_many = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        Value::Null => vec![],
        one => vec![one.clone()],
    };
    let trusts = |statement: &Value| {
        statement["Effect"] == "Allow"
            && one_or_many(&statement["Action"]).iter().any(|action| action == "sts:AssumeRole")
    };
    one_or_many(&document["Statement"])
        .iter()
        .filter(|statement| trusts(statement))
        .flat_map(|statement| one_or_many(&statement["Principal"]["Service"]))
        .filter_map(|service| service.as_str().map(str::to_owned))
        .collect()
}

/// Policy documents come percent-encoded (IAM API Reference, `GetRole`; RFC 3986).
fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(hex, 16).ok()?);
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::types::OrganizationsDecisionDetail;
    use serde_json::json;

    use super::*;

    fn result(
        decision: PolicyEvaluationDecisionType,
    ) -> aws_sdk_iam::types::builders::EvaluationResultBuilder {
        EvaluationResult::builder().eval_action_name("s:Do").eval_decision(decision)
    }

    fn single(
        resource: &str,
        decision: PolicyEvaluationDecisionType,
        missing: &[&str],
    ) -> ResourceSpecificResult {
        let missing = missing.iter().map(|key| (*key).to_owned()).collect();
        let single = ResourceSpecificResult::builder().eval_resource_name(resource);
        single.eval_resource_decision(decision).set_missing_context_values(Some(missing)).build().unwrap()
    }

    fn said(result: aws_sdk_iam::types::builders::EvaluationResultBuilder) -> Option<(Vec<String>, Why)> {
        let asked = ["a", "b"].map(str::to_owned);
        judge(&result.build().unwrap(), &asked).map(|denied| (denied.resources, denied.why))
    }

    #[test]
    fn what_is_allowed_is_not_denied() {
        assert_eq!(said(result(PolicyEvaluationDecisionType::Allowed)), None);
    }

    #[test]
    fn the_resources_of_a_denial_are_named() {
        let (allowed, denied) =
            (PolicyEvaluationDecisionType::Allowed, PolicyEvaluationDecisionType::ImplicitDeny);
        let found = result(denied.clone())
            .resource_specific_results(single("a", allowed, &[]))
            .resource_specific_results(single("b", denied.clone(), &[]));
        assert_eq!(said(found), Some((vec!["b".to_owned()], Why::NotAllowed)));
        let whole = ["a", "b"].map(str::to_owned).to_vec();
        assert_eq!(said(result(denied)), Some((whole, Why::NotAllowed)));
    }

    #[test]
    fn the_reason_of_a_denial_is_told() {
        let implicit = PolicyEvaluationDecisionType::ImplicitDeny;
        let why = |result| said(result).map(|(_, why)| why);
        assert_eq!(why(result(PolicyEvaluationDecisionType::ExplicitDeny)), Some(Why::Forbidden));
        let depends = result(implicit.clone())
            .resource_specific_results(single("a", implicit.clone(), &["aws:SourceIp"]))
            .missing_context_values("aws:SourceIp");
        assert_eq!(why(depends), Some(Why::Depends(vec!["aws:SourceIp".to_owned()])));
        let organization = OrganizationsDecisionDetail::builder().allowed_by_organizations(false).build();
        let scp = result(implicit).organizations_decision_detail(organization);
        assert_eq!(why(scp), Some(Why::Organization));
    }

    #[test]
    fn a_trust_policy_names_its_services() {
        let trust = json!({"Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
            {"Effect": "Allow", "Principal": {"Service": ["a", "b"]}, "Action": ["sts:AssumeRole", "sts:TagSession"]},
            {"Effect": "Deny", "Principal": {"Service": "c"}, "Action": "sts:AssumeRole"},
            {"Effect": "Allow", "Principal": {"AWS": "d"}, "Action": "sts:AssumeRole"},
        ]});
        assert_eq!(services(&trust), ["lambda.amazonaws.com", "a", "b"]);
        assert_eq!(services(&json!("nonsense")), Vec::<String>::new());
    }

    #[test]
    fn documents_are_percent_decoded() {
        assert_eq!(percent_decoded("%7B%22a%22%3A1%7D").as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(percent_decoded("plain").as_deref(), Some("plain"));
        assert_eq!(percent_decoded("%7"), None);
        assert_eq!(percent_decoded("%zz"), None);
    }
}
