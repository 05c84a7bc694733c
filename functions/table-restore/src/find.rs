//! Finding the point that a request means, and reading all that it knows.

use dynachain::chain::ListedPoint;
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::RecoveryPointArn;
use dynachain::point_reader::{PointReader, WholePoint};
use dynachain::request::TableRef;
use dynachain::restore::{RestoreRequest, Which};
use jiff::Timestamp;

use crate::Deps;

/// A point to restore from.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) whole: WholePoint,
    pub(crate) is_cold: bool,
}

pub(crate) async fn find(deps: &Deps, request: &RestoreRequest) -> Result<Found, Refusal> {
    let path = &request.which_path;
    match &request.which {
        Which::Point { recovery_point, vault } => {
            let reader = vault.as_deref().map_or_else(|| deps.points.clone(), |vault| deps.points.of(vault));
            point(deps, &reader, recovery_point, &format!("{path}.recovery_point")).await
        }
        Which::Table { table, at } => newest(deps, table, *at, path).await,
    }
}

/// The point of this ARN.
async fn point(
    deps: &Deps,
    reader: &PointReader,
    arn: &RecoveryPointArn,
    path: &str,
) -> Result<Found, Refusal> {
    if arn.region() != deps.region {
        let region = arn.region();
        let message =
            format!("lies in {region}; ask the stack of that Region, or restore a copy that lies here");
        return Err(Refusal::at(ErrorType::PointNotFound, path, message));
    }
    let state = reader.find(arn, path).await?;
    restorable(&state.listed, path)?;
    let is_cold = state.is_cold;
    Ok(Found { whole: reader.whole(state.listed, &deps.catalog.points()).await?, is_cold })
}

/// Refuses a point that AWS Backup would not restore.
fn restorable(point: &ListedPoint, path: &str) -> Result<(), Refusal> {
    if point.is_restorable() {
        return Ok(());
    }
    let why = match point.status.as_str() {
        "CREATING" => "its backup is not complete yet",
        "DELETING" | "EXPIRED" => "its data may be gone",
        _ => "it holds no whole backup",
    };
    let message = format!("is {}: {why}. Choose another point of {}", point.status, point.table);
    Err(Refusal::at(ErrorType::InvalidRequest, path, message))
}

/// The newest usable point of a table that is not newer than a moment. Each candidate proves itself by its own tags: the
/// catalog is not asked.
async fn newest(deps: &Deps, table: &TableRef, at: Option<Timestamp>, path: &str) -> Result<Found, Refusal> {
    let (table_path, at_path) = (format!("{path}.table"), format!("{path}.at"));
    let reader = &deps.points;
    let arn = reader.table(table, &table_path).await?;
    let points = reader.vault().points(Some(&arn)).await;
    let mut points = points.map_err(|error| error.about_vault(reader.vault().name()))?;
    table.the_one_of(points.iter().map(|point| point.table.clone()), reader.vault().name(), &table_path)?;
    points.sort_by(|a, b| (b.created_at, &b.arn).cmp(&(a.created_at, &a.arn)));
    let first = points.last().map(|point| point.created_at);
    let count = points.len();
    let mut candidates =
        points.into_iter().filter(|point| at.is_none_or(|at| point.created_at <= at)).peekable();
    if let (Some(at), Some(first), None) = (at, first, candidates.peek()) {
        let message = format!("{at} is before the first point of {arn}, which is of {first}");
        return Err(Refusal::at(ErrorType::PointNotFound, at_path, message));
    }
    for candidate in candidates.filter(ListedPoint::is_restorable) {
        let state = match reader.vault().point(&candidate.arn).await {
            Ok(Some(state)) if state.listed.is_restorable() => state,
            // Retention, or somebody else, has just deleted it.
            Ok(_) => continue,
            Err(error) => return Err(error.refusal()),
        };
        let is_cold = state.is_cold;
        let whole = reader.whole(state.listed, &deps.catalog.points()).await?;
        if whole.point.is_usable() {
            return Ok(Found { whole, is_cold });
        }
    }
    let message = format!(
        "none of the {count} points of {arn} is usable: they are not complete, or carry no metadata of dynachain that can be \
         read. dynachain-chain-report shows them; restore one by its \"recovery_point\""
    );
    Err(Refusal::at(ErrorType::PointNotFound, table_path, message))
}
