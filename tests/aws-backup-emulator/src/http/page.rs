//! Paging: a token names the last entry that was given, so that a list that changes meanwhile neither repeats nor drops one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;

use super::ApiError;

/// How many entries a page has that the caller did not say. AWS documents no default; a small one makes callers page.
const DEFAULT: usize = 100;
const MOST: usize = 1000;

/// The page that a caller asks for.
/// The page that a caller asks for.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    list: String,
    size: usize,
    after: Option<String>,
}

impl Page {
    /// Of a list by its name: a token is good for the list that gave it only.
    pub(super) fn new(list: &str, size: Option<&str>, token: Option<&str>) -> Result<Self, ApiError> {
        let size = match size {
            None => DEFAULT,
            Some(text) => match text.parse() {
                Ok(size) if (1..=MOST).contains(&size) => size,
                _ => {
                    let message =
                        format!("Invalid value for MaxResults: {text}. It must be between 1 and {MOST}.");
                    return Err(ApiError::invalid_parameter(message));
                }
            },
        };
        let after = token.map(|token| open(list, token)).transpose()?;
        Ok(Self { list: list.to_owned(), size, after })
    }

    /// Cuts this page out of all entries, given in any order with the key that they are sorted by. The second is the token
    /// for the next page, or null.
    pub(crate) fn cut<T>(&self, mut entries: Vec<(String, T)>) -> (Vec<T>, Value) {
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        let from = self.after.as_ref().map_or(0, |after| entries.partition_point(|(key, _)| key <= after));
        let rest = entries.len().saturating_sub(from);
        let last = (rest > self.size).then(|| entries[from + self.size - 1].0.clone());
        let token = last.map_or(Value::Null, |key| seal(&self.list, &key).into());
        (entries.into_iter().skip(from).take(self.size).map(|(_, entry)| entry).collect(), token)
    }

    /// As [`Page::cut`], of entries that are in order already and begin after [`Page::after`]: no more are taken than the page
    /// has, and one to see whether there are more.
    pub(crate) fn begin<T>(
        &self,
        mut entries: impl Iterator<Item = T>,
        key: impl Fn(&T) -> String,
    ) -> (Vec<T>, Value) {
        let page: Vec<T> = entries.by_ref().take(self.size).collect();
        let last = page.last().filter(|_| entries.next().is_some());
        let token = last.map_or(Value::Null, |last| seal(&self.list, &key(last)).into());
        (page, token)
    }

    /// The key of the last entry before this page.
    pub(crate) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Where this page begins in a list that is sorted by [`newest_first`].
    pub(crate) fn after_newest(&self) -> Result<Option<(Timestamp, &str)>, ApiError> {
        self.after.as_deref().map(Self::newest).transpose()
    }

    /// Where this page begins in a list of lists: in the one of that name, after that key.
    pub(crate) fn after_prefix(&self) -> Result<Option<(&str, &str)>, ApiError> {
        let Some(key) = self.after.as_deref() else { return Ok(None) };
        key.split_once('\n').map(Some).ok_or_else(invalid_token)
    }

    /// The time and the name in a key of [`newest_first`].
    pub(crate) fn newest(key: &str) -> Result<(Timestamp, &str), ApiError> {
        let (digits, name) = key.split_at_checked(DIGITS).unwrap_or_default();
        let millisecond = digits.parse::<i64>().ok().and_then(|digits| i64::MAX.checked_sub(digits));
        let created = millisecond.and_then(|millisecond| Timestamp::from_millisecond(millisecond).ok());
        Ok((created.ok_or_else(invalid_token)?, name))
    }
}

/// How many digits of a key of [`newest_first`] are the time.
const DIGITS: usize = 20;

/// A key that sorts what is newer first, and by name what is equally new.
pub(crate) fn newest_first(created: Timestamp, name: &str) -> String {
    format!("{:0DIGITS$}{name}", i64::MAX.saturating_sub(created.as_millisecond()))
}

fn seal(list: &str, key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}\n{key}"))
}

