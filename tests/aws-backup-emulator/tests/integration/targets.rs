use anyhow::{Context as _, Result};
use aws_sdk_eventbridge::types::{InputTransformer, Target};
use aws_sdk_sqs::types::QueueAttributeName;

use crate::stack::{ACCOUNT, REGION, Stack};

/// A queue that all events of AWS Backup go to.
pub(crate) struct Queue {
    sqs: aws_sdk_sqs::Client,
    url: String,
    pub(crate) arn: String,
}

impl Queue {
    /// A queue whose policy lets the rule of the same name send to it.
    async fn new(stack: &Stack, name: &str, allowed: bool) -> Result<Self> {
        let sqs = aws_sdk_sqs::Client::new(&stack.aws_in(REGION));
        let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}");
        let policy = format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"Service":"events.amazonaws.com"}},"Action":"sqs:SendMessage",
                "Resource":"{arn}",
                "Condition":{{"ArnEquals":{{"aws:SourceArn":"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"}}}}}}]}}"#
        );
        let policy = allowed.then_some((QueueAttributeName::Policy, policy));
        let fifo = name.ends_with(".fifo").then(|| (QueueAttributeName::FifoQueue, "true".to_owned()));
        let attributes = policy.into_iter().chain(fifo).collect();
        let made = sqs.create_queue().queue_name(name).set_attributes(Some(attributes)).send().await?;
        Ok(Self { url: made.queue_url.context("a queue without a URL")?, sqs, arn })
    }

    /// Takes out what has come.
    pub(crate) async fn messages(&self) -> Result<Vec<String>> {
        let got = self.sqs.receive_message().queue_url(&self.url).max_number_of_messages(10).send().await?;
        Ok(got.messages.unwrap_or_default().into_iter().filter_map(|message| message.body).collect())
    }
}

async fn target(stack: &Stack, rule: &str, target: Target) -> Result<()> {
    let pattern = r#"{"source":["aws.backup"]}"#;
    stack.events.put_rule().name(rule.replace(".fifo", "")).event_pattern(pattern).send().await?;
    stack.events.put_targets().rule(rule.replace(".fifo", "")).targets(target).send().await?;
    Ok(())
}

/// A queue that all events of AWS Backup are sent to.
pub(crate) async fn queue(stack: &Stack, name: &str) -> Result<Queue> {
    let queue = Queue::new(stack, name, true).await?;
    target(stack, name, Target::builder().id("t").arn(&queue.arn).build()?).await?;
    Ok(queue)
}

async fn start_a_backup(stack: &Stack) -> Result<Vec<String>> {
    let table = stack.table("orders", 1, &[]).await?;
    stack.control("DELETE", "/calls", "").await?;
    stack.start_backup(&table).send().await?;
    stack.pass(0).await;
    let log = stack.control("GET", "/calls?operation=DeliverEvent", "").await?;
    let outcomes = log["calls"].as_array().context("no calls")?.iter();
    let mut outcomes: Vec<String> = outcomes
        .map(|call| {
            let text = |member: &str| call[member].as_str().unwrap_or_default().to_owned();
            format!("{} {}", text("principal").rsplit(':').next().unwrap_or_default(), text("outcome"))
        })
        .collect();
    outcomes.sort();
    Ok(outcomes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_gets_events_when_its_policy_lets_the_rule_send_them() -> Result<()> {
    let stack = Stack::start().await?;
    let open = queue(&stack, "open").await?;
    let closed = Queue::new(&stack, "closed", false).await?;
    target(&stack, "closed", Target::builder().id("t").arn(&closed.arn).build()?).await?;
    let refused = "closed not delivered: the queue's policy does not let arn:aws:events:eu-central-1:111122223333:rule/closed \
                   send to it";
    assert_eq!(start_a_backup(&stack).await?, [refused, "open delivered"]);
    let messages = open.messages().await?;
    assert!(messages.len() == 1 && messages[0].starts_with(r#"{"version":"0""#), "{messages:?}");
    assert_eq!(closed.messages().await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_gets_what_an_input_transformer_makes_of_the_event() -> Result<()> {
    let stack = Stack::start().await?;
    let queue = Queue::new(&stack, "lines", true).await?;
    let transformer = InputTransformer::builder()
        .input_paths_map("state", "$.detail.state")
        .input_template(r#""<aws.events.rule-name>: <state> at <aws.events.event.ingestion-time>""#);
    let lines = Target::builder().id("t").arn(&queue.arn).input_transformer(transformer.build()?);
    target(&stack, "lines", lines.build()?).await?;
    assert_eq!(start_a_backup(&stack).await?, ["lines delivered"]);
    assert_eq!(queue.messages().await?, [r#""lines: CREATED at 2025-01-06T06:00:00Z""#]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_of_other_kinds_are_logged_as_not_delivered() -> Result<()> {
    let stack = Stack::start().await?;
    let fifo = Queue::new(&stack, "ordered.fifo", true).await?;
    let ordered = Target::builder().id("t").arn(&fifo.arn);
    let group = aws_sdk_eventbridge::types::SqsParameters::builder().message_group_id("g").build();
    target(&stack, "ordered.fifo", ordered.sqs_parameters(group).build()?).await?;
    let topic = format!("arn:aws:sns:{REGION}:{ACCOUNT}:topic");
    target(&stack, "topic", Target::builder().id("t").arn(topic).build()?).await?;
    let elsewhere = format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:far");
    target(&stack, "far", Target::builder().id("t").arn(elsewhere).build()?).await?;
    let expected = [
        "far not delivered: the target is in another account or Region",
        "ordered.fifo not delivered: only Lambda functions and standard SQS queues are emulated",
        "topic not delivered: only Lambda functions and standard SQS queues are emulated",
    ];
    assert_eq!(start_a_backup(&stack).await?, expected);
    Ok(())
}
