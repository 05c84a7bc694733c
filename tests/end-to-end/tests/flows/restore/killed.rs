//! A restore whose function is killed at each of its API calls in turn, and gone on with.
//!
//! The function runs in this process, where it can be killed at the very call. That the kill of its real process is no
//! different, the last test shows.

mod function;
mod process;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use end_to_end::kills::{Call, Calls, Kill};
use local_stack::SOURCE_REGION;
use rstest::rstest;
use serde_json::{Value, json};

use self::function::{Function, Restored};
use self::table::{Clients, Seen};
use crate::support::World;

const FUNCTION: &str = "table-restore";
/// The detail-type of the event that ends a restore.
const FINISHED: &str = "Restore Finished";
/// Every call is one stretch's; they run side by side.
const STRETCHES: usize = 3;
/// The calls after a job was started that nobody noted: the request is answered to Lambda, which sends it again, the job's event
/// finds no restore, and a reconciliation looks for the job and notes it.
const TAKEN_OVER: [&str; 11] = [
    "DynamoDB_20120810.Query",
    "DynamoDB_20120810.Query",
    "TrentService.Decrypt",
    "DynamoDB_20120810.GetItem",
    "DynamoDB_20120810.Query",
    "DynamoDB_20120810.PutItem",
    "GET /restore-jobs",
    "GET /restore-jobs/*/metadata",
    "DynamoDB_20120810.GetItem",
    "DynamoDB_20120810.PutItem",
    "DynamoDB_20120810.PutItem",
];
/// What a restore asks AWS for.
const OPERATIONS: [&str; 32] = [
    "AWSEvents.PutEvents",
    "AnyScaleFrontendService.DescribeScalableTargets",
    "AnyScaleFrontendService.DescribeScalingPolicies",
    "AnyScaleFrontendService.DescribeScheduledActions",
    "AnyScaleFrontendService.PutScalingPolicy",
    "AnyScaleFrontendService.PutScheduledAction",
    "AnyScaleFrontendService.RegisterScalableTarget",
    "CloudWatch.DescribeAlarms",
    "CloudWatch.PutMetricAlarm",
    "DynamoDB_20120810.DescribeContinuousBackups",
    "DynamoDB_20120810.DescribeContributorInsights",
    "DynamoDB_20120810.DescribeKinesisStreamingDestination",
    "DynamoDB_20120810.DescribeTable",
    "DynamoDB_20120810.DescribeTimeToLive",
    "DynamoDB_20120810.EnableKinesisStreamingDestination",
    "DynamoDB_20120810.GetItem",
    "DynamoDB_20120810.GetResourcePolicy",
    "DynamoDB_20120810.ListTagsOfResource",
    "DynamoDB_20120810.PutItem",
    "DynamoDB_20120810.PutResourcePolicy",
    "DynamoDB_20120810.Query",
    "DynamoDB_20120810.TagResource",
    "DynamoDB_20120810.UpdateContinuousBackups",
    "DynamoDB_20120810.UpdateContributorInsights",
    "DynamoDB_20120810.UpdateTable",
    "DynamoDB_20120810.UpdateTimeToLive",
    "GET /backup-vaults/dynachain/recovery-points/*",
    "GET /restore-jobs/*",
    "GET /tags/*",
    "PUT /restore-jobs",
    "TrentService.Decrypt",
    "TrentService.DescribeKey",
];
/// More calls than a restore takes.
const MOST: usize = 1000;

/// A table that was backed up, and restored once by a function that nobody killed: what every other restore comes to.
struct Drill<'a> {
    world: &'a World,
    function: Function<'a>,
    point: String,
    seen: Clients,
    table: Seen,
    /// How the restore stands that nobody killed.
    answer: Value,
    /// Its calls.
    calls: Vec<Call>,
    restores: usize,
}

impl<'a> Drill<'a> {
    async fn start(world: &'a World) -> Self {
        table::create(world).await;
        let point = world.backed_up(table::NAME).await;
        let config = world.stack.in_process_config(SOURCE_REGION).await;
        let seen = Clients::of(&Calls::default().of(config));
        let table = seen.table().await;
        seen.delete().await;
        world.subscribe().await;
        let function = Function::new(world).await;
        let Restored { answer, calls, .. } = function.restored(&point, &[]).await;
        assert_eq!(answer["state"], "done", "{answer:#}");
        let answer = common(answer);
        let drill = Self { world, function, point, seen, table, answer, calls, restores: 1 };
        drill.compare(&[]).await;
        drill
    }

