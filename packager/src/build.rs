//! Makes one archive out of what its recipe names, all of it in memory: no network, no clock, no machine.
//!
//! The order is fixed: metadata, values, patches, overlay, excludes; then dependencies, icon and relocation.

mod additions;
mod deliver;
mod draft;
mod edits;
mod icon;
mod refusal;
mod unknown_values;
mod vaulted;

use std::collections::BTreeSet;

use chart::archive::PackedChart;

pub(crate) use self::additions::{Additions, Vendored};
pub(crate) use self::deliver::{DeliverRefusal, DeliverSettings, Delivered, deliver, write};
pub(crate) use self::draft::{Draft, Ingredients, Overrides};
pub(crate) use self::icon::Icon;
pub(crate) use self::refusal::BuildRefusal;

/// A chart that is packed and not written yet.
#[derive(Debug)]
pub(crate) struct Packed {
    /// The archive.
    pub(crate) chart: PackedChart,
    /// The files that the edits of metadata and values changed.
    pub(crate) edits: Vec<FileEdit>,
    /// The hunks of patches that did not fit as they were written, one line each.
    pub(crate) drift: Vec<String>,
    /// The files that the recipe adds to those of the upstream and its dependencies.
    pub(crate) added: BTreeSet<String>,
}

/// A file before and after the edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileEdit {
    /// The path below the chart.
    pub(crate) path: &'static str,
    /// The text as it was.
    pub(crate) before: String,
    /// The text as it is packed.
    pub(crate) after: String,
}
