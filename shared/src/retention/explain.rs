//! Why a point is still there, until when, and what would remove it earlier: in sentences, and as data.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::copies::pending_copies;
use super::{Decision, End, Facts, Keep, Reason, Verdict};
use crate::chain::{ChainKind, Flag, RestorePoint};
use crate::id::VaultArn;
use crate::metadata::{Core, PolicyStamp};

/// What there is to say about one point.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The whole story, in the order in which it is read.
    pub sentences: Vec<String>,
    /// Every end that the point has: of its flags, daily first, then of its own.
    pub ends: Vec<NamedEnd>,
    /// What protects it although no flag keeps it, or would if none did.
    pub protections: Vec<Protection>,
    /// What would remove it earlier, each a request to a function of this stack.
    pub earlier: Vec<Earlier>,
}

/// One end of a point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedEnd {
    /// Whose it is; null for the end of a session started by hand with a `keep`, and for an extension.
    pub flag: Option<Flag>,
    /// How long after the scheduled moment; null for an extension.
    pub keep: Option<Keep>,
    /// When.
    pub ends_at: End,
    /// Whether it is still to come.
    pub active: bool,
}

/// One thing that protects a point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Protection {
    /// The word in its reasons.
    pub reason: Reason,
    /// When that ends by itself; null where no date is known.
    pub until: Option<End>,
    /// What ends it.
    pub message: String,
}

/// A request that would remove the point earlier, or let it go earlier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Earlier {
    /// The function to ask.
    pub function: &'static str,
    /// The request.
    pub request: Value,
    /// What it does.
    pub message: String,
}

/// Explains a verdict.
pub fn explain(point: &RestorePoint, verdict: &Verdict, facts: &Facts<'_>, now: Timestamp) -> Explanation {
    let ends = ends(point, now);
    let protections: Vec<_> = verdict
        .reasons
        .iter()
        .filter_map(|reason| {
            let (until, message) = protection(reason, point, facts, now)?;
            Some(Protection { reason, until, message })
        })
        .collect();
    let earlier = earlier(point, verdict, facts);
    let mut sentences = vec![opening(point, verdict)];
    sentences.extend(ends.iter().map(|end| sentence(end, point)));
    sentences.extend(protections.iter().map(|protection| protection.message.clone()));
    match earlier.is_empty() {
        false => sentences.extend(earlier.iter().map(|earlier| earlier.message.clone())),
        true => sentences.push(nobody(verdict, facts).to_owned()),
    }
    Explanation { sentences, ends, protections, earlier }
}

fn opening(point: &RestorePoint, verdict: &Verdict) -> String {
    let expires_at = point.lifespan().and_then(|lifespan| lifespan.expires_at());
    match (verdict.decision, expires_at) {
        (Decision::Keep, Some(End::Never)) => "It is kept forever.".to_owned(),
        (Decision::Keep, Some(End::At(end))) => format!("It is kept until {end}."),
        (Decision::Keep, None) => "It is kept.".to_owned(),
        (Decision::Delete, _) => {
            "Nothing keeps it any more: the next run of dynachain-retention-prune deletes it.".to_owned()
        }
        (Decision::Protected, Some(End::At(end))) => {
            format!("It has outlived its flags since {end}, and is protected all the same.")
        }
        (Decision::Protected, _) => "Retention does not judge it: it is protected.".to_owned(),
    }
}

fn ends(point: &RestorePoint, now: Timestamp) -> Vec<NamedEnd> {
    let (Some(lifespan), Some(core)) = (point.lifespan(), point.core.as_deref()) else { return Vec::new() };
    let keep = match point.chain {
        ChainKind::Copy => core.copies.get(&point.listed.vault).map(|plan| &plan.keep),
        _ => Some(&core.keep),
    };
    let named = |flag, keep, ends_at: End| NamedEnd { flag, keep, ends_at, active: ends_at.is_active(now) };
    let of_flags = lifespan
        .ends()
        .map(|(flag, end)| named(Some(flag), keep.and_then(|keep| keep.get(flag)).copied(), end));
    let by_hand = lifespan.end_by_hand().map(|end| named(None, core.own_keep, end));
    let extension = lifespan.extended_until().map(|end| named(None, None, end));
    of_flags.chain(by_hand).chain(extension).collect()
}

fn sentence(end: &NamedEnd, point: &RestorePoint) -> String {
    let what = match (end.flag, end.keep) {
        (Some(flag), _) => format!("Its flag {flag} ({})", flag.schedule_name()),
        (None, Some(_)) => "The keep it was started with by hand".to_owned(),
        (None, None) => "The extension that somebody gave it".to_owned(),
    };
    let counted = match (end.keep, point.core.as_deref()) {
        (Some(keep), Some(core)) => format!(", {}", counted(keep, core)),
        _ => String::new(),
    };
    match (end.ends_at, end.active) {
        (End::Never, _) => format!("{what}{counted}, never ends."),
        (End::At(at), true) => format!("{what}{counted}, ends at {at}."),
        (End::At(at), false) => format!("{what}{counted}, ended at {at}."),
    }
}

