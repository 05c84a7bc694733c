//! A local AWS whose functions are `python/probe.py`: the template and the runner are tested without the product's code.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use local_stack::{FUNCTIONS, LocalStack, Options, repository_root};

/// Writes the probes, one for each function, to a directory.
pub(crate) fn write(directory: &Path) {
    let root = repository_root();
    let (python, probe) = (root.join(".venv/bin/python"), root.join("tests/local-stack/python/probe.py"));
    let bootstrap = format!(
        "#!{}\nimport runpy\nrunpy.run_path({:?}, run_name='__main__')\n",
        python.display(),
        probe.display().to_string()
    );
    for function in FUNCTIONS {
        let path = directory.join(function);
        std::fs::write(&path, &bootstrap).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
    }
}

/// Starts the local AWS with probes, which are written to the directory.
pub(crate) async fn start_with_probes(directory: &Path, options: Options) -> LocalStack {
    write(directory);
    let options = Options { binaries: Some(directory.to_owned()), ..options };
    LocalStack::start(options).await.expect("the local AWS starts")
}
