//! The emulated time.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Input;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockInput {
    now: Option<Timestamp>,
    speed: Option<f64>,
}

/// Also for a client of HTTP/1.0 that reads to the end.
pub(super) async fn get(input: &Input) -> Result<Value, String> {
    let timeline = &input.service.timeline;
    Ok(json!({ "now": crate::time::milliseconds(timeline.now()), "speed": timeline.speed() }))
}

pub(super) async fn put(input: &Input) -> Result<Value, String> {
    let given: ClockInput = input.read(r#"{"now": "2025-01-06T06:00:00Z"}, {"speed": 60} or both"#)?;
    if given.now.is_none() && given.speed.is_none() {
        return Err("neither now nor speed is given".to_owned());
    }
    given.now.map(crate::time::check_clock).transpose()?;
    // The jump goes on to its end even when the client gives up waiting.
    let timeline = input.service.timeline.clone();
    let moved = tokio::spawn(async move {
        if let Some(speed) = given.speed {
            timeline.set_speed(speed).await.map_err(|error| error.to_string())?;
        }
        if let Some(now) = given.now {
            timeline.advance_to(now).await;
        }
        Ok(())
    });
    moved.await.map_err(|error| error.to_string()).flatten()?;
    get(input).await
}
