//! Why one point is still there, until when, and what would remove it earlier.

use dynachain::chain::{ListedPoint, RestorePoint};
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::RecoveryPointArn;
use dynachain::judge::Judge;
use dynachain::retention::{Explanation, explain};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::Deps;

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    now: Timestamp,
    point: Value,
    #[serde(flatten)]
    explanation: Explanation,
}

/// Explains a point. Its own tags are read, whatever the catalog says of it; the others of its table only count.
pub(crate) async fn run(deps: &Deps, asked: &RecoveryPointArn, judge: &Judge) -> Result<Explained, Refusal> {
    let found = deps.points.find(asked, "$.explain").await?;
    let points = table(deps, found.listed).await?;
    let copies = judge.copies(&points).await?;
    let verdicts = judge.plan(&points, &copies);
    let now = judge.now();
    // It comes first.
    let asked = points.first().zip(verdicts.first());
    let (point, verdict) =
        asked.ok_or_else(|| Refusal::new(ErrorType::Internal, "the point got no verdict"))?;
    let mut explanation = explain(point, verdict, &judge.facts(&copies), now);
    explanation.sentences.extend(found.ends_at.map(|end| {
        format!("By its lifecycle, AWS Backup itself deletes it at {end}, whatever else is said of it here.")
    }));
    Ok(Explained {
        now,
        point: serde_json::to_value(point.view(now).decided(verdict)).unwrap_or_default(),
        explanation,
    })
}

/// The point and all others of its table, the point first.
async fn table(deps: &Deps, listed: ListedPoint) -> Result<Vec<RestorePoint>, Refusal> {
    let reader = deps.points.vault();
    let mut others =
        reader.points(Some(&listed.table)).await.map_err(|error| error.about_vault(reader.name()))?;
    others.retain(|other| other.arn != listed.arn);
    let mut points = vec![deps.points.identify_one(listed).await];
    points.extend(deps.points.identify(others, &deps.catalog.points()).await?);
    Ok(points)
}
