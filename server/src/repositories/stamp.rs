//! What a kept index is stamped with: one state of one catalog, told from every other.

use crate::catalog::{ChangeRow, RepositoryRow};
use crate::index::Stamp;

/// Returns what an index is stamped with that was made of this repository, up to this change. The number of its settings
/// moves on where bytes move, too. The change tells one course of events from another that a catalog went after it was
/// put back to an earlier state.
pub(super) fn stamp_of(row: &RepositoryRow, last: &ChangeRow) -> Stamp {
    let change = serde_json::json!({
        "revision": last.revision,
        "kind": last.kind,
        "chart": last.chart,
        "version": last.version,
        "digest": last.digest,
        "actor": last.actor,
        "atMicros": last.at.micros(),
    });
    let stamp = serde_json::json!({
        "repository": row.id,
        "path": row.path.as_str(),
        "settingsRevision": row.settings_revision,
        "settings": row.settings,
        "lastChange": change,
    });
    Stamp::new(stamp.to_string())
}
