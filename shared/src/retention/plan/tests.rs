mod clocks;
mod description;
mod floor;
mod protections;
mod support;
