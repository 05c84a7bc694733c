//! A vault with those of its tables whose points are edited, and who decides about them.

use std::collections::VecDeque;

use dynachain::error::Refusal;
use dynachain::id::{TableArn, VaultArn};
use dynachain::judge::Judge;
use jiff::Timestamp;

use crate::Deps;
use crate::answer::Failure;
use crate::place::Place;

/// The tables of one vault that a change is about.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) place: Place,
    pub(crate) judge: Judge,
    /// Those that are still to be done, in order.
    pub(crate) tables: VecDeque<TableArn>,
}

impl Site {
    /// A vault of this account, as yet without tables, judged at that moment; what is to be said of it where AWS itself ends
    /// its points.
    ///
    /// # Errors
    /// When the vault or its Region is out of reach.
    pub(crate) async fn open(
        deps: &Deps,
        vault: &VaultArn,
        now: Timestamp,
    ) -> Result<Result<Self, Failure>, Refusal> {
        let place = deps.place(vault)?;
        let (judge, locked) = place.judge(now).await?;
        if locked {
            let why = "it is locked: AWS ends its points at the time that was set when they were made, and no edit reaches them";
            return Ok(Err(Failure::of_vault(vault, "vault_lock", why)));
        }
        Ok(Ok(Self { place, judge, tables: VecDeque::new() }))
    }
}
