//! What the year left behind, held against what the oracle expects.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Context as _;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use local_stack::{LocalStack, SOURCE_REGION};
use serde_json::{Value, json};

use super::Figures;
use super::oracle::Expected;

const CATALOG: &str = "dynachain";

/// Compares the points of the vault, read without the catalog, and what the catalog says is still to be done.
pub(super) async fn compare(
    stack: &LocalStack,
    expected: &Expected,
    mut figures: Figures,
) -> anyhow::Result<Figures> {
    let client = Client::new(&stack.sdk_config(SOURCE_REGION).await);
    nothing_is_left_to_do(&client, expected).await?;
    for item in items(&client, "POINT#").await? {
        let delete = client.delete_item().table_name(CATALOG);
        delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await?;
    }
    let found = points(stack).await?;
    figures.points = found.len();
    let differ = |(key, flags): &(&(String, Timestamp), &String)| found.get(*key) != Some(*flags);
    let missing: Vec<_> = expected.points.iter().filter(differ).take(5).collect();
    anyhow::ensure!(missing.is_empty(), "points that should be so and are not, among others: {missing:?}");
    let differ = |(key, flags): &(&(String, Timestamp), &String)| expected.points.get(*key) != Some(*flags);
    let surplus: Vec<_> = found.iter().filter(differ).take(5).collect();
    anyhow::ensure!(surplus.is_empty(), "points that should not be, among others: {surplus:?}");
    Ok(figures)
}

/// Every session is announced, no table is open, and nothing is owed but what the last days lost.
async fn nothing_is_left_to_do(client: &Client, expected: &Expected) -> anyhow::Result<()> {
    let text = |item: &HashMap<String, AttributeValue>, name: &str| {
        item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
    };
    let sessions = items(client, "SESSION#").await?;
    let open: Vec<_> = sessions
        .iter()
        .filter(|item| text(item, "sk").starts_with("OPEN#") || item.contains_key("gsi1pk"))
        .map(|item| (text(item, "pk"), text(item, "sk")))
        .collect();
    anyhow::ensure!(open.is_empty(), "still open: {open:?}");
    let owed: BTreeSet<_> = items(client, "OWED#")
        .await?
        .iter()
        .filter(|debt| debt.contains_key("lost"))
        .map(|debt| {
            (text(debt, "table").rsplit('/').next().unwrap_or_default().to_owned(), text(debt, "flag"))
        })
        .collect();
    anyhow::ensure!(owed == expected.still_owed(), "owed: {owed:?}, not {:?}", expected.still_owed());
    Ok(())
}

async fn items(client: &Client, prefix: &str) -> anyhow::Result<Vec<HashMap<String, AttributeValue>>> {
    let scan =
        client.scan().table_name(CATALOG).consistent_read(true).filter_expression("begins_with(pk, :pk)");
    let scan = scan.expression_attribute_values(":pk", AttributeValue::S(prefix.to_owned()));
    let pages = scan.into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.context("the catalog")
}

/// The flags of every point by table and moment: from the vault alone, the catalog's rows are made from it.
async fn points(stack: &LocalStack) -> anyhow::Result<BTreeMap<(String, Timestamp), String>> {
    let mut found = BTreeMap::new();
    let mut request = json!({ "rebuild": true });
    loop {
        let report = stack.invoke(SOURCE_REGION, "chain-report", &request).await?;
        anyhow::ensure!(report["findings"] == json!([]), "findings: {}", report["findings"]);
        for chain in report["chains"].as_array().context("chains")? {
            let table = chain["table"].as_str().and_then(|arn| arn.rsplit('/').next()).context("a table")?;
            for point in chain["points"].as_array().context("points")? {
                let at: Timestamp = point["scheduled_at"].as_str().context("a moment")?.parse()?;
                let twice = found.insert((table.to_owned(), at), flags(point)).is_some();
                anyhow::ensure!(!twice, "{table} has two points of {at}");
            }
        }
        match report.get("next") {
            Some(next) => request = json!({ "next": next }),
            None => return Ok(found),
        }
    }
}

fn flags(point: &Value) -> String {
    point["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
