//! KMS: the data keys that seal metadata.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

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
    /// What goes into the tags.
    pub wrapped: Vec<u8>,
}

/// Makes data keys under the stack's key. Only `backup-session` holds one.
#[derive(Clone, Debug)]
pub struct KeyMaker {
    client: Client,
    key: KeyArn,
}

impl KeyMaker {
    /// Makes keys under the KMS key `key` of the client's Region.
    pub fn new(config: &aws_config::SdkConfig, key: KeyArn) -> Self {
        Self { client: Client::new(config), key }
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
        })
    }
}

/// Unwraps data keys with the stack's key, each once: a year of points is one `Decrypt` per data key.
#[derive(Clone, Debug)]
pub struct KeyOpener {
    client: Client,
    key: KeyArn,
    known: Arc<Mutex<HashMap<Vec<u8>, DataKey>>>,
}

impl KeyOpener {
    /// Unwraps with the KMS key `key` of the client's Region: for a multi-Region key this Region's replica.
    pub fn new(config: &aws_config::SdkConfig, key: KeyArn) -> Self {
        Self { client: Client::new(config), key, known: Arc::default() }
    }

    /// The data key among those wrapped for several recipients that this stack's key unwraps.
    ///
    /// # Errors
    /// What KMS said to the last of them, when none is for this key.
    pub async fn open(&self, wrapped: &BTreeMap<u8, Vec<u8>>, table: &TableArn) -> Result<DataKey, AwsError> {
        // Held across the call on purpose: many points wait for the same key.
        let mut known = self.known.lock().await;
        if let Some(key) = wrapped.values().find_map(|wrapped| known.get(wrapped)) {
            return Ok(key.clone());
        }
        let mut refusal = AwsError::incomplete("ListTags", "dynachain:key:1 tag");
        for wrapped in wrapped.values() {
            match self.decrypt(wrapped, table).await {
                Ok(key) => {
                    known.insert(wrapped.clone(), key.clone());
                    return Ok(key);
                }
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
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

/// Takes the key out of an answer and wipes what is left.
fn take_key(plaintext: Blob) -> Option<DataKey> {
    let mut bytes = plaintext.into_inner();
    let key = DataKey::from_bytes(&bytes);
    bytes.zeroize();
    key
}
