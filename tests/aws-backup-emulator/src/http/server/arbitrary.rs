//! Whatever bytes come in, an answer that makes sense goes out.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::asked::Asked;
use super::*;

const NAMES: [&str; 5] = [
    "dynachain",
    "arn:aws:dynamodb:eu-central-1:111122223333:table/orders",
    "arn:aws:backup:eu-central-1:111122223333:recovery-point:ab",
    "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain",
    "arn:aws:iam::111122223333:role/backup",
];

/// JSON of any shape, with names and values that operations look for.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![".{0,12}", prop::sample::select(&NAMES[..]).prop_map(str::to_owned),];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "BackupVaultName",
            "ResourceArn",
            "IamRoleArn",
            "IdempotencyToken",
            "StartWindowMinutes",
            "Lifecycle",
            "DeleteAfterDays",
            "MoveToColdStorageAfterDays",
            "RecoveryPointTags",
            "BackupVaultTags",
            "Tags",
            "TagKeyList",
            "Title",
            "Description",
            "RecoveryPointSelection",
            "VaultNames",
            "ResourceIdentifiers",
            "DateRange",
            "FromDate",
            "ToDate",
            "EncryptionKeyArn",
            "ResourceTypeOptInPreference",
            "RecoveryPointArn",
            "Metadata",
            "DestinationBackupVaultArn",
            "SourceBackupVaultName",
            "MinRetentionDays",
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => any_json().prop_map(|value| value.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..64),
    ]
}

/// Percent-encoded or not, sense or nonsense.
fn any_part() -> impl Strategy<Value = String> {
    let encoded = |bytes: &[u8]| {
        percent_encoding::percent_encode(bytes, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    prop_oneof![
        prop::sample::select(&NAMES[..]).prop_map(move |part| encoded(part.as_bytes())),
        prop::collection::vec(any::<u8>(), 0..16).prop_map(move |bytes| encoded(&bytes)),
        "[!-~&&[^#?/]]{0,16}",
    ]
}

/// Method and path of an operation with any parts, or any of them.
fn any_target() -> impl Strategy<Value = (String, String)> {
    let operations: Vec<(&str, &str)> =
        operation::ALL.iter().map(|operation| (operation.method, operation.path)).collect();
    let known = (prop::sample::select(operations), prop::collection::vec(any_part(), 3));
    let known = known.prop_map(|((method, path), parts)| {
        let mut parts = parts.into_iter();
        let fill = |part: &str| {
            if part.starts_with('{') { parts.next().unwrap_or_default() } else { part.to_owned() }
        };
        let path: Vec<String> = path.split('/').map(fill).collect();
        (method.to_owned(), format!("/{}", path.join("/")))
    });
    let path = prop::collection::vec(any_part(), 0..5).prop_map(|parts| format!("/{}", parts.join("/")));
    prop_oneof![4 => known, 1 => (any_method(), path)]
}

fn any_query() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "maxResults",
        "nextToken",
        "state",
        "resourceArn",
        "createdAfter",
        "completeBefore",
        "accountId",
        "shared",
        "backupVaultAccountId",
        "cancelDescription",
        "retainRecordInDays",
        "messageCategory",
        "x",
    ]);
    let value = prop_oneof![any_part(), "[0-9.-]{1,20}", Just("bGlzdAph".to_owned())];
    prop::collection::vec((name, value), 0..4).prop_map(|pairs| {
        let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    })
}

fn any_method() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec!["GET", "PUT", "POST", "DELETE"]).prop_map(str::to_owned),
        1 => "[A-Z]{1,8}",
    ]
}

#[test]
fn whatever_is_asked_the_answer_is_no_server_error_but_501() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let asked = runtime.block_on(Asked::start());
    let seen = std::cell::RefCell::new(BTreeSet::new());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(4_000));
    let request = (any_target(), any_query(), any_body());
    runner
        .run(&request, |((method, path), query, body)| {
            let target = format!("{path}?{query}");
            if let Some((status, _)) = runtime.block_on(asked.send(&method, &target, body)) {
                prop_assert!(
                    !status.starts_with('5') || status == "501 NotImplementedException",
                    "{}",
                    status
                );
                seen.borrow_mut().insert(status);
            }
            Ok(())
        })
        .unwrap();
    // It got as far as answers of every kind.
    let seen = seen.into_inner();
    for status in [
        "200",
        "400 MissingParameterValueException",
        "400 InvalidParameterValueException",
        "400 SerializationException",
        "400 ResourceNotFoundException",
        "403 AccessDeniedException",
        "501 NotImplementedException",
    ] {
        assert!(seen.contains(status), "{seen:?}");
    }
}
