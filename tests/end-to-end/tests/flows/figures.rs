//! The figures that functions emit for CloudWatch: right in good days and bad ones, and the same that the dashboard and the
//! alarms draw.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use local_stack::{SOURCE_REGION, TARGET_REGION};
use serde_json::{Value, json};

use crate::guides;
use crate::recovery::two_tables_with;
use crate::support::{SEVEN, World, arn, chains, example, example_with_copies, found, list, points, vault};

/// How long it may take until what a function has written is in its log.
const DEADLINE: Duration = Duration::from_secs(20);
const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:on-call";

/// A metric: its namespace, its dimensions, its name.
type Metric = (String, Vec<String>, String);

impl World {
    /// The lines in CloudWatch's embedded format that a function has written so far, oldest first.
    async fn figures(&self, function: &str) -> Vec<Value> {
        let lines = self.stack.logs(SOURCE_REGION, function).await.expect("its log");
        let parsed = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        parsed.filter(|line| line["_aws"]["CloudWatchMetrics"].is_array()).collect()
    }

    /// Now, as a line has it: the functions follow the emulated clock by whole seconds.
    fn timestamp(&self) -> Value {
        json!(self.stack.now().as_second() * 1000)
    }

    /// The lines of copying that were written now, on the emulated clock, and have this figure; waits until there are at least
    /// so many.
    async fn told_now(&self, figure: &str, at_least: usize) -> Vec<Value> {
        let now = self.timestamp();
        let began = Instant::now();
        loop {
            let mut lines = self.figures("backup-copy").await;
            lines.retain(|line| line["_aws"]["Timestamp"] == now && !line[figure].is_null());
            if lines.len() >= at_least {
                return lines;
            }
            assert!(began.elapsed() < DEADLINE, "{} of {at_least} lines with {figure}", lines.len());
            // The log is written by another process; the deadline above ends the wait.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Reconciles twice, a minute later, and gives what both tell of the policy `a`: the age of its newest point, and how many
    /// of its tables have none.
    async fn standing(&self) -> (Option<i64>, u64) {
        self.pass(1).await;
        self.reconcile_copies().await;
        self.reconcile_copies().await;
        let told = self.told_now("TablesWithoutPoint", 2).await;
        assert!(told.iter().all(|line| *line == told[0] && line["Policy"] == "a"), "{told:#?}");
        (told[0]["NewestPointAge"].as_i64(), told[0]["TablesWithoutPoint"].as_u64().expect("a count"))
    }

    /// An answer of the AWS CLI about CloudWatch.
    async fn cloudwatch(&self, arguments: &[&str]) -> Value {
        let mut command = self.stack.aws_cli(SOURCE_REGION);
        let done = command.args(["cloudwatch", "--output", "json"]).args(arguments).output().await;
        let done = done.expect("the AWS CLI");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).expect("JSON")
    }

    /// All alarms, from the stack or by hand.
    async fn alarms(&self) -> Vec<Value> {
        list(&self.cloudwatch(&["describe-alarms"]).await["MetricAlarms"]).to_vec()
    }
}

/// The age of a table's newest usable point, as a report has it.
fn rpo(report: &Value, table: &str) -> Option<i64> {
    let chain = list(&report["chains"]).iter().find(|chain| chain["table"] == arn(table).as_str());
    chain.and_then(|chain| chain["rpo_seconds"].as_i64())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_age_of_the_newest_point_is_that_of_the_table_that_is_worst_off_and_grows_when_sessions_fail() {
    let world = two_tables_with(0).await;
    assert_eq!(world.standing().await, (None, 2), "no point yet is no age");

    world.jump(SEVEN).await;
    world.finish_jobs().await;
    let told = world.standing().await;
    let report = world.verified(&[]).await;
    let oldest = rpo(&report, "a-1").max(rpo(&report, "a-2"));
    assert!(oldest.is_some_and(|age| (60..=180).contains(&age)), "{oldest:?}");
    assert_eq!(told, (oldest, 0));

    // At eleven the one table fails: what it has is as old as before and four hours, whatever the other one has.
    world.break_backups_of("a-1").await;
    world.jump("2027-01-04T10:00:00Z").await;
    world.finish_jobs().await;
    let told = world.standing().await;
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 1), ("a-2", "regular", 2)]);
    assert!(rpo(&report, "a-1") > rpo(&report, "a-2"));
    assert_eq!(told, (rpo(&report, "a-1"), 0));

    // Then nothing wakes anybody: a day later it is a day older, and a trial tells nothing.
    world.fall_silent().await;
    let before = world.stack.now();
    world.pass(24 * 60).await;
    let told = world.standing().await;
    let passed = world.stack.now().duration_since(before).as_secs();
    assert_eq!(told, (rpo(&report, "a-1").map(|age| age + passed), 0));
    world.pass(1).await;
    let trial = world.timestamp();
    world.copying(&json!({"reconcile": true, "dry_run": true})).await;
    world.standing().await;
    let lines = world.figures("backup-copy").await;
    assert!(lines.iter().all(|line| line["_aws"]["Timestamp"] != trial), "a trial tells nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_tell_of_what_the_vault_holds_and_the_policies_cover_now() {
    let world = two_tables_with(0).await;
    for moment in [SEVEN, "2027-01-04T10:00:00Z"] {
        world.jump(moment).await;
        world.finish_jobs().await;
    }
    world.fall_silent().await;
    let told = world.standing().await;
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 2), ("a-2", "regular", 2)]);
    assert_eq!(told, (rpo(&report, "a-1").max(rpo(&report, "a-2")), 0));
    // Without what the catalog remembers it is the same, a minute later.
    assert!(world.drop_from_catalog("POINT#").await >= 4);
    assert_eq!(world.standing().await, (told.0.map(|age| age + 60), 0));

    // Somebody deletes a point: the one before it is the newest now, and then there is none.
    for (point, (of, without)) in points(&report, "a-1").iter().rev().zip([("a-1", 0), ("a-2", 1)]) {
        world.delete_point(point["recovery_point"].as_str().expect("an ARN")).await;
        let told = world.standing().await;
        assert_eq!(told, (rpo(&world.report(&json!({})).await, of), without));
    }
    // A table that is new has no point either; one that another policy takes over is not this one's any more.
    world.tables(&["a-3"]).await;
    assert_eq!(world.standing().await.1, 2);
    let mut stronger = example("stronger", &json!({"tables": ["a-1", "a-3"]}));
    stronger["priority"] = json!(1);
    world.apply(&stronger).await;
    world.pass(1).await;
    world.reconcile_copies().await;
    let told = world.told_now("TablesWithoutPoint", 2).await;
    let of = |line: &Value| (line["Policy"].clone(), line["TablesWithoutPoint"].clone());
    let told: Vec<_> = told.iter().map(of).collect();
    assert_eq!(told, [(json!("a"), json!(0)), (json!("stronger"), json!(2))]);
    world.verified(&[]).await;
}

