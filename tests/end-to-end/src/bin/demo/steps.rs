//! The demo's steps, each showing what it did.

use anyhow::Context as _;
use aws_sdk_dynamodb::types::AttributeValue;
use dynachain::id::TableArn;
use end_to_end::{points, shop};
use jiff::ToSpan as _;
use local_stack::{LocalStack, SOURCE_REGION};
use serde_json::{Value, json};

use crate::copies;
use crate::progress::follow;
use crate::screen::{Screen, Style};
use crate::show::{self, cut, list, text};

const CATALOG: &str = "dynachain";
/// Emulated seconds go by so much faster while jobs run.
pub(crate) const SPEED: f64 = 10.0;

/// Three tables of different shapes.
pub(crate) async fn tables(stack: &LocalStack, screen: &Screen) -> anyhow::Result<()> {
    screen.step("Three tables of a shop")?;
    shop::create(stack, SOURCE_REGION).await?;
    let shapes = [
        ("shop-orders", "two global indexes, a local one, TTL, stream, point-in-time recovery, tags"),
        ("shop-events", "on-demand, nested items"),
        ("shop-customers", "provisioned capacity under auto scaling"),
    ];
    for (table, shape) in shapes {
        screen.say(&format!("  {:<15} {} items, {shape}", screen.styled(table, Style::Bold), shop::ITEMS))?;
    }
    Ok(())
}

fn document() -> Value {
    json!({
        "name": "shop", "description": "The shop's tables", "timezone": "Europe/Berlin",
        "scope": { "tables": ["shop-*"] },
        "schedules": {
            "daily": { "at": ["07:00", "19:00"], "on": "every day", "keep": { "days": 3 } },
            "weekly": { "at": "07:00", "on": ["monday"], "keep": { "days": 14 } },
            "monthly": { "at": "07:00", "on": "first monday", "keep": { "months": 6 } },
        },
        "copies": copies::targets(),
    })
}

/// The policy, and the schedules it got.
pub(crate) async fn policy(stack: &LocalStack, screen: &Screen) -> anyhow::Result<()> {
    screen.step("A policy: daily at 7 and 19 for 3 days, Mondays for 14 days, first Mondays for 6 months")?;
    let answer = stack.invoke(SOURCE_REGION, "policy", &json!({ "apply": document() })).await?;
    let schedules: Vec<_> = list(&answer["schedules"]["created"]).iter().map(text).collect();
    screen.say(&format!("  applied as version {}, id {}", answer["version"], text(&answer["id"])))?;
    screen.say(&format!("  EventBridge schedules: {}", schedules.join(", ")))?;
    screen.say(&format!("  tables: {}", list(&answer["tables"]["added"]).len()))
}

/// The emulated clock reaches 07:00: EventBridge Scheduler's schedule starts the session, not we.
pub(crate) async fn scheduled_session(stack: &LocalStack, screen: &Screen) -> anyhow::Result<()> {
    screen.step("07:00 in Berlin: the schedule starts a session")?;
    stack.timeline().set_speed(0.0).await?;
    stack.jump_to(stack.now().checked_add(3.minutes())?).await;
    let wake_ups = stack.wake_ups();
    let wake_up = wake_ups.iter().rfind(|wake_up| wake_up.input.contains("\"shop\""));
    let wake_up = wake_up.context("the schedule did not wake the function")?;
    let answer = wake_up.outcome.as_ref().map_err(|error| anyhow::anyhow!("the session failed: {error}"))?;
    screen.say(&format!("  {} woke it with {}", wake_up.by, wake_up.input))?;
    session(screen, answer)?;
    watch(stack, screen).await
}

