//! A legal hold's life: CREATING, ACTIVE, CANCELING, CANCELED, and the end of its record.

use jiff::{SignedDuration, Timestamp};

use crate::agenda::Task;
use crate::aws::Scope;
use crate::service::Service;
use crate::state::RegionState;
use crate::state::legal_hold::Status;

/// How long a hold takes to be in force, and as long to be over. AWS documents no time.
pub(crate) const STEP: SignedDuration = SignedDuration::from_secs(5);

pub(super) fn step(service: &Service, scope: &Scope, id: &str) {
    let now = crate::time::milliseconds(service.timeline.now());
    if let Some(due) = service.world.with(scope, |state| advance(state, id, now)) {
        service.agenda.add(due, Task::StepLegalHold { scope: scope.clone(), hold: id.to_owned() });
    }
}

/// One step on; the answer is when the next one is due, if it is known.
fn advance(state: &mut RegionState, id: &str, now: Timestamp) -> Option<Timestamp> {
    let hold = state.legal_holds.get_mut(id)?;
    match hold.status {
        Status::Creating => {
            hold.status = Status::Active;
            None
        }
        Status::Canceling => {
            hold.status = Status::Canceled;
            hold.released = Some(now);
            hold.retained_until()
        }
        Status::Canceled => {
            state.legal_holds.remove(id);
            None
        }
        // It stays until it is cancelled.
        Status::Active => None,
    }
}