/// What a line of the embedded format declares.
fn declared(line: &Value) -> Vec<Metric> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let directives = list(&line["_aws"]["CloudWatchMetrics"]).iter();
    directives
        .flat_map(|directive| {
            let dimensions: Vec<_> = list(&directive["Dimensions"][0]).iter().map(text).collect();
            let of = move |metric: &Value| {
                (text(&directive["Namespace"]), dimensions.clone(), text(&metric["Name"]))
            };
            list(&directive["Metrics"]).iter().map(of)
        })
        .collect()
}

/// What a graph of a dashboard draws in one of its entries: a metric, or what is searched for.
fn drawn(entry: &Value) -> Metric {
    if let Some(expression) = entry[0]["expression"].as_str() {
        let between = |begin: &str, end: char| -> &str {
            let rest = expression.split_once(begin).map(|(_, rest)| rest);
            rest.and_then(|rest| rest.split_once(end)).map(|(between, _)| between).expect("a search")
        };
        let mut schema = between("SEARCH('{", '}').split(',').map(str::to_owned);
        let namespace = schema.next().expect("a namespace");
        return (namespace, schema.collect(), between("MetricName=\"", '"').to_owned());
    }
    let texts: Vec<_> = list(entry).iter().map_while(|part| part.as_str().map(str::to_owned)).collect();
    let [namespace, name, pairs @ ..] = &texts[..] else { unreachable!("no metric: {entry}") };
    (namespace.clone(), pairs.iter().step_by(2).cloned().collect(), name.clone())
}

/// What an alarm looks at.
fn watched(alarm: &Value) -> Metric {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let dimensions = list(&alarm["Dimensions"]).iter().map(|dimension| text(&dimension["Name"]));
    (text(&alarm["Namespace"]), dimensions.collect(), text(&alarm["MetricName"]))
}

