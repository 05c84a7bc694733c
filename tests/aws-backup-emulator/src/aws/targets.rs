//! Bringing an event to one target of a rule: a Lambda function or an SQS queue.
//!
//! A target takes an event only when its own policy lets EventBridge send it (EventBridge User Guide, "Using resource-based
//! policies for Amazon EventBridge").

use std::time::Duration;

use aws_sdk_eventbridge::types::Target;
use aws_sdk_lambda::operation::get_policy::GetPolicyError;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_sqs::types::QueueAttributeName;

use super::input::{self, Occasion};
use super::rules::Bus;
use super::{Clients, Scope, describe, roles};
use crate::iam::Context;

/// The longest a function runs, with some room.
const LONGEST: Duration = Duration::from_secs(910);
const EVENTBRIDGE: &str = "events.amazonaws.com";

/// Sends one event; returns why not when it does not arrive.
pub(super) async fn send(
    clients: &Clients,
    scope: &Scope,
    bus: &Bus,
    occasion: &Occasion,
    target: &Target,
) -> Result<(), String> {
    let parts: Vec<&str> = target.arn.splitn(6, ':').collect();
    let [_, _, service, region, account, name] = parts[..] else {
        return Err("not delivered: the target's ARN makes no sense".to_owned());
    };
    if (region, account) != (scope.region.as_str(), scope.account.as_str()) {
        return Err("not delivered: the target is in another account or Region".to_owned());
    }
    let known = format!("{} {}", occasion.rule_arn, target.arn);
    match service {
        "lambda" => {
            let input = input::of(target, occasion)?;
            let permitted = || function_lets_in(clients, scope, occasion, &target.arn);
            admitted(bus.permissions.get_or(&known, permitted).await?, "function", occasion)?;
            invoke(clients, &target.arn, input).await
        }
        "sqs" if !name.ends_with(".fifo") => {
            let input = input::of(target, occasion)?;
            let url = queue_url(clients, name).await?;
            let permitted = || queue_lets_in(clients, scope, occasion, &url);
            admitted(bus.permissions.get_or(&known, permitted).await?, "queue", occasion)?;
            let sent = clients.sqs.send_message().queue_url(url).message_body(input).send().await;
            sent.map(drop).map_err(|error| describe(&error))
        }
        _ => Err("not delivered: only Lambda functions and standard SQS queues are emulated".to_owned()),
    }
}

fn admitted(permitted: bool, kind: &str, occasion: &Occasion) -> Result<(), String> {
    let rule = &occasion.rule_arn;
    let act = if kind == "function" { "invoke it" } else { "send to it" };
    if permitted {
        Ok(())
    } else {
        Err(format!("not delivered: the {kind}'s policy does not let {rule} {act}"))
    }
}

async fn invoke(clients: &Clients, function: &str, input: String) -> Result<(), String> {
    let invoked = clients.lambda.invoke().function_name(function).payload(Blob::new(input)).send();
    let answer = tokio::time::timeout(LONGEST, invoked)
        .await
        .map_err(|_| "the function did not answer in time".to_owned())?
        .map_err(|error| describe(&error))?;
    match answer.function_error {
        None => Ok(()),
        Some(kind) => {
            let payload =
                answer.payload.map(|payload| String::from_utf8_lossy(payload.as_ref()).into_owned());
            Err(format!("function error {kind}: {}", payload.unwrap_or_default()))
        }
    }
}

async fn function_lets_in(
    clients: &Clients,
    scope: &Scope,
    occasion: &Occasion,
    function: &str,
) -> Result<bool, String> {
    let policy = match clients.lambda.get_policy().function_name(function).send().await {
        Ok(answer) => answer.policy,
        Err(error)
            if error.as_service_error().is_some_and(GetPolicyError::is_resource_not_found_exception) =>
        {
            None
        }
        Err(error) => return Err(describe(&error)),
    };
    Ok(lets_in(policy, function, "lambda:InvokeFunction", scope, occasion))
}

async fn queue_url(clients: &Clients, name: &str) -> Result<String, String> {
    let answer = clients.sqs.get_queue_url().queue_name(name).send().await;
    let url = answer.map_err(|error| describe(&error))?.queue_url;
    url.ok_or_else(|| format!("not delivered: the queue {name} has no URL"))
}

async fn queue_lets_in(
    clients: &Clients,
    scope: &Scope,
    occasion: &Occasion,
    url: &str,
) -> Result<bool, String> {
    let asked = clients.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::Policy);
    let answer = asked.send().await.map_err(|error| describe(&error))?;
    let policy = answer.attributes.and_then(|mut attributes| attributes.remove(&QueueAttributeName::Policy));
    Ok(lets_in(policy, url, "sqs:SendMessage", scope, occasion))
}

fn lets_in(policy: Option<String>, name: &str, action: &str, scope: &Scope, occasion: &Occasion) -> bool {
    let context = Context::default()
        .with("aws:SourceArn", occasion.rule_arn.as_str())
        .with("aws:SourceAccount", scope.account.as_str());
    let policy = policy.filter(|document| !document.is_empty());
    policy
        .and_then(|document| roles::parse(name, &document))
        .is_some_and(|policy| policy.trusts_service(EVENTBRIDGE, action, &context))
}
