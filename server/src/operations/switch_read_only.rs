//! Stops all writing on every server of this catalog, with a reason that callers hear, or lets it go on.
//!
//! Transactions that change content check the switch themselves; what is here also spares callers the way there.

use crate::catalog::{Catalog, CatalogError};

/// The longest reason: a sentence or two, for it is sent with every refusal.
const LONGEST_REASON: usize = 500;

/// Why the switch was not turned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SwitchReadOnlyError {
    /// Callers would not know what to wait for.
    #[error(
        "a reason needs 1 to {LONGEST_REASON} characters on one line: say what is going on and until when"
    )]
    Reason,
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Stops all writing for `reason`, or lets it go on when there is none. Running servers obey from their next change on.
///
/// # Errors
/// [`SwitchReadOnlyError`]; the switch then stays as it was.
pub(crate) async fn switch_read_only(
    catalog: &Catalog,
    reason: Option<&str>,
) -> Result<(), SwitchReadOnlyError> {
    let reason = reason.map(str::trim);
    let is_readable = |text: &str| {
        (1..=LONGEST_REASON).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    };
    if reason.is_some_and(|text| !is_readable(text)) {
        return Err(SwitchReadOnlyError::Reason);
    }
    Ok(catalog.set_read_only(reason.map(str::to_owned)).await?)
}
