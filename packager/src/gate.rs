//! The gate: what a chart must show before it is delivered. Every refusal names the place, the cause and what to do.
//!
//! Nothing is believed that a rendering can show. What refuses a chart is waived in its recipe with a reason, or not at all.

mod addresses;
mod candidate;
mod check;
mod commands;
mod failures;
mod finding;
mod findings;
mod judge;
mod lint;
mod metadata;
mod reach;
mod references;
mod removed_apis;
mod resources;
mod schema;
mod secrets;
mod site;
mod source_line;
mod stale_files;
mod text_kinds;
mod verdict;
mod views;
mod waivers;

pub(crate) use self::candidate::{Candidate, GateSettings, Original, Usage};
pub(crate) use self::check::Check;
pub(crate) use self::finding::Finding;
pub(crate) use self::judge::judge;
pub(crate) use self::verdict::Verdict;
pub(crate) use self::waivers::Waived;
use crate::images::InvalidKnowledge;
use crate::render::HelmError;

/// Why a chart cannot be judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GateError {
    /// Helm gave no answer.
    #[error(transparent)]
    Helm(#[from] HelmError),
    /// The knowledge of charts is malformed.
    #[error(transparent)]
    Charts(#[from] InvalidKnowledge),
    /// The table of API versions is malformed.
    #[error("the table of removed API versions is malformed: {0}")]
    Knowledge(String),
}
