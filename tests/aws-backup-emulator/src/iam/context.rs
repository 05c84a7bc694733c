//! What a request says about itself: the values of condition keys.

use std::collections::BTreeMap;

/// The condition keys of one request. Names are compared without case, as IAM does, tag keys in them included.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    values: BTreeMap<String, Vec<String>>,
}

/// Keys this emulator always knows the value, or the absence, of. Any other key in a condition is unknown and fails closed.
const KNOWN: [&str; 8] = [
    "aws:tagkeys",
    "aws:principalarn",
    "aws:principalaccount",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:sourcearn",
    "aws:sourceaccount",
    "iam:passedtoservice",
];
const KNOWN_FAMILIES: [&str; 2] = ["aws:resourcetag/", "aws:requesttag/"];

impl Context {
    /// With one value more for a key.
    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.add(key, value);
        self
    }

    /// One value more for a key.
    pub(crate) fn add(&mut self, key: &str, value: impl Into<String>) {
        self.values.entry(key.to_lowercase()).or_default().push(value.into());
    }

    /// `None` for a key that is unknown here; an empty list for a known one that this request does not have.
    pub(super) fn values(&self, key: &str) -> Option<&[String]> {
        let key = key.to_lowercase();
        if let Some(values) = self.values.get(&key) {
            return Some(values);
        }
        let known = KNOWN.contains(&key.as_str()) || KNOWN_FAMILIES.iter().any(|f| key.starts_with(f));
        known.then_some(&[])
    }

    /// The value of a key that has exactly one.
    pub(super) fn single(&self, key: &str) -> Option<&str> {
        match self.values(key)? {
            [one] => Some(one),
            _ => None,
        }
    }
}
