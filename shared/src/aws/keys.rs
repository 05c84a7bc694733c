//! KMS: the data keys that seal metadata.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_config::{Region, SdkConfig};
use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use tokio::sync::Mutex;
use zeroize::Zeroize as _;

use super::AwsError;
use crate::id::{KeyArn, TableArn};
use crate::metadata::{DataKey, encryption_context};

/// A new data key, and the same wrapped by KMS.
#[derive(Clone, Debug)]
pub struct NewDataKey {
    /// The key itself.
    pub key: DataKey,
    /// Wrapped under the stack's key.
    pub wrapped: Vec<u8>,
    /// Wrapped under keys of other accounts.
    pub others: BTreeMap<KeyArn, Vec<u8>>,
}

impl NewDataKey {
    /// What goes into the tags of a point that the stack's key and these others are to open.
    pub fn wrapped_for(&self, others: &[&KeyArn]) -> Vec<Vec<u8>> {
        let others = others.iter().filter_map(|key| self.others.get(*key));
        std::iter::once(&self.wrapped).chain(others).cloned().collect()
    }
}

/// Makes data keys under the stack's key, and wraps them under those of other accounts. Only `backup-session` holds one.
#[derive(Clone, Debug)]
pub struct KeyMaker {
    config: SdkConfig,
    client: Client,
    key: KeyArn,
}

impl KeyMaker {
    /// Makes keys under the KMS key `key` of the client's Region.
    pub fn new(config: &SdkConfig, key: KeyArn) -> Self {
        Self { config: config.clone(), client: Client::new(config), key }
    }

    /// The KMS key.
    pub fn key(&self) -> &KeyArn {
        &self.key
    }

    /// Makes a data key for points of the tables of one account and Region: that of `table`.
    ///
    /// # Errors
    /// When KMS refuses: the key is disabled, gone, or not for this function.
    pub async fn generate(&self, table: &TableArn) -> Result<NewDataKey, AwsError> {
        const OPERATION: &str = "GenerateDataKey";
        let answer = self
            .client
            .generate_data_key()
            .key_id(self.key.as_str())
            .key_spec(DataKeySpec::Aes256)
            .set_encryption_context(Some(encryption_context(table).into_iter().collect()))
            .send()
            .await
            .map_err(|error| AwsError::new(OPERATION, &error))?;
        let plaintext = answer.plaintext.ok_or_else(|| AwsError::incomplete(OPERATION, "Plaintext"))?;
        Ok(NewDataKey {
            key: take_key(plaintext).ok_or_else(|| AwsError::incomplete(OPERATION, "256-bit key"))?,
            wrapped: answer
                .ciphertext_blob
                .ok_or_else(|| AwsError::incomplete(OPERATION, "CiphertextBlob"))?
                .into_inner(),
            others: BTreeMap::new(),
        })
    }

    /// Wraps a data key under a key of another account as well, in that key's own Region and in the same encryption context.
    ///
    /// # Errors
    /// When KMS refuses: one of the two accounts does not allow it, or the key cannot be used.
    pub async fn wrap(
        &self,
        new: &mut NewDataKey,
        recipient: &KeyArn,
        table: &TableArn,
    ) -> Result<(), AwsError> {
        const OPERATION: &str = "Encrypt";
        let there = self.config.to_builder().region(Region::new(recipient.region().to_owned())).build();
        let answer = Client::new(&there)
            .encrypt()
            .key_id(recipient.as_str())
            .plaintext(Blob::new(new.key.bytes()))
            .set_encryption_context(Some(encryption_context(table).into_iter().collect()))
            .send()
            .await
            .map_err(|error| AwsError::new(OPERATION, &error))?;
        let wrapped =
            answer.ciphertext_blob.ok_or_else(|| AwsError::incomplete(OPERATION, "CiphertextBlob"))?;
        new.others.insert(recipient.clone(), wrapped.into_inner());
        Ok(())
    }
}

/// Unwraps data keys with the stack's key, each once: a year of points is one `Decrypt` per data key.
#[derive(Clone, Debug)]
pub struct KeyOpener {
    client: Client,
    key: KeyArn,
    known: Arc<Mutex<Known>>,
}

