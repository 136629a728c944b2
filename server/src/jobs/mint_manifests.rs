//! Mints the manifests of versions that an older program published. A pull by tag does not wait for it; one by digest does.

use crate::app::App;

/// How many versions are minted before others get their turn.
const AT_ONCE: u32 = 100;

/// Mints until nothing is left. What fails is left to the next start, or to the first pull.
pub(crate) async fn mint_manifests(app: App) {
    let mut minted = 0;
    loop {
        match app.catalog.mint_older_versions(AT_ONCE).await {
            Ok(0) => break,
            Ok(more) => minted += more,
            Err(error) => {
                tracing::warn!(%error, "cannot mint the manifests of older versions: the next start goes on");
                return;
            }
        }
    }
    if minted > 0 {
        tracing::info!(minted, "minted the manifests of versions that an older program published");
    }
}
