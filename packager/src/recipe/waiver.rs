//! Waivers: what the gate lets pass, and why. A waiver without a reason is refused.

use crate::located::{Located, LocatedProblem, Problem};

/// One thing that the gate lets pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiver {
    /// The name of the gate's check.
    pub(crate) check: String,
    /// What it is about: a URL, a file, a value's path; all of the check's findings when absent.
    pub(crate) subject: Option<String>,
    /// Why it may pass.
    pub(crate) reason: String,
}

/// Reads the list `waivers`.
///
/// # Errors
/// [`LocatedProblem`] with the line and column.
pub(super) fn read(value: Located<'_>) -> Result<Vec<Waiver>, LocatedProblem> {
    value.items("waivers")?.into_iter().map(read_one).collect()
}

fn read_one(value: Located<'_>) -> Result<Waiver, LocatedProblem> {
    let (mut check, mut subject, mut reason) = (None, None, None);
    for field in value.known_entries("waivers", &["check", "subject", "reason"])? {
        let text = Some(field.value.text(field.key)?.to_owned());
        match field.key {
            "check" => check = text,
            "subject" => subject = text,
            _ => reason = text,
        }
    }
    let missing = |key, remedy| value.refuse(Problem::Missing { key, remedy });
    Ok(Waiver {
        check: check.ok_or_else(|| missing("check", "name the check that is waived"))?,
        subject,
        reason: reason
            .filter(|reason| !reason.trim().is_empty())
            .ok_or_else(|| missing("reason", "say why this may pass"))?,
    })
}