/// What has been asked before.
#[derive(Debug, Default)]
struct Known {
    keys: HashMap<Vec<u8>, DataKey>,
    /// Wrapped keys that this stack's key does not unwrap in the context of an account and Region, and never will.
    refused: HashMap<(String, Vec<u8>), AwsError>,
    /// The recipient that this stack has proved to be: tried first.
    recipient: Option<u8>,
}

impl Known {
    /// The wrapped keys in the order in which to try them.
    fn in_order<'a>(&self, wrapped: &'a BTreeMap<u8, Vec<u8>>) -> Vec<(u8, &'a Vec<u8>)> {
        let mut all: Vec<_> = wrapped.iter().map(|(n, wrapped)| (*n, wrapped)).collect();
        all.sort_by_key(|(n, _)| Some(*n) != self.recipient);
        all
    }
}

impl KeyOpener {
    /// Unwraps with the KMS key `key` of the client's Region: for a multi-Region key this Region's replica.
    pub fn new(config: &SdkConfig, key: KeyArn) -> Self {
        Self { client: Client::new(config), key, known: Arc::default() }
    }

    /// The data key among those wrapped for several recipients that this stack's key unwraps.
    ///
    /// # Errors
    /// When none is for this key, the most telling that KMS said to one of them.
    pub async fn open(&self, wrapped: &BTreeMap<u8, Vec<u8>>, table: &TableArn) -> Result<DataKey, AwsError> {
        // Held across the call on purpose: many points wait for the same key.
        let mut known = self.known.lock().await;
        if let Some(key) = wrapped.values().find_map(|wrapped| known.keys.get(wrapped)) {
            return Ok(key.clone());
        }
        let mut refusals = Vec::new();
        for (recipient, wrapped) in known.in_order(wrapped) {
            let asked = (table.source(), wrapped.clone());
            let refusal = match known.refused.get(&asked) {
                Some(refusal) => refusal.clone(),
                None => match self.decrypt(wrapped, table).await {
                    Ok(key) => {
                        known.recipient = Some(recipient);
                        known.keys.insert(wrapped.clone(), key.clone());
                        return Ok(key);
                    }
                    Err(error) => error,
                },
            };
            if doubt(&refusal) != Doubt::Passing {
                known.refused.insert(asked, refusal.clone());
            }
            refusals.push(refusal);
        }
        let telling = refusals.into_iter().max_by_key(doubt);
        Err(telling.unwrap_or_else(|| AwsError::incomplete("ListTags", "dynachain:key:1 tag")))
    }

    async fn decrypt(&self, wrapped: &[u8], table: &TableArn) -> Result<DataKey, AwsError> {
        const OPERATION: &str = "Decrypt";
        let answer = self
            .client
            .decrypt()
            .key_id(self.key.as_str())
            .ciphertext_blob(Blob::new(wrapped))
            .set_encryption_context(Some(encryption_context(table).into_iter().collect()))
            .send()
            .await
            .map_err(|error| AwsError::new(OPERATION, &error))?;
        let plaintext = answer.plaintext.ok_or_else(|| AwsError::incomplete(OPERATION, "Plaintext"))?;
        take_key(plaintext).ok_or_else(|| AwsError::incomplete(OPERATION, "256-bit key"))
    }
}

/// How much doubt a refusal leaves whether the key can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Doubt {
    /// None: it is another recipient's.
    AnothersKey,
    /// None: it is no wrapped key at all, or one of another account and Region.
    NoKey,
    /// The same call may succeed later.
    Passing,
}

fn doubt(refusal: &AwsError) -> Doubt {
    match refusal.code() {
        "IncorrectKeyException" => Doubt::AnothersKey,
        "InvalidCiphertextException" => Doubt::NoKey,
        _ => Doubt::Passing,
    }
}

/// Takes the key out of an answer and wipes what is left.
fn take_key(plaintext: Blob) -> Option<DataKey> {
    let mut bytes = plaintext.into_inner();
    let key = DataKey::from_bytes(&bytes);
    bytes.zeroize();
    key
}

#[cfg(test)]
mod tests;
