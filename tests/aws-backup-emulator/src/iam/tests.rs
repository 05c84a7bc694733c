//! One table: policies, a request, the verdict.

use rstest::rstest;

use super::*;

const POINT: &str = "arn:aws:backup:eu-central-1:111122223333:recovery-point:ab";

fn context() -> Context {
    Context::default()
        .with("aws:PrincipalAccount", "111122223333")
        .with("aws:ResourceAccount", "111122223333")
        .with("aws:ResourceTag/dynachain:managed", "chain")
        .with("aws:RequestTag/dynachain:managed", "chain")
        .with("aws:TagKeys", "dynachain:managed")
        .with("aws:TagKeys", "team")
        .with("iam:PassedToService", "backup.amazonaws.com")
}

fn verdict(action: &str, resource: &str, policies: &[String]) -> Verdict {
    let identity = policies.iter().map(|policy| policy.parse().unwrap()).collect();
    let request = Request { action, resource, context: &context() };
    PolicySet { identity, boundary: None }.evaluate(request, Grant::Nothing)
}

fn allow_if(condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}}}"#
    )
}

#[rstest]
#[case::equals(r#"{"StringEquals":{"aws:ResourceTag/dynachain:managed":"chain"}}"#, true)]
#[case::equals_another(r#"{"StringEquals":{"aws:ResourceTag/dynachain:managed":"manual"}}"#, false)]
#[case::one_of(r#"{"StringEquals":{"aws:ResourceTag/dynachain:managed":["manual","chain"]}}"#, true)]
#[case::keys_have_no_case(r#"{"StringEquals":{"AWS:resourcetag/Dynachain:Managed":"chain"}}"#, true)]
#[case::values_have_case(r#"{"StringEquals":{"aws:ResourceTag/dynachain:managed":"Chain"}}"#, false)]
#[case::ignoring_case(r#"{"StringEqualsIgnoreCase":{"aws:ResourceTag/dynachain:managed":"CHAIN"}}"#, true)]
#[case::equals_is_no_glob(r#"{"StringEquals":{"aws:ResourceTag/dynachain:managed":"ch*"}}"#, false)]
#[case::like(r#"{"StringLike":{"aws:ResourceTag/dynachain:managed":"ch*"}}"#, true)]
#[case::not_like(r#"{"StringNotLike":{"aws:ResourceTag/dynachain:managed":"ch*"}}"#, false)]
#[case::absent_tag(r#"{"StringEquals":{"aws:ResourceTag/other":"x"}}"#, false)]
#[case::absent_tag_if_exists(r#"{"StringEqualsIfExists":{"aws:ResourceTag/other":"x"}}"#, true)]
#[case::absent_tag_differs(r#"{"StringNotEquals":{"aws:ResourceTag/other":"x"}}"#, true)]
#[case::present_tag_if_exists(r#"{"StringEqualsIfExists":{"aws:ResourceTag/dynachain:managed":"x"}}"#, false)]
#[case::null_absent(r#"{"Null":{"aws:ResourceTag/other":"true"}}"#, true)]
#[case::null_present(r#"{"Null":{"aws:ResourceTag/dynachain:managed":true}}"#, false)]
#[case::not_null(r#"{"Null":{"aws:ResourceTag/dynachain:managed":"false"}}"#, true)]
#[case::all_values(r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["team","dynachain:managed","x"]}}"#, true)]
#[case::all_values_like(r#"{"ForAllValues:StringLike":{"aws:TagKeys":"dynachain:*"}}"#, false)]
#[case::any_value(r#"{"ForAnyValue:StringLike":{"aws:TagKeys":"dynachain:*"}}"#, true)]
#[case::any_value_other(r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":"owner"}}"#, false)]
#[case::all_values_of_nothing(r#"{"ForAllValues:StringEquals":{"aws:RequestTag/none":"x"}}"#, true)]
#[case::any_value_of_nothing(r#"{"ForAnyValue:StringEquals":{"aws:RequestTag/none":"x"}}"#, false)]
#[case::many_values_need_a_set_operator(r#"{"StringEquals":{"aws:TagKeys":"team"}}"#, false)]
#[case::passed_to(r#"{"StringEquals":{"iam:PassedToService":"backup.amazonaws.com"}}"#, true)]
#[case::passed_elsewhere(r#"{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}"#, false)]
#[case::variable(r#"{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}"#, true)]
#[case::all_operators_must_hold(
    r#"{"StringEquals":{"aws:ResourceTag/dynachain:managed":"chain"},"Null":{"aws:RequestTag/dynachain:managed":"true"}}"#,
    false
)]
fn conditions_hold_as_the_iam_operators_say(#[case] condition: &str, #[case] allowed: bool) {
    let expected = if allowed { Verdict::Allowed } else { Verdict::ImplicitDeny };
    assert_eq!(verdict("backup:TagResource", POINT, &[allow_if(condition)]), expected);
}

