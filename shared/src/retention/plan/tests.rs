mod clocks;
mod description;
mod floor;
mod properties;
mod protections;
pub(crate) mod support;
mod two_years;
