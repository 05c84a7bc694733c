//! Records cut into tag values, and put together again.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The longest tag value (AWS "Tag naming limits and requirements"): 256 characters, so 192 bytes in base64.
const PIECE: usize = 256;

/// What the pieces of one record among the tags amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// There are none.
    Absent,
    /// All there.
    Whole(Vec<u8>),
    /// Some are missing.
    Missing {
        /// The numbers of the missing pieces.
        pieces: Vec<u8>,
    },
    /// They are no base64, or the first does not say how many there are.
    Garbled,
}

/// A record as tag values, the first piece's first byte saying how many there are; `None` beyond 255 pieces.
pub(super) fn cut(record: &[u8]) -> Option<Vec<String>> {
    let with_count = |count: u8| {
        let mut bytes = vec![count];
        bytes.extend_from_slice(record);
        STANDARD.encode(bytes)
    };
    let count = u8::try_from(with_count(0).len().div_ceil(PIECE)).ok()?;
    let text = with_count(count);
    // Base64 is ASCII, so that any cut is one between characters.
    Some(text.as_bytes().chunks(PIECE).map(|piece| String::from_utf8_lossy(piece).into_owned()).collect())
}

/// The record in these pieces, keyed by their number from 1, and the numbers that do not belong to it.
pub(super) fn join(pieces: &BTreeMap<u8, &str>) -> (Part, Vec<u8>) {
    if pieces.is_empty() {
        return (Part::Absent, Vec::new());
    }
    let Some(first) = pieces.get(&1) else { return (Part::Missing { pieces: vec![1] }, Vec::new()) };
    let count = match first.get(..4).and_then(|head| STANDARD.decode(head).ok()).as_deref() {
        Some([count, ..]) if *count >= 1 => *count,
        _ => return (Part::Garbled, Vec::new()),
    };
    let stray = pieces.range(count..).filter(|(n, _)| **n > count).map(|(n, _)| *n).collect();
    let missing: Vec<u8> = (1..=count).filter(|n| !pieces.contains_key(n)).collect();
    if !missing.is_empty() {
        return (Part::Missing { pieces: missing }, stray);
    }
    let text: String = (1..=count).filter_map(|n| pieces.get(&n).copied()).collect();
    match STANDARD.decode(text) {
        Ok(bytes) => (Part::Whole(bytes.into_iter().skip(1).collect()), stray),
        Err(_) => (Part::Garbled, stray),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbered(pieces: &[String]) -> BTreeMap<u8, &str> {
        (1..).zip(pieces.iter().map(String::as_str)).collect()
    }

    #[test]
    fn a_missing_piece_is_named_and_a_stray_one_ignored() {
        let pieces = cut(&[9; 500]).unwrap();
        assert_eq!(pieces.len(), 3);
        let mut all = numbered(&pieces);
        all.insert(4, "stray");
        all.insert(200, "stray");
        assert_eq!(join(&all), (Part::Whole(vec![9; 500]), vec![4, 200]));
        all.remove(&2);
        assert_eq!(join(&all).0, Part::Missing { pieces: vec![2] });
        all.remove(&1);
        assert_eq!(join(&all).0, Part::Missing { pieces: vec![1] });
        assert_eq!(join(&BTreeMap::new()).0, Part::Absent);
    }

    #[test]
    fn what_is_no_base64_is_garbled() {
        for first in ["", "!!!!", "AAAA", "AQ"] {
            assert_eq!(join(&BTreeMap::from([(1, first)])).0, Part::Garbled, "{first:?}");
        }
    }

    #[test]
    fn a_record_too_long_for_any_number_of_tags_is_not_cut() {
        assert!(cut(&vec![0; 255 * 192 - 1]).is_some());
        assert!(cut(&vec![0; 255 * 192]).is_none());
    }

    proptest! {
        #[test]
        fn pieces_fit_a_tag_value_and_join_again(record in prop::collection::vec(any::<u8>(), 0..3000)) {
            let pieces = cut(&record).unwrap();
            prop_assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
            prop_assert_eq!(pieces.len(), (record.len() + 1).div_ceil(192));
            prop_assert_eq!(join(&numbered(&pieces)), (Part::Whole(record), vec![]));
        }
    }
}
