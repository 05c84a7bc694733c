//! A local AWS, and what every flow asks of it.

mod events;
mod http;
pub(crate) mod seeds;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use dynachain::id::TableArn;
use end_to_end::tables::{create_plain, fill, s};
use jiff::{SignedDuration, Timestamp};
use local_stack::{ACCOUNT, FunctionError, LocalStack, Options, SOURCE_REGION, TARGET_REGION, VAULT};
use serde_json::{Value, json};

pub(crate) use self::events::FINISHED;

/// Two minutes before 07:00 in Berlin, on the first Monday of January.
pub(crate) const START: &str = "2027-01-04T05:58:00Z";
/// 07:00 in Berlin on that Monday.
pub(crate) const SEVEN: &str = "2027-01-04T06:00:00Z";
/// The catalog's name.
pub(crate) const CATALOG: &str = "dynachain";
/// Longer than any backup job takes, emulated, and shorter than the interval of reconciliation.
const JOBS_END_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// An item of the catalog by its keys.
pub(crate) type Catalog = BTreeMap<(String, String), HashMap<String, AttributeValue>>;

/// A local AWS whose clock stands still.
pub(crate) struct World {
    pub(crate) stack: LocalStack,
}

impl World {
    /// The source Region alone, with the template's own settings.
    pub(crate) async fn start() -> Self {
        Self::with(&[], false).await
    }

    /// Both Regions.
    pub(crate) async fn start_with_target() -> Self {
        Self::with(&[], true).await
    }

    /// With other stack parameters.
    pub(crate) async fn with(parameters: &[(&str, &str)], target_region: bool) -> Self {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let target_regions = if target_region { vec![TARGET_REGION] } else { Vec::new() };
        Self::launch(
            START,
            Options { parameters: parameters.collect(), target_regions, ..Options::default() },
        )
        .await
    }

    /// The source Region alone, at another time.
    pub(crate) async fn start_at(moment: &str) -> Self {
        Self::launch(moment, Options { target_regions: Vec::new(), ..Options::default() }).await
    }

    /// The source Region, and a stack in another account into which it may copy.
    pub(crate) async fn start_with_other_account() -> Self {
        let options = Options { target_regions: Vec::new(), other_account: true, ..Options::default() };
        Self::launch(START, options).await
    }

    async fn launch(moment: &str, options: Options) -> Self {
        let options = Options { now: Some(at(moment)), speed: 0.0, ..options };
        let stack = LocalStack::start(options).await.expect("a local AWS");
        end_to_end::retention::starts_by_itself(&stack, false)
            .await
            .expect("retention that waits to be asked");
        Self { stack }
    }

    /// Moves the clock; all that is due on the way is done when this returns.
    pub(crate) async fn jump(&self, moment: &str) {
        self.stack.jump_to(at(moment)).await;
    }

    /// Lets all running jobs end.
    pub(crate) async fn finish_jobs(&self) {
        self.stack.jump_to(self.stack.now() + JOBS_END_WITHIN).await;
    }

