//! Something large, kept for a while: in as many items as it takes, so that work goes on where it was left.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::item::{Item, Key};
use super::{Catalog, CatalogError};

/// What one item holds of something large: DynamoDB takes 400 KB (Amazon DynamoDB Developer Guide, "Constraints").
const PIECE: usize = 350_000;
/// Far more than a vault of a million points needs.
const LARGEST: usize = 512 << 20;
/// As quick as it gets: ARNs repeat themselves.
const COMPRESSION: u8 = 3;

impl Catalog {
    /// Keeps something large until a moment, in items whose sort keys are this one's with the number of the piece; what was
    /// there is replaced.
    pub(super) async fn keep<T: Serialize>(
        &self,
        key: &Key,
        value: &T,
        until: Timestamp,
    ) -> Result<(), CatalogError> {
        let json = serde_json::to_vec(value).map_err(|error| self.unwritable(key, &error))?;
        let bytes = compress_to_vec(&json, COMPRESSION);
        let pieces = bytes.len().div_ceil(PIECE);
        // The first piece last: it says how many there are, and nothing is read without it.
        for n in (0..pieces).rev() {
            let piece = &bytes[n * PIECE..bytes.len().min((n + 1) * PIECE)];
            let mut item = piece_key(key, n).attributes();
            item.insert("piece".to_owned(), AttributeValue::B(Blob::new(piece)));
            item.insert("pieces".to_owned(), AttributeValue::N(pieces.to_string()));
            item.insert("expires_at".to_owned(), AttributeValue::N(until.as_second().to_string()));
            self.put(item).await?;
        }
        Ok(())
    }

    /// What is kept, unless its time is over: DynamoDB removes items late.
    pub(super) async fn kept<T: DeserializeOwned>(
        &self,
        key: &Key,
        now: Timestamp,
    ) -> Result<Option<T>, CatalogError> {
        let items = self.pieces(key).await?;
        let Some(first) = items.first() else { return Ok(None) };
        if number_of(first, "expires_at").is_none_or(|until| until <= now.as_second()) {
            return Ok(None);
        }
        let pieces = number_of(first, "pieces").and_then(|pieces| usize::try_from(pieces).ok());
        let mut bytes = Vec::new();
        for item in items.iter().take(pieces.unwrap_or_default()) {
            bytes.extend(
                item.get("piece").and_then(|piece| piece.as_b().ok()).map(Blob::as_ref).unwrap_or_default(),
            );
        }
        let json = decompress_to_vec_with_limit(&bytes, LARGEST);
        let unreadable = |why: String| CatalogError::Unreadable {
            table: self.table.clone(),
            key: format!("{} / {}", key.pk, key.sk),
            why,
        };
        let json = json.map_err(|error| unreadable(error.to_string()))?;
        serde_json::from_slice(&json).map(Some).map_err(|error| unreadable(error.to_string()))
    }

    /// Drops what is kept.
    pub(super) async fn drop_kept(&self, key: &Key) -> Result<(), CatalogError> {
        let pieces = self.pieces(key).await?.len();
        for n in 0..pieces {
            self.remove(&piece_key(key, n)).await?;
        }
        Ok(())
    }

    async fn pieces(&self, key: &Key) -> Result<Vec<Item>, CatalogError> {
        let query = self
            .client
            .query()
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", AttributeValue::S(key.pk.clone()))
            .expression_attribute_values(":sk", AttributeValue::S(format!("{}#", key.sk)))
            .consistent_read(true);
        self.query(query, None).await
    }
}

fn piece_key(key: &Key, n: usize) -> Key {
    Key::new(&key.pk, format!("{}#{n:06}", key.sk))
}

fn number_of(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}
