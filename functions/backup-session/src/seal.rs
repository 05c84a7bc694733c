//! What a point's own metadata will say, made and sealed before its backup starts. Pure but for randomness.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dynachain::aws::NewDataKey;
use dynachain::aws::table_reader::Captured;
use dynachain::catalog::{SessionRecord, TableRecord, TableState};
use dynachain::chain::PerFlag;
use dynachain::evolving::{EncodeError, Evolving};
use dynachain::id::{TableArn, VaultArn};
use dynachain::metadata::{
    CopyPlan, Core, Digest, Kind, NoTagRoom, PREFIX, PartName, PolicyStamp, SealError, SealedPoint, Sealer,
    lay_out,
};
use dynachain::policy::Document;
use dynachain::retention::{End, Keep, Lifespan};
use jiff::{SignedDuration, Timestamp};

/// What is the same for all tables of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) session: &'a SessionRecord,
    pub(crate) policy: &'a Document,
    pub(crate) home_vault: &'a VaultArn,
    pub(crate) key: &'a NewDataKey,
    pub(crate) start_window_minutes: u32,
    /// For a locked vault: the days to deletion.
    pub(crate) delete_after_days: Option<u32>,
}

/// Why there is no sealed metadata.
#[derive(Debug)]
pub(crate) enum NotSealed {
    Encode(EncodeError),
    NoTagRoom(NoTagRoom),
    Seal(SealError),
}

/// Cold storage is charged for at least so many days (AWS Backup Developer Guide, "Lifecycle").
const COLD_DAYS: u32 = 90;

/// A table's record with everything its backup job needs, as it stands before the job is started.
pub(crate) fn prepare(
    context: &Context<'_>,
    table: &TableArn,
    captured: &Captured,
    now: Timestamp,
) -> Result<TableRecord, NotSealed> {
    let config = Evolving::new(&captured.config).encode().map_err(NotSealed::Encode)?;
    let core = core(context, captured, &config, now);
    let encoded = Evolving::new(&core).encode().map_err(NotSealed::Encode)?;
    let sealer = Sealer::new(&context.key.key, table);
    let sealed = SealedPoint {
        kind: core.kind,
        keys: vec![context.key.wrapped.clone()],
        core: sealer.seal(PartName::Core, &encoded).map_err(NotSealed::Seal)?,
        config: sealer.seal(PartName::Config, &config).map_err(NotSealed::Seal)?,
    };
    let inherited: BTreeSet<String> = captured.config.user_tags().map(|(tag, _)| tag.to_owned()).collect();
    let layout = lay_out(&sealed, &context.policy.tags, &inherited).map_err(NotSealed::NoTagRoom)?;
    Ok(TableRecord {
        table: table.clone(),
        state: TableState::Claimed,
        attempt: 1,
        start_tags: layout.at_start,
        later_tags: layout.after_completion,
        sealed_config: layout.config_in_catalog.then(|| STANDARD.encode(&sealed.config)),
        // Tags that look like ours are to be reported, so the point's tags are read each time.
        core: (!inherited.iter().any(|tag| tag.starts_with(PREFIX))).then(|| STANDARD.encode(&encoded)),
        cold_after_days: core.cold_after_days,
        delete_after_days: context.delete_after_days,
        job: None,
        recovery_point: None,
        reason: None,
        message: None,
    })
}

fn core(context: &Context<'_>, captured: &Captured, config: &[u8], now: Timestamp) -> Core {
    let Context { session, policy, home_vault, start_window_minutes, .. } = *context;
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
        keep: kept(session, policy),
        own_keep: session.keep,
        copies: policy
            .copies
            .iter()
            .map(|copy| {
                (copy.vault.clone(), CopyPlan { keep: carried(session, |flag| copy.keep.get(flag).copied()) })
            })
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

/// How long the session's points are kept, for each flag they carry.
pub(crate) fn kept(session: &SessionRecord, policy: &Document) -> PerFlag<Keep> {
    carried(session, |flag| policy.schedules.get(flag).map(|schedule| schedule.keep))
}

/// What is said for the flags that the session's points carry.
fn carried(session: &SessionRecord, said: impl Fn(dynachain::chain::Flag) -> Option<Keep>) -> PerFlag<Keep> {
    let mut carried = PerFlag::default();
    for flag in session.flags.iter() {
        if let Some(keep) = said(flag) {
            carried.set(flag, keep);
        }
    }
    carried
}

fn lives_for(core: &Core, now: Timestamp, days: u32) -> bool {
    match Lifespan::of_regular(core).expires_at() {
        Some(End::Never) => true,
        Some(End::At(end)) => end.duration_since(now) >= SignedDuration::from_hours(24 * i64::from(days)),
        None => false,
    }
}