fn open(list: &str, token: &str) -> Result<String, ApiError> {
    let decoded = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let key = decoded.as_deref().and_then(|text| text.strip_prefix(list)?.strip_prefix('\n'));
    key.map(str::to_owned).ok_or_else(invalid_token)
}

fn invalid_token() -> ApiError {
    ApiError::invalid_parameter("Invalid NextToken.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all_pages(keys: &[u16], size: usize) -> (Vec<u16>, usize) {
        let entries: Vec<(String, u16)> = keys.iter().map(|key| (format!("{key:05}"), *key)).collect();
        let (mut seen, mut pages, mut token) = (Vec::new(), 0, None);
        loop {
            let page = Page::new("ListX", Some(&size.to_string()), token.as_deref()).unwrap();
            let (entries, next) = page.cut(entries.clone());
            assert!(entries.len() <= size);
            seen.extend(entries);
            pages += 1;
            match next {
                Value::String(next) => token = Some(next),
                _ => return (seen, pages),
            }
        }
    }

    proptest! {
        #[test]
        fn pages_give_every_entry_once_in_order(keys in prop::collection::btree_set(0_u16.., 0..40), size in 1_usize..12) {
            let keys: Vec<u16> = keys.into_iter().collect();
            let (seen, pages) = all_pages(&keys, size);
            prop_assert_eq!(&seen, &keys);
            prop_assert_eq!(pages, keys.len().div_ceil(size).max(1));
        }
    }

    #[test]
    fn a_page_goes_on_after_its_last_entry_whatever_went_away() {
        let entries = |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), ())).collect::<Vec<_>>();
        let first = Page::new("ListX", Some("2"), None).unwrap();
        let (_, token) = first.cut(entries(&["a", "b", "c"]));
        let second = Page::new("ListX", Some("2"), token.as_str()).unwrap();
        assert_eq!(second.cut(entries(&["a", "c"])).0.len(), 1);
    }

    #[test]
    fn a_page_has_1_to_1000_entries_and_100_unless_the_caller_says() {
        for size in ["0", "1001", "-1", "many"] {
            assert!(Page::new("ListX", Some(size), None).is_err(), "{size}");
        }
        let entries: Vec<(String, ())> = (0..2000).map(|n| (format!("{n:04}"), ())).collect();
        for (size, length) in [(None, 100), (Some("1"), 1), (Some("1000"), 1000)] {
            let (page, next) = Page::new("ListX", size, None).unwrap().cut(entries.clone());
            assert_eq!((page.len(), next.is_string()), (length, true));
        }
    }

    #[test]
    fn a_token_that_is_forged_or_of_another_list_is_refused() {
        let token = seal("ListX", "a");
        assert!(Page::new("ListX", None, Some(&token)).is_ok());
        assert!(Page::new("ListY", None, Some(&token)).is_err());
        assert!(Page::new("ListX", None, Some("%%%")).is_err());
    }

    #[test]
    fn a_page_of_a_sorted_list_begins_where_the_last_one_ended() {
        let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap();
        let all = [(at(2_000), "a"), (at(1_000), "a"), (at(1_000), "b")];
        let key = |entry: &(Timestamp, &str)| newest_first(entry.0, entry.1);
        let first = Page::new("ListX", Some("2"), None).unwrap();
        assert_eq!(first.after_newest().unwrap(), None);
        let (entries, token) = first.begin(all.into_iter(), key);
        assert_eq!(entries, &all[..2]);
        let second = Page::new("ListX", Some("2"), token.as_str()).unwrap();
        assert_eq!(second.after_newest().unwrap(), Some(all[1]));
        assert_eq!(second.begin(all[2..].iter().copied(), key), (vec![all[2]], Value::Null));
        for key in ["", "soon", "-9223372036854775808", "-0000000000000000001"] {
            let forged = Page::new("ListX", None, Some(&seal("ListX", key))).unwrap();
            assert!(forged.after_newest().is_err(), "{key}");
        }
    }

    #[test]
    fn newer_sorts_first() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let newer = newest_first(at("2025-01-06T07:00:00Z"), "z");
        assert!(newer < newest_first(at("2025-01-06T06:59:59.999Z"), "a"));
    }
}
