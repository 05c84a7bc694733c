//! A short memory for answers of the local AWS, in real time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Answers by key, each good for a while.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    keep: Duration,
    entries: Mutex<HashMap<String, (Instant, T)>>,
}

impl<T: Clone> Cache<T> {
    pub(crate) fn new(keep: Duration) -> Self {
        Self { keep, entries: Mutex::default() }
    }

    /// What is known, or what `ask` answers; errors are not remembered.
    pub(crate) async fn get_or<E>(&self, key: &str, ask: impl AsyncFnOnce() -> Result<T, E>) -> Result<T, E> {
        if let Some(known) = self.fresh(key) {
            return Ok(known);
        }
        let answer = ask().await?;
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, (since, _)| since.elapsed() < self.keep);
        entries.insert(key.to_owned(), (Instant::now(), answer.clone()));
        Ok(answer)
    }

    /// Nothing is known any more.
    pub(crate) fn clear(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn fresh(&self, key: &str) -> Option<T> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, answer) = entries.get(key)?;
        (since.elapsed() < self.keep).then(|| answer.clone())
    }
}
