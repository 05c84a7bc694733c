use std::collections::BTreeSet;

use super::*;
use crate::metadata::Kind;

pub(crate) fn stack() -> Stack {
    let role = |role: Role| (role, format!("arn:aws:iam::111122223333:role/{}", role.logical_id()));
    Stack {
        region: "eu-central-1".to_owned(),
        account: "111122223333".to_owned(),
        vault: "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain".parse().unwrap(),
        key: "arn:aws:kms:eu-central-1:111122223333:key/mrk-1".parse().unwrap(),
        catalog: "dynachain".to_owned(),
        schedule_group: "dynachain".to_owned(),
        session_function: "arn:aws:lambda:eu-central-1:111122223333:function:dynachain-backup-session"
            .to_owned(),
        schedule_queue: "arn:aws:sqs:eu-central-1:111122223333:schedules".to_owned(),
        invocation_queue: "arn:aws:sqs:eu-central-1:111122223333:invocations".to_owned(),
        roles: Role::ALL.map(role).into(),
        manages_backup_settings: true,
        target_keys: ["444455556666", "777788889999"].map(target_key).to_vec(),
    }
}

fn target_key(account: &str) -> KeyArn {
    format!("arn:aws:kms:eu-west-1:{account}:key/mrk-1").parse().unwrap()
}

fn subjects() -> Subjects {
    Subjects {
        policy: "orders".parse().unwrap(),
        tables: ["a-1", "a-2"]
            .map(|name| format!("arn:aws:dynamodb:eu-central-1:111122223333:table/{name}").parse().unwrap())
            .to_vec(),
        targets: ["eu-west-1:111122223333", "eu-west-1:444455556666"]
            .map(|place| format!("arn:aws:backup:{place}:backup-vault:dynachain").parse().unwrap())
            .to_vec(),
        keys: vec![target_key("444455556666")],
    }
}

fn all() -> impl Iterator<Item = (Role, &'static Permission)> {
    Role::ALL.into_iter().flat_map(|role| {
        role.permissions(&stack()).map(move |permission| (role, permission)).collect::<Vec<_>>()
    })
}

#[test]
fn statements_have_names_of_their_own_and_sorted_actions() {
    let mut names = BTreeSet::new();
    for (role, permission) in all() {
        assert!(names.insert((role, permission.sid)), "{} of {role:?} is there twice", permission.sid);
        assert!(permission.actions.is_sorted(), "{} of {role:?}", permission.sid);
    }
}

#[test]
fn whoever_may_write_in_batches_may_delete_there_anyway() {
    // A batch may hold deletions, and this permission is all that DynamoDB asks for.
    let batches = all().filter(|(_, permission)| permission.actions.contains(&"dynamodb:BatchWriteItem"));
    for (role, permission) in batches {
        assert!(permission.actions.contains(&"dynamodb:DeleteItem"), "{} of {role:?}", permission.sid);
    }
}

#[test]
fn what_is_needed_lies_within_what_is_allowed() {
    let (stack, subjects) = (stack(), subjects());
    let none = Subjects { tables: vec![], targets: vec![], keys: vec![], ..subjects.clone() };
    for (role, permission) in all() {
        for subjects in [&subjects, &none] {
            let needed = permission.on.needed(&stack, subjects);
            assert!(!needed.is_empty(), "{} of {role:?}", permission.sid);
            for resource in needed {
                let patterns = permission.on.patterns(&stack);
                let covered = patterns.iter().any(|pattern| crate::policy::glob_matches(pattern, &resource));
                assert!(covered, "{} of {role:?}: {resource} is not in {patterns:?}", permission.sid);
            }
        }
    }
}

#[test]
fn only_two_roles_may_delete_a_recovery_point_and_each_only_its_own_kind() {
    let delete =
        |(_, permission): &(Role, &Permission)| permission.actions.contains(&"backup:DeleteRecoveryPoint");
    let who: Vec<_> = all().filter(delete).map(|(role, permission)| (role, permission.condition)).collect();
    let only = |kind| Some(Condition::ManagedAs(kind));
    assert_eq!(who, [(Role::RetentionPrune, only(Kind::Chain)), (Role::ManualRemoval, only(Kind::Manual))]);
}

#[test]
fn nobody_may_touch_a_points_lifecycle_or_a_table() {
    for (role, permission) in all() {
        for action in permission.actions {
            let harms = |harm: &&str| action.ends_with(harm);
            let never = ["UpdateRecoveryPointLifecycle", "DeleteTable"];
            assert!(!never.iter().any(&harms), "{role:?}: {action}");
            // Who restores tables configures them, and AWS Backup fills them.
            assert!(!harms(&"UpdateTable") || role == Role::TableRestore, "{role:?}: {action}");
            assert!(!harms(&"Scan") || role == Role::Restore, "{role:?}: {action}");
            assert!(!action.contains('*'), "{role:?}: {action}");
        }
    }
}

#[test]
fn only_a_stack_that_manages_the_settings_may_change_them() {
    let may = |manages_backup_settings| {
        let stack = Stack { manages_backup_settings, ..stack() };
        let mut permissions = Role::BackupSession.permissions(&stack);
        permissions.any(|permission| permission.actions.contains(&"backup:UpdateRegionSettings"))
    };
    assert_eq!((may(true), may(false)), (true, false));
}

#[test]
fn only_a_stack_with_targets_in_other_accounts_may_wrap_data_keys_for_them_and_only_for_those() {
    let none = Stack { target_keys: vec![], ..stack() };
    let wrapped_under = |stack: &Stack| -> Vec<String> {
        // AWS Backup encrypts restored tables, which is another matter.
        let ours = Role::ALL.into_iter().filter(|role| *role != Role::Restore);
        let permissions = ours.flat_map(|role| role.permissions(stack).collect::<Vec<_>>());
        let encrypt = permissions.filter(|permission| permission.actions.contains(&"kms:Encrypt"));
        encrypt.flat_map(|permission| permission.on.patterns(stack)).collect()
    };
    assert_eq!(wrapped_under(&none), Vec::<String>::new());
    let (one, other) = (target_key("444455556666"), target_key("777788889999"));
    assert_eq!(wrapped_under(&none.with_target_keys(std::slice::from_ref(&one))), [one.to_string()]);
    let both = stack().with_target_keys(std::slice::from_ref(&one));
    assert_eq!(wrapped_under(&both), [one.to_string(), other.to_string()]);
}

#[test]
fn a_statement_is_ready_for_a_policy() {
    let stack = stack();
    let permission =
        Role::BackupSession.permissions(&stack).find(|permission| permission.sid == "MakeDataKeys").unwrap();
    assert_eq!(
        permission.statement(&stack, permission.actions),
        json!({
            "Sid": "MakeDataKeys",
            "Effect": "Allow",
            "Action": ["kms:GenerateDataKey"],
            "Resource": ["arn:aws:kms:eu-central-1:111122223333:key/mrk-1"],
            "Condition": {
                "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["dynachain:format", "dynachain:source"]},
                "Null": {"kms:EncryptionContextKeys": "false"},
            },
        })
    );
    let [entry] = &permission.context(&stack)[..] else { panic!("one entry") };
    assert_eq!(
        (entry.key, entry.kind, entry.values.len()),
        ("kms:EncryptionContextKeys", ContextType::TextList, 2)
    );
}
