//! Requests as no SDK would send them.

use rstest::rstest;
use serde_json::json;

use super::asked::Asked;
use super::*;

const ROLE: &str = "arn:aws:iam::111122223333:role/backup";
const TABLE: &str = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders";
const TABLE_PART: &str = "arn%3Aaws%3Adynamodb%3Aeu-central-1%3A111122223333%3Atable%2Forders";
const VAULT: &str = "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain";

const MISSING: &str = "400 MissingParameterValueException";
const INVALID: &str = "400 InvalidParameterValueException";
const WRONG: &str = "400 SerializationException";
const NOT_EMULATED: &str = "501 NotImplementedException";

fn start(member: &str, value: Value) -> String {
    let mut body = json!({ "BackupVaultName": "dynachain", "ResourceArn": TABLE, "IamRoleArn": ROLE });
    body[member] = value;
    body.to_string()
}

#[rstest]
#[case::text("hello")]
#[case::list("[]")]
#[case::number("1")]
#[case::null("null")]
#[case::cut_off(r#"{"BackupVaultName": "#)]
#[case::two("{}{}")]
#[tokio::test]
async fn a_body_that_is_no_json_object_is_a_serializationexception(#[case] body: &'static str) {
    let asked = Asked::start().await;
    assert_eq!(asked.ask("PUT", "/backup-jobs", body).await, WRONG);
    assert_eq!(asked.ask("PUT", "/backup-jobs", vec![0xff, 0xfe]).await, WRONG);
}

#[tokio::test]
async fn a_body_over_1_mib_is_a_serializationexception() {
    let asked = Asked::start().await;
    let tag = |length| json!({ "Tags": { "a": "x".repeat(length) } }).to_string();
    let target = format!("/tags/{VAULT}");
    assert_eq!(asked.ask("POST", &target, tag(LARGEST_BODY)).await, WRONG);
    assert_eq!(asked.ask("POST", &target, tag(LARGEST_BODY - 100)).await, INVALID);
}

#[tokio::test]
async fn a_body_on_a_get_or_a_delete_is_not_looked_at() {
    let asked = Asked::start().await;
    assert_eq!(asked.ask("GET", "/backup-vaults", "hello").await, "200");
    assert_eq!(asked.ask("DELETE", "/backup-vaults/dynachain", vec![b'x'; LARGEST_BODY + 1]).await, "200");
}

#[tokio::test]
async fn members_that_the_model_does_not_know_are_ignored() {
    let asked = Asked::start().await;
    assert_eq!(asked.ask("GET", "/backup-vaults?colour=red&MaxResults=0", "").await, "200");
    assert_eq!(asked.ask("PUT", "/backup-jobs", start("Colour", json!(["red"]))).await, "200");
}

#[tokio::test]
async fn of_a_query_member_that_is_given_twice_the_first_counts() {
    let asked = Asked::start().await;
    assert_eq!(asked.ask("GET", "/backup-vaults?maxResults=1&maxResults=0", "").await, "200");
    assert_eq!(asked.ask("GET", "/backup-vaults?maxResults=0&maxResults=1", "").await, INVALID);
}

#[tokio::test]
async fn a_member_given_twice_in_a_body_is_refused() {
    let asked = Asked::start().await;
    let twice = r#"{"TagKeyList": ["a"], "TagKeyList": ["b"]}"#;
    assert_eq!(asked.ask("POST", &format!("/untag/{VAULT}"), twice).await, WRONG);
}

#[tokio::test]
async fn a_known_path_with_another_method_is_not_emulated() {
    let asked = Asked::start().await;
    for (method, target) in [
        ("POST", "/backup-vaults/dynachain"),
        ("PATCH", "/backup-jobs"),
        ("DELETE", "/account-settings"),
        ("HEAD", "/backup-vaults"),
        ("get", "/backup-vaults"),
    ] {
        assert_eq!(asked.ask(method, target, "").await, NOT_EMULATED, "{method} {target}");
    }
}