    pub(crate) async fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.stack.sdk_config(SOURCE_REGION).await)
    }

    pub(crate) async fn backup(&self) -> aws_sdk_backup::Client {
        aws_sdk_backup::Client::new(&self.stack.backup_config(SOURCE_REGION).await)
    }

    /// AWS Backup of the target Region.
    pub(crate) async fn backup_there(&self) -> aws_sdk_backup::Client {
        aws_sdk_backup::Client::new(&self.stack.backup_config(TARGET_REGION).await)
    }

    pub(crate) async fn kms(&self) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.stack.sdk_config(SOURCE_REGION).await)
    }

    pub(crate) async fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.stack.sdk_config(SOURCE_REGION).await)
    }

    /// Plain tables with a few items each.
    pub(crate) async fn tables(&self, names: &[&str]) {
        let client = self.dynamodb().await;
        for name in names {
            create_plain(&client, name).await.expect("a table");
            let items = (0..3).map(|i| HashMap::from([("id".to_owned(), s(format!("item-{i}")))]));
            fill(&client, name, items).await.expect("items");
        }
    }

    /// Gives a table tags.
    pub(crate) async fn tag_table(&self, table: &str, tags: impl IntoIterator<Item = (String, String)>) {
        let tag = |(key, value): (String, String)| {
            aws_sdk_dynamodb::types::Tag::builder().key(key).value(value).build().expect("a tag")
        };
        self.dynamodb()
            .await
            .tag_resource()
            .resource_arn(arn(table).to_string())
            .set_tags(Some(tags.into_iter().map(tag).collect()))
            .send()
            .await
            .expect("the table takes the tags");
    }

    /// Asks a function of the source Region.
    pub(crate) async fn ask(&self, function: &str, request: &Value) -> Value {
        let answer = self.stack.invoke(SOURCE_REGION, function, request).await;
        answer.unwrap_or_else(|error| unreachable!("{function} {request}: {error}"))
    }

    /// Asks a function for what it is to refuse.
    pub(crate) async fn refused(&self, function: &str, request: &Value) -> FunctionError {
        match self.stack.invoke(SOURCE_REGION, function, request).await {
            Ok(answer) => unreachable!("{function} {request} was not refused: {answer}"),
            Err(error) => error.refusal().expect("a refusal").clone(),
        }
    }

    pub(crate) async fn policy(&self, request: &Value) -> Value {
        self.ask("policy", request).await
    }

    pub(crate) async fn apply(&self, document: &Value) -> Value {
        self.policy(&json!({ "apply": document })).await
    }

    pub(crate) async fn session(&self, request: &Value) -> Value {
        self.ask("backup-session", request).await
    }

    pub(crate) async fn report(&self, request: &Value) -> Value {
        self.ask("chain-report", request).await
    }

    pub(crate) async fn prune(&self, request: &Value) -> Value {
        self.ask("retention-prune", request).await
    }

    /// The whole report, after making sure that it says the same when it is asked again, made from the vault alone, and
    /// asked once more; its findings must be these, given by table and reason.
    pub(crate) async fn verified(&self, findings: &[(&str, &str)]) -> Value {
        let report = self.report(&json!({})).await;
        let rebuilt = self.report(&json!({"rebuild": true})).await;
        assert_eq!(report, rebuilt, "the catalog and the vault tell different stories");
        let catalog = self.catalog().await;
        assert_eq!(
            self.report(&json!({"rebuild": true})).await,
            rebuilt,
            "a second rebuild changes the answer"
        );
        assert_eq!(self.catalog().await, catalog, "a second rebuild changes the catalog");
        assert_eq!(self.report(&json!({})).await, rebuilt, "a rebuilt catalog tells another story");
        assert_eq!(found(&report), findings, "{:#}", report["findings"]);
        report
    }

    /// What the emulator was asked by the functions, as (operation, outcome), oldest first.
    pub(crate) async fn calls(&self) -> Vec<(String, String)> {
        let log = self.control("GET", "/calls", None).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let by_functions = list(&log["calls"]).iter().filter(|call| {
            // Our own calls are the root's; deliveries of events name what they were delivered to.
            call["principal"].as_str().is_some_and(|principal| principal.contains(":assumed-role/"))
        });
        by_functions.map(|call| (text(&call["operation"]), text(&call["outcome"]))).collect()
    }

    /// How often a function started a backup, or tried to.
    pub(crate) async fn starts(&self) -> usize {
        self.calls().await.iter().filter(|(operation, _)| operation == "StartBackupJob").count()
    }

    /// Asks the emulator's control endpoint.
    pub(crate) async fn control(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        http::request(self.stack.control_endpoint(), method, path, body).await
    }

    /// Asks the local AWS for one of its own answers.
    pub(crate) async fn local(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        http::request(self.stack.endpoint(), method, path, body).await
    }

    /// Gives a table a status, such as `CREATING`: the local DynamoDB makes tables at once.
    pub(crate) async fn table_status(&self, table: &str, status: &str) {
        let path = format!("/_local/tables/{status}/{}", arn(table));
        http::request(self.stack.endpoint(), "PUT", &path, None).await;
    }

    /// Lets DynamoDB throttle an operation on a table, or not any more.
    pub(crate) async fn throttle(&self, operation: &str, table: &str, throttled: bool) {
        let path = format!("/_local/throttles/{operation}/{table}");
        let body = json!({"throttled": throttled});
        http::request(self.stack.endpoint(), "PUT", &path, Some(&body)).await;
    }

    /// All schedules that EventBridge Scheduler has, by name, as the local AWS stores them.
    pub(crate) async fn schedules(&self) -> BTreeMap<String, Value> {
        let stored = http::request(self.stack.endpoint(), "GET", "/_local/wakes", None).await;
        let named =
            |schedule: &Value| (schedule["Name"].as_str().unwrap_or_default().to_owned(), schedule.clone());
        list(&stored["Schedules"]).iter().map(named).collect()
    }

    /// All backup jobs of the source Region, as AWS Backup lists them.
    pub(crate) async fn jobs(&self) -> Vec<aws_sdk_backup::types::BackupJob> {
        let pages = self.backup().await.list_backup_jobs().into_paginator().items().send();
        pages.collect::<Result<_, _>>().await.expect("the jobs")
    }

    /// The catalog as it is.
    pub(crate) async fn catalog(&self) -> Catalog {
        let pages = self
            .dynamodb()
            .await
            .scan()
            .table_name(CATALOG)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let items = pages.collect::<Result<Vec<_>, _>>().await.expect("the catalog");
        let text =
            |item: &HashMap<String, AttributeValue>, name: &str| item[name].as_s().expect("a text").clone();
        items.into_iter().map(|item| ((text(&item, "pk"), text(&item, "sk")), item)).collect()
    }

    /// Removes from the catalog the items whose key begins so; how many there were.
    pub(crate) async fn drop_from_catalog(&self, prefix: &str) -> usize {
        let client = self.dynamodb().await;
        let mut dropped = 0;
        for (pk, sk) in self.catalog().await.into_keys().filter(|(pk, _)| pk.starts_with(prefix)) {
            let delete = client.delete_item().table_name(CATALOG);
            let delete = delete.key("pk", AttributeValue::S(pk)).key("sk", AttributeValue::S(sk));
            delete.send().await.expect("the item goes");
            dropped += 1;
        }
        dropped
    }

    /// A recovery point's tags.
    pub(crate) async fn tags(&self, point: &str) -> BTreeMap<String, String> {
        end_to_end::points::tags(&self.stack, SOURCE_REGION, point).await.expect("its tags")
    }

    /// Sets tags of a recovery point, as somebody with the rights could.
    pub(crate) async fn set_tags(&self, point: &str, tags: impl IntoIterator<Item = (String, String)>) {
        let tags = tags.into_iter().collect();
        let client = self.backup().await;
        client.tag_resource().resource_arn(point).set_tags(Some(tags)).send().await.expect("tags set");
    }

    /// Takes tags from a recovery point.
    pub(crate) async fn remove_tags(&self, point: &str, tags: &[&str]) {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let client = self.backup().await;
        client
            .untag_resource()
            .resource_arn(point)
            .set_tag_key_list(Some(tags))
            .send()
            .await
            .expect("tags gone");
    }
}

