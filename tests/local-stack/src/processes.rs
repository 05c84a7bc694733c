//! The Python servers, each in a process group of its own that ends with us.
//!
//! ministack leaves its functions' processes behind when it ends, so it is always the group that is ended. Should this
//! process end without doing so, even by SIGKILL, the servers notice that their standard input closes and end their groups
//! themselves (`python/parent.py`).

use std::collections::BTreeMap;
use std::fs::File;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::TcpSocket;

use crate::repository;

/// One running server; dropping it ends its process group.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    log: PathBuf,
    child: Child,
}

/// What servers are started with.
#[derive(Debug)]
pub(crate) struct ServerSettings<'a> {
    pub(crate) python: &'a Path,
    /// Their environment: exactly this.
    pub(crate) variables: BTreeMap<String, String>,
    /// Where they log, each to `<name>.log`.
    pub(crate) directory: &'a Path,
}

impl ServerSettings<'_> {
    /// Starts one of this crate's Python programs.
    pub(crate) fn start(
        &self,
        name: &'static str,
        program: &str,
        arguments: &[&str],
    ) -> anyhow::Result<Server> {
        let log = self.directory.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("the log {}", log.display()))?;
        let child = Command::new(self.python)
            .arg(repository::program(program))
            .args(arguments)
            .env_clear()
            .envs(&self.variables)
            .process_group(0)
            // Held open for as long as we live.
            .stdin(Stdio::piped())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("{name} could not be started with {}", self.python.display()))?;
        Ok(Server { name, log, child })
    }
}

impl Server {
    /// The id of the process group, which is that of its leader.
    pub(crate) fn group(&self) -> u32 {
        self.child.id()
    }

    /// That it still runs.
    ///
    /// # Errors
    /// When it has ended, with the end of its log.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => anyhow::bail!("{} has ended ({status}). {}", self.name, self.last_words()),
        }
    }

    /// The end of the server's log, for messages about what went wrong.
    pub(crate) fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(30)..].join("\n");
        format!("{} said last:\n{last}", self.name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // The only error left is that the group is gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// A port of 127.0.0.1 for a server that is yet to start.
///
/// It stays bound without listening, and may be bound again: so the server can have it, and nobody is given it by chance
/// in the meantime, neither for listening nor for a connection of their own.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _bound: TcpSocket,
}

impl Port {
    pub(crate) fn reserve() -> anyhow::Result<Self> {
        let bound = TcpSocket::new_v4().context("a socket")?;
        bound.set_reuseaddr(true)?;
        bound.bind((Ipv4Addr::LOCALHOST, 0).into()).context("a free port")?;
        Ok(Self { number: bound.local_addr()?.port(), _bound: bound })
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_reserved_port_goes_to_its_server_and_to_nobody_by_chance() {
        let port = Port::reserve().unwrap();

        // As many as the system has: each of them is another port.
        let mut others = Vec::new();
        while let Ok(other) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) {
            assert_ne!(other.local_addr().unwrap().port(), port.number());
            others.push(other);
            if others.len() == 500 {
                break;
            }
        }

        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).is_ok());
    }
}
