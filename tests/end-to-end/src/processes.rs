//! The processes in which the local AWS runs functions.

use std::process::Command;

use anyhow::Context as _;
use local_stack::LocalStack;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    id: u32,
    /// Its resident memory.
    pub kibibytes: u64,
}

/// The processes of a function, such as `backup-session`, of this local AWS and no other.
///
/// # Errors
/// When `ps` does not tell.
pub fn of_function(stack: &LocalStack, function: &str) -> anyhow::Result<Vec<Process>> {
    // With their environment, which names the function.
    let listed =
        Command::new("ps").args(["axeww", "-o", "pid=,pgid=,rss=,command="]).output().context("ps")?;
    let name = format!("AWS_LAMBDA_FUNCTION_NAME=dynachain-{function}");
    let [group, _] = stack.process_groups();
    let ours = |line: &str| {
        let mut fields = line.split_whitespace();
        let mut number = || fields.next()?.parse::<u64>().ok();
        let (id, of_group, kibibytes) = (number()?, number()?, number()?);
        let found = of_group == u64::from(group) && fields.any(|field| field == name);
        found.then_some(Process { id: u32::try_from(id).ok()?, kibibytes })
    };
    Ok(String::from_utf8_lossy(&listed.stdout).lines().filter_map(ours).collect())
}

/// Kills a process, as if its machine had gone.
///
/// # Errors
/// When it cannot be killed.
pub fn kill(process: Process) -> anyhow::Result<()> {
    let done = Command::new("kill").args(["-KILL", &process.id.to_string()]).status().context("kill")?;
    anyhow::ensure!(done.success(), "{process:?} cannot be killed");
    Ok(())
}