#[rstest]
#[case::account("/backup-jobs?accountId=1")]
#[case::state("/backup-jobs?state=DONE")]
#[case::state_has_case("/backup-jobs?state=completed")]
#[case::resource("/backup-jobs?resourceArn=orders")]
#[case::kind("/backup-jobs?resourceType=Dynamo%20DB")]
#[case::vault("/backup-jobs?backupVaultName=v")]
#[case::time("/backup-jobs?createdAfter=yesterday")]
#[case::date("/backup-jobs?createdBefore=2025-01-06")]
#[case::complete("/backup-jobs?completeAfter=2025-13-01T00%3A00%3A00Z")]
#[case::vault_type("/backup-vaults?vaultType=PLAIN")]
#[case::shared("/backup-vaults?shared=yes")]
#[case::managed(
    "/resources/arn%3Aaws%3Adynamodb%3Ar%3A1%3Atable%2Ft/recovery-points?managedByAWSBackupOnly=1"
)]
#[case::vault_account("/backup-vaults/dynachain/recovery-points?backupVaultAccountId=me")]
#[case::parent("/backup-vaults/dynachain/recovery-points?parentRecoveryPointArn=p")]
#[case::token("/legal-holds?nextToken=x")]
#[tokio::test]
async fn a_filter_that_a_list_cannot_have_is_an_invalidparametervalueexception(#[case] target: &str) {
    assert_eq!(Asked::start().await.ask("GET", target, "").await, INVALID);
}

#[tokio::test]
async fn an_unknown_message_category_matches_no_job() {
    let asked = Asked::start().await;
    assert_eq!(asked.ask("PUT", "/backup-jobs", start("Index", Value::Null)).await, "200");
    let jobs = async |query: &str| {
        let (status, body) = asked.send("GET", &format!("/backup-jobs{query}"), "").await.unwrap();
        assert_eq!(status, "200");
        body["BackupJobs"].as_array().unwrap().len()
    };
    assert_eq!((jobs("").await, jobs("?messageCategory=*").await), (1, 1));
    assert_eq!(jobs("?messageCategory=NOTHING_OF_THE_KIND").await, 0);
}

#[tokio::test]
async fn maxresults_is_1_to_1000_on_every_list() {
    let asked = Asked::start().await;
    let created = json!({ "Title": "t", "Description": "d" }).to_string();
    let (_, hold) = asked.send("POST", "/legal-holds", created).await.unwrap();
    let mut lists = 0;
    for operation in operation::ALL.iter().filter(|operation| operation.name.starts_with("List")) {
        let path = operation
            .path
            .replace("{backupVaultName}", "dynachain")
            .replace("{legalHoldId}", hold["LegalHoldId"].as_str().unwrap())
            .replace("{resourceArn}", if operation.name == "ListTags" { VAULT } else { TABLE_PART });
        for (size, wanted) in [
            ("1", "200"),
            ("1000", "200"),
            ("0", INVALID),
            ("1001", INVALID),
            ("-1", INVALID),
            ("1.5", INVALID),
        ] {
            let answer = asked.ask("GET", &format!("/{path}?maxResults={size}"), "").await;
            assert_eq!(answer, wanted, "{} {size}", operation.name);
        }
        lists += 1;
    }
    assert!(lists >= 7, "{lists}");
}

#[rstest]
#[case::point("GET", "/backup-vaults/dynachain/recovery-points/ab")]
#[case::metadata("GET", "/backup-vaults/dynachain/recovery-points/ab/restore-metadata")]
#[case::resource("GET", "/resources/orders/recovery-points")]
#[case::tags("GET", "/tags/ab")]
#[case::tag("POST", "/tags/ab")]
#[case::untag("POST", "/untag/ab")]
#[case::other_service("GET", "/tags/arn%3Aaws%3As3%3A%3A%3Abucket")]
#[case::bytes("GET", "/tags/%FF%00")]
#[tokio::test]
async fn a_path_part_that_is_no_arn_is_an_invalidparametervalueexception(
    #[case] method: &str,
    #[case] target: &str,
) {
    let body = r#"{"Tags": {"a": "b"}, "TagKeyList": ["a"]}"#;
    assert_eq!(Asked::start().await.ask(method, target, body).await, INVALID);
}

#[tokio::test]
async fn a_path_part_is_percent_decoded_once() {
    let asked = Asked::start().await;
    assert_eq!(asked.ask("GET", "/backup-vaults/%64ynachain", "").await, "200");
    let twice = asked.ask("GET", "/backup-vaults/%2564ynachain", "").await;
    assert_eq!(twice, "403 AccessDeniedException");
}

