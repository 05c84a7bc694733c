//! Whatever happens to the process that started it, nothing of the local AWS stays behind.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use local_stack::{LocalStack, Options};
use serde_json::json;

use crate::probes;

/// The processes of these groups, zombies aside: `pid group state command`.
fn processes(groups: &[u32]) -> Vec<String> {
    let listed = Command::new("ps").args(["-A", "-o", "pid=,pgid=,stat=,comm="]).output().expect("ps");
    let of_groups = |line: &&str| {
        let mut fields = line.split_whitespace().skip(1);
        let group = fields.next().and_then(|group| group.parse().ok());
        let zombie = fields.next().is_some_and(|state| state.starts_with('Z'));
        !zombie && group.is_some_and(|group| groups.contains(&group))
    };
    String::from_utf8_lossy(&listed.stdout).lines().filter(of_groups).map(str::to_owned).collect()
}

fn is_open(endpoint: &str) -> bool {
    std::net::TcpStream::connect(endpoint.trim_start_matches("http://")).is_ok()
}

/// Until nothing is left, or what is left after half a minute.
fn left_of(groups: &[u32]) -> Vec<String> {
    let began = Instant::now();
    loop {
        let left = processes(groups);
        if left.is_empty() || began.elapsed() > Duration::from_secs(30) {
            return left;
        }
        // They are no children of this process, so their end cannot be waited for.
        std::thread::sleep(Duration::from_millis(50));
    }
}

async fn start_with_a_function_running(directory: &Path) -> LocalStack {
    let options = Options { target_regions: Vec::new(), ..Options::default() };
    let stack = probes::start_with_probes(directory, options).await;
    // ministack keeps the function's process for the next event.
    stack.invoke("eu-central-1", "chain-report", &json!({"calls": []})).await.expect("runs");
    stack
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_after_a_drop() {
    let directory = tempfile::tempdir().expect("a directory");
    let stack = start_with_a_function_running(directory.path()).await;
    let groups = stack.process_groups();
    let endpoints =
        [stack.endpoint(), stack.backup_endpoint(), stack.control_endpoint(), stack.auto_scaling_endpoint()];
    let endpoints = endpoints.map(str::to_owned);
    assert!(processes(&groups).len() > 2, "the function runs: {:?}", processes(&groups));
    assert!(endpoints.iter().all(|endpoint| is_open(endpoint)));
    drop(stack);
    assert_eq!(left_of(&groups), Vec::<String>::new());
    let began = Instant::now();
    while endpoints.iter().any(|endpoint| is_open(endpoint)) {
        assert!(began.elapsed() < Duration::from_secs(30), "a port stays open");
        // A port tells nobody that it closes.
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Not a test of its own: the process that the next one kills. It runs only when asked by name with the variable set.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by nothing_is_left_after_a_kill"]
async fn owner_to_be_killed() {
    let told = std::env::var("GROUPS_FILE").expect("GROUPS_FILE");
    let stack = start_with_a_function_running(Path::new(&told).parent().expect("a directory")).await;
    let [ministack, moto] = stack.process_groups();
    std::fs::write(told, format!("{ministack} {moto}\n")).expect("told");
    std::future::pending::<()>().await;
}

#[test]
fn nothing_is_left_after_a_kill() {
    let directory = tempfile::tempdir().expect("a directory");
    let told = directory.path().join("groups");
    let mut owner = Command::new(std::env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", "ends_with_its_owner::owner_to_be_killed"])
        .env("GROUPS_FILE", &told)
        .stdout(Stdio::null())
        .spawn()
        .expect("the owner starts");
    let began = Instant::now();
    let groups: Vec<u32> = loop {
        let told = std::fs::read_to_string(&told).unwrap_or_default();
        if told.ends_with('\n') {
            break told.split_whitespace().map(|group| group.parse().expect("a group")).collect();
        }
        assert!(owner.try_wait().expect("the owner").is_none(), "the owner could not start the stack");
        assert!(began.elapsed() < Duration::from_secs(120), "the owner has not started the stack");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(processes(&groups).len() > 2, "all runs: {:?}", processes(&groups));
    owner.kill().expect("SIGKILL");
    owner.wait().expect("it ends");
    assert_eq!(left_of(&groups), Vec::<String>::new());
}
