//! What holds for a whole run: the vault, the time, the legal holds.

use std::collections::HashMap;

use dynachain::aws::backup::Vault;
use dynachain::chain::RestorePoint;
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::RecoveryPointArn;
use dynachain::judge::Judge;
use jiff::{SignedDuration, Timestamp};

use crate::Deps;

/// Clocks that are further apart are not to be trusted with deletions.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The vault, the time, and the judge of its points, as they are when a run begins.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) vault: Vault,
    pub(crate) now: Timestamp,
    pub(crate) judge: Judge,
}

impl Scene {
    /// Looks around.
    ///
    /// # Errors
    /// `VaultUnavailable`; `ClockSkew` when this function's clock and AWS's are more than 5 minutes apart.
    pub(crate) async fn look(deps: &Deps) -> Result<Self, Refusal> {
        let reader = deps.points.vault();
        let described = reader.describe_and_date().await.map_err(|error| error.about_vault(reader.name()))?;
        let (vault, date) = described;
        let now = deps.now().await?;
        agree(now, date)?;
        let judge = Judge::of(&vault, &deps.holds, deps.catalog.copies(), now).await?;
        Ok(Self { vault, now, judge })
    }
}

/// Points by their ARNs.
pub(crate) fn places(points: &[RestorePoint]) -> HashMap<&RecoveryPointArn, usize> {
    points.iter().enumerate().map(|(place, point)| (&point.listed.arn, place)).collect()
}

fn agree(ours: Timestamp, theirs: Timestamp) -> Result<(), Refusal> {
    let apart = ours.duration_since(theirs);
    if apart.abs() <= SKEW {
        return Ok(());
    }
    let message = format!(
        "this function's clock says {ours} and AWS's {theirs}: more than 5 minutes apart, so nothing was deleted"
    );
    Err(Refusal::new(ErrorType::ClockSkew, message))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::the_same("2025-01-06T06:00:00Z", true)]
    #[case::five_minutes_behind("2025-01-06T05:55:00Z", true)]
    #[case::more("2025-01-06T05:54:59Z", false)]
    #[case::five_minutes_ahead("2025-01-06T06:05:00Z", true)]
    #[case::a_year_ahead("2026-01-06T06:00:00Z", false)]
    fn clocks_may_be_five_minutes_apart(#[case] ours: Timestamp, #[case] agreed: bool) {
        let outcome = agree(ours, "2025-01-06T06:00:00Z".parse().unwrap());
        assert_eq!(outcome.is_ok(), agreed);
        if let Err(refusal) = outcome {
            assert_eq!(refusal.error_type(), ErrorType::ClockSkew);
        }
    }
}
