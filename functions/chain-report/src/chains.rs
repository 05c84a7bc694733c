//! The report: chains with their points, and what is odd about some of them.

use std::collections::BTreeMap;

use dynachain::aws::AwsError;
use dynachain::aws::backup::Vault;
use dynachain::chain::{ChainKind, ListedPoint, RestorePoint};
use dynachain::error::Refusal;
use dynachain::id::{RecoveryPointArn, TableArn, VaultArn};
use dynachain::judge::Judge;
use dynachain::request::{Place, TableRef};
use dynachain::retention::Verdict;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::Deps;
use crate::copies::{self, Copies, Span};
use crate::request::Request;
use crate::window::Window;

/// Answers are cut after so many points.
const LIMIT: usize = 1000;

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    now: Timestamp,
    chains: Vec<Chain>,
    copies: Vec<Copies>,
    findings: Vec<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The points of one table that belong together.
#[derive(Clone, Debug, Serialize)]
pub struct Chain {
    table: TableArn,
    chain: ChainKind,
    vault: VaultArn,
    /// The newest point that the table can be restored from with its configuration.
    newest_usable: Option<RecoveryPointArn>,
    /// The age of that point in seconds: what a restore now would lose.
    rpo_seconds: Option<i64>,
    points: Vec<Value>,
}

/// Something about a point that somebody should look at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub(crate) table: TableArn,
    pub(crate) recovery_point: RecoveryPointArn,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

pub(crate) async fn report(
    deps: &Deps,
    request: &Request,
    vault: &Vault,
    judge: &Judge,
) -> Result<Report, Refusal> {
    let (tables, more) = match &request.table {
        Some(table) => (one_table(deps, table).await?, false),
        None => all_tables(deps, request).await?,
    };
    let only = tables.keys().next().filter(|_| request.table.is_some()).cloned();
    let listed = tables.into_values().flatten().collect();
    let mut points = match request.rebuild {
        true => deps.points.identify_by_tags(listed).await,
        false => deps.points.identify(listed, &deps.catalog.points()).await.map_err(Refusal::from)?,
    };
    points.sort_by_cached_key(|point| Place::of(&point.listed));
    let verdicts = judge.judge(&points).await?;
    let now = judge.now();
    let (mut report, last) = compose(&points, &verdicts, request.after.as_ref(), more, vault, now);
    let span = Span {
        only,
        after: request.after.as_ref().map(|place| place.table.clone()),
        until: last.map(|place| place.table),
    };
    let (copies, findings) = copies::report(deps, &points, &span, now).await?;
    report.copies = copies;
    report.findings.extend(findings);
    report.findings.sort_by(|a, b| a.table.cmp(&b.table));
    Ok(report)
}

async fn one_table(deps: &Deps, table: &TableRef) -> Result<BTreeMap<TableArn, Vec<ListedPoint>>, Refusal> {
    let reader = deps.points.vault();
    let refuse = |error: AwsError| error.about_vault(reader.name());
    let arn = deps.points.table(table, "$.table").await?;
    let points = reader.points(Some(&arn)).await.map_err(refuse)?;
    table.the_one_of(points.iter().map(|point| point.table.clone()), reader.name(), "$.table")?;
    Ok([(arn, points)].into())
}

async fn all_tables(
    deps: &Deps,
    request: &Request,
) -> Result<(BTreeMap<TableArn, Vec<ListedPoint>>, bool), Refusal> {
    let reader = deps.points.vault();
    let mut window = Window::new(LIMIT, request.after.as_ref().map(|place| place.table.clone()));
    let mut next = None;
    loop {
        let page = reader.page(None, next).await.map_err(|error| error.about_vault(reader.name()))?;
        page.points.into_iter().for_each(|point| window.add(point));
        next = page.next;
        if next.is_none() {
            return Ok(window.finish());
        }
    }
}

/// Groups whole tables into chains, and cuts the points (not the chains' own figures) to one answer; with the place of its
/// last point where there is more.
fn compose(
    points: &[RestorePoint],
    verdicts: &[Verdict],
    after: Option<&Place>,
    more_tables: bool,
    vault: &Vault,
    now: Timestamp,
) -> (Report, Option<Place>) {
    let mut chains: BTreeMap<(TableArn, ChainKind), Chain> = BTreeMap::new();
    let mut findings = Vec::new();
    let (mut shown, mut last, mut cut) = (0, None, more_tables);
    for (point, verdict) in points.iter().zip(verdicts) {
        let chain = chains
            .entry((point.listed.table.clone(), point.chain))
            .or_insert_with(|| Chain::empty(point, vault.arn.clone()));
        chain.count(point, now);
        let place = Place::of(&point.listed);
        if after.is_some_and(|after| place <= *after) {
            continue;
        }
        if shown == LIMIT {
            cut = true;
            continue;
        }
        shown += 1;
        last = Some(place);
        chain.points.push(serde_json::to_value(point.view(now).decided(verdict)).unwrap_or_default());
        findings.extend(findings_of(point));
    }
    let chains = chains.into_values().filter(|chain| !chain.points.is_empty()).collect();
    let last = last.filter(|_| cut);
    let next = last.as_ref().map(ToString::to_string);
    (Report { now, chains, copies: Vec::new(), findings, next }, last)
}

