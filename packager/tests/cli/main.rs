//! The commands, run as a user runs them: the built program in a folder of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod build;
mod bump;
mod charts;
mod command_line;
mod diff;
mod gate;
mod hard_cases;
mod helm;
mod image;
mod images;
mod keepalived;
mod lock;
mod new;
mod pack;
mod push;
mod recipe;
mod relocate;
mod seed_charts;
mod sign;
mod support;
mod upstream_charts;
mod vault;
