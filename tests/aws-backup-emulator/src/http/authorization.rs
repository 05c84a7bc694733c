//! May the caller do what it asks for (Service Authorization Reference, "Actions, resources, and condition keys for AWS
//! Backup")?

use serde_json::Value;

use super::{ApiError, Call};
use crate::caller::Caller;
use crate::iam::{Context, Grant, Principal, Request, Verdict};
use crate::state::vault_policy::VaultPolicy;

impl Call {
    /// Refuses the call unless the caller may carry out its operation on the resource that it names.
    pub(super) async fn authorize_operation(&self) -> Result<(), ApiError> {
        let resource = (self.operation.resource)(self)?;
        let action = format!("backup:{}", self.operation.name);
        self.authorize(&action, &resource, self.request_tags()).await
    }

    /// A resource that is made with tags is tagged as well, and the caller must be allowed that. Without tags it is not.
    pub(crate) async fn authorize_tagging(&self, resource: &str) -> Result<(), ApiError> {
        if self.new_tags().is_empty() {
            return Ok(());
        }
        self.authorize("backup:TagResource", resource, self.request_tags()).await
    }

    /// A job works as the role that it is given, and the caller must be allowed to give it.
    pub(crate) async fn authorize_passing(&self, role: &str) -> Result<(), ApiError> {
        let passed = Context::default().with("iam:PassedToService", "backup.amazonaws.com");
        self.authorize("iam:PassRole", role, passed).await
    }

    /// Refuses the call unless the caller may do this to that. The condition keys that follow from caller and resource are
    /// added to those given.
    pub(crate) async fn authorize(
        &self,
        action: &str,
        resource: &str,
        context: Context,
    ) -> Result<(), ApiError> {
        let Caller { arn, .. } = &self.caller;
        let denied = |why: String| {
            let message =
                format!("User: {arn} is not authorized to perform: {action} on resource: {resource} {why}");
            ApiError::access_denied(message)
        };
        // Root has all that no resource policy takes away.
        let role = match self.caller.role() {
            _ if self.caller.is_root() => None,
            Some(name) => {
                let role = self.service.role(&self.scope, name).await?;
                Some(role.ok_or_else(ApiError::unrecognized_client)?)
            }
            None => {
                return Err(denied("because only roles and the account's root are emulated".to_owned()));
            }
        };
        let principal = Principal {
            arn: role.as_ref().map_or(arn.as_str(), |role| role.arn.as_str()),
            session: role.as_ref().map(|_| arn.as_str()),
            account: &self.scope.account,
        };
        let context = self
            .about_resource(resource, context)
            .with("aws:PrincipalArn", principal.arn)
            .with("aws:PrincipalAccount", self.scope.account.as_str())
            .with("aws:RequestedRegion", self.scope.region.as_str());
        let request = Request { action, resource, context: &context };
        let policy = self.vault_policy(action, resource);
        let grant = VaultPolicy::grant_of(policy.as_ref(), principal, request);
        let verdict = match &role {
            Some(role) => role.policies.evaluate(request, grant),
            None if grant == Grant::Denied => Verdict::ExplicitDeny,
            None => Verdict::Allowed,
        };
        if verdict == Verdict::Allowed { Ok(()) } else { Err(denied(verdict.reason(action, grant))) }
    }

    /// The policy of the vault that the call is about: the one that its resource is or lies in, else the one in its path.
    fn vault_policy(&self, action: &str, resource: &str) -> Option<VaultPolicy> {
        if !action.starts_with("backup:") {
            return None;
        }
        let name = self.part("backupVaultName").ok();
        self.state(|state| {
            let named = || state.vaults.get(name?)?.policy.as_ref();
            state.vault_policy(resource).or_else(named).cloned()
        })
    }

    fn about_resource(&self, resource: &str, mut context: Context) -> Context {
        if resource != "*" {
            context.add("aws:ResourceAccount", resource.split(':').nth(4).unwrap_or_default());
        }
        self.state(|state| {
            for (key, value) in state.tags(resource).into_iter().flatten() {
                context.add(&format!("aws:ResourceTag/{key}"), value.as_str());
            }
        });
        context
    }

    /// The condition keys on the tags that the call carries. Only these operations have them: `StartBackupJob` does not,
    /// although it takes tags.
    fn request_tags(&self) -> Context {
        let mut context = Context::default();
        for (key, value) in &self.new_tags() {
            context.add("aws:TagKeys", key.as_str());
            context.add(&format!("aws:RequestTag/{key}"), value.as_str().unwrap_or_default());
        }
        if self.operation.name == "UntagResource" {
            for key in self.member("TagKeyList").as_array().into_iter().flatten() {
                context.add("aws:TagKeys", key.as_str().unwrap_or_default());
            }
        }
        context
    }

    fn new_tags(&self) -> serde_json::Map<String, Value> {
        let member = match self.operation.name {
            "TagResource" | "CreateLegalHold" => "Tags",
            "CreateBackupVault" => "BackupVaultTags",
            _ => return serde_json::Map::new(),
        };
        match self.member(member) {
            Value::Object(tags) => tags,
            _ => serde_json::Map::new(),
        }
    }

    fn member(&self, name: &str) -> Value {
        let mut body: Value = self.body().unwrap_or_default();
        body.get_mut(name).map(Value::take).unwrap_or_default()
    }
}
