//! A run: it plans a change, has it confirmed where points become deletable, carries it out, and goes on by itself in further
//! invocations when time is up.
//!
//! One run at a time edits the points of a vault. The lock of the stack's own vault is held for as long as a run takes, from
//! one invocation to the next as well; those of other Regions' vaults while an invocation is at work there.

use std::mem;
use std::time::Duration;

use dynachain::catalog::Edits;
use dynachain::error::{ErrorType, Refusal};
use dynachain::event::EditContinued;
use dynachain::id::VaultArn;
use dynachain::invocation::Invocation;
use jiff::Timestamp;

use crate::Deps;
use crate::answer::Answer;
use crate::change::Change;
use crate::reconcile;
use crate::request::How;
use crate::site::Site;
use crate::work::{Left, Work, lines};

/// How often the lock of a vault's edits is tried: for 20 seconds. Retention holds it for half of that, unless AWS is slow.
const TRIES: u32 = 80;
/// Between two tries: shorter than the time for which retention leaves it free.
const PAUSE: Duration = Duration::from_millis(250);

/// Plans the change, and carries it out unless that takes a confirmation that is not there.
///
/// # Errors
/// `Busy` when another run edits points of one of the vaults; `PlanChanged` when another plan was confirmed.
pub(crate) async fn run(
    deps: &Deps,
    invocation: &Invocation,
    change: Change,
    sites: Vec<Site>,
    how: &How,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    if how.dry_run {
        return Ok(Answer::of(now, lines(&change, &sites).await?, how.after.as_ref()));
    }
    let home = Lock::take(&deps.catalog.edits(), deps.home(), invocation, now).await?;
    let mut elsewhere = Vec::new();
    let outcome = begin(deps, invocation, change, sites, how, now, &mut elsewhere).await;
    Lock::give_back_all(elsewhere).await;
    match outcome {
        Ok((answer, Some(work))) if !answer.finished => {
            hand_over(deps, &home, &work).await?;
            Ok(answer)
        }
        outcome => {
            home.give_back().await;
            outcome.map(|(answer, _)| answer)
        }
    }
}

async fn begin(
    deps: &Deps,
    invocation: &Invocation,
    change: Change,
    sites: Vec<Site>,
    how: &How,
    now: Timestamp,
    elsewhere: &mut Vec<Lock>,
) -> Result<(Answer, Option<Work>), Refusal> {
    let (mut resumed, mut failures) = (0, Vec::new());
    for site in &sites {
        elsewhere.extend(lock_elsewhere(deps, site, invocation, now).await?);
        let (done, failed) = reconcile::finish(&site.place, invocation).await?;
        resumed += done;
        failures.extend(failed);
    }
    let planned = lines(&change, &sites).await?;
    let mut answer = Answer { resumed, failures, ..Answer::of(now, planned.clone(), None) };
    if let Some(confirmed) = how.confirm.as_ref().filter(|confirmed| **confirmed != answer.digest) {
        let message =
            format!("the plan's digest is {} now, not {confirmed}: look at it again", answer.digest);
        return Err(Refusal::at(ErrorType::PlanChanged, "$.confirm", message));
    }
    if answer.deletable > 0 && how.confirm.is_none() {
        answer.confirm_needed = true;
        return Ok((answer, None));
    }
    let mut work = Work::new(change, &answer, &planned);
    for site in sites {
        work.carry_out(site, invocation, now).await?;
    }
    Ok((work.answer_to(answer), Some(work)))
}

/// Goes on with what is left of a run; `None` when nothing is, or somebody is at it. Edits that had begun and were cut short
/// are finished before, where that is wanted.
///
/// # Errors
/// When nothing could be done: it waits for the next event or reconciliation then.
pub(crate) async fn go_on(
    deps: &Deps,
    invocation: &Invocation,
    finish_first: bool,
) -> Result<Option<Answer>, Refusal> {
    let (edits, now) = (deps.catalog.edits(), deps.now().await?);
    if !edits.go_on(invocation.request_id(), now).await? {
        return Ok(None);
    }
    let home = Lock::held(&edits, deps.home(), invocation);
    let outcome = continued(deps, invocation, &home, finish_first, now).await;
    if outcome.is_err()
        && let Err(error) = edits.wait(&home.holder, now).await
    {
        tracing::warn!(%error, "the lock of edits was not given back; its lease lapses by itself");
    }
    outcome
}

