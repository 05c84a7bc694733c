//! What a point's own metadata will say, made and sealed before its backup starts. Pure but for randomness.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dynachain::aws::NewDataKey;
use dynachain::aws::table_reader::Captured;
use dynachain::catalog::{SessionRecord, TableRecord, TableState};
use dynachain::chain::{Flags, PerFlag};
use dynachain::evolving::{EncodeError, Evolving};
use dynachain::id::{TableArn, VaultArn};
use dynachain::metadata::{
    CopyPlan, Core, Digest, Kind, NoTagRoom, PREFIX, PartName, PolicyStamp, SealError, SealedPoint, Sealer,
    lay_out,
};
use dynachain::policy::Document;
use dynachain::retention::{End, Keep, Lifespan, LockConflict, VaultLock};
use jiff::{SignedDuration, Timestamp};

use crate::owed::Debts;

/// What is the same for all tables of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) session: &'a SessionRecord,
    pub(crate) policy: &'a Document,
    pub(crate) home_vault: &'a VaultArn,
    pub(crate) key: &'a NewDataKey,
    pub(crate) start_window_minutes: u32,
    /// The vault's lock, if one is active.
    pub(crate) lock: Option<VaultLock>,
    /// What the chains of the policy owe.
    pub(crate) debts: &'a Debts,
}

/// Why there is no sealed metadata.
#[derive(Debug)]
pub(crate) enum NotSealed {
    Encode(EncodeError),
    Lock(LockConflict),
    NoTagRoom(NoTagRoom),
    Seal(SealError),
}

impl NotSealed {
    /// A word for scripts.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::NoTagRoom(_) => "no_tag_room",
            Self::Lock(_) => "vault_lock",
            Self::Encode(_) | Self::Seal(_) => "not_sealed",
        }
    }
}

impl fmt::Display for NotSealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encode(error) => error.fmt(f),
            Self::Lock(error) => error.fmt(f),
            Self::NoTagRoom(error) => error.fmt(f),
            Self::Seal(error) => error.fmt(f),
        }
    }
}

/// Cold storage is charged for at least so many days (AWS Backup Developer Guide, "Lifecycle").
const COLD_DAYS: u32 = 90;

/// What a table's point is to be, beyond what its session says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) table: &'a TableArn,
    /// Which attempt it is, from 1.
    pub(crate) attempt: u32,
    /// The flags that the chain owes.
    pub(crate) owed: Flags,
}

/// A table's record with everything its backup job needs, as it stands before the job is started.
pub(crate) fn prepare(
    context: &Context<'_>,
    wanted: Wanted<'_>,
    captured: &Captured,
    now: Timestamp,
) -> Result<TableRecord, NotSealed> {
    let Wanted { table, attempt, owed } = wanted;
    let config = Evolving::new(&captured.config).encode().map_err(NotSealed::Encode)?;
    let core = core(context, owed, captured, &config, now);
    let delete_after_days = delete_after_days(context.lock, &core, now).map_err(NotSealed::Lock)?;
    let record = record(&core, context.key, Some(context.policy), table, captured, &config)?;
    Ok(TableRecord { attempt, owed, delete_after_days, ..record })
}

/// The record of a table whose point says this about itself, and has the tags and recipients that its policy names.
pub(crate) fn record(
    core: &Core,
    key: &NewDataKey,
    policy: Option<&Document>,
    table: &TableArn,
    captured: &Captured,
    config: &[u8],
) -> Result<TableRecord, NotSealed> {
    let encoded = Evolving::new(core).encode().map_err(NotSealed::Encode)?;
    let sealer = Sealer::new(&key.key, table);
    let recipients = policy.map(|policy| policy.recipients(|vault| core.copies.contains_key(vault)));
    let sealed = SealedPoint {
        kind: core.kind,
        keys: key.wrapped_for(&recipients.unwrap_or_default()),
        core: sealer.seal(PartName::Core, &encoded).map_err(NotSealed::Seal)?,
        config: sealer.seal(PartName::Config, config).map_err(NotSealed::Seal)?,
    };
    let inherited: BTreeSet<String> = captured.config.user_tags().map(|(tag, _)| tag.to_owned()).collect();
    let tags = policy.map(|policy| policy.tags.clone()).unwrap_or_default();
    let layout = lay_out(&sealed, &tags, &inherited).map_err(NotSealed::NoTagRoom)?;
    Ok(TableRecord {
        table: table.clone(),
        state: TableState::Claimed,
        attempt: 1,
        owed: Flags::NONE,
        claimed_at: Some(core.started_at),
        start_tags: layout.at_start,
        later_tags: layout.after_completion,
        sealed_config: layout.config_in_catalog.then(|| STANDARD.encode(&sealed.config)),
        // Tags that look like ours are to be reported, so the point's tags are read each time.
        core: (!inherited.iter().any(|tag| tag.starts_with(PREFIX))).then(|| STANDARD.encode(&encoded)),
        cold_after_days: core.cold_after_days,
        delete_after_days: None,
        job: None,
        recovery_point: None,
        reason: None,
        message: None,
    })
}

fn core(context: &Context<'_>, owed: Flags, captured: &Captured, config: &[u8], now: Timestamp) -> Core {
    let Context { session, policy, home_vault, start_window_minutes, .. } = *context;
    let flags = session.flags.and(owed);
    let mut core = Core {
        kind: Kind::Chain,
        policy: Some(PolicyStamp {
            id: session.policy_id,
            name: session.policy.clone(),
            version: session.policy_version,
            timezone: policy.timezone.to_string(),
        }),
        session: Some(session.session.clone()),
        scheduled_at: session.scheduled_at,
        started_at: now,
        start_window_minutes,
        table_id: captured.table_id.clone(),
        home_vault: home_vault.clone(),
        keep: kept(flags, policy),
        own_keep: session.keep,
        until: None,
        copies: policy
            .copies
            .iter()
            .map(|copy| (copy.vault.clone(), CopyPlan { keep: copy.keep.only(flags) }))
            .filter(|(_, plan)| !plan.keep.flags().is_empty())
            .collect(),
        keep_last: policy.keep_last,
        cold_after_days: None,
        config_digest: Digest::of(config),
        item_count: Some(captured.item_count),
        size_bytes: Some(captured.size_bytes),
        product_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    core.cold_after_days = policy
        .cold_storage
        .as_ref()
        .map(|cold| cold.after_days)
        .filter(|days| lives_for(&core, now, days.saturating_add(COLD_DAYS)));
    core
}

/// How long the policy keeps points for each of these flags.
pub(crate) fn kept(flags: Flags, policy: &Document) -> PerFlag<Keep> {
    policy.keeps().only(flags)
}

/// In a locked vault only AWS can delete, so the backup asks it to.
fn delete_after_days(
    lock: Option<VaultLock>,
    core: &Core,
    now: Timestamp,
) -> Result<Option<u32>, LockConflict> {
    let expires_at = Lifespan::of_regular(core).expires_at().unwrap_or(End::Never);
    lock.map_or(Ok(None), |lock| lock.delete_after_days(now, expires_at))
}

fn lives_for(core: &Core, now: Timestamp, days: u32) -> bool {
    match Lifespan::of_regular(core).expires_at() {
        Some(End::Never) => true,
        Some(End::At(end)) => end.duration_since(now) >= SignedDuration::from_hours(24 * i64::from(days)),
        None => false,
    }
}
