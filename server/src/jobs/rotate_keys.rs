//! Changes the keys that sign what the server hands out, so that a key somebody copied is worth something for weeks at most.

use std::time::Duration;

use crate::app::App;

/// How long a key signs.
const SIGNS_FOR: Duration = Duration::from_secs(30 * 24 * 3_600);

/// How long a key verifies after its successor was made: longer than the longest upload, by which time every replica has
/// looked at the keys many times and signs with the new one.
const VERIFIES_FOR: Duration = Duration::from_secs(8 * 24 * 3_600);

/// Looks once, makes a key where it is time and forgets those whose time is over.
pub(crate) async fn rotate_keys(app: &App) {
    if let Err(error) = app.signer.rotate(app.clock.now(), SIGNS_FOR, VERIFIES_FOR).await {
        tracing::warn!(%error, "cannot look after the signing keys: those in memory go on");
    }
}
