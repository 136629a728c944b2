//! The lean index beside the full one of the same corpus.

use anyhow::Result;

use crate::bench::{Bench, whole_index};
use crate::corpus::VERSIONS_PER_CHART;
use crate::figures::{bytes, float, versions as shown};
use crate::report::{Bar, Line, Section};
use crate::server::{Server, show_lean_index};

const BAR: f64 = 0.4;

/// Compares the sizes.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    let versions = bench.effort.large;
    bench.progress.say(&format!("lean index: {versions} versions"));
    let site = bench.site(versions)?;
    let full = whole_index(&Server::chartroom(&site)?, versions).await?.len() as u64;
    show_lean_index(&site)?;
    let lean = whole_index(&Server::chartroom(&site)?, versions).await?.len() as u64;
    let line = Line::new(format!("{}: bytes of the lean index", shown(versions)), bytes(lean));
    Ok(Section {
        title: "Lean index",
        method: format!(
            "`--index-detail lean` on the same repository, {VERSIONS_PER_CHART} versions of each chart; \
             every version is still listed."
        ),
        published: "none: no peer has one",
        peer: "full index",
        lines: vec![line.beside(bytes(full)).judged(float(lean) / float(full), Bar::AtMost(BAR))],
    })
}