fn own((namespace, ..): &Metric) -> bool {
    namespace == dynachain::telemetry::NAMESPACE
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_draws_every_figure_that_functions_emit_and_no_other() {
    let world = World::with(&[("AlarmTopicArn", TOPIC)], true).await;
    world.tables(&["a-1", "a-2"]).await;
    let mut policy = example_with_copies("a", &json!({"tables": ["a-*"]}));
    policy["copies"][0]["keep"]["daily"] = json!({"days": 7});
    policy["retries"] = json!(0);
    world.apply(&policy).await;
    let fault = json!([{"operation": "StartCopyJob", "effect": "job_failed", "count": 1}]);
    world.stack.control().set_faults(&fault).await.expect("a fault");
    world.back_up().await;
    world.pass(20).await;
    world.prune(&json!({})).await;

    // One copy has come about, and one was given up.
    world.reconcile_copies().await;
    let told = world.told_now("CopiesOwed", 1).await;
    let report = world.report(&json!({})).await;
    let copied = list(&report["copies"]).iter().filter_map(|copies| copies["rpo_seconds"].as_i64()).max();
    assert!(copied.is_some(), "{report:#}");
    let told = told.last().expect("a line");
    assert_eq!((&told["Policy"], &told["Target"]), (&json!("a"), &json!(vault(TARGET_REGION))));
    assert_eq!(
        (told["NewestCopyAge"].as_i64(), &told["CopiesWaiting"], &told["CopiesOwed"]),
        (copied, &json!(0), &json!(1))
    );

    let mut emitted: BTreeSet<Metric> = BTreeSet::new();
    for function in ["backup-session", "backup-copy", "retention-prune"] {
        emitted.extend(world.figures(function).await.iter().flat_map(declared));
    }
    let name =
        world.stack.deployments()[0].output("DashboardName").expect("the template names it").to_owned();
    let deployed = world.cloudwatch(&["get-dashboard", "--dashboard-name", &name]).await;
    let body: Value =
        serde_json::from_str(deployed["DashboardBody"].as_str().expect("a body")).expect("JSON");
    let widgets = || list(&body["widgets"]).iter().map(|widget| &widget["properties"]);
    let all: BTreeSet<Metric> = widgets().flat_map(|widget| list(&widget["metrics"])).map(drawn).collect();
    assert_eq!(all.iter().filter(|metric| own(metric)).cloned().collect::<BTreeSet<_>>(), emitted);
    let others: Vec<_> = all.iter().filter(|metric| !own(metric)).map(|(_, _, name)| name.as_str()).collect();
    assert_eq!(others, ["Duration", "Errors", "Throttles", "ApproximateNumberOfMessagesVisible"]);
    let mut graphs = widgets().filter(|widget| widget["metrics"].is_array());
    assert!(graphs.all(|graph| graph["region"] == SOURCE_REGION), "{body:#}");

    // The alarms are all on the dashboard, and notify the topic; an estimate counts them.
    let alarms = world.alarms().await;
    let texts = |values: &mut dyn Iterator<Item = &Value>| -> BTreeSet<String> {
        values.map(|value| value.as_str().expect("an ARN").to_owned()).collect()
    };
    let shown = texts(&mut widgets().flat_map(|widget| list(&widget["alarms"])));
    assert_eq!(shown, texts(&mut alarms.iter().map(|alarm| &alarm["AlarmArn"])));
    assert!(alarms.iter().all(|alarm| alarm["AlarmActions"] == json!([TOPIC])), "{alarms:#?}");
    let estimate = world.policy(&json!({"estimate": "a"})).await;
    let line = list(&estimate["lines"]).iter().find(|line| line["item"] == "alarms").expect("a line");
    assert_eq!(line["steady_state"]["quantity"], alarms.len().to_string());

    // So do those that the guide makes look at figures that there are.
    let directory = tempfile::tempdir().expect("a directory");
    guides::run(&world, SOURCE_REGION, directory.path(), &guides::blocks("monitoring.md", "sh")).await;
    let more = world.alarms().await;
    assert_eq!(more.len(), alarms.len() + 3);
    for metric in more.iter().map(watched).filter(own) {
        assert!(emitted.contains(&metric), "{metric:?} is watched, and nobody emits it");
    }
    // Which of the two copies came first and failed, nothing foretells.
    let [given_up] = found(&report)[..] else { unreachable!("one copy was given up: {report:#}") };
    assert_eq!(given_up.1, "copy_given_up");
    world.verified(&[given_up]).await;
}
