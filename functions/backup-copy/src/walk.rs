//! Going through the whole vault, page by page, in as many invocations as it takes.

use dynachain::chain::{ChainKind, ListedPoint, NewestPoints, RestorePoint};
use dynachain::error::Refusal;
use dynachain::event::CopiesContinued;
use dynachain::invocation::Invocation;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::input::Backfill;
use crate::tally::Tally;
use crate::{Deps, backfill, queue};

/// Where to go on, and what for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    page: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backfill: Option<Backfill>,
}

/// Goes through the vault from its beginning: for a backfill, or for whatever copies are missing. Once it has come to the end, it
/// gives the newest usable point of each regular chain; `None` when another invocation has to go on.
pub(crate) async fn run(
    deps: &Deps,
    invocation: &Invocation,
    tally: &Tally,
    backfill: Option<&Backfill>,
    dry_run: bool,
) -> Result<Option<NewestPoints>, Refusal> {
    let cursor = Cursor { page: None, backfill: backfill.cloned() };
    go_on(deps, invocation, tally, cursor, dry_run).await
}

/// Goes on where an invocation ran out of time. A cursor that nobody understands is a matter for the next reconciliation.
pub(crate) async fn resume(
    deps: &Deps,
    invocation: &Invocation,
    tally: &Tally,
    continued: CopiesContinued,
) -> Result<(), Refusal> {
    match serde_json::from_value(Value::Object(continued.cursor)) {
        // What it comes across is not the whole vault.
        Ok(cursor) => go_on(deps, invocation, tally, cursor, false).await.map(drop),
        Err(error) => {
            tracing::warn!(%error, "a continuation that cannot be read");
            Ok(())
        }
    }
}

async fn go_on(
    deps: &Deps,
    invocation: &Invocation,
    tally: &Tally,
    mut cursor: Cursor,
    dry_run: bool,
) -> Result<Option<NewestPoints>, Refusal> {
    let vault = deps.points.vault();
    let mut newest = NewestPoints::default();
    loop {
        if !invocation.has_time() {
            if !dry_run {
                hand_over(deps, &cursor).await?;
            }
            return Ok(None);
        }
        let page = vault.page(None, cursor.page.take()).await;
        let page = page.map_err(|error| error.about_vault(vault.name()))?;
        let points = identified(deps, page.points, dry_run).await?;
        let regular = points.iter().filter(|point| point.chain == ChainKind::Regular && point.is_usable());
        regular.for_each(|point| newest.note(&point.listed.table, point.listed.created_at));
        match &cursor.backfill {
            Some(wanted) => backfill::page(deps, tally, wanted, &points, dry_run).await?,
            None => queue::missing(deps, tally, &points, dry_run).await?,
        }
        cursor.page = page.next;
        if cursor.page.is_none() {
            return Ok(Some(newest));
        }
    }
}

/// What the points of a page are. Cores that the catalog did not know are remembered there, also those of other Regions' points,
/// as this stack may be a target itself: the next walk need not ask for their tags.
async fn identified(
    deps: &Deps,
    listed: Vec<ListedPoint>,
    dry_run: bool,
) -> Result<Vec<RestorePoint>, Refusal> {
    let now = deps.now().await?;
    let of_interest = |point: &ListedPoint| point.is_restorable() && !deps.strangers.know(&point.arn, now);
    let restorable: Vec<_> = listed.into_iter().filter(of_interest).collect();
    let catalog = deps.catalog.points();
    let points = match dry_run {
        true => deps.points.identify(restorable, &catalog).await?,
        false => deps.points.identify_and_remember(restorable, &catalog).await?,
    };
    for stranger in points.iter().filter(|point| point.chain == ChainKind::Foreign) {
        deps.strangers.add(&stranger.listed.arn);
    }
    Ok(points)
}

async fn hand_over(deps: &Deps, cursor: &Cursor) -> Result<(), Refusal> {
    let cursor = match serde_json::to_value(cursor) {
        Ok(Value::Object(cursor)) => cursor,
        _ => Map::new(),
    };
    deps.bus.emit(&CopiesContinued { cursor }).await.map_err(|error| error.refusal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let backfill = Backfill {
            policy: "orders".parse().unwrap(),
            target: "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain".parse().unwrap(),
            since: "2025-01-06T06:00:00Z".parse().unwrap(),
        };
        for cursor in [
            Cursor { page: Some("x".to_owned()), backfill: Some(backfill) },
            Cursor { page: Some("y".to_owned()), backfill: None },
        ] {
            let value = serde_json::to_value(&cursor).unwrap();
            assert_eq!(serde_json::from_value::<Cursor>(value).unwrap(), cursor);
        }
    }
}