/// A session by hand, as a user starts one.
pub(crate) async fn session_by_hand(stack: &LocalStack, screen: &Screen) -> anyhow::Result<()> {
    screen.step("Another session by hand, with the AWS CLI")?;
    stack.jump_to(stack.now().checked_add(2.hours())?).await;
    let payload = json!({ "policy": "shop", "keep": { "days": 1 } }).to_string();
    screen.say(&format!(
        "  $ aws lambda invoke --function-name dynachain-backup-session --payload '{payload}' out.json"
    ))?;
    let out = tempfile::NamedTempFile::new()?;
    let arguments =
        ["lambda", "invoke", "--function-name", "dynachain-backup-session", "--payload", &payload];
    let done = stack.aws_cli(SOURCE_REGION).args(arguments).arg(out.path()).output().await?;
    let answer = std::fs::read_to_string(out.path())?;
    anyhow::ensure!(
        done.status.success() && !String::from_utf8_lossy(&done.stdout).contains("FunctionError"),
        "the AWS CLI: {}{answer}",
        String::from_utf8_lossy(&done.stderr)
    );
    session(screen, &serde_json::from_str(&answer)?)?;
    watch(stack, screen).await
}

fn session(screen: &Screen, answer: &Value) -> anyhow::Result<()> {
    let flags: Vec<_> = list(&answer["flags"]).iter().map(text).collect();
    let tables = &answer["tables"];
    screen.say(&format!(
        "  session {}, flags [{}]: {} covered, {} started, {} failed",
        screen.styled(&text(&answer["session"]), Style::Bold),
        flags.join(" "),
        tables["covered"],
        tables["started"],
        tables["failed"]
    ))?;
    for detail in list(&answer["details"]).iter().filter(|detail| detail["outcome"] == "failed") {
        screen.say(&format!("  {}: {}", text(&detail["table"]), text(&detail["message"])))?;
    }
    anyhow::ensure!(tables["failed"] == 0, "tables failed");
    Ok(())
}

async fn watch(stack: &LocalStack, screen: &Screen) -> anyhow::Result<()> {
    stack.timeline().set_speed(SPEED).await?;
    let ended = follow(stack, screen).await?;
    stack.timeline().set_speed(0.0).await?;
    let ended: Vec<_> = ended.iter().map(|(state, n)| format!("{n} {state}")).collect();
    screen.say(&format!("  backup jobs so far: {}", screen.styled(&ended.join(", "), Style::Green)))
}

/// The chains as `chain-report` tells them.
pub(crate) async fn chains(stack: &LocalStack, screen: &Screen) -> anyhow::Result<Value> {
    screen.step("The chains that came out")?;
    let report = report(stack, SOURCE_REGION).await?;
    show::chains(screen, &report)?;
    Ok(report)
}

pub(crate) async fn report(stack: &LocalStack, region: &str) -> anyhow::Result<Value> {
    let report = stack.invoke(region, "chain-report", &json!({})).await?;
    anyhow::ensure!(list(&report["findings"]).is_empty(), "findings: {}", report["findings"]);
    anyhow::ensure!(!list(&report["chains"]).is_empty(), "no chains");
    Ok(report)
}

/// The catalog loses all it knows of restore points, and nothing is lost.
pub(crate) async fn from_the_vault_alone(
    stack: &LocalStack,
    screen: &Screen,
    before: &Value,
) -> anyhow::Result<()> {
    screen
        .step("The same chains from the vault alone: the catalog's rows about restore points are deleted")?;
    let dropped = drop_points(stack).await?;
    let after = report(stack, SOURCE_REGION).await?;
    anyhow::ensure!(after["chains"] == before["chains"], "the vault tells other chains: {after}");
    screen
        .say(&format!("  {dropped} rows deleted; the report, read from the points' own tags, is the same"))?;
    let rebuilt = stack.invoke(SOURCE_REGION, "chain-report", &json!({ "rebuild": true })).await?;
    anyhow::ensure!(rebuilt["chains"] == before["chains"], "the rebuilt catalog tells other chains");
    screen.say(&format!("  {} rows rebuilt with {{\"rebuild\": true}}", point_rows(stack).await?.len()))?;
    show::chains(screen, &rebuilt)
}

type Keys = std::collections::HashMap<String, AttributeValue>;

