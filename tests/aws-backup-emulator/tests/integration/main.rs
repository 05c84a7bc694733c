//! The emulator beside a real local AWS, driven by real clients.

mod clients;
mod clock;
mod ends;
mod events;
mod iam;
mod jobs;
mod locks;
mod points;
mod stack;
mod tags;
mod vaults;