    /// Restores the table once more, and kills the function so; the calls at which it was.
    async fn killed(&mut self, kills: &[Kill]) -> Vec<Call> {
        self.seen.delete().await;
        let Restored { answer, killed_at, .. } = self.function.restored(&self.point, kills).await;
        self.restores += 1;
        assert_eq!(common(answer), self.answer, "killed at {killed_at:?}, {kills:?}");
        self.compare(&killed_at).await;
        killed_at
    }

    /// Whether the table is what it was, by one job for each restore.
    async fn compare(&self, killed_at: &[Call]) {
        assert_eq!(self.seen.table().await, self.table, "killed at {killed_at:?}");
        assert_eq!(self.seen.restore_jobs().await, self.restores, "one job each, killed at {killed_at:?}");
    }

    /// Nothing is left to do; each restore was told of, and the report has nothing to find.
    ///
    /// `Restore Finished` is promised at least once. An invocation that is cut short between the event and the note of it says
    /// it again: of all the places of a stretch that is one at most.
    async fn end(self) {
        assert!(self.function.is_idle().await, "nothing is open any more");
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        for event in self.world.events(FINISHED, self.restores).await {
            assert_eq!((&event["state"], &event["problems"]), (&json!("done"), &json!([])), "{event:#}");
            *told.entry(event["restore_id"].as_str().expect("an id").to_owned()).or_default() += 1;
        }
        assert_eq!(told.len(), self.restores, "every restore is told of");
        let again: Vec<_> = told.values().filter(|times| **times > 1).collect();
        assert!(again.is_empty() || again == [&2], "told again: {told:?}");
        self.world.verified(&[]).await;
    }
}

/// What is asked for: everything, the alarms too.
fn request(point: &str) -> Value {
    json!({"restore": {"recovery_point": point}, "overrides": {"alarms": "recorded"}})
}

/// An answer without what is of one restore only.
fn common(mut answer: Value) -> Value {
    for own in ["restore_id", "job", "asked_at", "restored_at", "finished_at"] {
        assert!(answer[own].is_string(), "{own}: {answer:#}");
        answer[own] = Value::Null;
    }
    for step in answer["steps"].as_array_mut().expect("steps") {
        step["at"] = Value::Null;
    }
    answer
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_before_any_of_its_calls_comes_to_the_same_end(
    #[values(0, 1, 2)] stretch: usize,
) {
    let world = World::start().await;
    let mut drill = Drill::start(&world).await;
    let mut killed = 0;
    for call in (stretch..MOST).step_by(STRETCHES) {
        if drill.killed(&[Kill::Before(call)]).await.is_empty() {
            break;
        }
        killed += 1;
    }
    let names: BTreeSet<_> = drill.calls.iter().map(Call::name).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), OPERATIONS);
    let calls = drill.calls.len();
    assert!(killed >= calls / STRETCHES, "killed at {killed} of {calls} calls, of which every third is ours");
    drill.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_after_any_of_its_writes_comes_to_the_same_end() {
    let world = World::start().await;
    let mut drill = Drill::start(&world).await;
    let mut killed = 0;
    for write in 0..MOST {
        if drill.killed(&[Kill::AfterWrite(write)]).await.is_empty() {
            break;
        }
        killed += 1;
    }
    assert_eq!(killed, drill.calls.iter().filter(|call| call.is_write()).count());
    drill.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_nobody_noted_is_taken_over_wherever_that_is_killed() {
    let world = World::start().await;
    let mut drill = Drill::start(&world).await;
    let mut killed_at = Vec::new();
    for call in 0..TAKEN_OVER.len() {
        // The first write is the claim, the second starts the job.
        let [start, later] = &drill.killed(&[Kill::AfterWrite(1), Kill::Before(call)]).await[..] else {
            unreachable!("it is killed twice")
        };
        assert_eq!(start.name(), "PUT /restore-jobs");
        killed_at.push(later.name().to_owned());
    }
    assert_eq!(killed_at, TAKEN_OVER);
    drill.end().await;
}
