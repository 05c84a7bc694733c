//! The emulator beside a real local AWS, driven by real clients.

mod authorization;
mod clients;
mod clock;
mod copies;
mod ends;
mod events;
mod holds;
mod iam;
mod jobs;
mod locks;
mod points;
mod protected;
mod restores;
mod stack;
mod tags;
mod vault_policies;
mod vaults;
