//! Tests of the runner itself, with probes for functions.
#![expect(clippy::expect_used, reason = "a panic is how tests fail, in their helpers too")]

mod accounts_are_apart;
mod ends_with_its_owner;
mod probes;
mod runs_alone;
mod runs_on_the_emulated_clock;
