//! Starting, holding and ending the local AWS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use aws_backup_emulator::{Emulator, Settings, Timeline};
use aws_config::SdkConfig;
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::account::Account;
use crate::aws::{self, ACCOUNT, OTHER_ACCOUNT, ROOT_KEY};
use crate::control::Control;
use crate::deployment::{self, Deployment, Place};
use crate::functions::{Functions, InvokeError, binaries};
use crate::options::{Options, SOURCE_REGION, STACK, TARGET_REGION};
use crate::processes::{Port, Server, ServerSettings};
use crate::waker::{WakeUp, Waker};
use crate::{http, repository};

const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// A running local AWS with dynachain deployed. Dropping it ends all its processes.
#[derive(Debug)]
pub struct LocalStack {
    // Fields are dropped in this order: servers first, their directory last.
    ministack: Server,
    moto: Server,
    /// The servers'.
    _ports: [Port; 2],
    /// The emulator and the waker live on threads of their own, so that a stack can outlast any caller's runtime.
    runtime: Option<tokio::runtime::Runtime>,
    emulator: Option<Emulator>,
    timeline: Arc<Timeline>,
    waker: Arc<Waker>,
    functions: Functions,
    endpoints: Endpoints,
    deployments: Vec<Deployment>,
    other_account: Option<Deployment>,
    /// The servers' logs and whatever else they leave; it goes last.
    _directory: TempDir,
}

/// Where everything listens: `http://127.0.0.1:<port>`.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    pub(crate) ministack: String,
    pub(crate) auto_scaling: String,
    pub(crate) backup: String,
    pub(crate) control: String,
}

