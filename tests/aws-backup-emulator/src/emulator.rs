//! The emulator as a whole: two endpoints and a clock.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::aws::Scope;
use crate::aws::table::Snapshot;
use crate::http::{Connection, Listener};
use crate::jobs::Jobs;
use crate::service::Service;
use crate::timeline::Timeline;

/// How an emulator is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The local AWS that serves DynamoDB, IAM, EventBridge and Lambda, and says who holds an access key: an
    /// `http://127.0.0.1:<port>`. It may come up later than the emulator.
    pub aws_endpoint: String,
    /// The local AWS's account, 12 digits: calls there go with its root key.
    pub account: String,
    /// Where AWS Backup is served on 127.0.0.1; 0 for any free port.
    pub backup_port: u16,
    /// Where the control endpoint is served on 127.0.0.1; 0 for any free port.
    pub control_port: u16,
    /// What the emulated clock shows at the start; `None` for the real time.
    pub now: Option<Timestamp>,
}

/// Why an emulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting makes no sense.
    #[error("{0}")]
    Setting(String),
    /// A port is taken, or may not be listened on.
    #[error("cannot listen on 127.0.0.1:{port}: {source}; choose another port, or 0 for any free one")]
    Listen {
        /// The port.
        port: u16,
        /// What went wrong.
        source: io::Error,
    },
}

/// A running emulator. It ends with [`Emulator::stop`], or when it is dropped.
#[derive(Debug)]
pub struct Emulator {
    service: Arc<Service>,
    backup: String,
    control: String,
    tasks: Vec<JoinHandle<()>>,
}

impl Emulator {
    /// Starts an emulator; it listens when this returns.
    ///
    /// # Errors
    /// [`StartError`] when a setting makes no sense or a port cannot be had.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let Settings { aws_endpoint, account, backup_port, control_port, now } = settings;
        if !aws_endpoint.starts_with("http://127.0.0.1:") && !aws_endpoint.starts_with("http://localhost:") {
            let message =
                format!("the local AWS must be at http://127.0.0.1:<port>, not at {aws_endpoint:?}");
            return Err(StartError::Setting(message));
        }
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(StartError::Setting(format!("an account has 12 digits, not {account:?}")));
        }
        let now =
            crate::time::check_clock(now.unwrap_or_else(Timestamp::now)).map_err(StartError::Setting)?;
        let timeline = Arc::new(Timeline::new(now));
        let service = Arc::new(Service::new(&aws_endpoint, &account, timeline.clone()));
        timeline.add_source(Arc::new(Jobs(service.clone())));
        let (backup, backup_task) = serve(backup_port, crate::http::router(service.clone())).await?;
        let (control, control_task) = serve(control_port, crate::control::router(service.clone())).await?;
        let clock = tokio::spawn(async move { timeline.run().await });
        Ok(Self { service, backup, control, tasks: vec![backup_task, control_task, clock] })
    }

    /// Where AWS Backup is served: `http://127.0.0.1:<port>`.
    pub fn backup_endpoint(&self) -> &str {
        &self.backup
    }

    /// Where the control endpoint is served: `http://127.0.0.1:<port>`.
    pub fn control_endpoint(&self) -> &str {
        &self.control
    }

    /// The emulated time.
    pub fn timeline(&self) -> Arc<Timeline> {
        self.service.timeline.clone()
    }

    /// Forgets what it remembers of IAM (roles for half a second, access keys for two), so that what has been changed there
    /// just now counts at once.
    pub fn forget_callers(&self) {
        self.service.forget_callers();
    }

    /// What a recovery point holds, or `None` when there is no such point.
    pub fn snapshot(&self, account: &str, region: &str, recovery_point_arn: &str) -> Option<Arc<Snapshot>> {
        let scope = Scope { account: account.to_owned(), region: region.to_owned() };
        self.service
            .world
            .with(&scope, |state| state.points.get(recovery_point_arn).map(|p| p.snapshot.clone()))
    }

    /// Stops serving and the clock, and returns when both have stopped. Work that was under way is given up.
    pub async fn stop(mut self) {
        self.end();
        for task in std::mem::take(&mut self.tasks) {
            // It was told to end; that it has is all there is to know.
            let _ended = task.await;
        }
    }

    fn end(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.service.timeline.clear_sources();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.end();
    }
}

async fn serve(port: u16, router: Router) -> Result<(String, JoinHandle<()>), StartError> {
    let refused = |source| StartError::Listen { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let task = tokio::spawn(async move {
        let router = router.into_make_service_with_connect_info::<Connection>();
        if let Err(error) = axum::serve(Listener(listener), router).await {
            tracing::error!(%error, "the emulator has stopped serving");
        }
    });
    Ok((format!("http://{address}"), task))
}
