//! Replaces all keys that servers sign with, after somebody may have seen them: what they signed is worth nothing any more.

use chart::Timestamp;

use crate::app;
use crate::catalog::{Catalog, CatalogError};

/// Makes a new key and forgets all others. Running servers look at the keys every minute; registry clients then ask for
/// new tokens by themselves, and uploads that are under way begin again.
///
/// # Errors
/// [`CatalogError`] when the catalog does not answer.
pub(crate) async fn replace_signing_keys(catalog: &Catalog, now: Timestamp) -> Result<(), CatalogError> {
    let after = Timestamp::from_micros(now.micros().saturating_add(1));
    catalog.rotate_signing_keys(app::random_secret(), now, now, after).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_new_key_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Catalog::open_embedded(&folder.path().join("catalog.db")).await.unwrap();
        for second in [0, 1, 1] {
            let before = catalog.list_signing_keys().await.unwrap();
            replace_signing_keys(&catalog, Timestamp::from_micros(second)).await.unwrap();
            let after = catalog.list_signing_keys().await.unwrap();
            assert_eq!(after.len(), 1);
            assert!(before.iter().all(|key| key.id != after[0].id && key.secret != after[0].secret));
        }
    }
}
