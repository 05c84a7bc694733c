//! Owed flags: what a chain has lost above D, and which of its points makes up for it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::SessionId;

/// How one flag of one chain stands: whether a point that should have carried it was lost, and who carries it instead.
///
/// A loss is paid by the next point of the chain that completes with the flag. Every change is idempotent, so that a doubled
/// event or a repeated run changes nothing, and the order of losses and payments does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debt {
    /// The latest moment whose point was lost and that no later point has paid for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost: Option<Timestamp>,
    /// The session whose point of this table carries the flag at present, beside its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    carrier: Option<SessionId>,
    /// The latest moment of a point that has paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paid: Option<Timestamp>,
}

impl Debt {
    /// Whether the flag is owed: lost, and not paid.
    pub fn is_owed(&self) -> bool {
        self.lost.is_some()
    }

    /// Whether the point of this session is to carry the flag: it is owed, and no other session's point carries it.
    pub fn falls_to(&self, session: &SessionId) -> bool {
        self.is_owed() && self.carrier.as_ref().is_none_or(|carrier| carrier == session)
    }

    /// When the last debt was paid; `None` while one is owed.
    pub fn paid_at(&self) -> Option<Timestamp> {
        self.paid.filter(|_| !self.is_owed())
    }

    /// The point that was to carry the flag at `scheduled_at` is lost. No debt when a later point has the flag already.
    pub fn lose(&mut self, scheduled_at: Timestamp) {
        if self.paid.is_none_or(|paid| paid < scheduled_at) {
            self.lost = self.lost.max(Some(scheduled_at));
        }
    }

    /// The point of this session carries the flag from now on.
    pub fn carry(&mut self, session: &SessionId) {
        if self.falls_to(session) {
            self.carrier = Some(session.clone());
        }
    }

    /// The point of this session, scheduled for this moment, is complete and has the flag.
    pub fn pay(&mut self, session: &SessionId, scheduled_at: Timestamp) {
        self.paid = self.paid.max(Some(scheduled_at));
        if self.lost <= self.paid {
            self.lost = None;
        }
        if self.lost.is_none() {
            self.carrier = None;
        }
        self.release(session);
    }

    /// The point of this session came to nothing: another one is to carry the flag.
    pub fn release(&mut self, session: &SessionId) {
        self.carrier.take_if(|carrier| carrier == session);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    fn session(hour: i64) -> SessionId {
        SessionId::scheduled(&"orders".parse().unwrap(), at(hour))
    }

    #[test]
    fn a_loss_is_carried_by_one_session_and_paid_when_its_point_is_complete() {
        let mut debt = Debt::default();
        debt.lose(at(7));
        assert!(debt.falls_to(&session(11)) && debt.falls_to(&session(12)));
        debt.carry(&session(11));
        assert!(debt.falls_to(&session(11)) && !debt.falls_to(&session(12)));
        debt.pay(&session(11), at(11));
        assert!(!debt.is_owed());
        assert_eq!(debt.paid_at(), Some(at(11)));
    }

    #[test]
    fn a_carrier_that_fails_gives_the_flag_back() {
        let mut debt = Debt::default();
        debt.lose(at(7));
        debt.carry(&session(11));
        debt.release(&session(11));
        assert!(debt.falls_to(&session(12)));
    }

    #[test]
    fn another_point_with_the_flag_pays_as_well_and_the_carrier_has_nothing_left_to_do() {
        let mut debt = Debt::default();
        debt.lose(at(7));
        debt.carry(&session(11));
        debt.pay(&session(12), at(12));
        assert!(!debt.is_owed());
        debt.pay(&session(11), at(11));
        assert_eq!((debt.is_owed(), debt.paid_at()), (false, Some(at(12))));
    }

    #[test]
    fn a_loss_after_the_payment_is_owed_anew_and_one_before_it_is_not() {
        let mut debt = Debt::default();
        debt.pay(&session(11), at(11));
        debt.lose(at(7));
        assert!(!debt.is_owed());
        debt.lose(at(12));
        assert!(debt.falls_to(&session(13)));
    }

    #[test]
    fn an_older_point_does_not_pay_for_a_later_loss() {
        let mut debt = Debt::default();
        debt.lose(at(7));
        debt.carry(&session(8));
        debt.lose(at(9));
        debt.pay(&session(8), at(8));
        assert!(debt.falls_to(&session(10)));
    }

    proptest! {
        #[test]
        fn losses_and_payments_count_the_same_in_any_order_and_number(
            events in prop::collection::vec((0_i64..50, any::<bool>()), 0..20),
            doubled in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        ) {
            let apply = |events: &[(i64, bool)]| {
                let mut debt = Debt::default();
                for (hour, paid) in events {
                    if *paid { debt.pay(&session(*hour), at(*hour)) } else { debt.lose(at(*hour)) }
                }
                debt
            };
            let in_order = apply(&events);
            let mut shuffled: Vec<_> = events.iter().rev().copied().collect();
            shuffled.extend(doubled.iter().filter(|_| !events.is_empty()).map(|i| events[i.index(events.len())]));
            prop_assert_eq!(apply(&shuffled).is_owed(), in_order.is_owed());
            let last_loss = events.iter().filter(|(_, paid)| !paid).map(|(hour, _)| *hour).max();
            let last_payment = events.iter().filter(|(_, paid)| *paid).map(|(hour, _)| *hour).max();
            prop_assert_eq!(in_order.is_owed(), last_loss > last_payment);
        }
    }
}
