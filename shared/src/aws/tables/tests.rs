use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::*;
use crate::aws::fake;
use crate::policy::{Document, assign, tag_keys};

const TABLES: usize = 10_000;
const PAGE: usize = 100;

/// A Region with ten thousand tables, each with 50 tags; every third is gold, every fourth of those is to be left out.
#[derive(Clone, Debug, Default)]
struct Region {
    lists: Arc<AtomicUsize>,
    tag_pages: Arc<AtomicUsize>,
}

fn name(i: usize) -> String {
    format!("table-{i:05}")
}

fn tags(i: usize) -> Vec<Value> {
    let tier = if i.is_multiple_of(3) { "gold" } else { "silver" };
    let leave_out = if i.is_multiple_of(12) { "yes" } else { "no" };
    let others = (0..48).map(|n| json!({"Key": format!("other-{n}"), "Value": "x".repeat(256)}));
    let ours = [json!({"Key": "backup", "Value": tier}), json!({"Key": "leave-out", "Value": leave_out})];
    ours.into_iter().chain(others).collect()
}

impl Region {
    fn lister(&self) -> TableLister {
        let rate = || Rate::per_second(1_000_000);
        TableLister::new(&fake::config(self.clone()), rate(), rate())
    }

    fn list_tables(&self, request: &Value) -> Value {
        self.lists.fetch_add(1, Ordering::Relaxed);
        let after =
            request["ExclusiveStartTableName"].as_str().map(|last| last[6..].parse::<usize>().unwrap());
        let first = after.map_or(0, |last| last + 1);
        let names: Vec<String> = (first..TABLES.min(first + PAGE)).map(name).collect();
        let last = names.last().filter(|last| **last != name(TABLES - 1));
        json!({"TableNames": names, "LastEvaluatedTableName": last})
    }

    fn get_resources(&self, request: &Value) -> Value {
        self.tag_pages.fetch_add(1, Ordering::Relaxed);
        assert_eq!(request["ResourceTypeFilters"], json!(["dynamodb:table"]));
        let first: usize = request["PaginationToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let mapping = |i: usize| {
            let arn = format!("arn:aws:dynamodb:eu-central-1:111122223333:table/{}", name(i));
            json!({"ResourceARN": arn, "Tags": tags(i)})
        };
        let resources: Vec<Value> = (first..TABLES.min(first + PAGE)).map(mapping).collect();
        // The last page has an empty token (Resource Groups Tagging API Reference, `GetResources`).
        let next = if first + PAGE < TABLES { (first + PAGE).to_string() } else { String::new() };
        json!({"PaginationToken": next, "ResourceTagMappingList": resources})
    }

    fn calls(&self) -> (usize, usize) {
        (self.lists.load(Ordering::Relaxed), self.tag_pages.load(Ordering::Relaxed))
    }
}

impl HttpConnector for Region {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap();
        let answer = match target.rsplit('.').next().unwrap_or_default() {
            "ListTables" => self.list_tables(&body),
            "GetResources" => self.get_resources(&body),
            other => panic!("{other} is a call for a single table"),
        };
        let answer = HttpResponse::new(200.try_into().unwrap(), SdkBody::from(answer.to_string()));
        HttpConnectorFuture::ready(Ok(answer))
    }
}

fn policy(scope: &Value) -> Document {
    serde_json::from_value(json!({"name": "p", "scope": scope})).unwrap()
}

#[tokio::test]
async fn ten_thousand_tables_are_resolved_by_tags_in_two_hundred_calls_and_no_other_tag_is_kept() {
    let region = Region::default();
    let policy = policy(&json!({"tags": {"backup": "gold"}, "exclude": {"tags": {"leave-out": "yes"}}}));
    let tables = region.lister().tables(&Tags::Of(tag_keys(&policy, &[]))).await.unwrap();
    assert_eq!((tables.len(), region.calls()), (TABLES, (100, 100)));
    assert!(tables.is_sorted_by(|a, b| a.name < b.name));
    assert!(tables.iter().all(|table| table.tags.keys().eq(["backup", "leave-out"])));
    let covered: Vec<String> =
        assign(&policy, &[], &tables).covered.iter().map(ToString::to_string).collect();
    let expected: Vec<String> =
        (0..TABLES).filter(|i| i.is_multiple_of(3) && !i.is_multiple_of(12)).map(name).collect();
    assert_eq!(covered, expected);
}

#[tokio::test]
async fn ten_thousand_tables_are_resolved_by_name_in_a_hundred_calls() {
    let region = Region::default();
    let policy = policy(&json!({"tables": ["table-00*", "table-09999"]}));
    let tables = region.lister().tables(&Tags::Of(tag_keys(&policy, &[]))).await.unwrap();
    assert_eq!(region.calls(), (100, 0));
    assert!(tables.iter().all(|table| table.tags.is_empty()));
    assert_eq!(assign(&policy, &[], &tables).covered.len(), 1_001);
}

#[tokio::test]
async fn all_tags_are_there_when_all_are_asked_for() {
    let region = Region::default();
    let tables = region.lister().tables(&Tags::All).await.unwrap();
    assert_eq!(region.calls(), (100, 100));
    assert!(tables.iter().all(|table| table.tags.len() == 50));
}
