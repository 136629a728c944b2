//! The catalogue API, `/catalog/v1`: what automation and the web interface speak.

pub(super) mod repositories;