async fn point_rows(stack: &LocalStack) -> anyhow::Result<Vec<Keys>> {
    let client = aws_sdk_dynamodb::Client::new(&stack.sdk_config(SOURCE_REGION).await);
    let answer = client
        .scan()
        .table_name(CATALOG)
        .filter_expression("begins_with(pk, :points)")
        .expression_attribute_values(":points", AttributeValue::S("POINT#".to_owned()))
        .projection_expression("pk, sk")
        .send()
        .await
        .context("scan the catalog")?;
    Ok(answer.items.unwrap_or_default())
}

async fn drop_points(stack: &LocalStack) -> anyhow::Result<usize> {
    let client = aws_sdk_dynamodb::Client::new(&stack.sdk_config(SOURCE_REGION).await);
    let rows = point_rows(stack).await?;
    for row in &rows {
        client
            .delete_item()
            .table_name(CATALOG)
            .set_key(Some(row.clone()))
            .send()
            .await
            .context("delete a row")?;
    }
    Ok(rows.len())
}

/// One point's tags as they are, and what they hold.
pub(crate) async fn tags(stack: &LocalStack, screen: &Screen, report: &Value) -> anyhow::Result<()> {
    let chains = list(&report["chains"]);
    let orders = chains.iter().find(|chain| text(&chain["table"]).ends_with("/shop-orders"));
    let point = orders.and_then(|chain| list(&chain["points"]).first()).context("no point of shop-orders")?;
    let (arn, table) = (text(&point["recovery_point"]), text(&point["table"]).parse::<TableArn>()?);
    screen.step("One restore point's tags, and what they hold")?;
    screen.say(&format!("  {arn}"))?;
    let tags = points::tags(stack, SOURCE_REGION, &arn).await?;
    let rows: Vec<_> = tags
        .iter()
        .map(|(key, value)| vec![(key.clone(), Style::Dim), (cut(value, 76), Style::Plain)])
        .collect();
    screen.table(&["tag", "value"], &rows)?;
    let opened = points::open(stack, SOURCE_REGION, &tags, &table).await?;
    screen.say("")?;
    screen.table(
        &["opened", ""],
        &content(&opened)
            .map(|(name, value)| vec![(name, Style::Bold), (value, Style::Plain)])
            .collect::<Vec<_>>(),
    )
}

/// What the metadata says, a line each.
fn content(opened: &points::Opened) -> impl Iterator<Item = (String, String)> {
    let core = &opened.core;
    let policy = core.policy.as_ref();
    let keeps = |keep: &dynachain::chain::PerFlag<dynachain::retention::Keep>| {
        keep.iter().map(|(flag, keep)| format!("{flag} for {keep:?}")).collect::<Vec<_>>().join(", ")
    };
    let mut lines = vec![
        (
            "policy",
            policy.map_or_else(String::new, |p| format!("{} version {} ({})", p.name, p.version, p.id)),
        ),
        ("time zone", policy.map_or_else(String::new, |p| p.timezone.clone())),
        ("session", core.session.as_ref().map_or_else(String::new, ToString::to_string)),
        ("started at", core.started_at.to_string()),
        ("table id", core.table_id.clone()),
        ("kept", keeps(&core.keep)),
        ("items, bytes", format!("{}, {}", number(core.item_count), number(core.size_bytes))),
    ];
    lines.extend(
        core.copies.iter().map(|(vault, plan)| ("to be copied", format!("{vault}: {}", keeps(&plan.keep)))),
    );
    if let Some(config) = &opened.config {
        let indexes = config.local_indexes.keys().chain(config.global_indexes.keys());
        lines.extend([
            ("indexes", indexes.cloned().collect::<Vec<_>>().join(", ")),
            ("billing", format!("{:?}", config.billing_mode)),
            ("TTL", format!("{:?}", config.ttl)),
            ("PITR", format!("{:?}", config.pitr)),
            ("stream", format!("{:?}", config.stream)),
            ("tags", format!("{:?}", config.tags)),
        ]);
    }
    lines.into_iter().map(|(name, value)| (name.to_owned(), value))
}

fn number(known: Option<u64>) -> String {
    known.map_or_else(|| "unknown".to_owned(), |n| n.to_string())
}
