//! One invocation of a function: who asked, and how much time is left.

use std::time::{Duration, Instant, SystemTime};

/// An invocation stops beginning things so long before its deadline, and lets another go on.
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

    /// Does something that may be given up at any moment, such as reading, as long as there is time to begin with what comes
    /// after it; `None` when time is up first.
    pub async fn in_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match self.stop {
            Some(stop) => tokio::time::timeout_at(stop.into(), work).await.ok(),
            None => Some(work.await),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn left(time: Duration) -> Invocation {
        Invocation { request_id: "request".to_owned(), stop: Instant::now().checked_add(time) }
    }

    #[tokio::test]
    async fn work_that_may_be_given_up_is_when_time_is_up() {
        assert_eq!(left(Duration::from_secs(3600)).in_time(ready(7)).await, Some(7));
        assert_eq!(left(Duration::from_millis(1)).in_time(pending::<u8>()).await, None);
        assert!(!left(Duration::ZERO).has_time());
        let endless = Invocation { stop: None, ..left(Duration::ZERO) };
        assert_eq!((endless.has_time(), endless.in_time(ready(7)).await), (true, Some(7)));
    }
}
