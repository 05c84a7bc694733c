//! How long jobs take.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Input;
use crate::service::JobTimes;

/// A week: no job in a test takes longer.
const LONGEST_JOB: u32 = 7 * 24 * 60 * 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobsInput {
    backup_seconds: Option<u32>,
    copy_seconds: Option<u32>,
    restore_seconds: Option<u32>,
}

pub(super) async fn get(input: &Input) -> Result<Value, String> {
    let JobTimes { backup_seconds, copy_seconds, restore_seconds } = input.service.job_times();
    Ok(
        json!({ "backup_seconds": backup_seconds, "copy_seconds": copy_seconds, "restore_seconds": restore_seconds }),
    )
}

pub(super) async fn put(input: &Input) -> Result<Value, String> {
    let given: JobsInput = input
        .read(r#"{"backup_seconds": 60, "copy_seconds": 60, "restore_seconds": 60}, or some of them"#)?;
    let mut times = input.service.job_times();
    let given = [
        ("backup_seconds", given.backup_seconds, &mut times.backup_seconds),
        ("copy_seconds", given.copy_seconds, &mut times.copy_seconds),
        ("restore_seconds", given.restore_seconds, &mut times.restore_seconds),
    ];
    for (name, given, time) in given {
        let seconds = given.unwrap_or(*time);
        if seconds > LONGEST_JOB {
            return Err(format!("{name} must be 0 to {LONGEST_JOB}, not {seconds}"));
        }
        *time = seconds;
    }
    input.service.set_job_times(times);
    get(input).await
}
