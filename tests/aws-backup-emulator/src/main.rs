//! The AWS Backup emulator by itself: prints one line, `{"backup": <endpoint>, "control": <endpoint>}`, when it listens,
//! and runs until Ctrl-C or SIGTERM.

use std::io::Write as _;
use std::process::ExitCode;

use aws_backup_emulator::{Emulator, Settings};
use lexopt::{Arg, Parser, ValueExt as _};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
aws-backup-emulator: AWS Backup for DynamoDB, emulated on loopback

  --aws-endpoint <url>    the local AWS, such as http://127.0.0.1:4601 (required)
  --account <12 digits>   its account (111122223333)
  --backup-port <port>    where AWS Backup is served (0: any free port)
  --control-port <port>   where the control endpoint is served (0: any free port)
  --now <time>            what the emulated clock shows at first, such as 2025-01-06T06:00:00Z (the real time)
  --help                  this text
";

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")))
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let Some(settings) = settings(Parser::from_env())? else {
        std::io::stdout().write_all(USAGE.as_bytes())?;
        return Ok(());
    };
    // Before anyone can know where it listens, so that no signal is missed.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let emulator = Emulator::start(settings).await?;
    let line = serde_json::json!({
        "backup": emulator.backup_endpoint(),
        "control": emulator.control_endpoint(),
    });
    writeln!(std::io::stdout(), "{line}")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    emulator.stop().await;
    Ok(())
}

/// The settings that the command line gives; `None` when it asks for help.
fn settings(mut arguments: Parser) -> Result<Option<Settings>, lexopt::Error> {
    let mut settings = Settings {
        aws_endpoint: String::new(),
        account: "111122223333".to_owned(),
        backup_port: 0,
        control_port: 0,
        now: None,
    };
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("aws-endpoint") => settings.aws_endpoint = arguments.value()?.string()?,
            Arg::Long("account") => settings.account = arguments.value()?.string()?,
            Arg::Long("backup-port") => settings.backup_port = arguments.value()?.parse()?,
            Arg::Long("control-port") => settings.control_port = arguments.value()?.parse()?,
            Arg::Long("now") => settings.now = Some(arguments.value()?.parse()?),
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    if settings.aws_endpoint.is_empty() {
        return Err(lexopt::Error::MissingValue { option: Some("--aws-endpoint".to_owned()) });
    }
    Ok(Some(settings))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Option<Settings>, lexopt::Error> {
        settings(Parser::from_args(arguments.iter().map(OsString::from)))
    }

    #[test]
    fn flags_become_settings() {
        let given = [
            "--aws-endpoint",
            "http://127.0.0.1:4601",
            "--now=2025-01-06T06:00:00Z",
            "--backup-port",
            "4610",
        ];
        let settings = parse(&given).unwrap().unwrap();
        assert_eq!((settings.aws_endpoint.as_str(), settings.backup_port), ("http://127.0.0.1:4601", 4610));
        assert_eq!(settings.now.map(|now| now.to_string()).as_deref(), Some("2025-01-06T06:00:00Z"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(parse(&[]).is_err());
        assert!(parse(&["--aws-endpoint", "http://127.0.0.1:1", "--now", "soon"]).is_err());
        assert!(parse(&["--port", "1"]).is_err());
        assert!(parse(&["--help"]).unwrap().is_none());
    }
}
