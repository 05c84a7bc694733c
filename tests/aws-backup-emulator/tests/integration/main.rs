//! The emulator beside a real local AWS, driven by real clients.

mod clients;
mod clock;
mod coverage;
mod documentation;
mod events;
mod iam;
mod idempotency;
mod jobs;
mod lists;
mod settings;
mod stack;
mod tags;
mod vaults;
mod windows;
mod wire;
