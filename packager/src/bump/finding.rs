//! What a newer upstream means for one edit of a recipe.

use serde::Serialize;
use serde_json::Value;

/// The chart that the recipe is of now.
pub(super) const OLDER: &str = "older";
/// The one that was found.
pub(super) const NEWER: &str = "newer";

/// What a newer upstream means for one edit of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "finding")]
pub(crate) enum Finding {
    /// A value that the recipe sets is not there any more.
    GonePath {
        /// The path.
        path: String,
        /// The key of the recipe that names it: `values`, `images.toggles`, `images.probeValues`.
        set_by: &'static str,
        /// Where it probably is now, the likeliest first; empty when nothing looks like it.
        probable: Vec<String>,
    },
    /// A value that the recipe sets is of another kind now.
    OtherKind {
        /// The path.
        path: String,
        /// What it was.
        before: &'static str,
        /// What it is.
        after: &'static str,
    },
    /// The default of a value that the recipe sets changed.
    OtherDefault {
        /// The path.
        path: String,
        /// What it was.
        before: Value,
        /// What it is.
        after: Value,
    },
    /// Upstream has the value now that the recipe sets.
    Needless {
        /// The path.
        path: String,
    },
    /// An edit of metadata or values cannot be made.
    RefusedEdit {
        /// `Chart.yaml` or `values.yaml`.
        file: &'static str,
        /// Why.
        reason: String,
    },
    /// A field that the recipe sets changed upstream.
    OverriddenField {
        /// The field of `Chart.yaml`.
        field: &'static str,
        /// What the recipe says.
        ours: String,
        /// What upstream said.
        before: String,
        /// What upstream says.
        after: String,
    },
    /// A hunk fits elsewhere or loosely.
    Drifted {
        /// The patch.
        patch: String,
        /// The file below the chart.
        file: String,
        /// Which of the file's hunks, from 1.
        hunk: usize,
        /// How.
        drift: String,
    },
    /// A hunk does not fit.
    DeadHunk {
        /// The patch.
        patch: String,
        /// Why.
        reason: String,
        /// The hunk; empty when the file as a whole is refused.
        hunk: String,
        /// Whether upstream has made the change itself.
        is_upstream_now: bool,
    },
    /// A pattern of `exclude` names no file.
    NothingExcluded {
        /// The pattern.
        pattern: String,
    },
    /// A file that the overlay replaces changed upstream, or is gone.
    OverlaidFile {
        /// The file below the chart.
        file: String,
        /// Whether upstream dropped it.
        is_gone: bool,
    },
    /// `dependencies` names a chart that upstream does not depend on any more.
    NoSuchDependency {
        /// The name.
        name: String,
    },
    /// A dependency that upstream does not carry is not at hand, so nothing is known of what it brings.
    MissingDependency {
        /// Which chart asks for it: `older` or `newer`.
        of: &'static str,
        /// What it asks for: name, versions and repository; empty when the reason names it.
        wanted: String,
        /// Why it is not at hand; empty when only the vault was asked.
        reason: String,
    },
    /// A Kubernetes version of the catalogue file is none that the chart is for.
    Kubernetes {
        /// The version.
        version: String,
        /// The chart's constraint.
        constraint: String,
    },
    /// The chart says something else about the Kubernetes versions it is for.
    KubernetesConstraint {
        /// What it said; empty when it said nothing.
        before: String,
        /// What it says.
        after: String,
    },
    /// The recipe's own `version` has to be chosen by people.
    OwnVersion {
        /// What the recipe says.
        version: String,
    },
}

impl Finding {
    /// Returns whether somebody has to change the recipe: it would be refused, or do something else than was meant.
    pub(crate) fn needs_a_hand(&self) -> bool {
        match self {
            Self::GonePath { .. }
            | Self::OtherKind { .. }
            | Self::RefusedEdit { .. }
            | Self::DeadHunk { .. }
            | Self::NothingExcluded { .. }
            | Self::NoSuchDependency { .. }
            | Self::Kubernetes { .. }
            | Self::OwnVersion { .. } => true,
            Self::OverriddenField { field, .. } => *field == "appVersion",
            Self::OverlaidFile { is_gone, .. } => *is_gone,
            // What lock could not fetch either stops it; what only the vault lacks does not.
            Self::MissingDependency { of, reason, .. } => *of == NEWER && !reason.is_empty(),
            Self::OtherDefault { .. }
            | Self::Needless { .. }
            | Self::Drifted { .. }
            | Self::KubernetesConstraint { .. } => false,
        }
    }
}
