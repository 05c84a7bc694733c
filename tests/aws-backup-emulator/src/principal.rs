//! How a caller is named from outside: by its role's name, by an ARN, or by a pattern of either.

use crate::iam::matches_wildcards;

/// Does the pattern (`*` any run of characters, `?` one) name this principal? A session of a role goes by its own ARN, by
/// the role's name and by the role's ARN.
pub(crate) fn is_named(pattern: &str, arn: &str) -> bool {
    if matches_wildcards(pattern, arn) {
        return true;
    }
    let Some((account, session)) = arn.split_once(":assumed-role/") else { return false };
    let role = session.split('/').next().unwrap_or_default();
    let account = account.replacen(":sts:", ":iam:", 1);
    matches_wildcards(pattern, role) || matches_wildcards(pattern, &format!("{account}:role/{role}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::name("dynachain-policy", true)]
    #[case::start_of_the_name("dynachain-*", true)]
    #[case::role("arn:aws:iam::111122223333:role/dynachain-policy", true)]
    #[case::session("arn:aws:sts::111122223333:assumed-role/dynachain-policy/dynachain-policy", true)]
    #[case::any_of_the_account("arn:aws:sts::111122223333:*", true)]
    #[case::everyone("*", true)]
    #[case::another_role("dynachain-restore", false)]
    #[case::part_of_the_name("policy", false)]
    #[case::root("*:root", false)]
    fn a_session_goes_by_its_arn_and_by_its_roles_name_and_arn(#[case] pattern: &str, #[case] named: bool) {
        let arn = "arn:aws:sts::111122223333:assumed-role/dynachain-policy/dynachain-policy";
        assert_eq!(is_named(pattern, arn), named);
    }

    #[test]
    fn the_root_goes_by_its_arn_alone() {
        assert!(is_named("*:root", "arn:aws:iam::111122223333:root"));
        assert!(!is_named("root", "arn:aws:iam::111122223333:root"));
    }
}