impl LocalStack {
    /// Starts everything and deploys the template.
    ///
    /// # Errors
    /// When the tools or the functions' binaries are missing, a server does not start, or the template cannot be deployed;
    /// the message says what to do, or has the end of the server's log. Whatever had been started is ended.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let python = repository::python()?;
        let binaries = options.binaries.clone().map_or_else(binaries::directory, Ok)?;
        let directory =
            tempfile::Builder::new().prefix("dynachain-").tempdir().context("a scratch directory")?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("local-aws")
            .enable_all()
            .build()
            .context("the threads of the emulator")?;
        let (ministack_port, moto_port) = (Port::reserve()?, Port::reserve()?);
        let settings = Settings {
            aws_endpoint: ministack_port.endpoint(),
            account: ACCOUNT.to_owned(),
            backup_port: 0,
            control_port: 0,
            now: options.now,
        };
        let emulator = runtime.spawn(Emulator::start(settings)).await?.context("the AWS Backup emulator")?;
        let endpoints = Endpoints {
            ministack: ministack_port.endpoint(),
            auto_scaling: moto_port.endpoint(),
            backup: emulator.backup_endpoint().to_owned(),
            control: emulator.control_endpoint().to_owned(),
        };
        let server = ServerSettings {
            python: &python,
            variables: variables(&endpoints, &ministack_port, directory.path()),
            directory: directory.path(),
        };
        let moto = server.start("moto", "serve_moto.py", &[&moto_port.number().to_string()])?;
        let ministack = server.start("ministack", "serve_ministack.py", &[])?;
        let functions = Functions::new(endpoints.ministack.clone());
        let timeline = emulator.timeline();
        timeline.set_speed(options.speed).await?;
        let waker = Arc::new(Waker::new(endpoints.ministack.clone(), functions.clone(), timeline.now()));
        let mut stack = Self {
            ministack,
            moto,
            _ports: [ministack_port, moto_port],
            runtime: Some(runtime),
            emulator: Some(emulator),
            timeline,
            waker,
            functions,
            endpoints,
            deployments: Vec::new(),
            other_account: None,
            _directory: directory,
        };
        stack
            .deploy(&options, &binaries)
            .await
            .map_err(|error| error.context(stack.ministack.last_words()))?;
        stack.timeline.add_source(stack.waker.clone());
        Ok(stack)
    }

    async fn deploy(&mut self, options: &Options, binaries: &Path) -> anyhow::Result<()> {
        let ministack = ready(&mut self.ministack, &self.endpoints.ministack, true);
        let (zips, ()) = tokio::try_join!(deployment::pack(binaries), ministack)?;
        let with = |name: &str, value: &str| {
            let mut parameters = options.parameters.clone();
            parameters.insert(name.to_owned(), value.to_owned());
            parameters
        };
        let own = |region| Place { account: ACCOUNT, region };
        let mut parameters = options.parameters.clone();
        if options.other_account {
            let place = Place { account: OTHER_ACCOUNT, region: TARGET_REGION };
            let other = self.deploy_to(place, &zips, with("SourceAccounts", ACCOUNT)).await?;
            parameters = with("TargetKeyArns", other.output("KeyArn")?);
            self.other_account = Some(other);
        }
        let source = self.deploy_to(own(SOURCE_REGION), &zips, parameters).await?;
        let key = source.output("KeyArn")?.to_owned();
        self.deployments.push(source);
        for region in &options.target_regions {
            let target = self.deploy_to(own(region), &zips, with("PrimaryKeyArn", &key)).await?;
            self.deployments.push(target);
        }
        ready(&mut self.moto, &self.endpoints.auto_scaling, false).await
    }

    async fn deploy_to(
        &self,
        place: Place,
        zips: &[(String, PathBuf)],
        parameters: BTreeMap<String, String>,
    ) -> anyhow::Result<Deployment> {
        let config = self.of(place.account).sdk_config(place.region).await;
        deployment::upload(&config, place, zips).await?;
        deployment::deploy(&config, &self.endpoints.ministack, place, STACK, &parameters).await
    }

    /// The endpoint of everything but AWS Backup and Application Auto Scaling.
    pub fn endpoint(&self) -> &str {
        &self.endpoints.ministack
    }

    /// The endpoint of AWS Backup.
    pub fn backup_endpoint(&self) -> &str {
        &self.endpoints.backup
    }

    /// The endpoint of Application Auto Scaling.
    pub fn auto_scaling_endpoint(&self) -> &str {
        &self.endpoints.auto_scaling
    }

    /// Where the emulator is controlled.
    pub fn control_endpoint(&self) -> &str {
        &self.endpoints.control
    }

    /// Controls the emulator: faults, limits, events, Regions.
    pub fn control(&self) -> Control {
        Control::new(&self.endpoints.control)
    }

    /// The account's stacks: that of the source Region first, then those of the target Regions.
    pub fn deployments(&self) -> &[Deployment] {
        &self.deployments
    }

    /// The stack of the other account, if it has one.
    pub fn other_account(&self) -> Option<&Deployment> {
        self.other_account.as_ref()
    }

    /// An account of the local AWS, as its root sees it.
    pub fn of<'a>(&'a self, account: &'a str) -> Account<'a> {
        Account { id: account, endpoints: &self.endpoints, functions: &self.functions }
    }

    /// What an SDK client of a Region needs, as the account's root, for all services but AWS Backup and Application Auto
    /// Scaling. S3 needs path-style addresses as well.
    pub async fn sdk_config(&self, region: &str) -> SdkConfig {
        self.of(ACCOUNT).sdk_config(region).await
    }

    /// What an SDK client for AWS Backup needs, as the account's root.
    pub async fn backup_config(&self, region: &str) -> SdkConfig {
        self.of(ACCOUNT).backup_config(region).await
    }

    /// What an SDK client for Application Auto Scaling needs, as the account's root.
    pub async fn auto_scaling_config(&self, region: &str) -> SdkConfig {
        self.of(ACCOUNT).auto_scaling_config(region).await
    }

    /// What the clients of a function have that runs in this process, as the account's root: every service at its endpoint.
    pub async fn in_process_config(&self, region: &str) -> SdkConfig {
        let own =
            [("Backup", self.backup_endpoint()), ("Application Auto Scaling", self.auto_scaling_endpoint())];
        let own = own.map(|(service, endpoint)| (service.to_owned(), endpoint.to_owned())).into();
        aws::config_with(self.endpoint(), own, region).await
    }

    /// The variables of a deployed function, for running it in this process: the template's, and those of the local AWS.
    ///
    /// # Errors
    /// When Lambda does not have the function.
    pub async fn function_variables(
        &self,
        region: &str,
        function: &str,
    ) -> anyhow::Result<BTreeMap<String, String>> {
        let client = aws_sdk_lambda::Client::new(&self.sdk_config(region).await);
        let asked = client.get_function_configuration().function_name(format!("dynachain-{function}"));
        let set = asked.send().await.context("the function's configuration")?.environment;
        let mut variables = self.environment(region);
        variables.extend(set.and_then(|set| set.variables).unwrap_or_default());
        Ok(variables)
    }

    /// Invokes one of the functions, such as `policy`, in a Region and waits for its answer.
    ///
    /// # Errors
    /// [`InvokeError::Function`] when the function refuses.
    pub async fn invoke(&self, region: &str, function: &str, request: &Value) -> Result<Value, InvokeError> {
        self.of(ACCOUNT).invoke(region, function, request).await
    }

    /// The emulated time.
    pub fn now(&self) -> Timestamp {
        self.timeline.now()
    }

    /// The emulated time's owner, for its speed and sources of one's own.
    pub fn timeline(&self) -> &Arc<Timeline> {
        &self.timeline
    }

    /// Jumps to a moment of the emulated time; forward, all that is due on the way is done when this returns.
    pub async fn jump_to(&self, moment: Timestamp) {
        self.timeline.advance_to(moment).await;
    }

    /// Makes the emulator read roles afresh, so that what was changed in IAM just now counts at once.
    pub fn forget_roles(&self) {
        self.emulator.iter().for_each(Emulator::forget_callers);
    }

    /// What schedules and `rate` rules have woken so far, oldest first.
    pub fn wake_ups(&self) -> Vec<WakeUp> {
        self.waker.wake_ups()
    }

    /// The variables that clients and functions need to work on this local AWS in a Region; the same that `make local`
    /// writes to `.local/env`.
    pub fn environment(&self, region: &str) -> BTreeMap<String, String> {
        self.of(ACCOUNT).environment(region)
    }

    /// The AWS CLI, ready for arguments, in a Region.
    pub fn aws_cli(&self, region: &str) -> tokio::process::Command {
        self.of(ACCOUNT).aws_cli(region)
    }

    /// All log lines of a function in a Region, oldest first, for finding out what went wrong.
    ///
    /// # Errors
    /// When CloudWatch Logs does not answer.
    pub async fn logs(&self, region: &str, function: &str) -> anyhow::Result<Vec<String>> {
        let group = format!("/aws/lambda/dynachain-{function}");
        let arguments = ["logs", "filter-log-events", "--output", "json", "--log-group-name", &group];
        let done = self.aws_cli(region).args(arguments).output().await?;
        anyhow::ensure!(done.status.success(), "the log {group}: {}", String::from_utf8_lossy(&done.stderr));
        let found: Value = serde_json::from_slice(&done.stdout).context("the answer of the AWS CLI")?;
        let events = found["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(events.iter().filter_map(|event| Some(event["message"].as_str()?.to_owned())).collect())
    }

    /// The calls that AWS Backup has had so far, oldest first: operation, principal, Region, time and outcome of each.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn calls(&self) -> anyhow::Result<Vec<Value>> {
        let log = http::get_json(&self.endpoints.control, "/calls").await?;
        Ok(log["calls"].as_array().cloned().unwrap_or_default())
    }

    /// How often functions have called DynamoDB, KMS and the like so far, by operation:
    /// `TrentService.GenerateDataKey`, or `PutMetricAlarm` of CloudWatch.
    ///
    /// # Errors
    /// When ministack does not answer.
    pub async fn other_calls(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        Ok(serde_json::from_value(http::get_json(&self.endpoints.ministack, "/_local/calls").await?)?)
    }

    /// The end of ministack's own log, for finding out what went wrong.
    pub fn last_words(&self) -> String {
        self.ministack.last_words()
    }

    /// The process groups of the servers, ministack's first.
    pub fn process_groups(&self) -> [u32; 2] {
        [self.ministack.group(), self.moto.group()]
    }

    /// Ends everything in good order. Dropping does so too, only without waiting for the emulator.
    pub async fn stop(mut self) {
        self.timeline.clear_sources();
        if let (Some(runtime), Some(emulator)) = (&self.runtime, self.emulator.take()) {
            // Only a panic in the emulator could be reported here, and it has been, on standard error.
            let _ = runtime.spawn(async move { emulator.stop().await }).await;
        }
    }
}

