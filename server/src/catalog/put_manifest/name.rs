//! The row of the name a manifest is pushed to: it stays with its repository, and holds charts or images, not both.

use chart::Timestamp;

use super::NewManifest;
use crate::catalog::connection::{Connection, on};
use crate::catalog::{CatalogError, Holds};
use crate::registry::chart_of;

/// Why a name does not take a manifest.
pub(super) enum NameRefusal {
    /// It holds charts where this is an image, or the other way round.
    HoldsOther,
    /// It belongs to another repository.
    Elsewhere,
}

/// Returns the id of the name's row, making it where it is new.
pub(super) async fn settle_name(
    connection: &mut Connection,
    new: &NewManifest,
    now: Timestamp,
) -> Result<Result<i64, NameRefusal>, CatalogError> {
    let (id, repository_id, content): (i64, i64, Option<String>) =
        on!(connection, |database| sqlx::query_as(
            "INSERT INTO oci_name (name, repository_id, content, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (name) DO UPDATE SET content = COALESCE(oci_name.content, excluded.content) \
         RETURNING id, repository_id, content"
        )
        .bind(new.name.as_str())
        .bind(new.repository_id)
        .bind(new.holds.word())
        .bind(now.micros())
        .fetch_one(database)
        .await)?;
    if repository_id != new.repository_id {
        return Ok(Err(NameRefusal::Elsewhere));
    }
    let holds = Holds::from_word(content.as_deref())?;
    let is_other = match (new.holds, holds) {
        (Holds::Charts, Holds::Images) | (Holds::Images, Holds::Charts) => true,
        (Holds::Images, Holds::Images | Holds::Attachments) => has_versions(connection, new).await?,
        (Holds::Charts, Holds::Charts | Holds::Attachments) | (Holds::Attachments, _) => false,
    };
    Ok(if is_other { Err(NameRefusal::HoldsOther) } else { Ok(id) })
}

/// Tells whether versions of a chart of this name were published without a manifest being pushed.
async fn has_versions(connection: &mut Connection, new: &NewManifest) -> Result<bool, CatalogError> {
    let Some((path, chart)) = chart_of(&new.name) else { return Ok(false) };
    on!(connection, |database| sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM version v JOIN repository r ON r.id = v.repository_id \
         WHERE r.path = $1 AND v.chart = $2)"
    )
    .bind(path.as_str())
    .bind(chart.as_str())
    .fetch_one(database)
    .await)
}
