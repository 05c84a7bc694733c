//! The one adapter of dynachain that deletes a recovery point.

use aws_sdk_backup::Client;
use dynachain::aws::{AwsError, Rate};

use crate::recheck::Condemned;

/// Deletes recovery points of one vault: only what has just been looked at again.
#[derive(Clone, Debug)]
pub(crate) struct PointRemover {
    client: Client,
    vault: String,
    rate: Rate,
}

impl PointRemover {
    /// Deletes in the vault called `vault` in the client's Region, at most so many calls a second. AWS looks for the point in
    /// that vault alone.
    pub(crate) fn new(config: &aws_config::SdkConfig, vault: impl Into<String>, rate: Rate) -> Self {
        Self { client: Client::new(config), vault: vault.into(), rate }
    }

    /// Asks AWS to delete a point. A success says little: AWS answers so too when it leaves the point EXPIRED instead (AWS
    /// Backup API Reference, `DeleteRecoveryPoint`).
    pub(crate) async fn remove(&self, point: &Condemned) -> Result<(), AwsError> {
        let call = self
            .client
            .delete_recovery_point()
            .backup_vault_name(&self.vault)
            .recovery_point_arn(point.arn().as_str());
        self.rate
            .call(|turn| call.customize().interceptor(turn).send())
            .await
            .map_err(|error| AwsError::new("DeleteRecoveryPoint", &error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn no_other_file_of_the_product_asks_for_a_deletion() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut files = Vec::new();
        for part in ["shared", "functions"] {
            sources(&repository.join(part), &mut files);
        }
        assert!(files.len() > 100, "the whole product: {}", files.len());
        // In two pieces, or this very line would be found.
        let call = concat!("delete_recovery", "_point");
        let calling = files.iter().filter(|path| std::fs::read_to_string(path).unwrap().contains(call));
        let names: Vec<_> = calling.map(|path| path.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["remover.rs"]);
    }
}
