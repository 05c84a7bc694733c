//! Following backup jobs to their end.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_backup::Client;
use aws_sdk_backup::types::BackupJobState;
use local_stack::{LocalStack, SOURCE_REGION};

use crate::screen::{Screen, Style};

const LOOK_EVERY: Duration = Duration::from_millis(150);
const BAR: usize = 28;

/// Shows all backup jobs of the Region until none runs any more, and answers how they ended.
pub(crate) async fn follow(stack: &LocalStack, screen: &Screen) -> anyhow::Result<BTreeMap<String, usize>> {
    let backup = Client::new(&stack.backup_config(SOURCE_REGION).await);
    loop {
        let answer = backup.list_backup_jobs().send().await.context("list backup jobs")?;
        let mut states: BTreeMap<String, usize> = BTreeMap::new();
        let mut done = 0.0;
        for job in answer.backup_jobs() {
            let state = job.state().cloned().unwrap_or(BackupJobState::Created);
            *states.entry(state.as_str().to_owned()).or_default() += 1;
            let percent = job.percent_done().and_then(|percent| percent.parse::<f64>().ok()).unwrap_or(0.0);
            done += if is_final(&state) { 100.0 } else { percent };
        }
        let all = answer.backup_jobs().len();
        if answer.backup_jobs().iter().filter_map(|job| job.state()).all(is_final) {
            screen.end_progress()?;
            return Ok(states);
        }
        screen.progress(&line(screen, &states, done / (100.0 * f64::from(u32::try_from(all)?))))?;
        // What is shown is the jobs' progress on the running clock, as a user would look at it.
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn is_final(state: &BackupJobState) -> bool {
    use BackupJobState::{Aborted, Completed, Expired, Failed, Partial};
    matches!(state, Aborted | Completed | Expired | Failed | Partial)
}

fn line(screen: &Screen, states: &BTreeMap<String, usize>, share: f64) -> String {
    let filled = (0..BAR).filter(|i| share * 28.0 > f64::from(u8::try_from(*i).unwrap_or(u8::MAX))).count();
    let bar = format!("{}{}", "█".repeat(filled), "░".repeat(BAR - filled));
    let states: Vec<_> = states.iter().map(|(state, n)| format!("{n} {state}")).collect();
    format!("  {}  {}", screen.styled(&bar, Style::Green), states.join(", "))
}