impl Chain {
    fn empty(point: &RestorePoint, vault: VaultArn) -> Self {
        Self {
            table: point.listed.table.clone(),
            chain: point.chain,
            vault,
            newest_usable: None,
            rpo_seconds: None,
            points: Vec::new(),
        }
    }

    /// Counts a point in; points come oldest first.
    fn count(&mut self, point: &RestorePoint, now: Timestamp) {
        if point.is_usable() {
            self.newest_usable = Some(point.listed.arn.clone());
            self.rpo_seconds = Some(now.duration_since(point.listed.created_at).as_secs());
        }
    }
}

fn findings_of(point: &RestorePoint) -> Vec<Finding> {
    let finding = |reason, message| Finding {
        table: point.listed.table.clone(),
        recovery_point: point.listed.arn.clone(),
        reason,
        message,
    };
    let doubt = point.doubt.clone().map(|doubt| match point.chain {
        ChainKind::Suspect => finding("suspect", doubt),
        _ => finding("unreadable", doubt),
    });
    let ignored = (!point.ignored_tags.is_empty()).then(|| {
        let tags = point.ignored_tags.join(", ");
        finding("ignored_tags", format!("tags that begin like dynachain's own and are none: {tags}"))
    });
    doubt.into_iter().chain(ignored).collect()
}

#[cfg(test)]
mod tests {
    use dynachain::chain::Reading;
    use dynachain::retention::{Reason, Reasons};
    use serde_json::json;

    use super::*;

    fn points(table: &str, n: usize) -> Vec<RestorePoint> {
        (0..n)
            .map(|i| {
                let listed = ListedPoint {
                    arn: format!("arn:aws:backup:eu-central-1:111122223333:recovery-point:{i:05}")
                        .parse()
                        .unwrap(),
                    table: format!("arn:aws:dynamodb:eu-central-1:111122223333:table/{table}")
                        .parse()
                        .unwrap(),
                    vault: vault().arn,
                    created_at: "2025-01-06T06:00:00Z".parse().unwrap(),
                    status: "COMPLETED".to_owned(),
                    size_bytes: None,
                };
                RestorePoint::identify(listed, Reading::NoMetadata)
            })
            .collect()
    }

    fn protected(points: &[RestorePoint]) -> Vec<Verdict> {
        let reasons: Reasons = [Reason::NoActiveFlag, Reason::Foreign].into_iter().collect();
        vec![Verdict { decision: reasons.decision(), reasons }; points.len()]
    }

    fn vault() -> Vault {
        Vault {
            arn: "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain".parse().unwrap(),
            key: None,
            locked: false,
            min_retention_days: None,
            max_retention_days: None,
        }
    }

    #[test]
    fn a_long_report_is_cut_and_continued_without_loss_or_repeat() {
        let mut all = [points("users", 700), points("orders", 1500)].concat();
        all.sort_by_cached_key(|point| Place::of(&point.listed));
        let verdicts = protected(&all);
        let now = "2025-01-07T00:00:00Z".parse().unwrap();
        let (mut seen, mut after, mut answers) = (Vec::new(), None, 0);
        loop {
            let (report, _) = compose(&all, &verdicts, after.as_ref(), false, &vault(), now);
            answers += 1;
            let shown = report.chains.iter().flat_map(|chain| &chain.points);
            seen.extend(shown.map(|point| format!("{} {}", point["table"], point["recovery_point"])));
            match report.next {
                Some(next) => after = Some(next.parse().unwrap()),
                None => break,
            }
        }
        assert_eq!((answers, seen.len()), (3, 2200));
        assert!(seen.is_sorted());
    }

    #[test]
    fn points_without_metadata_are_shown_and_are_no_rpo() {
        let now = "2025-01-07T00:00:00Z".parse().unwrap();
        let points = points("orders", 1);
        let (report, _) = compose(&points, &protected(&points), None, false, &vault(), now);
        let value = serde_json::to_value(&report).unwrap();
        assert_eq!(value["chains"][0]["chain"], "foreign");
        assert_eq!(value["chains"][0]["rpo_seconds"], Value::Null);
        let point = &value["chains"][0]["points"][0];
        assert_eq!(point["policy"], Value::Null);
        assert_eq!(point["decision"], "protected");
        assert_eq!(point["reasons"], json!(["no_active_flag", "foreign"]));
        assert!(value.get("next").is_none());
    }
}
