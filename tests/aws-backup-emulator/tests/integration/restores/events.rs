use anyhow::{Context as _, Result};
use serde_json::Value;

use super::*;
use crate::events::{function, permit, rule};

#[tokio::test(flavor = "multi_thread")]
async fn every_status_of_a_restore_job_is_announced() -> Result<()> {
    let (stack, point) = backed_up().await?;
    let record = stack.directory().join("events");
    let record = record.to_str().context("path")?;
    let recorder = function(&stack, "recorder", ("RECORD", record)).await?;
    let pattern = r#"{"source":["aws.backup"],"detail-type":["Restore Job State Change"]}"#;
    let rule = rule(&stack, "restores", pattern, &recorder).await?;
    permit(&stack, "recorder", &rule).await?;
    let id = start(restore(&stack, &point)).await?;
    stack.pass(100).await;
    let failed = start(restore(&stack, &point)).await?;
    stack.pass(100).await;
    let events: Vec<Value> =
        std::fs::read_to_string(record)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert!(events.iter().all(|event| event["resources"][0] == point.as_str()));
    let of = |id: &str| {
        let of = events.iter().filter(|event| event["detail"]["restoreJobId"] == id);
        let said = of.map(|event| {
            let detail = &event["detail"];
            let status = detail["status"].as_str().or(detail["state"].as_str()).unwrap_or_default();
            (event["time"].as_str().unwrap_or_default().to_owned(), status.to_owned())
        });
        let mut said: Vec<_> = said.collect();
        // What happens in the same moment comes in any order.
        said.sort();
        said
    };
    let said = |times: [(&str, &str); 4]| {
        times.map(|(time, status)| (format!("2025-01-06T06:{time}Z"), status.to_owned()))
    };
    let completed =
        [("01:40", "CREATED"), ("01:40", "PENDING"), ("01:52", "RUNNING"), ("02:40", "COMPLETED")];
    assert_eq!(of(&id), said(completed));
    assert_eq!(
        of(&failed),
        said([("03:20", "CREATED"), ("03:20", "PENDING"), ("03:32", "FAILED"), ("", "")])[..3]
    );
    let last = events.iter().rfind(|event| event["detail"]["status"] == "FAILED").context("no FAILED")?;
    assert_eq!(last["detail"]["statusMessage"], "\"Table already exists: restored\"");
    Ok(())
}
