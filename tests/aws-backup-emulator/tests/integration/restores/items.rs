use std::collections::HashMap;

use anyhow::Result;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue::{self, B, Bool, Bs, L, M, N, Ns, Null, S, Ss};

use super::*;

type Item = HashMap<String, AttributeValue>;

/// An item of every type, at the limits of it.
fn items() -> Vec<Item> {
    let text = |text: &str| S(text.to_owned());
    let number = |number: &str| N(number.to_owned());
    let blob = |bytes: &[u8]| Blob::new(bytes);
    let nested = (0..30).fold(text("deepest"), |inner, level| {
        if level % 2 == 0 { L(vec![inner, Null(true)]) } else { M(HashMap::from([("m".to_owned(), inner)])) }
    });
    let values = [
        ("empty text", text("")),
        ("text", text("ä\u{0}\u{1f600} \"quoted\"\n")),
        ("largest number", number("99999999999999999999999999999999999999")),
        ("smallest number", number("-99999999999999999999999999999999999999")),
        ("largest exponent", number("9.9999999999999999999999999999999999999E+125")),
        ("smallest exponent", number("1E-130")),
        ("precise number", number("0.12345678901234567890123456789012345678")),
        ("zero", number("0")),
        ("binary", B(blob(&[0, 255, 128, 10]))),
        ("empty binary", B(blob(&[]))),
        ("true", Bool(true)),
        ("false", Bool(false)),
        ("null", Null(true)),
        ("texts", Ss(vec!["a".to_owned(), "B".to_owned(), "ß".to_owned()])),
        ("numbers", Ns(vec!["1".to_owned(), "-2.5".to_owned(), "3E+20".to_owned()])),
        ("binaries", Bs(vec![blob(&[1]), blob(&[2, 3])])),
        ("empty list", L(Vec::new())),
        ("empty map", M(HashMap::new())),
        ("nested", nested),
        ("large", text(&"x".repeat(390_000))),
    ];
    let item = |(id, value): (&str, AttributeValue)| {
        HashMap::from([("id".to_owned(), text(id)), ("value".to_owned(), value)])
    };
    values.into_iter().map(item).collect()
}

/// Every item of a table by its id, the members of sets in order.
async fn read(stack: &Stack, table: &str) -> Result<HashMap<String, Item>> {
    let mut pages = stack.dynamodb.scan().table_name(table).into_paginator().items().send();
    let mut items = HashMap::new();
    while let Some(item) = pages.next().await {
        let mut item = item?;
        match item.get_mut("value") {
            Some(Ss(members) | Ns(members)) => members.sort(),
            Some(Bs(members)) => members.sort_by(|a, b| a.as_ref().cmp(b.as_ref())),
            _ => {}
        }
        let id = item["id"].as_s().map_err(|_| anyhow::anyhow!("an id that is no text"))?.clone();
        items.insert(id, item);
    }
    Ok(items)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_table_has_every_item_of_every_type() -> Result<()> {
    let stack = stack().await?;
    stack.table("orders", 0, &[]).await?;
    for item in items() {
        stack.dynamodb.put_item().table_name("orders").set_item(Some(item)).send().await?;
    }
    let before = read(&stack, "orders").await?;
    assert_eq!(before.len(), items().len());
    let point = point(&stack, "orders").await?;
    // What happens to the table after the backup is nothing to the restore.
    stack.dynamodb.delete_table().table_name("orders").send().await?;
    assert_eq!(outcome(&run(&stack, restore(&stack, &point)).await?), ("COMPLETED", ""));
    assert_eq!(read(&stack, "restored").await?, before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_brings_back_thousands_of_items() -> Result<()> {
    let stack = stack().await?;
    stack.table("orders", 10_000, &[]).await?;
    let point = point(&stack, "orders").await?;
    assert_eq!(outcome(&run(&stack, restore(&stack, &point)).await?), ("COMPLETED", ""));
    assert_eq!(read(&stack, "restored").await?.len(), 10_000);
    Ok(())
}
