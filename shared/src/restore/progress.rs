//! How a restore stands: as a whole, and property by property.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Property;

/// The states of a restore. The last three are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestoreState {
    /// Claimed; AWS Backup has not been heard to take it on.
    Planned,
    /// AWS Backup restores the table. It cannot be used yet.
    Restoring,
    /// The items are there, and the configuration is being re-applied.
    Configuring,
    /// All is there.
    Done,
    /// The items are there, and something of the configuration is not; its step says why.
    DoneWithProblems,
    /// There is no table: AWS Backup did not make it.
    Failed,
}

impl RestoreState {
    /// Whether nothing more happens.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::DoneWithProblems | Self::Failed)
    }

    /// How a restore ended whose steps are all over.
    pub fn of(steps: &[Step]) -> Self {
        if steps.iter().any(Step::is_problem) { Self::DoneWithProblems } else { Self::Done }
    }

    /// How several restores of one request stand together: as the one that has the longest way to go; when all are over, as
    /// the one that went worst.
    pub fn together(states: impl IntoIterator<Item = Self>) -> Option<Self> {
        const ORDER: [RestoreState; 6] = [
            RestoreState::Planned,
            RestoreState::Restoring,
            RestoreState::Configuring,
            RestoreState::Failed,
            RestoreState::DoneWithProblems,
            RestoreState::Done,
        ];
        states.into_iter().min_by_key(|state| ORDER.iter().position(|one| one == state))
    }
}

/// How a property gets to the new table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// AWS Backup restores it, or the table never had it.
    #[serde(rename = "by AWS")]
    ByAws,
    /// It is put back as it was recorded.
    #[serde(rename = "re-apply")]
    ReApply,
    /// It is made as the caller wants it.
    #[serde(rename = "override")]
    Override,
    /// It cannot be put back: nobody recorded it, or it has no place in the new table.
    #[serde(rename = "not possible")]
    NotPossible,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// To be done, or to be tried again.
    Pending,
    /// The table has it.
    Done,
    /// Nothing was to be done, or nothing could be.
    Skipped,
    /// It was refused; the error says by whom and why.
    Failed,
}

/// One property of one restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The property.
    pub property: Property,
    /// How it gets to the table.
    pub action: Action,
    /// How it stands.
    pub state: StepState,
    /// When it came to that; none while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Why it failed or was skipped, what of it is missing, or, while it is pending, what the last try came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Step {
    /// A step that is to be done.
    pub fn new(property: Property, action: Action) -> Self {
        Self { property, action, state: StepState::Pending, at: None, error: None }
    }

    /// A step that is over before it begins.
    pub fn skipped(property: Property, action: Action, why: Option<String>) -> Self {
        Self { state: StepState::Skipped, error: why, ..Self::new(property, action) }
    }

    /// Whether the table lacks something that it should have. What can be put back and was skipped is left to whoever asks
    /// for it, and is none.
    pub fn is_problem(&self) -> bool {
        let left = self.action == Action::ReApply && self.state == StepState::Skipped;
        self.error.is_some() && !left
    }

    /// Whether there is nothing left to do.
    pub fn is_over(&self) -> bool {
        self.state != StepState::Pending
    }

    /// Ends it.
    pub fn end(&mut self, state: StepState, at: Timestamp, error: Option<String>) {
        (self.state, self.at, self.error) = (state, Some(at), error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_answer() {
        let step = Step::new(Property::Ttl, Action::ByAws);
        let shown = serde_json::to_value(step).unwrap();
        assert_eq!(
            (&shown["property"], &shown["action"], &shown["state"]),
            (&"ttl".into(), &"by AWS".into(), &"pending".into())
        );
        assert_eq!(serde_json::to_value(RestoreState::DoneWithProblems).unwrap(), "done_with_problems");
        assert_eq!(serde_json::to_value(Action::NotPossible).unwrap(), "not possible");
    }

    #[test]
    fn several_restores_are_as_far_as_the_slowest_and_as_good_as_the_worst() {
        use RestoreState::{Configuring, Done, DoneWithProblems, Failed, Restoring};
        assert_eq!(RestoreState::together([Done, Restoring, Failed]), Some(Restoring));
        assert_eq!(RestoreState::together([Configuring, Done]), Some(Configuring));
        assert_eq!(RestoreState::together([Done, Failed, DoneWithProblems]), Some(Failed));
        assert_eq!(RestoreState::together([Done, Done]), Some(Done));
        assert_eq!(RestoreState::together([]), None);
    }

    #[test]
    fn a_step_with_an_error_is_a_problem() {
        let done = Step { state: StepState::Done, ..Step::new(Property::Ttl, Action::ReApply) };
        let failed = Step { error: Some("no".to_owned()), ..done.clone() };
        assert_eq!(RestoreState::of(std::slice::from_ref(&done)), RestoreState::Done);
        assert_eq!(RestoreState::of(&[done, failed]), RestoreState::DoneWithProblems);
        let lost =
            Step::skipped(Property::Kinesis, Action::NotPossible, Some("of another Region".to_owned()));
        assert_eq!(RestoreState::of(&[lost]), RestoreState::DoneWithProblems);
    }

    #[test]
    fn what_was_left_until_somebody_asks_for_it_is_no_problem() {
        let left = Step::skipped(Property::Alarms, Action::ReApply, Some("ask for it".to_owned()));
        assert_eq!(RestoreState::of(&[left]), RestoreState::Done);
    }
}