#[rstest]
#[case::operator(r#"{"NumericLessThan":{"aws:ResourceTag/dynachain:managed":"1"}}"#)]
#[case::key(r#"{"StringNotEquals":{"aws:SourceVpc":"x"}}"#)]
#[case::variable(r#"{"StringNotEquals":{"aws:PrincipalAccount":"${aws:userid}"}}"#)]
fn an_unknown_operator_key_or_variable_in_a_condition_allows_nothing(#[case] condition: &str) {
    assert_eq!(verdict("backup:TagResource", POINT, &[allow_if(condition)]), Verdict::ImplicitDeny);
}

#[rstest]
#[case::unknown_key(r#""Condition":{"StringEquals":{"aws:SourceVpc":"x"}},"#, Verdict::ExplicitDeny)]
#[case::unknown_operator(r#""Condition":{"DateLessThan":{"aws:CurrentTime":"x"}},"#, Verdict::ExplicitDeny)]
#[case::unknown_element(r#""NotPrincipal":"*","#, Verdict::ExplicitDeny)]
#[case::holds_not(
    r#""Condition":{"StringNotEquals":{"aws:ResourceTag/dynachain:managed":"chain"}},"#,
    Verdict::Allowed
)]
#[case::always("", Verdict::ExplicitDeny)]
fn a_deny_wins_over_an_allow_also_when_it_cannot_be_read(#[case] more: &str, #[case] expected: Verdict) {
    let policy = format!(
        r#"{{"Statement":[{{"Effect":"Allow","Action":"backup:*","Resource":"*"}},
            {{"Effect":"Deny",{more}"Action":"backup:TagResource","Resource":"arn:aws:backup:*:*:recovery-point:*"}}]}}"#
    );
    assert_eq!(verdict("backup:TagResource", POINT, std::slice::from_ref(&policy)), expected);
    assert_eq!(verdict("backup:ListTags", POINT, &[policy]), Verdict::Allowed);
}

