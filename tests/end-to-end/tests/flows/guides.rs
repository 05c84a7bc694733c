//! The guides in docs/guides: their commands do what the text says, as they are written.

use std::path::Path;

use local_stack::{SOURCE_REGION, repository_root};
use serde_json::{Value, json};

use crate::support::{World, arn, chains, list, only_point, points};

/// The blocks of a guide that are marked so, in order: `sh` for the commands, `text` for what is said.
pub(crate) fn blocks(guide: &str, mark: &str) -> String {
    let path = repository_root().join("docs/guides").join(guide);
    let text = std::fs::read_to_string(path).expect("the guide");
    let begin = format!("```{mark}\n");
    let blocks = text.split(&begin).skip(1).filter_map(|rest| rest.split_once("```"));
    blocks.map(|(block, _)| block).collect()
}

/// Runs a guide's commands in a directory, as somebody would who has sourced the local AWS's variables.
pub(crate) async fn run(world: &World, region: &str, directory: &Path, commands: &str) {
    let done = tokio::process::Command::new("bash")
        .args(["-euo", "pipefail", "-c", commands])
        .envs(world.stack.environment(region))
        .current_dir(directory)
        .kill_on_drop(true)
        .output()
        .await
        .expect("bash");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_to_the_first_policy_leads_to_a_first_point() {
    let world = World::start().await;
    let directory = tempfile::tempdir().expect("a directory");
    let commands = blocks("first-policy.md", "sh");
    assert!(commands.contains("aws lambda invoke"), "{commands}");
    run(&world, SOURCE_REGION, directory.path(), &commands).await;

    let answer = |name: &str| -> Value {
        let text = std::fs::read(directory.path().join(name)).expect("an answer");
        serde_json::from_slice(&text).expect("JSON")
    };
    let (refused, shown) = (answer("refused.json"), blocks("first-policy.md", "text"));
    assert_eq!(refused["errorMessage"].as_str(), Some(shown.trim_end()), "the guide shows what is said");
    assert_eq!(shown.lines().count(), 5);
    assert_eq!(
        (&answer("planned.json")["dry_run"], &answer("applied.json")["version"]),
        (&true.into(), &1.into())
    );
    assert!(answer("estimated.json")["total"].is_object());
    assert_eq!(answer("listed.json")["count"], 1);
    assert_eq!(answer("checked.json")["ok"], true, "{:#}", answer("checked.json"));
    let report = answer("report.json");
    assert_eq!(chains(&report), [("orders", "regular", 1)]);
    let point = only_point(&report, "orders");
    // The first session of the guide may be a day without M: then nothing would expire at another time.
    let monthly = list(&points(&report, "orders")[0]["flags"]).contains(&json!("M"));
    assert_eq!(answer("difference.json")["points_count"], usize::from(monthly));
    assert_eq!(answer("changed.json")["version"], 2);
    assert_eq!(answer("disabled.json")["tables"]["removed"], json!([arn("orders")]));
    assert_eq!(answer("deleted.json")["points"], json!([point]));
    assert_eq!(chains(&world.verified(&[]).await), [("orders", "regular", 1)]);
    assert!(world.schedules().await.is_empty());
}