/// `3 days from 2025-01-06T06:00:00Z on, in Europe/Berlin`.
fn counted(keep: Keep, core: &Core) -> String {
    let zone = core.policy.as_ref().map_or("UTC", |policy| policy.timezone.as_str());
    format!("{keep} from {} on, counted in {zone}", core.scheduled_at)
}

/// When a protection ends, and what to say about it; `None` for reasons that are none.
fn protection(
    reason: Reason,
    point: &RestorePoint,
    facts: &Facts<'_>,
    now: Timestamp,
) -> Option<(Option<End>, String)> {
    let doubt = point.doubt.as_deref().unwrap_or("nobody knows why");
    let (until, message) = match reason {
        Reason::Manual => (None, "It was taken by hand: retention never removes it.".to_owned()),
        Reason::Foreign => {
            (None, "It carries no metadata of dynachain: it is not ours to remove.".to_owned())
        }
        Reason::Suspect => (None, format!("Its metadata does not belong to it, so it stays: {doubt}.")),
        Reason::Unreadable => (None, format!("Its metadata cannot be read, so it stays: {doubt}.")),
        Reason::NotFinal => {
            let status = &point.listed.status;
            (None, format!("AWS Backup is still at work on it: its status is {status}."))
        }
        Reason::KeepLast => (None, keep_last(point)),
        Reason::CopyPending => pending(point, facts, now),
        Reason::LegalHold => {
            (None, "A legal hold covers it; it stays until the hold is released.".to_owned())
        }
        Reason::VaultLock => (
            None,
            "Its vault is locked: AWS refuses every delete there, and ends its points itself.".to_owned(),
        ),
        Reason::Future => {
            let created_at = crate::time::whole_seconds(point.listed.created_at);
            (None, format!("It is dated {created_at}, ahead of now ({now}): a clock is wrong, so it stays."))
        }
        _ => return None,
    };
    Some((until, message))
}

fn keep_last(point: &RestorePoint) -> String {
    let asked = point.core.as_ref().map_or(0, |core| core.keep_last);
    format!(
        "It is among the newest usable points of its chain (its own keep_last is {asked}); a newer one that completes takes its place."
    )
}

fn pending(point: &RestorePoint, facts: &Facts<'_>, now: Timestamp) -> (Option<End>, String) {
    let copies: Vec<(&VaultArn, End)> = pending_copies(point, facts.copies, now).collect();
    let until = copies.iter().map(|(_, end)| *end).max();
    let targets: Vec<_> =
        copies.iter().map(|(target, end)| format!("to {target} (wanted until {end})")).collect();
    let targets = targets.join(", ");
    (until, format!("A copy of it is still to be made: {targets}; it stays until that is settled."))
}

fn nobody(verdict: &Verdict, facts: &Facts<'_>) -> &'static str {
    if facts.locked {
        "Nothing removes it earlier: the lock of its vault does not let anybody."
    } else if verdict.reasons.contains(Reason::LegalHold) {
        "Nothing removes it earlier: the legal hold does not let anybody."
    } else {
        "No function of dynachain removes it; AWS Backup itself can."
    }
}

fn earlier(point: &RestorePoint, verdict: &Verdict, facts: &Facts<'_>) -> Vec<Earlier> {
    let arn = &point.listed.arn;
    if facts.locked || verdict.reasons.contains(Reason::LegalHold) {
        return Vec::new();
    }
    let remove = |function| Earlier {
        function,
        request: json!({"remove": {"recovery_point": arn}}),
        message: format!("{function} removes it by hand: it plans first, and asks for a confirmation."),
    };
    match (point.chain, point.core.as_deref()) {
        (ChainKind::Manual, _) => vec![remove("dynachain-manual-removal")],
        (ChainKind::Regular | ChainKind::Copy, Some(core)) => {
            let extended = core.until.is_some().then(|| Earlier {
                function: "dynachain-chain-edit",
                request: json!({"extend": {"recovery_point": arn, "until": null}}),
                message: "dynachain-chain-edit undoes the extension.".to_owned(),
            });
            let has_flags = verdict.decision == Decision::Keep;
            let restamp = core.policy.as_ref().filter(|_| has_flags).map(|policy| restamp(policy, point));
            extended.into_iter().chain(restamp).chain([remove("dynachain-retention-prune")]).collect()
        }
        _ => Vec::new(),
    }
}

fn restamp(policy: &PolicyStamp, point: &RestorePoint) -> Earlier {
    let name = &policy.name;
    Earlier {
        function: "dynachain-chain-edit",
        request: json!({"restamp": {"policy": name, "tables": [point.listed.table]}}),
        message: format!(
            "Once the policy {name} keeps its points for a shorter time, a restamp by dynachain-chain-edit, in the policy's own Region, lets it go earlier."
        ),
    }
}

#[cfg(test)]
mod tests;
