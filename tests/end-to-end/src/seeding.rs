//! Restore points of any age, sealed as sessions seal them, without a backup.

use std::collections::BTreeMap;

use anyhow::Context as _;
use dynachain::aws::{KeyMaker, NewDataKey};
use dynachain::chain::{Flag, PerFlag};
use dynachain::evolving::Evolving;
use dynachain::id::{KeyArn, TableArn, VaultArn};
use dynachain::metadata::{Core, Digest, Kind, PartName, PolicyStamp, SealedPoint, Sealer, lay_out};
use dynachain::retention::Keep;
use jiff::Timestamp;
use local_stack::{ACCOUNT, LocalStack, VAULT};
use serde_json::{Value, json};
use uuid::Uuid;

/// What a request to the emulator holds of points: it takes 2 MB.
const TOGETHER: usize = 1000;

/// Makes points in the vault of one Region, sealed under one data key.
#[derive(Debug)]
pub struct Seeder<'a> {
    stack: &'a LocalStack,
    region: String,
    role: String,
    key: NewDataKey,
    /// The vault, by name.
    vault: String,
}

/// A point to be.
#[derive(Clone, Debug)]
pub struct Seed {
    /// Its table.
    pub table: TableArn,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its status.
    pub status: &'static str,
}

impl<'a> Seeder<'a> {
    /// For the vault of a Region's stack, and tables of the Region that `of` is in.
    ///
    /// # Errors
    /// When the stack or KMS refuses.
    pub async fn new(stack: &'a LocalStack, region: &str, of: &TableArn) -> anyhow::Result<Self> {
        let variables = stack.function_variables(region, "policy").await?;
        let key: KeyArn = variables.get("KEY_ARN").context("the stack's key")?.parse()?;
        let role = variables.get("BACKUP_ROLE_ARN").context("the role of backups")?.clone();
        let key = KeyMaker::new(&stack.sdk_config(region).await, key).generate(of).await?;
        Ok(Self { stack, region: region.to_owned(), role, key, vault: VAULT.to_owned() })
    }

    /// The same for another vault of the Region.
    #[must_use]
    pub fn into_vault(self, vault: &str) -> Self {
        Self { vault: vault.to_owned(), ..self }
    }

    /// The vault's ARN.
    ///
    /// # Errors
    /// Never for Regions of the local AWS.
    pub fn vault_arn(&self) -> anyhow::Result<VaultArn> {
        Ok(VaultArn::of(&self.region, ACCOUNT, &self.vault)?)
    }

    /// What a session of this moment would have recorded of a table, kept so long for its flags.
    ///
    /// # Errors
    /// Never for Regions of the local AWS.
    pub fn core(&self, scheduled_at: Timestamp, keep: &[(Flag, Keep)]) -> anyhow::Result<Core> {
        core(&self.vault_arn()?, scheduled_at, keep)
    }

    /// The tags of a point with this core.
    ///
    /// # Errors
    /// When it does not fit into tags.
    pub fn tags(&self, table: &TableArn, core: &Core) -> anyhow::Result<BTreeMap<String, String>> {
        let sealer = Sealer::new(&self.key.key, table);
        let sealed = SealedPoint {
            kind: core.kind,
            keys: vec![self.key.wrapped.clone()],
            core: sealer.seal(PartName::Core, &Evolving::new(core).encode()?)?,
            config: sealer.seal(PartName::Config, b"")?,
        };
        Ok(lay_out(&sealed, &BTreeMap::new(), &[].into())?.at_start)
    }

    /// A completed point with this core, created a minute after it was scheduled.
    ///
    /// # Errors
    /// When its core does not fit into tags.
    pub fn seed(&self, table: &TableArn, core: &Core) -> anyhow::Result<Seed> {
        let created_at = core.started_at + jiff::SignedDuration::from_mins(1);
        Ok(Seed { table: table.clone(), created_at, tags: self.tags(table, core)?, status: "COMPLETED" })
    }

    /// Makes the points.
    ///
    /// # Errors
    /// When the emulator refuses.
    pub async fn make(&self, seeds: &[Seed]) -> anyhow::Result<()> {
        for some in seeds.chunks(TOGETHER) {
            let batches: Vec<Value> = some.iter().map(|seed| self.batch(seed)).collect();
            let made = self.stack.control().ask("POST", "/points", Some(&json!(batches))).await?;
            anyhow::ensure!(made["points"] == some.len(), "{made}");
        }
        Ok(())
    }

    fn batch(&self, seed: &Seed) -> Value {
        json!({
            "region": self.region, "vault": self.vault, "table": seed.table, "created": [seed.created_at],
            "role": self.role, "tags": seed.tags, "status": seed.status,
        })
    }
}

/// What a session of this moment would have recorded of a table, kept so long for its flags.
///
/// # Errors
/// When a name in it is malformed.
pub fn core(vault: &VaultArn, scheduled_at: Timestamp, keep: &[(Flag, Keep)]) -> anyhow::Result<Core> {
    let mut per_flag = PerFlag::default();
    keep.iter().for_each(|(flag, keep)| per_flag.set(*flag, *keep));
    Ok(Core {
        kind: Kind::Chain,
        policy: Some(PolicyStamp {
            id: Uuid::from_u128(7),
            name: "seeded".parse()?,
            version: 1,
            timezone: "Europe/Berlin".to_owned(),
        }),
        session: Some(format!("seeded@{scheduled_at}").parse()?),
        scheduled_at,
        started_at: scheduled_at,
        start_window_minutes: 120,
        table_id: "0b2f6d3e-0000-4000-8000-000000000001".to_owned(),
        home_vault: vault.clone(),
        keep: per_flag,
        own_keep: None,
        until: None,
        copies: BTreeMap::new(),
        keep_last: 1,
        cold_after_days: None,
        config_digest: Digest::of(b"seeded"),
        item_count: None,
        size_bytes: None,
        product_version: "0.1.0".to_owned(),
    })
}
