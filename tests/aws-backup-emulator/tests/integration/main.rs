//! The emulator beside a real local AWS, driven by real clients.

mod authorization;
mod clients;
mod clock;
mod controls;
mod copies;
mod ends;
mod events;
mod events_astray;
mod faults;
mod holds;
mod iam;
mod jobs;
mod limits;
mod locks;
mod points;
mod protected;
mod regions;
mod restores;
mod stack;
mod tags;
mod targets;
mod vault_policies;
mod vaults;
