//! Copies on their way into an account's vaults in a Region, and how many there may be at once.

use std::collections::HashMap;

/// Further copies per vault when the account has as many as it may have (AWS Backup Developer Guide, "AWS Backup quotas").
const MORE_PER_VAULT: usize = 5;
/// Copies of one resource from other accounts (same page).
const MOST_OF_ONE_RESOURCE: usize = 30;

/// A copy that has been accepted and has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The destination's name.
    pub(crate) vault: String,
    pub(crate) resource_arn: String,
    pub(crate) from_another_account: bool,
}

/// All of them, by job.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(HashMap<String, Arrival>);

impl Arrivals {
    /// Takes one more, if the quotas allow it.
    ///
    /// # Errors
    /// The quota that is used up, in words.
    pub(crate) fn add(&mut self, job: &str, arrival: Arrival, most: usize) -> Result<(), String> {
        let alike = |other: &&Arrival| {
            arrival.from_another_account
                && other.from_another_account
                && other.resource_arn == arrival.resource_arn
        };
        if self.0.values().filter(alike).count() >= MOST_OF_ONE_RESOURCE {
            return Err(format!(
                "There are {MOST_OF_ONE_RESOURCE} cross-account copies of {} to this Region already.",
                arrival.resource_arn
            ));
        }
        let in_vault = self.0.values().filter(|other| other.vault == arrival.vault).count();
        if self.0.len() >= most && in_vault >= MORE_PER_VAULT {
            return Err(format!("There are {} concurrent copy jobs to this Region already.", self.0.len()));
        }
        self.0.insert(job.to_owned(), arrival);
        Ok(())
    }

    pub(crate) fn remove(&mut self, job: &str) {
        self.0.remove(job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(vault: &str, resource: usize, from_another_account: bool) -> Arrival {
        Arrival { vault: vault.to_owned(), resource_arn: format!("table-{resource}"), from_another_account }
    }

    /// Arrivals until the quota, into one vault.
    fn full(most: usize) -> Arrivals {
        let mut arrivals = Arrivals::default();
        for n in 0..most {
            arrivals.add(&n.to_string(), arrival("first", n, false), most).unwrap();
        }
        arrivals
    }

    #[test]
    fn a_hundred_copies_may_be_on_their_way_to_an_account_in_a_region() {
        let mut arrivals = full(100);
        assert!(arrivals.add("more", arrival("first", 100, false), 100).is_err());
        arrivals.remove("7");
        assert_eq!(arrivals.add("more", arrival("first", 100, false), 100), Ok(()));
    }

    #[test]
    fn each_vault_takes_five_copies_when_the_region_has_its_hundred() {
        let mut arrivals = full(100);
        for n in 0..5 {
            assert_eq!(arrivals.add(&format!("v{n}"), arrival("second", 200 + n, false), 100), Ok(()));
        }
        assert!(arrivals.add("v5", arrival("second", 205, false), 100).is_err());
        assert_eq!(arrivals.add("w0", arrival("third", 206, false), 100), Ok(()));
    }

    #[test]
    fn thirty_copies_of_a_table_may_be_on_their_way_from_other_accounts() {
        let mut arrivals = Arrivals::default();
        for n in 0..30 {
            assert_eq!(arrivals.add(&n.to_string(), arrival("v", 1, true), 100), Ok(()));
        }
        assert!(arrivals.add("30", arrival("another", 1, true), 100).is_err());
        assert_eq!(arrivals.add("31", arrival("v", 2, true), 100), Ok(()));
        assert_eq!(arrivals.add("32", arrival("v", 1, false), 100), Ok(()));
    }
}
