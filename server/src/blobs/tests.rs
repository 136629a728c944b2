//! What every blob store must do, whatever it stands on, and what it does when its service fails.

mod conformance;
mod faults;
mod folder;
pub(crate) mod meddler;
pub(crate) mod place;
mod requests;
mod tls;
