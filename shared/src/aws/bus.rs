//! EventBridge: our own events on the default bus.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::SdkError;
use aws_sdk_eventbridge::operation::put_events::PutEventsError;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::AwsError;
use crate::event::{OwnEvent, SOURCE};

/// Puts our events on the default bus.
#[derive(Clone, Debug)]
pub struct EventBus {
    client: Client,
}

impl EventBus {
    /// The default bus of the client's account and Region.
    pub fn new(config: &aws_config::SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// Emits one event.
    ///
    /// # Errors
    /// When the event refuses to be serialised, or EventBridge refuses the call or the entry.
    pub async fn emit<E: OwnEvent>(&self, event: &E) -> Result<(), AwsError> {
        const OPERATION: &str = "PutEvents";
        let detail = serde_json::to_string(event).map_err(|error| {
            let no_request = SdkError::<PutEventsError, HttpResponse>::construction_failure(error);
            AwsError::new(OPERATION, &no_request)
        })?;
        let entry = PutEventsRequestEntry::builder()
            .source(SOURCE)
            .detail_type(E::DETAIL_TYPE)
            .detail(detail)
            .build();
        let answer = self
            .client
            .put_events()
            .entries(entry)
            .send()
            .await
            .map_err(|error| AwsError::new(OPERATION, &error))?;
        // A refused entry does not fail the call (Amazon EventBridge API Reference, PutEvents).
        match answer
            .entries()
            .iter()
            .find_map(|entry| entry.error_code().map(|code| (code, entry.error_message())))
        {
            Some((code, message)) => Err(AwsError::refused(OPERATION, code, message.unwrap_or("no message"))),
            None => Ok(()),
        }
    }
}