impl Drop for LocalStack {
    fn drop(&mut self) {
        self.timeline.clear_sources();
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed inside a caller's runtime, and there is nothing to wait for.
            runtime.shutdown_background();
        }
    }
}

/// A name that no other test on the same stack uses.
pub fn unique(prefix: &str) -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    format!("{prefix}-{}", &id[..8])
}

/// The environment of the servers, which ministack's functions inherit: exactly this, nothing of the machine's own.
fn variables(endpoints: &Endpoints, port: &Port, directory: &Path) -> BTreeMap<String, String> {
    let scratch = directory.display().to_string();
    let (id, secret) = ROOT_KEY;
    let mut variables: BTreeMap<String, String> = [
        ("AUTH", "true"),
        ("AWS_ACCESS_KEY_ID", id),
        ("AWS_ENDPOINT_URL", &endpoints.ministack),
        ("AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING", &endpoints.auto_scaling),
        ("AWS_ENDPOINT_URL_BACKUP", &endpoints.backup),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("BIND_HOST", "127.0.0.1"),
        ("DYNACHAIN_TEST_CLOCK", &endpoints.control),
        ("HOME", &scratch),
        // It would listen on all of the machine's addresses.
        ("IOT_MTLS_ENABLED", "0"),
        ("MINISTACK_ACCOUNT_ID", ACCOUNT),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("TMPDIR", &scratch),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    variables.insert("GATEWAY_PORT".to_owned(), port.number().to_string());
    // Where ministack finds the system's own tools.
    variables.insert("PATH".to_owned(), std::env::var("PATH").unwrap_or_default());
    variables
}

/// Waits until a server answers.
async fn ready(server: &mut Server, endpoint: &str, ministack: bool) -> anyhow::Result<()> {
    let began = Instant::now();
    let address = endpoint.trim_start_matches("http://");
    loop {
        server.check()?;
        let answers = if ministack {
            http::get_json(endpoint, "/_local/wakes").await.is_ok()
        } else {
            TcpStream::connect(address).await.is_ok()
        };
        if answers {
            return Ok(());
        }
        let waited = began.elapsed();
        anyhow::ensure!(waited < READY_WITHIN, "no answer within {READY_WITHIN:?}. {}", server.last_words());
        // Another process: it tells nobody when it is ready.
        tokio::time::sleep(POLL).await;
    }
}
