//! The floor: the newest usable points of a chain stay, whatever their flags say.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::{Decision, Reason, Reasons};
use crate::chain::{ChainKind, RestorePoint};
use crate::id::TableArn;

/// The points, by their place among `points`, that are the newest `keep_last` usable ones of their chain and table id.
///
/// Points dated ahead are not counted, and of two created at the same moment the greater ARN is the newer. Every point
/// records a `keep_last` of its own. The largest in the chain counts, of the points that stay: for another reason, or as
/// one of the newest that they ask for themselves. So a point that goes takes its wish along, and no second run would
/// delete more.
pub(super) fn keep_last(points: &[RestorePoint], reasons: &[Reasons]) -> Vec<usize> {
    chains(points).flat_map(|chain| newest(&chain, points, reasons)).collect()
}

/// The chains, each the places of its points: the regular ones of a table, or the copies. A table that was created anew
/// under the same name begins another.
fn chains(points: &[RestorePoint]) -> impl Iterator<Item = Vec<usize>> {
    let mut chains: HashMap<(&TableArn, ChainKind, &str), Vec<usize>> = HashMap::new();
    for (place, point) in points.iter().enumerate() {
        let Some(core) = point.core.as_deref() else { continue };
        if matches!(point.chain, ChainKind::Regular | ChainKind::Copy) {
            chains.entry((&point.listed.table, point.chain, &core.table_id)).or_default().push(place);
        }
    }
    chains.into_values()
}

fn newest(chain: &[usize], points: &[RestorePoint], reasons: &[Reasons]) -> Vec<usize> {
    let asked = |place: usize| {
        let keep_last = points[place].core.as_ref().map_or(0, |core| core.keep_last);
        usize::try_from(keep_last).unwrap_or(usize::MAX)
    };
    let counted = |place: &usize| points[*place].is_usable() && !reasons[*place].contains(Reason::Future);
    let mut usable: Vec<usize> = chain.iter().copied().filter(counted).collect();
    usable.sort_by_key(|place| Reverse((points[*place].listed.created_at, &points[*place].listed.arn)));

    let stay_anyway = chain.iter().copied().filter(|place| reasons[*place].decision() != Decision::Delete);
    let ask_for_themselves = usable.iter().enumerate().filter(|(rank, place)| *rank < asked(**place));
    let largest = stay_anyway.chain(ask_for_themselves.map(|(_, place)| *place)).map(asked).max();
    usable.truncate(largest.unwrap_or(0));
    usable
}
