//! The guides in docs/guides: their commands do what the text says, as they are written.

use local_stack::{SOURCE_REGION, repository_root};
use serde_json::Value;

use crate::support::{World, chains};

/// The commands of a guide: its `sh` blocks, in order. Other blocks are not for running.
fn commands(guide: &str) -> String {
    let path = repository_root().join("docs/guides").join(guide);
    let text = std::fs::read_to_string(path).expect("the guide");
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```"));
    blocks.map(|(block, _)| block).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_to_the_first_policy_leads_to_a_first_point() {
    let world = World::start().await;
    let directory = tempfile::tempdir().expect("a directory");
    let commands = commands("first-policy.md");
    assert!(commands.contains("aws lambda invoke"), "{commands}");
    let done = tokio::process::Command::new("bash")
        .args(["-euo", "pipefail", "-c", &commands])
        .envs(world.stack.environment(SOURCE_REGION))
        .current_dir(directory.path())
        .kill_on_drop(true)
        .output()
        .await
        .expect("bash");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));

    let answer = |name: &str| -> Value {
        let text = std::fs::read(directory.path().join(name)).expect("an answer");
        serde_json::from_slice(&text).expect("JSON")
    };
    assert_eq!(
        (&answer("planned.json")["dry_run"], &answer("applied.json")["version"]),
        (&true.into(), &1.into())
    );
    assert_eq!(answer("checked.json")["ok"], true, "{:#}", answer("checked.json"));
    assert_eq!(chains(&answer("report.json")), [("orders", "regular", 1)]);
    assert_eq!(chains(&world.verified(&[]).await), [("orders", "regular", 1)]);
}
