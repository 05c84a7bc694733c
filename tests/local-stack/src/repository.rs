//! Where the repository is, and what of it the local AWS needs.

use std::path::{Path, PathBuf};

/// The repository's root directory.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The Python interpreter with the packages that the servers need.
///
/// # Errors
/// When `.venv` is not there, with the command that makes it.
pub(crate) fn python() -> anyhow::Result<PathBuf> {
    let venv = root().join(".venv");
    anyhow::ensure!(
        venv.join("bin/python").exists() && venv.join("bin/moto_server").exists(),
        "the local AWS needs the packages of tests/requirements.txt in {}: run `make tools`",
        venv.display()
    );
    Ok(venv.join("bin/python"))
}

/// A Python program of this crate.
pub(crate) fn program(name: &str) -> PathBuf {
    root().join("tests/local-stack/python").join(name)
}

/// The template that is deployed.
pub(crate) fn template() -> PathBuf {
    root().join("infra/template.yaml")
}
