//! Texts that many recovery points have in common, such as the name of their vault: kept once.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// A text that may be shared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Shared(Arc<str>);

impl Deref for Shared {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Shared {
    fn borrow(&self) -> &str {
        self
    }
}

impl<T: Into<Arc<str>>> From<T> for Shared {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl<T: AsRef<str> + ?Sized> PartialEq<T> for Shared {
    fn eq(&self, other: &T) -> bool {
        &*self.0 == other.as_ref()
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// Every text that is shared. It grows with the tables, vaults, roles and keys that there ever were, not with the points.
#[derive(Debug, Default)]
pub(crate) struct Texts(HashSet<Shared>);

impl Texts {
    /// Puts the one that is kept in the place of an equal one.
    pub(crate) fn share(&mut self, text: &mut Shared) {
        if let Some(kept) = self.0.get(text) {
            *text = kept.clone();
        } else {
            self.0.insert(text.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_kept_once() {
        let mut texts = Texts::default();
        let (mut first, mut second) = (Shared::from("ddb"), Shared::from("ddb"));
        assert!(!Arc::ptr_eq(&first.0, &second.0));
        texts.share(&mut first);
        texts.share(&mut second);
        assert!(Arc::ptr_eq(&first.0, &second.0));
        assert_eq!((second.to_string().as_str(), texts.0.len()), ("ddb", 1));
    }
}
