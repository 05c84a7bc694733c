//! How the demo shows chains and metadata.

use serde_json::Value;

use crate::screen::{Cell, Screen, Style};

/// The chains of a report, a row a point.
pub(crate) fn chains(screen: &Screen, report: &Value) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for chain in list(&report["chains"]) {
        for point in list(&chain["points"]) {
            rows.push(row(point));
        }
    }
    screen.table(&["table", "chain", "scheduled", "status", "flags", "size", "expires", "policy"], &rows)
}

fn row(point: &Value) -> Vec<Cell> {
    let table = text(&point["table"]);
    let flags = list(&point["flags"]).iter().map(text).collect::<Vec<_>>().join(" ");
    let size = point["size_bytes"].as_u64().map_or_else(|| "–".to_owned(), bytes);
    vec![
        (table.rsplit('/').next().unwrap_or_default().to_owned(), Style::Bold),
        (text(&point["chain"]), Style::Plain),
        (text(&point["scheduled_at"]), Style::Plain),
        (text(&point["status"]), Style::Green),
        (if flags.is_empty() { "–".to_owned() } else { flags }, Style::Yellow),
        (size, Style::Plain),
        (text(&point["expires_at"]), Style::Blue),
        (text(&point["policy"]), Style::Plain),
    ]
}

/// Bytes as people read them.
fn bytes(n: u64) -> String {
    match n {
        0..1024 => format!("{n} B"),
        1024..1_048_576 => format!("{}.{} KiB", n / 1024, n % 1024 * 10 / 1024),
        _ => format!("{}.{} MiB", n / 1_048_576, n % 1_048_576 * 10 / 1_048_576),
    }
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    }
}

/// The beginning of a long text.
pub(crate) fn cut(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars().take(length - 1).chain(['…']).collect()
}
