use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::aws::{LocalAws, Scope};

/// A DynamoDB that takes so many items of a batch, and remembers which it took.
#[derive(Clone)]
struct Reluctant {
    takes: usize,
    taken: Arc<Mutex<BTreeSet<String>>>,
}

async fn batch_write_item(State(table): State<Reluctant>, body: String) -> axum::Json<Value> {
    let request: Value = serde_json::from_str(&body).unwrap();
    let puts = request["RequestItems"]["orders"].as_array().unwrap();
    assert!((1..=25).contains(&puts.len()));
    let (taken, left) = puts.split_at(table.takes.min(puts.len()));
    let ids = taken.iter().map(|put| put["PutRequest"]["Item"]["id"]["S"].as_str().unwrap().to_owned());
    table.taken.lock().unwrap().extend(ids);
    axum::Json(
        json!({ "UnprocessedItems": if left.is_empty() { json!({}) } else { json!({ "orders": left }) } }),
    )
}

/// What becomes of 60 items, and how many of them are there in the end.
async fn load_into(takes: usize) -> (Result<(), RestoreError>, usize) {
    let table = Reluctant { takes, taken: Arc::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(batch_write_item).with_state(table.clone());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let scope = Scope { account: "111122223333".to_owned(), region: "eu-central-1".to_owned() };
    let client = LocalAws::new(&endpoint, &scope.account).clients(&scope).dynamodb;
    let id = |n: usize| HashMap::from([("id".to_owned(), AttributeValue::S(n.to_string()))]);
    let loaded = load(&client, "orders", &(0..60).map(id).collect::<Vec<_>>()).await;
    server.abort();
    let taken = table.taken.lock().unwrap().len();
    (loaded, taken)
}

#[tokio::test]
async fn items_that_dynamodb_did_not_take_are_sent_again() {
    let (loaded, taken) = load_into(4).await;
    assert!(loaded.is_ok(), "{loaded:?}");
    assert_eq!(taken, 60);
}

#[tokio::test]
async fn a_restore_fails_when_dynamodb_goes_on_refusing_items() {
    let (loaded, taken) = load_into(1).await;
    assert!(matches!(loaded, Err(RestoreError::Failed(_))), "{loaded:?}");
    assert!(taken < 60, "{taken}");
}