#[rstest]
#[case::listed(r#""Action":["backup:ListTags","backup:TagResource"],"Resource":"*""#, true)]
#[case::not_listed(r#""Action":["backup:ListTags"],"Resource":"*""#, false)]
#[case::not_action(r#""NotAction":"backup:Delete*","Resource":"*""#, true)]
#[case::not_action_names_it(r#""NotAction":"backup:Tag*","Resource":"*""#, false)]
#[case::other_resource(r#""Action":"*","Resource":"arn:aws:backup:*:*:backup-vault:*""#, false)]
#[case::not_resource(r#""Action":"*","NotResource":"arn:aws:backup:*:*:backup-vault:*""#, true)]
#[case::not_resource_names_it(r#""Action":"*","NotResource":"arn:aws:backup:*:*:recovery-point:*""#, false)]
#[case::other_account(r#""Action":"*","Resource":"arn:aws:backup:*:999999999999:recovery-point:*""#, false)]
#[case::no_resource(r#""Action":"*""#, false)]
fn a_statement_speaks_of_its_actions_and_resources_or_of_all_others(
    #[case] elements: &str,
    #[case] allowed: bool,
) {
    let policy = format!(r#"{{"Statement":[{{"Effect":"Allow",{elements}}}]}}"#);
    let expected = if allowed { Verdict::Allowed } else { Verdict::ImplicitDeny };
    assert_eq!(verdict("backup:TagResource", POINT, &[policy]), expected);
}

#[test]
fn a_permissions_boundary_only_takes_away() {
    let all: Policy = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#.parse().unwrap();
    let lists: Policy =
        r#"{"Statement":{"Effect":"Allow","Action":"backup:List*","Resource":"*"}}"#.parse().unwrap();
    let context = context();
    let ask = |identity: &Policy, boundary: &Policy, action| {
        let set = PolicySet { identity: vec![identity.clone()], boundary: Some(boundary.clone()) };
        set.evaluate(Request { action, resource: POINT, context: &context }, Grant::Nothing)
    };
    assert_eq!(ask(&all, &lists, "backup:ListTags"), Verdict::Allowed);
    assert_eq!(ask(&all, &lists, "backup:TagResource"), Verdict::OutOfBounds);
    assert_eq!(ask(&lists, &all, "backup:TagResource"), Verdict::ImplicitDeny);
}

#[test]
fn a_document_is_read_as_the_iam_api_encodes_it() {
    let encoded = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D%7D";
    assert_eq!(verdict("backup:ListTags", POINT, &[encoded.to_owned()]), Verdict::Allowed);
    assert!("{}".parse::<Policy>().is_err());
}

#[rstest]
#[case::backup(r#"{"Service":"backup.amazonaws.com"}"#, "sts:AssumeRole", true)]
#[case::one_of(r#"{"Service":["lambda.amazonaws.com","backup.amazonaws.com"]}"#, "sts:AssumeRole", true)]
#[case::another(r#"{"Service":"lambda.amazonaws.com"}"#, "sts:AssumeRole", false)]
#[case::account(r#"{"AWS":"111122223333"}"#, "sts:AssumeRole", false)]
#[case::other_action(r#"{"Service":"backup.amazonaws.com"}"#, "sts:TagSession", false)]
fn a_role_is_trusted_to_the_services_that_its_trust_policy_names(
    #[case] principal: &str,
    #[case] action: &str,
    #[case] trusted: bool,
) {
    let policy: Policy =
        format!(r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"{action}"}}]}}"#)
            .parse()
            .unwrap();
    assert_eq!(policy.trusts_service("backup.amazonaws.com", "sts:AssumeRole", &Context::default()), trusted);
}

/// What a function that prunes chains is allowed.
const PRUNE: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"backup:DeleteRecoveryPoint","Resource":"arn:aws:backup:*:*:recovery-point:*",
     "Condition":{"StringEquals":{"aws:ResourceTag/dynachain:managed":"chain"},
                  "Null":{"aws:ResourceTag/dynachain:keep":"true"}}}]}"#;

#[rstest]
#[case::chain(&[("dynachain:managed", "chain")], "backup:DeleteRecoveryPoint", true)]
#[case::manual(&[("dynachain:managed", "manual")], "backup:DeleteRecoveryPoint", false)]
#[case::untagged(&[], "backup:DeleteRecoveryPoint", false)]
#[case::kept(&[("dynachain:managed", "chain"), ("dynachain:keep", "")], "backup:DeleteRecoveryPoint", false)]
#[case::other_action(&[("dynachain:managed", "chain")], "backup:DeleteBackupVault", false)]
fn a_prune_role_may_delete_only_the_points_of_a_chain(
    #[case] tags: &[(&str, &str)],
    #[case] action: &str,
    #[case] allowed: bool,
) {
    let mut context = Context::default();
    for (key, value) in tags {
        context.add(&format!("aws:ResourceTag/{key}"), *value);
    }
    let set = PolicySet { identity: vec![PRUNE.parse().unwrap()], boundary: None };
    let verdict = set.evaluate(Request { action, resource: POINT, context: &context }, Grant::Nothing);
    assert_eq!(verdict == Verdict::Allowed, allowed);
}

