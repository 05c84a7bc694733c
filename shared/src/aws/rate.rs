//! Client-side rate limits: AWS's own request rates are kept instead of run into.

use std::num::NonZeroU32;
use std::sync::Arc;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// At most so many calls a second; clones share the same allowance.
///
/// Rates of AWS Backup and DynamoDB are per account and Region (AWS General Reference, "AWS Backup endpoints and quotas";
/// Amazon DynamoDB Developer Guide, "Quotas"), so one [`Rate`] stands for all calls of a kind that a function makes.
#[derive(Clone, Debug)]
pub struct Rate(Arc<DefaultDirectRateLimiter>);

impl Rate {
    /// `per_second` calls a second (at least one), none saved up for later.
    pub fn per_second(per_second: u32) -> Self {
        let rate = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(rate).allow_burst(NonZeroU32::MIN);
        Self(Arc::new(RateLimiter::direct(quota)))
    }

    /// Returns when the next call may be made.
    pub async fn ready(&self) {
        self.0.until_ready().await;
    }
}
