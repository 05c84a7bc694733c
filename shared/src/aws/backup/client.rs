//! AWS Backup's client: like any other, but a quota that is reached is not asked again at once.

use aws_config::SdkConfig;
use aws_sdk_backup::Client;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

/// The client that all adapters use.
pub(super) fn client(config: &SdkConfig) -> Client {
    let config = aws_sdk_backup::config::Builder::from(config).retry_classifier(QuotasAreNoThrottles);
    Client::from_conf(config.build())
}

/// `LimitExceededException` is AWS Backup's word for quotas, such as 50 tags or so many jobs at once: none of them passes
/// within a retry's seconds. The SDKs take it for a throttle, and would try again with growing pauses before they tell.
#[derive(Debug)]
struct QuotasAreNoThrottles;

impl ClassifyRetry for QuotasAreNoThrottles {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        // The code stands in a header of every refusal of a restJson1 service.
        let response = context.response();
        let code = response.and_then(|response| response.headers().get("x-amzn-errortype"));
        match code.is_some_and(|code| code.split(':').next() == Some("LimitExceededException")) {
            true => RetryAction::RetryForbidden,
            false => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "quotas are no throttles"
    }
}
