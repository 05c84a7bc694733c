//! `make local`: keeps the local AWS up until it is ended, and tells how to use it.

use anyhow::Context as _;
use local_stack::{LocalStack, Notes, Options, TARGET_REGION, THIRD_REGION, ended, keep};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let now = match std::env::var("NOW") {
        Ok(now) => {
            Some(now.parse().with_context(|| format!("NOW={now}: not a time such as 2025-01-06T05:58:00Z"))?)
        }
        Err(_) => None,
    };
    let wanted = |name: &str| std::env::var(name).is_ok_and(|value| value == "1");
    let mut target_regions = vec![TARGET_REGION];
    target_regions.extend(wanted("THIRD_REGION").then_some(THIRD_REGION));
    let other_account = wanted("OTHER_ACCOUNT");
    let ended = ended()?;
    let notes = Notes::take()?;
    let up = async {
        let stack =
            LocalStack::start(Options { now, target_regions, other_account, ..Options::default() }).await?;
        keep(stack, notes).await
    };
    tokio::select! {
        up = up => up.map(|never| match never {}),
        () = ended => Ok(()),
    }
}
