//! The local AWS of one test, which ends with it.

use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use tokio::net::TcpSocket;

use super::wire::http;
use super::{ACCOUNT, root};

/// ministack, in a process group of its own. The group ends when its standard input does, so also with a test that is killed.
pub(super) struct LocalAws {
    process: Child,
    pub(super) endpoint: String,
    pub(super) directory: tempfile::TempDir,
    _port: TcpSocket,
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        // The end of its standard input ends the whole group.
        drop(self.process.stdin.take());
        let _reaped = self.process.wait();
    }
}

impl LocalAws {
    pub(super) async fn start() -> Result<Self> {
        let python = root().join(".venv/bin/python");
        ensure!(python.exists(), "{} is missing: run `make tools` first", python.display());
        // Bound without listening: the server can have the port, and nobody is given it by chance.
        let port = TcpSocket::new_v4()?;
        port.set_reuseaddr(true)?;
        port.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let number = port.local_addr()?.port();
        let directory = tempfile::tempdir()?;
        let log = std::fs::File::create(directory.path().join("ministack.log"))?;
        let process = Command::new(python)
            .arg(root().join("tests/local-stack/python/serve_ministack.py"))
            .env("AUTH", "true")
            .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", number.to_string())
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()?;
        let mut local =
            Self { process, endpoint: format!("http://127.0.0.1:{number}"), directory, _port: port };
        local.wait().await?;
        Ok(local)
    }

    /// Until it answers who holds its root key.
    async fn wait(&mut self) -> Result<()> {
        let address = self.endpoint.trim_start_matches("http://").to_owned();
        for _ in 0..600 {
            if let Some(status) = self.process.try_wait()? {
                let log = std::fs::read_to_string(self.directory.path().join("ministack.log"))?;
                bail!("the local AWS ended with {status}:\n{log}");
            }
            let answer = http(&address, "GET", "/_local/callers/test", "").await;
            if answer.is_ok_and(|answer| answer.contains(":root")) {
                return Ok(());
            }
            // Another process: it tells nobody when it is ready.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the local AWS does not answer at {address}")
    }
}
