mod clocks;
mod description;
mod floor;
mod properties;
mod protections;
mod support;
