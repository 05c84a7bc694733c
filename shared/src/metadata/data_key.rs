//! The key that seals the metadata of one session invocation.

use std::fmt;

use zeroize::Zeroizing;

/// A 256-bit data key in memory; wiped when dropped, never printed.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; Self::LENGTH]>);

impl DataKey {
    /// The length in bytes.
    pub const LENGTH: usize = 32;

    /// The key in these bytes; `None` when there are not exactly 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    pub(crate) fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_shows_in_debug_output() {
        let key = DataKey::from_bytes(&[7; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "DataKey(…)");
        assert!(DataKey::from_bytes(&[7; 31]).is_none());
    }
}
