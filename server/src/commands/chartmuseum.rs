//! `chartroom chartmuseum`: in place of ChartMuseum, with its flags, on its folder.

use std::collections::BTreeMap;

/// Serves as ChartMuseum did.
pub(super) fn run(_arguments: &[String], _environment: &BTreeMap<String, String>) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