async fn continued(
    deps: &Deps,
    invocation: &Invocation,
    home: &Lock,
    finish_first: bool,
    now: Timestamp,
) -> Result<Option<Answer>, Refusal> {
    let Some(mut work) = home.edits.left::<Work>(now).await? else {
        tracing::warn!(
            "edits that nobody got on with for 24 hours are given up: what is left takes a new request"
        );
        home.edits.finish(&home.holder).await?;
        return Ok(None);
    };
    let (resumed, failures) = match finish_first {
        true => reconcile::finish(&deps.place(deps.home())?, invocation).await?,
        false => (0, Vec::new()),
    };
    let before = work.progress();
    let mut trouble = None;
    for left in mem::take(&mut work.left) {
        trouble = of_vault(deps, invocation, &mut work, left, now).await.err().or(trouble);
    }
    if work.left.is_empty() {
        tracing::info!(
            digest = work.digest,
            edited = work.edited,
            failed = work.failed.len(),
            "edits are done"
        );
        home.edits.finish(&home.holder).await?;
    } else if work.progress() != before {
        hand_over(deps, home, &work).await?;
    } else {
        // Another invocation at once would do no better.
        let message = "none of the edits that are left could be done in this invocation";
        return Err(trouble.unwrap_or_else(|| Refusal::new(ErrorType::Internal, message)));
    }
    Ok(Some(work.answer_to(Answer { resumed, failures, ..work.plan() })))
}

/// Goes on in one vault. One that is out of reach, or where another run is at work, is left for later.
async fn of_vault(
    deps: &Deps,
    invocation: &Invocation,
    work: &mut Work,
    left: Left,
    now: Timestamp,
) -> Result<(), Refusal> {
    let opened = match Site::open(deps, &left.vault, work.planned_at).await {
        Ok(Ok(site)) => lock_elsewhere(deps, &site, invocation, now).await.map(|lock| (site, lock)),
        Ok(Err(failure)) => {
            work.note(failure);
            return Ok(());
        }
        Err(refusal) => Err(refusal),
    };
    match opened {
        Ok((site, lock)) => {
            let outcome = work.carry_out(Site { tables: left.tables, ..site }, invocation, now).await;
            Lock::give_back_all(lock).await;
            outcome
        }
        Err(refusal) => {
            tracing::warn!(vault = %left.vault, %refusal, "edits there are left for later");
            work.left.push(left);
            Err(refusal)
        }
    }
}

/// Time is up: what is left goes to the catalog, and an event starts the invocation that goes on with it. Where the event gets
/// lost, reconciliation does.
async fn hand_over(deps: &Deps, home: &Lock, work: &Work) -> Result<(), Refusal> {
    home.edits.leave(&home.holder, work, deps.now().await?).await?;
    tracing::info!(digest = work.digest, edited = work.edited, "time is up, another invocation goes on");
    let event = EditContinued { vault: deps.home().clone(), digest: work.digest.clone() };
    if let Err(error) = deps.bus.emit(&event).await {
        tracing::warn!(%error, "nobody is told to go on: reconciliation will");
    }
    Ok(())
}

/// The lock of the edits in one catalog.
#[derive(Debug)]
pub(crate) struct Lock {
    edits: Edits,
    vault: VaultArn,
    holder: String,
}

impl Lock {
    fn held(edits: &Edits, vault: &VaultArn, invocation: &Invocation) -> Self {
        Self { edits: edits.clone(), vault: vault.clone(), holder: invocation.request_id().to_owned() }
    }

    /// Takes it. Retention, which holds it while it deletes, gives it out of its hand every few seconds.
    ///
    /// # Errors
    /// `Busy` when another run has it.
    pub(crate) async fn take(
        edits: &Edits,
        vault: &VaultArn,
        invocation: &Invocation,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        for _ in 0..TRIES {
            if edits.lock(invocation.request_id(), now).await? {
                return Ok(Self::held(edits, vault, invocation));
            }
            // Nobody tells when it is free.
            tokio::time::sleep(PAUSE).await;
        }
        let message = format!(
            "another run edits points of the vault {vault}, or deletes some; repeat the request when it is over: an edit that ran \
             out of time goes on by itself"
        );
        Err(Refusal::new(ErrorType::Busy, message))
    }

    /// Gives it back. Where that fails it ends by itself.
    pub(crate) async fn give_back(self) {
        if let Err(error) = self.edits.unlock(&self.holder).await {
            tracing::warn!(vault = %self.vault, %error, "the lock of edits was not given back");
        }
    }

    async fn give_back_all(locks: impl IntoIterator<Item = Self>) {
        for lock in locks {
            lock.give_back().await;
        }
    }
}

/// The lock of a vault that is not the stack's own, whose lock the run has already.
async fn lock_elsewhere(
    deps: &Deps,
    site: &Site,
    invocation: &Invocation,
    now: Timestamp,
) -> Result<Option<Lock>, Refusal> {
    let place = &site.place;
    if place.vault == *deps.home() {
        return Ok(None);
    }
    Lock::take(&place.catalog.edits(), &place.vault, invocation, now).await.map(Some)
}
