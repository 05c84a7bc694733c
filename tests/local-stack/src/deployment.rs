//! Deploying the template into one Region as a user would: zips into a bucket, then CloudFormation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::{Capability, Parameter, StackStatus};
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use crate::functions::binaries::FUNCTIONS;
use crate::repository;

const DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);
const PREFIX: &str = "local/";
const TEMPLATE: &str = "local/template.yaml";

/// A deployed stack.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// Its account.
    pub account: &'static str,
    /// Its Region.
    pub region: &'static str,
    /// The template's outputs, by name.
    pub outputs: BTreeMap<String, String>,
}

impl Deployment {
    /// One of the template's outputs.
    ///
    /// # Errors
    /// When the template has no such output.
    pub fn output(&self, name: &str) -> anyhow::Result<&str> {
        self.outputs
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("the template has no output {name:?}"))
    }
}

/// The functions' zip files, made from their binaries.
///
/// They are kept beside the binaries and made anew only when a binary is newer: a debug build takes a while to pack.
pub(crate) async fn pack(binaries: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut zips = Vec::new();
    for function in FUNCTIONS {
        let binary = binaries.join(function);
        let zip = binaries.join("zips").join(format!("{function}.zip"));
        if !is_newer(&zip, &binary) {
            let packed = tokio::process::Command::new(repository::python()?)
                .arg(repository::program("pack.py"))
                .args([&binary, &zip])
                .output()
                .await?;
            let said = String::from_utf8_lossy(&packed.stderr);
            anyhow::ensure!(packed.status.success(), "{} could not be packed: {said}", binary.display());
        }
        zips.push((format!("{function}.zip"), zip));
    }
    Ok(zips)
}

fn is_newer(file: &Path, than: &Path) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified());
    matches!((modified(file), modified(than)), (Ok(file), Ok(than)) if file > than)
}

/// Where a stack is deployed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) account: &'static str,
    pub(crate) region: &'static str,
}

impl Place {
    /// The bucket with the functions' code: its name belongs to no account or Region.
    fn bucket(self) -> String {
        format!("dynachain-code-{}-{}", self.account, self.region)
    }
}

/// Puts the zips and the template into a bucket there.
pub(crate) async fn upload(
    config: &SdkConfig,
    place: Place,
    zips: &[(String, PathBuf)],
) -> anyhow::Result<()> {
    let bucket = place.bucket();
    // Nobody tampers with what stays on this machine, and hashing it all takes a debug build many seconds.
    let config = aws_sdk_s3::config::Builder::from(config)
        .force_path_style(true)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .build();
    let s3 = aws_sdk_s3::Client::from_conf(config);
    let region = BucketLocationConstraint::from(place.region);
    let region = CreateBucketConfiguration::builder().location_constraint(region).build();
    s3.create_bucket().bucket(&bucket).create_bucket_configuration(region).send().await?;
    for (name, path) in zips {
        let body = ByteStream::from_path(path).await?;
        let put = s3.put_object().bucket(&bucket).key(format!("{PREFIX}{name}")).body(body);
        put.customize().disable_payload_signing().send().await?;
    }
    let template = ByteStream::from_path(repository::template()).await?;
    s3.put_object().bucket(&bucket).key(TEMPLATE).body(template).send().await?;
    Ok(())
}

/// Creates the stack and waits for it. A template of more than 51,200 bytes must come from S3 (AWS CloudFormation User Guide,
/// "Quotas"), which is at `endpoint`.
pub(crate) async fn deploy(
    config: &SdkConfig,
    endpoint: &str,
    place: Place,
    stack: &str,
    settings: &BTreeMap<String, String>,
) -> anyhow::Result<Deployment> {
    let cloudformation = aws_sdk_cloudformation::Client::new(config);
    let architecture = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "x86_64" };
    let mut parameters = BTreeMap::from([
        ("CodeBucket".to_owned(), place.bucket()),
        ("CodePrefix".to_owned(), PREFIX.to_owned()),
        ("Architecture".to_owned(), architecture.to_owned()),
    ]);
    parameters.extend(settings.clone());
    let parameter = |(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build();
    cloudformation
        .create_stack()
        .stack_name(stack)
        .template_url(format!("{endpoint}/{}/{TEMPLATE}", place.bucket()))
        .capabilities(Capability::CapabilityIam)
        .set_parameters(Some(parameters.into_iter().map(parameter).collect()))
        .send()
        .await?;
    let began = Instant::now();
    loop {
        let described = cloudformation.describe_stacks().stack_name(stack).send().await?;
        let found = described.stacks().first().with_context(|| format!("the stack {stack} is gone"))?;
        match found.stack_status() {
            Some(StackStatus::CreateComplete) => {
                let pair = |output: &aws_sdk_cloudformation::types::Output| {
                    Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()))
                };
                let outputs = found.outputs().iter().filter_map(pair).collect();
                return Ok(Deployment { account: place.account, region: place.region, outputs });
            }
            Some(StackStatus::CreateInProgress) if began.elapsed() < DEADLINE => {
                // CloudFormation can only be asked again.
                tokio::time::sleep(POLL).await;
            }
            status => {
                let why = failures(&cloudformation, stack).await?;
                anyhow::bail!("the template could not be deployed to {place:?} ({status:?}):\n{why}");
            }
        }
    }
}

async fn failures(cloudformation: &aws_sdk_cloudformation::Client, stack: &str) -> anyhow::Result<String> {
    let events = cloudformation.describe_stack_events().stack_name(stack).send().await?;
    let failed = events.stack_events().iter().filter_map(|event| {
        let failed = event.resource_status()?.as_str().ends_with("FAILED");
        failed.then(|| {
            let (resource, why) = (event.logical_resource_id(), event.resource_status_reason());
            format!("  {}: {}", resource.unwrap_or_default(), why.unwrap_or_default())
        })
    });
    Ok(failed.collect::<Vec<_>>().join("\n"))
}
