//! One invocation of a Lambda function: its request id, and the time it has left.

use std::time::{Duration, Instant, SystemTime};

/// An invocation begins nothing new so long before its deadline, and lets another go on.
const RESERVE: Duration = Duration::from_secs(60);

/// One invocation of a function.
#[derive(Clone, Debug)]
pub struct Invocation {
    request_id: String,
    stop: Option<Instant>,
}

impl Invocation {
    /// From what Lambda says about it.
    pub fn of(context: &lambda_runtime::Context) -> Self {
        let deadline = SystemTime::UNIX_EPOCH + Duration::from_millis(context.deadline);
        let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
        Self {
            request_id: context.request_id.clone(),
            stop: Instant::now().checked_add(left.saturating_sub(RESERVE)),
        }
    }

    /// Lambda's id of the request: the same when Lambda tries it again.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Whether there is still time to begin something.
    pub fn has_time(&self) -> bool {
        self.stop.is_none_or(|stop| Instant::now() < stop)
    }
}
