//! Where the functions' binaries are.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The functions of a stack, by the names of their crates and binaries; on AWS each is `dynachain-<name>`, and
/// `retention-prune` is `dynachain-manual-removal` too.
pub const FUNCTIONS: [&str; 7] = [
    "policy",
    "backup-copy",
    "backup-session",
    "chain-edit",
    "chain-report",
    "retention-prune",
    "table-restore",
];
/// Names the directory of the functions' binaries, when they are not beside the running program.
pub const BIN_DIR: &str = "DYNACHAIN_BIN_DIR";

/// The directory with the functions' binaries: `DYNACHAIN_BIN_DIR`, or where cargo has put the running program.
///
/// # Errors
/// When one of them is not there, with the command that builds it.
pub fn directory() -> anyhow::Result<PathBuf> {
    let directory = match std::env::var_os(BIN_DIR) {
        Some(directory) => PathBuf::from(directory),
        None => beside_this_program()?,
    };
    for function in FUNCTIONS {
        let binary = directory.join(function);
        anyhow::ensure!(
            binary.is_file(),
            "the function binary {} is missing: build it with `cargo build -p {function}`, or run the tests by \
             `make test`, which builds all of them (in another target directory, name it with {BIN_DIR})",
            binary.display()
        );
    }
    Ok(directory)
}

fn beside_this_program() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("where this program is")?;
    let directory = program.parent().unwrap_or(Path::new("."));
    // Tests and examples are a level deeper than binaries.
    let deeper = directory.ends_with("deps") || directory.ends_with("examples");
    let directory = if deeper { directory.parent().unwrap_or(directory) } else { directory };
    Ok(directory.to_owned())
}
