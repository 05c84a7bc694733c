//! What time it is by AWS's clock: every answer has a `Date`.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_backup::config::ConfigBag;
use aws_sdk_backup::config::Intercept;
use aws_sdk_backup::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use jiff::Timestamp;

use super::instant;

/// Remembers the `Date` of the last answer to a call.
#[derive(Clone, Debug, Default)]
pub(super) struct DateOfAnswer(Arc<Mutex<Option<String>>>);

impl DateOfAnswer {
    /// The date, once there was an answer that has one (RFC 9110, "Date").
    pub(super) fn read(&self) -> Option<Timestamp> {
        let date = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let date = DateTime::from_str(date.as_deref()?, Format::HttpDate).ok()?;
        instant(&date)
    }
}

impl Intercept for DateOfAnswer {
    fn name(&self) -> &'static str {
        "the date of the answer"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").map(str::to_owned);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}
