//! `make demo`: the main job, start to end, on a local AWS.
//!
//! Three tables, a policy, the session that its schedule starts, its copies to two Regions, another session by hand through the
//! AWS CLI, the chains that came out, side by side and from the vaults alone, and one point's tags beside what they hold.
//! `KEEP=1` leaves everything up.

mod copies;
mod progress;
mod screen;
mod show;
mod steps;

use anyhow::Context as _;
use local_stack::{LocalStack, Notes, Options, TARGET_REGION, THIRD_REGION};

use screen::Screen;

/// A Monday, the first of January 2027's: two minutes before every schedule of the demo's policy is due.
const BEGINNING: &str = "2027-01-04T05:58:00Z";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let screen = Screen::new();
    let ended = local_stack::ended()?;
    let keep = std::env::var("KEEP").is_ok_and(|keep| keep == "1");
    let notes = keep.then(Notes::take).transpose()?;
    tokio::select! {
        done = run(&screen, notes) => done,
        () = ended => Ok(()),
    }
}

async fn run(screen: &Screen, notes: Option<Notes>) -> anyhow::Result<()> {
    screen.step("A local AWS, with the stack of infra/template.yaml in three Regions")?;
    let options = Options {
        now: Some(BEGINNING.parse().context("the beginning")?),
        target_regions: vec![TARGET_REGION, THIRD_REGION],
        ..Options::default()
    };
    let stack = LocalStack::start(options).await?;
    for deployment in stack.deployments() {
        screen.say(&format!("  {} in {}", deployment.output("VaultArn")?, deployment.region))?;
    }
    steps::tables(&stack, screen).await?;
    steps::policy(&stack, screen).await?;
    steps::scheduled_session(&stack, screen).await?;
    copies::follow(&stack, screen).await?;
    steps::session_by_hand(&stack, screen).await?;
    copies::side_by_side(&stack, screen).await?;
    let report = steps::chains(&stack, screen).await?;
    steps::from_the_vault_alone(&stack, screen, &report).await?;
    copies::without_the_source(&stack, screen).await?;
    steps::tags(&stack, screen, &report).await?;
    screen.step("Done")?;
    if let Some(notes) = notes {
        screen.say("  The stack stays up.\n")?;
        return local_stack::keep(stack, notes).await.map(|never| match never {});
    }
    screen.say("  `make demo KEEP=1` leaves the stack up to play with; `make local` starts an empty one.")?;
    stack.stop().await;
    Ok(())
}
