//! The new table as it stands: read when it is asked for, and again after each change.

use std::time::Duration;

use dynachain::aws::table_reader::{Captured, TableReader};
use dynachain::id::TableArn;
use dynachain::invocation::Invocation;
use dynachain::restore::{Change, Property};
use dynachain::table_config::TableConfig;

use crate::Deps;
use crate::trouble::{self, Trouble};

/// An invocation waits so long, in all, for a table to take a change of its own.
const PATIENCE: Duration = Duration::from_secs(180);
/// And so long for a table that somebody else changes.
const SHORT_PATIENCE: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_secs(2);

/// A table that is being configured.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    deps: &'a Deps,
    arn: &'a TableArn,
    invocation: &'a Invocation,
    reader: TableReader,
    id: Option<String>,
    captured: Option<Captured>,
    /// Whether its configuration has the alarms.
    has_alarms: bool,
    waited: Duration,
    patience: Duration,
}

impl<'a> Table<'a> {
    /// The table of this name; if an id is given, none but the one that has it.
    pub(crate) fn new(
        deps: &'a Deps,
        invocation: &'a Invocation,
        arn: &'a TableArn,
        id: Option<String>,
    ) -> Self {
        let (waited, patience) = (Duration::ZERO, SHORT_PATIENCE);
        let reader = deps.reader.afresh();
        Self { deps, arn, invocation, reader, id, captured: None, has_alarms: false, waited, patience }
    }

    /// Its id, once that is known.
    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The table as it is now. For the sake of alarms its configuration also has those that are there under the names of the
    /// wanted ones, whatever they watch.
    pub(crate) async fn now(
        &mut self,
        property: Property,
        wanted: &TableConfig,
    ) -> Result<&Captured, Trouble> {
        if self.captured.is_none() {
            let captured = self.reader.capture(self.arn).await;
            let captured = captured.map_err(|error| trouble::of_capture(&error))?;
            if *self.id.get_or_insert_with(|| captured.table_id.clone()) != captured.table_id {
                return Err(Trouble::Gone);
            }
            (self.captured, self.has_alarms) = (Some(captured), false);
        }
        let captured = self.captured.as_mut().ok_or(Trouble::Gone)?;
        if property == Property::Alarms && !self.has_alarms {
            let names = wanted.alarms.on().into_iter().flat_map(|alarms| alarms.by_name.keys());
            let names: Vec<&str> = names.map(String::as_str).collect();
            captured.config.alarms = self.reader.alarms_named(&names).await;
            self.has_alarms = true;
        }
        Ok(captured)
    }

    /// Waits until the table takes a change of itself.
    pub(crate) async fn active(&mut self) -> Result<(), Trouble> {
        loop {
            let state = self.deps.tables.of(self.arn).await;
            let state = state.map_err(|error| Trouble::Passing(error.to_string()))?.ok_or(Trouble::Gone)?;
            if state.status == "ACTIVE" {
                return Ok(());
            }
            if self.waited >= self.patience || !self.invocation.has_time() {
                return Err(Trouble::Passing(format!("the table is {}, not ACTIVE", state.status)));
            }
            // DynamoDB tells nobody when a table is ACTIVE again: it can only be asked.
            tokio::time::sleep(PAUSE).await;
            self.waited += PAUSE;
        }
    }

    /// Forgets what was read; after a pause, when that was a moment ago. Auto scaling is read for all tables of the Region at
    /// once, so that is only done again for its own sake.
    pub(crate) async fn read_again(&mut self, property: Property, after_a_pause: bool) {
        if after_a_pause {
            // Nobody tells when a change has reached all replicas of what is read.
            tokio::time::sleep(PAUSE).await;
        }
        self.captured = None;
        if property == Property::AutoScaling {
            self.reader = self.deps.reader.afresh();
        }
    }

    /// Makes one call. What the table has is to be read again afterwards.
    pub(crate) async fn apply(&mut self, change: &Change) -> Result<(), Trouble> {
        let applied = self.deps.writer.apply(self.arn, change).await;
        applied.map_err(|error| trouble::of_change(change, &error))?;
        self.patience = PATIENCE;
        Ok(())
    }
}
