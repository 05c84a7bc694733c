//! The time: the system's own, or on a local AWS the emulated one.
//!
//! All code asks a [`Clock`] for now. The emulated time is accepted only together with a local AWS Backup
//! ([`Clock::from_env`]): a function in a real account can never be made to believe in another day.

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The variable that names where the emulated time is served: `http://127.0.0.1:<port>`.
pub const TEST_CLOCK: &str = "DYNACHAIN_TEST_CLOCK";
const BACKUP_ENDPOINT: &str = "AWS_ENDPOINT_URL_BACKUP";
const IGNORE_ENDPOINTS: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";

/// Why the time is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// The emulated clock is set where it must not be.
    #[error("{TEST_CLOCK} is set, so this function starts only on a local AWS: {0}")]
    NotLocal(String),
    /// The emulated clock does not answer.
    #[error("the emulated clock at {address} does not answer: {source}")]
    Unreachable {
        /// Where it was asked.
        address: SocketAddr,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The emulated clock answers something that is not a time.
    #[error("the emulated clock at {address} answers no time: {answer:?}")]
    Unreadable {
        /// Where it was asked.
        address: SocketAddr,
        /// The beginning of its answer.
        answer: String,
    },
}

/// Where now comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// The emulated clock of a local AWS, served at this loopback address.
    Emulated(SocketAddr),
}

impl Clock {
    /// The clock that the environment asks for: the emulated one only when `DYNACHAIN_TEST_CLOCK` *and* the endpoint for
    /// AWS Backup are loopback addresses.
    ///
    /// # Errors
    /// [`ClockError::NotLocal`] when the emulated clock is asked for without a local AWS Backup.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ClockError> {
        let Some(clock) = variable(TEST_CLOCK) else { return Ok(Self::System) };
        let refuse = |why: String| Err(ClockError::NotLocal(why));
        let Some(address) = loopback(&clock) else {
            return refuse(format!("{TEST_CLOCK} must be a loopback address, it is {clock:?}"));
        };
        if variable(IGNORE_ENDPOINTS).is_some_and(|ignore| !ignore.eq_ignore_ascii_case("false")) {
            return refuse(format!("unset {IGNORE_ENDPOINTS}, it would send AWS Backup calls to AWS"));
        }
        match variable(BACKUP_ENDPOINT) {
            Some(endpoint) if loopback(&endpoint).is_some() => Ok(Self::Emulated(address)),
            Some(endpoint) => {
                refuse(format!("{BACKUP_ENDPOINT} must be a loopback address, it is {endpoint:?}"))
            }
            None => refuse(format!("{BACKUP_ENDPOINT} must be a loopback address, it is not set")),
        }
    }

    /// Now, in whole seconds.
    ///
    /// # Errors
    /// Only for the emulated clock: when it does not answer with a time.
    pub async fn now(self) -> Result<Timestamp, ClockError> {
        let now = match self {
            Self::System => Timestamp::now(),
            Self::Emulated(address) => ask(address).await?,
        };
        Ok(crate::time::whole_seconds(now))
    }
}

/// The address in a URL such as `http://127.0.0.1:4610`, when it is a loopback one.
fn loopback(url: &str) -> Option<SocketAddr> {
    let url: http::Uri = url.parse().ok()?;
    let host = url.host()?.trim_start_matches('[').trim_end_matches(']');
    let ip: IpAddr = if host == "localhost" { [127, 0, 0, 1].into() } else { host.parse().ok()? };
    ip.is_loopback().then(|| SocketAddr::new(ip, url.port_u16().unwrap_or(80)))
}

async fn ask(address: SocketAddr) -> Result<Timestamp, ClockError> {
    let answer = get_clock(address).await.map_err(|source| ClockError::Unreachable { address, source })?;
    read_time(&answer)
        .ok_or_else(|| ClockError::Unreadable { address, answer: answer.chars().take(200).collect() })
}

/// `GET /clock` in HTTP/1.0: the server closes when it is done, so the answer is all there is to read.
async fn get_clock(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET /clock HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.take(65_536).read_to_string(&mut answer).await?;
    Ok(answer)
}

fn read_time(answer: &str) -> Option<Timestamp> {
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    body.get("now")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing_set(&[], "System")]
    #[case::both_local(&[(TEST_CLOCK, "http://127.0.0.1:4611"), (BACKUP_ENDPOINT, "http://localhost:4610")], "Emulated")]
    #[case::ipv6(&[(TEST_CLOCK, "http://[::1]:4611"), (BACKUP_ENDPOINT, "http://[::1]:4610")], "Emulated")]
    #[case::only_the_clock(&[(TEST_CLOCK, "http://127.0.0.1:4611")], "it is not set")]
    #[case::aws_backup_elsewhere(
        &[(TEST_CLOCK, "http://127.0.0.1:4611"), (BACKUP_ENDPOINT, "https://backup.eu-central-1.amazonaws.com")],
        "AWS_ENDPOINT_URL_BACKUP must be a loopback address"
    )]
    #[case::lookalike(
        &[(TEST_CLOCK, "http://127.0.0.1:4611"), (BACKUP_ENDPOINT, "http://127.0.0.1.example.com")],
        "AWS_ENDPOINT_URL_BACKUP must be a loopback address"
    )]
    #[case::userinfo(
        &[(TEST_CLOCK, "http://127.0.0.1:4611"), (BACKUP_ENDPOINT, "http://127.0.0.1:80@example.com/")],
        "AWS_ENDPOINT_URL_BACKUP must be a loopback address"
    )]
    #[case::clock_elsewhere(
        &[(TEST_CLOCK, "http://10.0.0.1:4611"), (BACKUP_ENDPOINT, "http://127.0.0.1:4610")],
        "DYNACHAIN_TEST_CLOCK must be a loopback address"
    )]
    #[case::endpoints_ignored(
        &[
            (TEST_CLOCK, "http://127.0.0.1:1"),
            (BACKUP_ENDPOINT, "http://127.0.0.1:2"),
            (IGNORE_ENDPOINTS, "true"),
        ],
        "unset AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
    )]
    fn the_emulated_clock_needs_a_local_aws_backup(#[case] env: &[(&str, &str)], #[case] outcome: &str) {
        let clock = Clock::from_env(|name| {
            env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        });
        let said = match clock {
            Ok(clock) => format!("{clock:?}"),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(outcome), "{said}");
    }

    #[tokio::test]
    async fn the_emulated_time_is_read_in_whole_seconds() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let n = stream.read(&mut request).await.unwrap();
            let answer = "HTTP/1.0 200 OK\r\n\r\n{\"now\":\"2025-01-06T06:00:00.75Z\",\"speed\":1}";
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..n]).into_owned()
        });
        let now = Clock::Emulated(address).now().await.unwrap();
        assert_eq!(now.to_string(), "2025-01-06T06:00:00Z");
        assert!(server.await.unwrap().starts_with("GET /clock "));
    }
}
