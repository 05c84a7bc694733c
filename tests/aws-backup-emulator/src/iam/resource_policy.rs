//! What a resource's own policy says about a principal (IAM User Guide, "Policy evaluation logic" and "AWS JSON policy
//! elements: Principal").

use super::Request;
use super::policy::{Applies, Effect, Policy, Statement};

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Principal<'a> {
    /// A role's ARN, or that of an account's root.
    pub(crate) arn: &'a str,
    /// The ARN of the role's session.
    pub(crate) session: Option<&'a str>,
    pub(crate) account: &'a str,
}

/// What a resource's policy gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grant {
    Nothing,
    /// To the principal's account, which has to pass it on by an identity policy.
    ToAccount,
    ToPrincipal,
    /// It is taken away, whatever else allows it.
    Denied,
}

/// How a statement speaks of a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Naming {
    NotAtAll,
    /// By something this evaluator cannot resolve, such as a unique id.
    Unknown,
    ByAccount,
    Itself,
}

impl Policy {
    /// What this policy of a resource gives to a principal.
    pub(crate) fn grant(&self, principal: Principal<'_>, request: Request<'_>) -> Grant {
        let grants = self.statements().iter().map(|statement| one(statement, principal, request));
        grants.max().unwrap_or(Grant::Nothing)
    }
}

fn one(statement: &Statement, principal: Principal<'_>, request: Request<'_>) -> Grant {
    match (statement.effect(), naming(statement, principal), statement.applies(request)) {
        (_, Naming::NotAtAll, _) | (_, _, Applies::No) => Grant::Nothing,
        (Effect::Deny, ..) => Grant::Denied,
        (Effect::Allow, Naming::Itself, Applies::Yes) => Grant::ToPrincipal,
        (Effect::Allow, Naming::ByAccount, Applies::Yes) => Grant::ToAccount,
        (Effect::Allow, ..) => Grant::Nothing,
    }
}

fn naming(statement: &Statement, principal: Principal<'_>) -> Naming {
    let Some(names) = statement.principals() else { return Naming::Unknown };
    names.iter().map(|name| name_of(name, principal)).max().unwrap_or(Naming::NotAtAll)
}

fn name_of(name: &str, principal: Principal<'_>) -> Naming {
    if name == "*" || name == principal.arn || Some(name) == principal.session {
        return Naming::Itself;
    }
    match account_of(name) {
        Some(account) if account == principal.account && principal.arn.ends_with(":root") => Naming::Itself,
        Some(account) if account == principal.account => Naming::ByAccount,
        None if !name.starts_with("arn:") => Naming::Unknown,
        _ => Naming::NotAtAll,
    }
}

/// The account, where the principal is a whole account: its number or its root's ARN.
fn account_of(name: &str) -> Option<&str> {
    let account = match name.strip_suffix(":root") {
        Some(arn) => arn.rsplit(':').next()?,
        None => name,
    };
    (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())).then_some(account)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::iam::Context;

    const ROLE: Principal<'_> = Principal {
        arn: "arn:aws:iam::111122223333:role/prune",
        session: Some("arn:aws:sts::111122223333:assumed-role/prune/s"),
        account: "111122223333",
    };
    const ROOT: Principal<'_> =
        Principal { arn: "arn:aws:iam::111122223333:root", session: None, account: "111122223333" };

    fn grant(principal: Principal<'_>, effect: &str, named: &str, more: &str) -> Grant {
        let policy = format!(
            r#"{{"Statement":[{{"Effect":"{effect}",{named}"Action":"backup:DeleteRecoveryPoint","Resource":"*"{more}}}]}}"#
        );
        let context = Context::default().with("aws:PrincipalArn", principal.arn);
        let request = Request { action: "backup:DeleteRecoveryPoint", resource: "p", context: &context };
        policy.parse::<Policy>().unwrap().grant(principal, request)
    }

    #[rstest]
    #[case::everyone(r#""Principal":"*","#, ROLE, Grant::ToPrincipal)]
    #[case::everyone_of_aws(r#""Principal":{"AWS":"*"},"#, ROLE, Grant::ToPrincipal)]
    #[case::role(r#""Principal":{"AWS":"arn:aws:iam::111122223333:role/prune"},"#, ROLE, Grant::ToPrincipal)]
    #[case::session(
        r#""Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/prune/s"},"#,
        ROLE,
        Grant::ToPrincipal
    )]
    #[case::another_role(r#""Principal":{"AWS":"arn:aws:iam::111122223333:role/p"},"#, ROLE, Grant::Nothing)]
    #[case::account(r#""Principal":{"AWS":"111122223333"},"#, ROLE, Grant::ToAccount)]
    #[case::account_root(r#""Principal":{"AWS":"arn:aws:iam::111122223333:root"},"#, ROLE, Grant::ToAccount)]
    #[case::the_root_itself(r#""Principal":{"AWS":"111122223333"},"#, ROOT, Grant::ToPrincipal)]
    #[case::another_account(r#""Principal":{"AWS":"999999999999"},"#, ROLE, Grant::Nothing)]
    #[case::one_of(
        r#""Principal":{"AWS":["999999999999","arn:aws:iam::111122223333:role/prune"]},"#,
        ROLE,
        Grant::ToPrincipal
    )]
    #[case::service(r#""Principal":{"Service":"backup.amazonaws.com"},"#, ROLE, Grant::Nothing)]
    #[case::unique_id(r#""Principal":{"AWS":"AROA1234567890EXAMPLE"},"#, ROLE, Grant::Nothing)]
    #[case::nobody("", ROLE, Grant::Nothing)]
    fn an_allow_grants_to_whom_it_names(
        #[case] named: &str,
        #[case] who: Principal<'_>,
        #[case] granted: Grant,
    ) {
        assert_eq!(grant(who, "Allow", named, ""), granted);
    }

    #[rstest]
    #[case::everyone(r#""Principal":"*","#, true)]
    #[case::role(r#""Principal":{"AWS":"arn:aws:iam::111122223333:role/prune"},"#, true)]
    #[case::whole_account(r#""Principal":{"AWS":"111122223333"},"#, true)]
    #[case::another_account(r#""Principal":{"AWS":"999999999999"},"#, false)]
    #[case::unique_id(r#""Principal":{"AWS":"AROA1234567890EXAMPLE"},"#, true)]
    #[case::everyone_but(r#""NotPrincipal":{"AWS":"111122223333"},"#, true)]
    fn a_deny_denies_whom_it_names_or_may_name(#[case] named: &str, #[case] denied: bool) {
        let expected = if denied { Grant::Denied } else { Grant::Nothing };
        assert_eq!(grant(ROLE, "Deny", named, ""), expected);
    }

    #[test]
    fn a_deny_spares_those_that_its_condition_spares() {
        let spared =
            r#","Condition":{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/prune"}}"#;
        assert_eq!(grant(ROLE, "Deny", r#""Principal":"*","#, spared), Grant::Nothing);
        assert_eq!(grant(ROOT, "Deny", r#""Principal":"*","#, spared), Grant::Denied);
    }
}
