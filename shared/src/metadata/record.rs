//! Sealed records: compressed, encrypted and authenticated, bound to their part and table.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;

use super::DataKey;
use crate::id::TableArn;

/// The format that this version writes: format byte ‖ nonce (12) ‖ AES-256-GCM ciphertext ‖ tag (16), the plaintext
/// deflated.
pub const FORMAT: u8 = 1;

/// Authentic records are small; anything larger than this is not one of ours.
const MAX_PLAINTEXT: usize = 4 * 1024 * 1024;

/// Which part of the metadata a record is; part of what authenticates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartName {
    /// What copying and retention need.
    Core,
    /// The table's configuration.
    Config,
}

impl PartName {
    /// The name in tags and in the authenticated data.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Config => "config",
        }
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a record does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A later version's format.
    #[error("it has format {0}, which this version does not read; a newer dynachain made it")]
    UnknownFormat(u8),
    /// Too short to be a record.
    #[error("it is cut short")]
    TooShort,
    /// The record was changed, or sealed for another table, part or key.
    #[error("it is not authentic: changed, or sealed for another table")]
    NotAuthentic,
    /// Authentic, but its content does not decompress.
    #[error("its content does not decompress")]
    Corrupt,
}

/// Seals and opens the records of one table under one data key.
#[derive(Debug)]
pub struct Sealer<'a> {
    key: &'a DataKey,
    table: &'a TableArn,
}

impl<'a> Sealer<'a> {
    /// For the records of `table`.
    pub fn new(key: &'a DataKey, table: &'a TableArn) -> Self {
        Self { key, table }
    }

    /// Seals one part of the table's metadata; no two records are ever equal.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn seal(&self, part: PartName, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| SealError)?;
        let mut body = miniz_oxide::deflate::compress_to_vec(plaintext, 10);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let mut record = vec![FORMAT];
        record.extend_from_slice(nonce.as_ref());
        self.cipher()?
            .seal_in_place_append_tag(nonce, Aad::from(self.bound_to(FORMAT, part)), &mut body)
            .map_err(|_| SealError)?;
        record.append(&mut body);
        Ok(record)
    }

    /// Opens one part of the table's metadata.
    ///
    /// # Errors
    /// When the record is of another format, cut short, changed, or of another table, part or key.
    pub fn open(&self, part: PartName, record: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (&format, rest) = record.split_first().ok_or(OpenError::TooShort)?;
        if format != FORMAT {
            return Err(OpenError::UnknownFormat(format));
        }
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(OpenError::TooShort)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::TooShort)?;
        let mut body = body.to_vec();
        let cipher = self.cipher().map_err(|_| OpenError::NotAuthentic)?;
        let compressed = cipher
            .open_in_place(nonce, Aad::from(self.bound_to(format, part)), &mut body)
            .map_err(|_| OpenError::NotAuthentic)?;
        miniz_oxide::inflate::decompress_to_vec_with_limit(compressed, MAX_PLAINTEXT)
            .map_err(|_| OpenError::Corrupt)
    }

    fn cipher(&self) -> Result<LessSafeKey, SealError> {
        let key = UnboundKey::new(&AES_256_GCM, self.key.bytes()).map_err(|_| SealError)?;
        Ok(LessSafeKey::new(key))
    }

    /// The authenticated data: format, part and table. Neither of the latter two can contain a NUL.
    fn bound_to(&self, format: u8, part: PartName) -> Vec<u8> {
        let mut bound = vec![format];
        bound.extend_from_slice(part.as_str().as_bytes());
        bound.push(0);
        bound.extend_from_slice(self.table.as_str().as_bytes());
        bound
    }
}

/// The system gave no randomness, or the cipher refused; nothing was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the metadata could not be sealed: the system's cryptography failed")]
pub struct SealError;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(name: &str) -> TableArn {
        format!("arn:aws:dynamodb:eu-central-1:111122223333:table/{name}").parse().unwrap()
    }

    fn key(byte: u8) -> DataKey {
        DataKey::from_bytes(&[byte; 32]).unwrap()
    }

    #[test]
    fn a_record_opens_only_for_its_table_part_and_key() {
        let (orders, users, k1, k2) = (table("orders"), table("users"), key(1), key(2));
        let record = Sealer::new(&k1, &orders).seal(PartName::Core, b"hello").unwrap();
        assert_eq!(Sealer::new(&k1, &orders).open(PartName::Core, &record).unwrap(), b"hello");
        for (sealer, part) in [
            (Sealer::new(&k1, &users), PartName::Core),
            (Sealer::new(&k1, &orders), PartName::Config),
            (Sealer::new(&k2, &orders), PartName::Core),
        ] {
            assert_eq!(sealer.open(part, &record), Err(OpenError::NotAuthentic));
        }
    }

    #[test]
    fn a_later_format_is_told_apart_from_a_broken_record() {
        let (orders, key) = (table("orders"), key(1));
        let sealer = Sealer::new(&key, &orders);
        let mut record = sealer.seal(PartName::Core, b"hello").unwrap();
        record[0] = 2;
        assert_eq!(sealer.open(PartName::Core, &record), Err(OpenError::UnknownFormat(2)));
        assert_eq!(sealer.open(PartName::Core, &[FORMAT, 0, 0]), Err(OpenError::TooShort));
        assert_eq!(sealer.open(PartName::Core, &[]), Err(OpenError::TooShort));
    }

    #[test]
    fn the_same_content_is_never_sealed_to_the_same_record() {
        let (orders, key) = (table("orders"), key(1));
        let sealer = Sealer::new(&key, &orders);
        assert_ne!(sealer.seal(PartName::Core, b"x").unwrap(), sealer.seal(PartName::Core, b"x").unwrap());
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_noticed(content in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), bit in 0..8u8) {
            let (orders, key) = (table("orders"), key(1));
            let sealer = Sealer::new(&key, &orders);
            let mut record = sealer.seal(PartName::Config, &content).unwrap();
            prop_assert_eq!(&sealer.open(PartName::Config, &record).unwrap(), &content);
            let at = at.index(record.len());
            record[at] ^= 1 << bit;
            prop_assert!(sealer.open(PartName::Config, &record).is_err());
        }
    }
}
