//! `backup-session` in this process, and the events of AWS Backup that it would have been invoked with.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName};
use backup_session::{Deps, Invocation, handle};
use lambda_runtime::Context;
use local_stack::{ACCOUNT, LocalStack, SOURCE_REGION};
use serde_json::{Value, json};

const QUEUE: &str = "year-events";
/// The longest that a Lambda function runs.
const LIMIT: Duration = Duration::from_secs(900);
/// What SQS gives at once.
const BATCH: i32 = 10;

/// The function and its queue of events.
#[derive(Debug)]
pub(super) struct OwnFunction {
    deps: Deps,
    queue: aws_sdk_sqs::Client,
    url: String,
    invoked: AtomicU64,
}

impl OwnFunction {
    /// Takes the place of the deployed function: the rule about jobs sends to a queue, and nothing wakes by itself any more.
    pub(super) async fn instead_of_the_deployed(stack: &LocalStack) -> anyhow::Result<Self> {
        let mut variables = stack.function_variables(SOURCE_REGION, "backup-session").await?;
        // Rates are kept in real time, of which a year has none to lose; the template does not go so far.
        for rate in ["START_RATE", "LIST_RATE", "DESCRIBE_RATE", "TABLE_READ_RATE"] {
            variables.insert(rate.to_owned(), "1000".to_owned());
        }
        let config = stack.in_process_config(SOURCE_REGION).await;
        let deps = Deps::of(&config, |name| variables.get(name).cloned());
        let deps = deps.map_err(|error| anyhow::anyhow!("the function's settings: {error}"))?;
        let queue = aws_sdk_sqs::Client::new(&stack.sdk_config(SOURCE_REGION).await);
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn(),
        }]});
        let create =
            queue.create_queue().queue_name(QUEUE).attributes(QueueAttributeName::Policy, policy.to_string());
        let url = create.send().await.context("a queue")?.queue_url.context("the queue's address")?;
        silence(stack).await?;
        Ok(Self { deps, queue, url, invoked: AtomicU64::new(0) })
    }

    /// Invokes the function.
    pub(super) async fn invoke(&self, input: Value) -> anyhow::Result<Value> {
        let invocation = self.invocation()?;
        let said = input.to_string();
        // On the heap: without optimization it is too large for the stack of a test.
        Box::pin(handle(&self.deps, &invocation, input)).await.with_context(|| said)
    }

    /// Invokes it twice at the same time.
    pub(super) async fn invoke_twice(&self, input: &Value) -> anyhow::Result<[Value; 2]> {
        let (one, other) = (self.invocation()?, self.invocation()?);
        let both = futures::future::try_join(
            Box::pin(handle(&self.deps, &one, input.clone())),
            Box::pin(handle(&self.deps, &other, input.clone())),
        );
        Ok(both.await.with_context(|| input.to_string())?.into())
    }

    /// Gives the function all events that have come, some at the same time.
    pub(super) async fn take_events(&self) -> anyhow::Result<()> {
        loop {
            let receive = self.queue.receive_message().queue_url(&self.url).max_number_of_messages(BATCH);
            let messages = receive.send().await.context("events")?.messages.unwrap_or_default();
            if messages.is_empty() {
                return Ok(());
            }
            // At the same time, as Lambda would: also the two of a doubled event.
            let taken = messages.iter().map(|message| async move {
                let event = serde_json::from_str(message.body().context("a body")?)?;
                self.invoke(event).await
            });
            futures::future::try_join_all(taken).await?;
            let mut delete = self.queue.delete_message_batch().queue_url(&self.url);
            for (i, message) in messages.iter().enumerate() {
                let handle = message.receipt_handle().context("a receipt")?;
                let entry =
                    DeleteMessageBatchRequestEntry::builder().id(i.to_string()).receipt_handle(handle);
                delete = delete.entries(entry.build()?);
            }
            delete.send().await.context("events taken")?;
        }
    }

    fn invocation(&self) -> anyhow::Result<Invocation> {
        let invoked = self.invoked.fetch_add(1, Ordering::Relaxed);
        let end = SystemTime::now() + LIMIT;
        let mut context = Context::default();
        context.request_id = format!("00000000-0000-4000-8000-{invoked:012}");
        context.deadline = u64::try_from(end.duration_since(SystemTime::UNIX_EPOCH)?.as_millis())?;
        Ok(Invocation::of(&context))
    }
}

fn arn() -> String {
    format!("arn:aws:sqs:{SOURCE_REGION}:{ACCOUNT}:{QUEUE}")
}

async fn silence(stack: &LocalStack) -> anyhow::Result<()> {
    let config = stack.sdk_config(SOURCE_REGION).await;
    let scheduler = aws_sdk_scheduler::Client::new(&config);
    let schedules = scheduler.list_schedules().group_name("dynachain").send().await.context("schedules")?;
    for schedule in schedules.schedules() {
        let name = schedule.name().context("a name")?;
        scheduler.delete_schedule().group_name("dynachain").name(name).send().await?;
    }
    let events = aws_sdk_eventbridge::Client::new(&config);
    for rule in events.list_rules().send().await.context("the rules")?.rules() {
        let name = rule.name().context("a name")?;
        // Nothing is copied in a year of sessions: the rules of copying are left out as well.
        if rule.schedule_expression().is_some() || name.contains("BackupCompletedRule") {
            events.disable_rule().name(name).send().await?;
        } else if name.contains("BackupJobRule") {
            // In the place of the deployed function, whose target has the same id.
            let target = Target::builder().id("backup-session").arn(arn()).build()?;
            events.put_targets().rule(name).targets(target).send().await?;
        }
    }
    Ok(())
}
