use anyhow::{Context as _, Result};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, SseSpecification,
    SseType,
};

use super::*;

/// A new customer's key; its ARN.
pub(super) async fn key(stack: &Stack) -> Result<String> {
    stack.kms.create_key().send().await?.key_metadata.and_then(|key| key.arn).context("a key without an ARN")
}

/// A table that is encrypted with DynamoDB's key in the account, or with the customer's.
pub(super) async fn keyed_table(stack: &Stack, name: &str, key: Option<&str>) -> Result<()> {
    let sse = SseSpecification::builder().enabled(true).sse_type(SseType::Kms);
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    stack
        .dynamodb
        .create_table()
        .table_name(name)
        .attribute_definitions(id.build()?)
        .key_schema(KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build()?)
        .billing_mode(BillingMode::PayPerRequest)
        .sse_specification(sse.set_kms_master_key_id(key.map(str::to_owned)).build())
        .send()
        .await?;
    Ok(())
}

/// The key of a table as DynamoDB describes it: none for an AWS owned one.
async fn key_of(stack: &Stack, table: &str) -> Result<Option<String>> {
    let table = described(stack, table).await.context("no table")?;
    Ok(table.sse_description.and_then(|sse| sse.kms_master_key_arn))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_table_has_the_key_that_the_metadata_says() -> Result<()> {
    let stack = stack().await?;
    let (original, other) = (key(&stack).await?, key(&stack).await?);
    keyed_table(&stack, "orders", Some(&original)).await?;
    keyed_table(&stack, "managed", None).await?;
    let point = point(&stack, "orders").await?;
    let restored = async |table: &str, metadata: &[(&str, &str)]| {
        let mut restore = restore(&stack, &point).metadata("targetTableName", table);
        for (key, value) in metadata {
            restore = restore.metadata(*key, *value);
        }
        let job = run(&stack, restore).await?;
        assert_eq!(outcome(&job), ("COMPLETED", ""));
        key_of(&stack, table).await
    };
    assert_eq!(restored("unsaid", &[]).await?, Some(original));
    assert_eq!(restored("owned", &[("encryptionType", "Default")]).await?, None);
    assert_eq!(restored("kms", &[("encryptionType", "KMS")]).await?, key_of(&stack, "managed").await?);
    let own = [("encryptionType", "KMS"), ("kmsMasterKeyArn", other.as_str())];
    assert_eq!(restored("own", &own).await?, Some(other.clone()));
    Ok(())
}
