//! Whole flows on the local AWS, through the real Lambda binaries and their own roles.
//!
//! Each test starts a local AWS of its own and tells one story. The emulated clock stands still unless a test moves it, so
//! nothing happens by itself and every figure can be told beforehand. At its end each asks the product's own verifier, the
//! report, what it makes of the vault.
#![expect(clippy::expect_used, reason = "a panic is how tests fail, in their helpers too")]

mod alone;
mod by_hand;
mod catch_up;
mod check;
mod clock_changes;
mod copies;
mod copies_backfill;
mod copies_edited;
mod copies_failing;
mod copies_in_report;
mod copies_locked;
mod copies_many;
mod copies_slots;
mod edit;
mod edits_and_prune;
mod estimates;
mod explain;
mod figures;
mod guides;
mod half_applied;
mod killed;
mod left_over;
mod malformed;
mod manual;
mod metadata;
mod other_account;
mod permissions;
mod policies;
mod prune;
mod prune_attacks;
mod prune_blocked;
mod prune_by_hand;
mod prune_runs;
mod recovery;
mod refusals;
mod report;
mod restore;
mod retries;
mod roles;
mod session_troubles;
mod sessions;
mod source_region_off;
mod support;
mod target_region;
mod throttled;
mod troubled_tables;
mod two_years;
mod year;
