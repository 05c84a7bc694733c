//! The emulator beside a real local AWS, driven by real clients.

mod clients;
mod clock;
mod controls;
mod events;
mod events_astray;
mod faults;
mod iam;
mod jobs;
mod limits;
mod points;
mod regions;
mod stack;
mod tags;
mod targets;
mod vaults;
