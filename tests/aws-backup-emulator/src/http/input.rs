//! What a call carries, read as the service model has it.

use std::sync::Arc;

use axum::body::Bytes;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{ApiError, Page};
use crate::aws::Scope;
use crate::caller::Caller;
use crate::operation::Operation;
use crate::service::Service;
use crate::state::RegionState;

/// A call on its way through the emulator: who, where, what.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) service: Arc<Service>,
    pub(crate) operation: &'static Operation,
    pub(crate) caller: Caller,
    pub(crate) scope: Scope,
    /// The parts of the path that the model names, decoded.
    pub(crate) path: Vec<(&'static str, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Call {
    /// A named part of the path.
    pub(crate) fn part(&self, name: &str) -> Result<&str, ApiError> {
        let found = self.path.iter().find(|(part, value)| *part == name && !value.is_empty());
        found.map(|(_, value)| value.as_str()).ok_or_else(|| ApiError::missing_parameter(name))
    }

    /// A member of the query string; an empty one counts as not given.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(member, value)| member == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// A member of the query string that must satisfy the model.
    pub(crate) fn checked(&self, name: &str, good: fn(&str) -> bool) -> Result<Option<&str>, ApiError> {
        match self.query(name) {
            Some(value) if !good(value) => {
                Err(ApiError::invalid_parameter(format!("Invalid value for {name}: {value}")))
            }
            value => Ok(value),
        }
    }

    /// A point in time in the query string.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = self.query(name) else { return Ok(None) };
        let seconds = || text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let time = text.parse().ok().or_else(seconds);
        time.map(Some)
            .ok_or_else(|| ApiError::invalid_parameter(format!("Invalid timestamp for {name}: {text}")))
    }

    /// The page that the caller asks for, of the list of this account, Region and path.
    pub(crate) fn page(&self) -> Result<Page, ApiError> {
        let Scope { account, region } = &self.scope;
        let mut list = format!("{} {account} {region}", self.operation.name);
        for (_, part) in &self.path {
            list.push(' ');
            list.push_str(part);
        }
        Page::new(&list, self.query("maxResults"), self.query("nextToken"))
    }

    /// The body.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let bytes: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(bytes).map_err(|error| ApiError::serialization(error.to_string()))
    }

    /// Reads or changes the state where the call is made.
    pub(crate) fn state<T>(&self, act: impl FnOnce(&mut RegionState) -> T) -> T {
        self.service.world.with(&self.scope, act)
    }

    /// The emulated time, as AWS Backup keeps it.
    pub(crate) fn now(&self) -> Timestamp {
        crate::time::milliseconds(self.service.timeline.now())
    }
}