/// A moment.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// The ARN of a table of the source Region.
pub(crate) fn arn(table: &str) -> TableArn {
    format!("arn:aws:dynamodb:{SOURCE_REGION}:{ACCOUNT}:table/{table}").parse().expect("a table ARN")
}

/// The vault of a Region.
pub(crate) fn vault(region: &str) -> String {
    vault_of(ACCOUNT, region)
}

/// The vault of an account's Region.
pub(crate) fn vault_of(account: &str, region: &str) -> String {
    format!("arn:aws:backup:{region}:{account}:backup-vault:{VAULT}")
}

/// A JSON array's elements.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// What a report finds, by table and reason, in its order.
pub(crate) fn found(report: &Value) -> Vec<(&str, &str)> {
    list(&report["findings"])
        .iter()
        .map(|finding| {
            let table = finding["table"].as_str().and_then(|table| table.rsplit('/').next());
            (table.unwrap_or_default(), finding["reason"].as_str().unwrap_or_default())
        })
        .collect()
}

/// A report's chains: table, kind, and how many points each has.
pub(crate) fn chains(report: &Value) -> Vec<(&str, &str, usize)> {
    list(&report["chains"])
        .iter()
        .map(|chain| {
            let table = chain["table"].as_str().and_then(|table| table.rsplit('/').next());
            (
                table.unwrap_or_default(),
                chain["chain"].as_str().unwrap_or_default(),
                list(&chain["points"]).len(),
            )
        })
        .collect()
}

/// The points of a report about one table, whatever chain they are in.
pub(crate) fn points<'a>(report: &'a Value, table: &str) -> Vec<&'a Value> {
    let of_table = list(&report["chains"]).iter().filter(|chain| chain["table"] == arn(table).as_str());
    of_table.flat_map(|chain| list(&chain["points"])).collect()
}

/// The ARN of the one point of a table in a report.
pub(crate) fn only_point(report: &Value, table: &str) -> String {
    let points = points(report, table);
    assert_eq!(points.len(), 1, "{report:#}");
    points[0]["recovery_point"].as_str().expect("an ARN").to_owned()
}

/// The details of a session's answer: table, outcome and reason, in their order.
pub(crate) fn details(answer: &Value) -> Vec<(&str, &str, &str)> {
    list(&answer["details"])
        .iter()
        .map(|detail| {
            let table = detail["table"].as_str().and_then(|table| table.rsplit('/').next());
            let word = |name: &str| detail[name].as_str().unwrap_or_default();
            (table.unwrap_or_default(), word("outcome"), word("reason"))
        })
        .collect()
}

/// The policy of the product's own example: everything is due at 07:00 in Berlin on the first Monday of January.
pub(crate) fn example(name: &str, scope: &Value) -> Value {
    json!({
        "name": name, "description": "An example", "timezone": "Europe/Berlin", "scope": scope,
        "schedules": {
            "daily": { "at": ["07:00", "11:00"], "on": "every day", "keep": { "days": 3 } },
            "weekly": { "at": "07:00", "on": ["monday"], "keep": { "days": 14 } },
            "monthly": { "at": "07:00", "on": "first monday", "months": ["january", "march"], "keep": { "months": 6 } },
            "yearly": { "at": "07:00", "on": "first monday", "month": "january", "keep": { "years": 2 } },
        },
    })
}

/// The example with copies to the target Region for its weekly and yearly points.
pub(crate) fn example_with_copies(name: &str, scope: &Value) -> Value {
    let mut document = example(name, scope);
    document["copies"] = json!([{ "vault": vault(TARGET_REGION), "keep": { "weekly": { "days": 30 }, "yearly": { "years": 7 } } }]);
    document
}
