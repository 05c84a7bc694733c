//! What the demo, the flow tests and the benchmarks share: tables to back up, and a person's view of the local AWS.

pub mod copies;
pub mod in_process;
pub mod kills;
pub mod large;
pub mod own_function;
pub mod points;
pub mod processes;
pub mod retention;
pub mod seeding;
pub mod shop;
pub mod tables;
pub mod year;
