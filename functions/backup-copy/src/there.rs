//! A target vault of the own account, in its own Region: looked at and tagged with clients of that Region.

use std::collections::BTreeMap;

use aws_config::{Region, SdkConfig};
use dynachain::aws::backup::{PointTagger, Vault, VaultReader};
use dynachain::aws::{AwsError, KeyOpener, Rate};
use dynachain::catalog::Catalog;
use dynachain::id::{ParseIdError, RecoveryPointArn, VaultArn};
use dynachain::point_reader::PointReader;

use crate::deps::Settings;

/// Adapters for one target vault. Those of one Region share their rates and the data keys that they have unwrapped.
#[derive(Clone, Debug)]
pub(crate) struct There {
    reader: VaultReader,
    keys: KeyOpener,
    tagger: PointTagger,
    /// The catalog of that Region's stack.
    pub(crate) catalog: Catalog,
}

impl There {
    /// Opens metadata with the replica of the stack's key alone, as that Region's stack would.
    pub(crate) fn new(
        config: &SdkConfig,
        settings: &Settings,
        target: &VaultArn,
    ) -> Result<Self, ParseIdError> {
        let region = target.region();
        let there = config.to_builder().region(Region::new(region.to_owned())).build();
        let rates = settings.rates;
        let [start, list, describe] = [rates.start, rates.list, rates.describe].map(Rate::per_second);
        Ok(Self {
            reader: VaultReader::new(&there, target.name(), list, describe),
            keys: KeyOpener::new(&there, settings.key.in_region(region)?),
            // TagResource has the same quota as StartCopyJob.
            tagger: PointTagger::new(&there, start),
            catalog: Catalog::new(&there, &settings.catalog),
        })
    }

    /// The same for another vault of the Region.
    pub(crate) fn of(&self, target: &VaultArn) -> Self {
        Self { reader: self.reader.of(target.name()), ..self.clone() }
    }

    pub(crate) fn vault(&self) -> &VaultReader {
        &self.reader
    }

    /// What the copies in the vault are, by their tags and the key there.
    pub(crate) fn points(&self) -> PointReader {
        PointReader::new(self.reader.clone(), self.keys.clone())
    }

    pub(crate) async fn tag(
        &self,
        copy: &RecoveryPointArn,
        tags: BTreeMap<String, String>,
    ) -> Result<(), AwsError> {
        self.tagger.add(copy, tags).await
    }

    /// The vault; `None` when there is certainly none of this name.
    pub(crate) async fn describe(&self) -> Result<Option<Vault>, AwsError> {
        match self.reader.describe().await {
            Ok(vault) => Ok(Some(vault)),
            // AWS does not tell a missing vault from a missing permission; its list does.
            Err(error) if !self.reader.exists().await? => {
                tracing::warn!(vault = self.reader.name(), %error, "the target vault is gone");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
