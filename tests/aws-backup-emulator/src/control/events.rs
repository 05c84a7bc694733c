//! How events travel.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Input, no_problems};
use crate::event::{Counts, Quirks};

/// A day.
const LONGEST_DELAY: u32 = 24 * 60 * 60;
/// AWS Backup emits its events every 5 minutes.
const WIDEST_SPREAD: u32 = 5 * 60;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct EventsInput {
    lose: f64,
    double: f64,
    reorder: f64,
    delay: u32,
    spread: u32,
    seed: u64,
}

pub(super) async fn get(input: &Input) -> Result<Value, String> {
    let (quirks, counts) = input.service.transit.quirks();
    let Quirks { lose, double, reorder, delay, spread, seed } = quirks;
    let Counts { sent, lost, doubled, reordered, delayed } = counts;
    Ok(json!({
        "lose": lose, "double": double, "reorder": reorder, "delay": delay, "spread": spread, "seed": seed,
        "counts": { "sent": sent, "lost": lost, "doubled": doubled, "reordered": reordered, "delayed": delayed },
    }))
}

pub(super) async fn put(input: &Input) -> Result<Value, String> {
    let expected = r#"{"lose": 0.1, "double": 0.1, "reorder": 0.1, "delay": 60, "spread": 300, "seed": 1}, or some of them"#;
    let EventsInput { lose, double, reorder, delay, spread, seed } = input.read(expected)?;
    let mut problems = Vec::new();
    for (name, probability) in [("lose", lose), ("double", double), ("reorder", reorder)] {
        if !(0.0..=1.0).contains(&probability) {
            problems.push(format!("{name} must be a probability from 0 to 1, not {probability}"));
        }
    }
    for (name, seconds, most) in [("delay", delay, LONGEST_DELAY), ("spread", spread, WIDEST_SPREAD)] {
        if seconds > most {
            problems.push(format!("{name} must be 0 to {most} seconds, not {seconds}"));
        }
    }
    no_problems(&problems)?;
    input.service.transit.set(Quirks { lose, double, reorder, delay, spread, seed });
    get(input).await
}
