//! Recovery points as somebody with the key sees them: tags as they are, and what they hold.

use std::collections::BTreeMap;

use anyhow::Context as _;
use dynachain::aws::KeyOpener;
use dynachain::evolving::Evolving;
use dynachain::id::TableArn;
use dynachain::metadata::{Core, Part, PartName, PointTags, Sealer};
use dynachain::table_config::TableConfig;
use local_stack::{Deployment, LocalStack};

/// A recovery point's metadata, opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What copying and retention need.
    pub core: Core,
    /// The table's configuration, when all of it is in the tags.
    pub config: Option<TableConfig>,
}

/// A recovery point's tags.
///
/// # Errors
/// When AWS Backup refuses.
pub async fn tags(stack: &LocalStack, region: &str, point: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let backup = aws_sdk_backup::Client::new(&stack.backup_config(region).await);
    let answer = backup.list_tags().resource_arn(point).send().await.context("list tags")?;
    Ok(answer.tags.unwrap_or_default().into_iter().collect())
}

/// Opens the metadata in a recovery point's tags with the key of a Region's stack.
///
/// # Errors
/// When it does not open.
pub async fn open(
    stack: &LocalStack,
    region: &str,
    tags: &BTreeMap<String, String>,
    table: &TableArn,
) -> anyhow::Result<Opened> {
    let deployment = stack.deployments().iter().find(|stack| stack.region == region);
    open_with(stack, deployment.context("no stack in this Region")?, tags, table).await
}

/// Opens the metadata in a recovery point's tags with the key of a stack.
///
/// # Errors
/// When it does not open.
pub async fn open_with(
    stack: &LocalStack,
    deployment: &Deployment,
    tags: &BTreeMap<String, String>,
    table: &TableArn,
) -> anyhow::Result<Opened> {
    let key = deployment.output("KeyArn")?.parse()?;
    let config = stack.of(deployment.account).sdk_config(deployment.region).await;
    let found = PointTags::read(tags);
    let data_key = KeyOpener::new(&config, key).open(&found.keys, table).await?;
    let sealer = Sealer::new(&data_key, table);
    let Part::Whole(core) = &found.core else { anyhow::bail!("no core: {:?}", found.core) };
    let core: Evolving<Core> = Evolving::decode(&sealer.open(PartName::Core, core)?)?;
    let config = match &found.config {
        Part::Whole(config) => {
            let config: Evolving<TableConfig> = Evolving::decode(&sealer.open(PartName::Config, config)?)?;
            Some(config.value)
        }
        _ => None,
    };
    Ok(Opened { core: core.value, config })
}
