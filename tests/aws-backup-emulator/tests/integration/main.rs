//! The emulator beside a real local AWS, driven by real clients.

mod clients;
mod clock;
mod copies;
mod events;
mod iam;
mod jobs;
mod points;
mod stack;
mod tags;
mod vault_policies;
mod vaults;
