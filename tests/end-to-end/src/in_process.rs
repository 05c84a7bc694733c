//! Functions in this process: how they are invoked, and the events that they would have been invoked with.

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName};
use dynachain::invocation::Invocation;
use lambda_runtime::Context;
use local_stack::{ACCOUNT, LocalStack, SOURCE_REGION};
use serde_json::{Value, json};

/// The longest that a Lambda function runs.
pub const LIMIT: Duration = Duration::from_secs(900);
const QUEUE: &str = "events-in-process";
/// What SQS gives at once.
const BATCH: i32 = 10;

/// An invocation with so much time until its deadline.
///
/// # Errors
/// When this machine's clock is before 1970.
pub fn invocation(request_id: &str, time: Duration) -> anyhow::Result<Invocation> {
    let end = SystemTime::now() + time;
    let mut context = Context::default();
    request_id.clone_into(&mut context.request_id);
    context.deadline = u64::try_from(end.duration_since(SystemTime::UNIX_EPOCH)?.as_millis())?;
    Ok(Invocation::of(&context))
}

/// Deletes all schedules and disables all rules with a schedule: nothing is woken by the clock any more.
///
/// # Errors
/// When EventBridge refuses.
pub async fn nothing_wakes(stack: &LocalStack) -> anyhow::Result<()> {
    let config = stack.sdk_config(SOURCE_REGION).await;
    let scheduler = aws_sdk_scheduler::Client::new(&config);
    let schedules = scheduler.list_schedules().group_name("dynachain").send().await.context("schedules")?;
    for schedule in schedules.schedules() {
        let name = schedule.name().context("a name")?;
        scheduler.delete_schedule().group_name("dynachain").name(name).send().await?;
    }
    let events = aws_sdk_eventbridge::Client::new(&config);
    for rule in events.list_rules().send().await.context("the rules")?.rules() {
        if rule.schedule_expression().is_some() {
            events.disable_rule().name(rule.name().context("a name")?).send().await?;
        }
    }
    Ok(())
}

/// The events of a rule, in a queue.
#[derive(Debug)]
pub struct EventQueue {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl EventQueue {
    /// Takes the place of a deployed function as the target of one of the template's rules.
    ///
    /// # Errors
    /// When AWS refuses, or the template has no such rule.
    pub async fn instead_of(stack: &LocalStack, function: &str, rule: &str) -> anyhow::Result<Self> {
        let config = stack.sdk_config(SOURCE_REGION).await;
        let client = aws_sdk_sqs::Client::new(&config);
        let arn = format!("arn:aws:sqs:{SOURCE_REGION}:{ACCOUNT}:{QUEUE}");
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn,
        }]});
        let create = client.create_queue().queue_name(QUEUE);
        let create = create.attributes(QueueAttributeName::Policy, policy.to_string());
        let url = create.send().await.context("a queue")?.queue_url.context("the queue's address")?;
        let events = aws_sdk_eventbridge::Client::new(&config);
        let rules = events.list_rules().send().await.context("the rules")?.rules.unwrap_or_default();
        let named = rules.into_iter().filter_map(|found| found.name).find(|name| name.contains(rule));
        // The deployed function is a target of the same id.
        let target = Target::builder().id(function).arn(arn).build()?;
        let put = events.put_targets().rule(named.with_context(|| format!("the rule {rule}"))?);
        put.targets(target).send().await.context("a target")?;
        Ok(Self { client, url })
    }

    /// Some of the events that have come, each of them once; none when there are no more.
    ///
    /// # Errors
    /// When SQS refuses.
    pub async fn take(&self) -> anyhow::Result<Vec<Value>> {
        let receive = self.client.receive_message().queue_url(&self.url).max_number_of_messages(BATCH);
        let messages = receive.send().await.context("events")?.messages.unwrap_or_default();
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let mut delete = self.client.delete_message_batch().queue_url(&self.url);
        for (i, message) in messages.iter().enumerate() {
            let handle = message.receipt_handle().context("a receipt")?;
            let entry = DeleteMessageBatchRequestEntry::builder().id(i.to_string()).receipt_handle(handle);
            delete = delete.entries(entry.build()?);
        }
        delete.send().await.context("events taken")?;
        let bodies =
            messages.iter().map(|message| Ok(serde_json::from_str(message.body().context("a body")?)?));
        bodies.collect()
    }
}
