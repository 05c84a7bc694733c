//! dynachain's own events, as a subscriber on the default bus gets them.

use std::time::{Duration, Instant};

use aws_sdk_eventbridge::types::Target;
use local_stack::{ACCOUNT, SOURCE_REGION};
use serde_json::{Value, json};

use super::{World, http, list};

/// The detail-type of the event that ends a session.
pub(crate) const FINISHED: &str = "Backup Session Finished";
const QUEUE: &str = "flow-events";
const DEADLINE: Duration = Duration::from_secs(20);

impl World {
    pub(crate) async fn event_bridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.stack.sdk_config(SOURCE_REGION).await)
    }

    /// Subscribes to dynachain's own events: a rule sends them to a queue, for [`World::events`].
    pub(crate) async fn subscribe(&self) {
        // For queues alone, the AWS CLI does not heed AWS_ENDPOINT_URL.
        let arguments =
            ["sqs", "create-queue", "--queue-name", QUEUE, "--endpoint-url", self.stack.endpoint()];
        let made = self.stack.aws_cli(SOURCE_REGION).args(arguments).output().await.expect("the AWS CLI");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let client = self.event_bridge().await;
        let pattern = json!({ "source": ["dynachain"] }).to_string();
        client.put_rule().name(QUEUE).event_pattern(pattern).send().await.expect("a rule");
        let queue = format!("arn:aws:sqs:{SOURCE_REGION}:{ACCOUNT}:{QUEUE}");
        let target = Target::builder().id("queue").arn(queue).build().expect("a target");
        client.put_targets().rule(QUEUE).targets(target).send().await.expect("its target");
    }

    /// The details of the events of a detail-type, oldest first; waits until there are at least so many.
    pub(crate) async fn events(&self, detail_type: &str, at_least: usize) -> Vec<Value> {
        let path = format!("/_ministack/sqs/messages?account={ACCOUNT}&region={SOURCE_REGION}");
        let began = Instant::now();
        loop {
            let answer = http::request(self.stack.endpoint(), "GET", &path, None).await;
            let queues = answer["messages"][ACCOUNT][SOURCE_REGION].as_object().expect("queues");
            let ours = queues.iter().filter(|(url, _)| url.ends_with(&format!("/{QUEUE}")));
            let events: Vec<Value> = ours
                .flat_map(|(_, messages)| list(messages))
                .map(|message| {
                    serde_json::from_str(message["Body"].as_str().expect("a body")).expect("an event")
                })
                .filter(|event: &Value| event["detail-type"] == detail_type)
                .map(|event| event["detail"].clone())
                .collect();
            if events.len() >= at_least {
                return events;
            }
            assert!(began.elapsed() < DEADLINE, "{} of {at_least} events {detail_type:?}", events.len());
            // A function of another process sends them; the deadline above ends the wait.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
