//! Holds the last section of `docs/emulator.md` against the service model and the emulator.

use anyhow::{Context as _, Result};
use aws_backup_emulator::Emulator;

use crate::clients::script;
use crate::documentation::{COVERAGE, rows};
use crate::stack::{BACKUP_ROLE, NOWHERE, Stack, root, settings};

/// The text of a section, without its heading.
fn section<'a>(page: &'a str, title: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("\n## {title}\n"))?;
    Some(rest.split_once("\n## ").map_or(rest, |(section, _)| section).trim())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_coverage_is_as_the_service_model_and_the_emulator_have_it() -> Result<()> {
    let stack = Stack::start().await?;
    let locked = "locked";
    stack.backup.create_backup_vault().backup_vault_name(locked).send().await?;
    let lock = stack.backup.put_backup_vault_lock_configuration().backup_vault_name(locked);
    lock.changeable_for_days(3).send().await?;
    stack.pass(3 * 24 * 3600).await;
    stack.control("PUT", "/quotas", r#"{"concurrent_copies": 0}"#).await?;
    let table = stack.table("orders", 1, &[]).await?;
    let (job, point) = stack.backed_up(&table).await?;
    stack.backup.create_legal_hold().title("all").description("points").send().await?;
    let creating = stack.start_backup(&table).send().await?.recovery_point_arn.context("arn")?;
    stack.pass(20).await;
    let silent = Emulator::start(settings(NOWHERE)?).await?;
    let page = std::fs::read_to_string(root().join("docs/emulator.md"))?;
    let rows = rows(&page).0.len().to_string();
    let arguments = [silent.backup_endpoint(), &table, BACKUP_ROLE, &point, &job, &creating, locked, &rows];
    let wanted = script(&stack, "coverage.py", &arguments)?;
    let found = section(&page, COVERAGE).context("docs/emulator.md has no section Coverage")?;
    let wanted = wanted.trim();
    assert!(found == wanted, "docs/emulator.md: the section {COVERAGE} must be:\n\n{wanted}\n");
    Ok(())
}
