//! The catalog's rows about restore points, made anew from the vault alone.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use dynachain::error::Refusal;

use crate::Deps;

/// Reads every point of the vault by its tags, remembers those with sound metadata, and forgets what the vault no longer
/// has. Page by page: only a hash of each point's ARN stays in memory, and the ARNs that the catalog knew.
pub(crate) async fn run(deps: &Deps) -> Result<(), Refusal> {
    let reader = deps.points.vault();
    let catalog = deps.catalog.points();
    // Before the vault is listed: what is remembered meanwhile may be on no page, and is not gone for that.
    let known = catalog.all().await.map_err(Refusal::from)?;
    let hasher = RandomState::new();
    let mut present = HashSet::new();
    let mut next = None;
    loop {
        let page = reader.page(None, next).await.map_err(|error| error.about_vault(reader.name()))?;
        present.extend(page.points.iter().map(|point| hasher.hash_one(&point.arn)));
        let points = deps.points.identify_by_tags(page.points).await;
        catalog.remember_all(&points).await?;
        // They may have been sound when they were remembered.
        for unsound in points.iter().filter(|point| point.memorable().is_none()) {
            catalog.forget_core(&unsound.listed.arn).await?;
        }
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    let gone: Vec<_> = known.iter().filter(|arn| !present.contains(&hasher.hash_one(arn))).collect();
    tracing::info!(present = present.len(), gone = gone.len(), "rebuilt");
    for point in gone {
        catalog.forget(point).await?;
    }
    Ok(())
}