#[rstest]
#[case::vault("PUT", "/backup-jobs", start("BackupVaultName", json!(1)))]
#[case::window("PUT", "/backup-jobs", start("StartWindowMinutes", json!("60")))]
#[case::fraction("PUT", "/backup-jobs", start("CompleteWindowMinutes", json!(1.5)))]
#[case::huge("PUT", "/backup-jobs", start("StartWindowMinutes", json!(1e30)))]
#[case::tags("PUT", "/backup-jobs", start("RecoveryPointTags", json!([["a", "b"]])))]
#[case::tag_value("PUT", "/backup-jobs", start("RecoveryPointTags", json!({ "a": 1 })))]
#[case::lifecycle("PUT", "/backup-jobs", start("Lifecycle", json!("35 days")))]
#[case::days("PUT", "/backup-jobs", start("Lifecycle", json!({ "DeleteAfterDays": "35" })))]
#[case::key("PUT", "/backup-vaults/other", r#"{"EncryptionKeyArn": {}}"#.to_owned())]
#[case::vault_tags("PUT", "/backup-vaults/other", r#"{"BackupVaultTags": "a=b"}"#.to_owned())]
#[case::key_list("POST", "/untag/arn:aws:backup:r:1:backup-vault:v", r#"{"TagKeyList": "a"}"#.to_owned())]
#[case::null_key("POST", "/untag/arn:aws:backup:r:1:backup-vault:v", r#"{"TagKeyList": [null]}"#.to_owned())]
#[case::opt_in("PUT", "/account-settings", r#"{"ResourceTypeOptInPreference": {"DynamoDB": "on"}}"#.to_owned())]
#[tokio::test]
async fn a_wrong_json_type_is_a_serializationexception(
    #[case] method: &str,
    #[case] target: &str,
    #[case] body: String,
) {
    assert_eq!(Asked::start().await.ask(method, target, body).await, WRONG);
}

#[rstest]
#[case::vault("PUT", "/backup-jobs", start("BackupVaultName", Value::Null))]
#[case::resource("PUT", "/backup-jobs", start("ResourceArn", Value::Null))]
#[case::role("PUT", "/backup-jobs", start("IamRoleArn", Value::Null))]
#[case::nothing("PUT", "/backup-jobs", String::new())]
#[case::tags("POST", "/tags/arn:aws:backup:r:1:backup-vault:v", "{}".to_owned())]
#[case::keys("POST", "/untag/arn:aws:backup:r:1:backup-vault:v", String::new())]
#[case::settings("PUT", "/account-settings", "{}".to_owned())]
#[case::title("POST", "/legal-holds", r#"{"Description": "d"}"#.to_owned())]
#[case::cancel("DELETE", "/legal-holds/ab", String::new())]
#[case::empty_part("GET", "/backup-vaults//recovery-points", String::new())]
#[tokio::test]
async fn a_required_member_that_is_missing_is_a_missingparametervalueexception(
    #[case] method: &str,
    #[case] target: &str,
    #[case] body: String,
) {
    assert_eq!(Asked::start().await.ask(method, target, body).await, MISSING);
}

#[rstest]
#[case::no_keys("POST", format!("/untag/{VAULT}"), json!({ "TagKeyList": [] }))]
#[case::no_tags("POST", format!("/tags/{VAULT}"), json!({ "Tags": {} }))]
#[case::key("PUT", "/backup-vaults/other".to_owned(), json!({ "EncryptionKeyArn": "alias/mine" }))]
#[case::key_elsewhere(
    "PUT",
    "/backup-vaults/other".to_owned(),
    json!({ "EncryptionKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/ab" })
)]
#[case::name("PUT", "/backup-vaults/v".to_owned(), json!({}))]
#[case::days("DELETE", "/legal-holds/ab?cancelDescription=x&retainRecordInDays=-1".to_owned(), json!({}))]
#[case::part_of_a_day("DELETE", "/legal-holds/ab?cancelDescription=x&retainRecordInDays=1.5".to_owned(), json!({}))]
#[case::too_long("DELETE", "/legal-holds/ab?cancelDescription=x&retainRecordInDays=36501".to_owned(), json!({}))]
#[tokio::test]
async fn a_value_out_of_bounds_is_an_invalidparametervalueexception(
    #[case] method: &str,
    #[case] target: String,
    #[case] body: Value,
) {
    assert_eq!(Asked::start().await.ask(method, &target, body.to_string()).await, INVALID);
}