#[rstest]
#[case::present(r#""Version":"2012-10-17","#, Verdict::Allowed)]
#[case::old(r#""Version":"2008-10-17","#, Verdict::ImplicitDeny)]
#[case::none("", Verdict::ImplicitDeny)]
fn policy_variables_need_policy_version_2012_10_17(#[case] version: &str, #[case] expected: Verdict) {
    for statement in [
        r#""Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}"#,
        r#""Resource":"arn:aws:backup:*:${aws:PrincipalAccount}:*""#,
    ] {
        let policy =
            format!(r#"{{{version}"Statement":[{{"Effect":"Allow","Action":"backup:*",{statement}}}]}}"#);
        assert_eq!(verdict("backup:TagResource", POINT, &[policy]), expected, "{statement}");
    }
    assert!(r#"{"Version":"2025-01-01","Statement":[]}"#.parse::<Policy>().is_err());
}

#[rstest]
#[case::operator(r#""Condition":{"NumericLessThan":{"aws:TagKeys":"1"}}"#)]
#[case::set(r#""Condition":{"ForSomeValues:StringEquals":{"aws:TagKeys":"team"}}"#)]
#[case::key(r#""Condition":{"StringLike":{"aws:PrincipalTag/team":"*"}}"#)]
#[case::variable(r#""Condition":{"StringLike":{"aws:PrincipalAccount":"${aws:username}"}}"#)]
#[case::many_values(r#""Condition":{"StringEquals":{"aws:TagKeys":"team"}}"#)]
#[case::null(r#""Condition":{"Null":{"aws:TagKeys":"maybe"}}"#)]
#[case::element(r#""NotPrincipal":"*""#)]
fn what_a_policy_says_that_is_not_understood_fails_closed(#[case] strange: &str) {
    let statement =
        |effect: &str, more: &str| format!(r#"{{"Effect":"{effect}","Action":"*","Resource":"*"{more}}}"#);
    let policy = |statements: &[String]| {
        format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
    };
    let ask = |statements: &[String]| verdict("backup:TagResource", POINT, &[policy(statements)]);
    let strange = format!(",{strange}");
    assert_eq!(ask(&[statement("Allow", &strange)]), Verdict::ImplicitDeny);
    assert_eq!(ask(&[statement("Allow", ""), statement("Deny", &strange)]), Verdict::ExplicitDeny);
}

#[rstest]
#[case::to_the_account("backup:DescribeRecoveryPoint", Grant::ToAccount, Verdict::ImplicitDeny)]
#[case::to_the_role("backup:DescribeRecoveryPoint", Grant::ToPrincipal, Verdict::Allowed)]
#[case::denied("backup:ListTags", Grant::Denied, Verdict::ExplicitDeny)]
#[case::nothing("backup:ListTags", Grant::Nothing, Verdict::Allowed)]
#[case::denied_by_the_role("backup:TagResource", Grant::ToPrincipal, Verdict::ExplicitDeny)]
#[case::beyond_the_boundary("backup:StartCopyJob", Grant::ToPrincipal, Verdict::OutOfBounds)]
fn a_resource_policy_adds_to_identity_policies_but_not_to_a_boundary(
    #[case] action: &str,
    #[case] grant: Grant,
    #[case] expected: Verdict,
) {
    let identity = r#"{"Statement":[{"Effect":"Allow","Action":"backup:ListTags","Resource":"*"},
        {"Effect":"Deny","Action":"backup:TagResource","Resource":"*"}]}"#;
    let boundary = r#"{"Statement":{"Effect":"Allow","NotAction":"backup:StartCopyJob","Resource":"*"}}"#;
    let set =
        PolicySet { identity: vec![identity.parse().unwrap()], boundary: Some(boundary.parse().unwrap()) };
    let request = Request { action, resource: POINT, context: &Context::default() };
    assert_eq!(set.evaluate(request, grant), expected);
}
