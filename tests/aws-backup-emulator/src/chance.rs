//! Chance that repeats: the same seed gives the same run.

/// A source of chance (SplitMix64: small, and good enough to roll dice with).
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Something that has this probability, from 0 to 1, happens or not. What cannot happen takes nothing from the seed.
    pub(crate) fn hits(&mut self, probability: f64) -> bool {
        // 53 bits are as many as a fraction has.
        probability > 0.0 && ((self.next() >> 11) as f64) / ((1_u64 << 53) as f64) < probability
    }

    /// A number from 0 to `most`.
    pub(crate) fn up_to(&mut self, most: u64) -> u64 {
        if most == 0 { 0 } else { self.next() % most.saturating_add(1) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn never_and_always_are_exact(seed: u64) {
            let mut chance = Chance::new(seed);
            prop_assert!((0..50).all(|_| chance.hits(1.0) && !chance.hits(0.0)));
        }

        #[test]
        fn numbers_stay_within_their_bound(seed: u64, most: u64) {
            prop_assert!(Chance::new(seed).up_to(most) <= most);
        }
    }

    #[test]
    fn about_as_many_hit_as_should() {
        let mut chance = Chance::new(1);
        let hits = (0..10_000).filter(|_| chance.hits(0.3)).count();
        assert!((2_800..3_200).contains(&hits), "{hits}");
    }
}
