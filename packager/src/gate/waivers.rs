//! Waivers at work: each silences what it names, and one that silences nothing is itself found.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Check, Finding};
use crate::recipe::Waiver;

/// A finding that may pass, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Waived {
    /// The finding.
    #[serde(flatten)]
    pub(crate) finding: Finding,
    /// The reason in the recipe.
    pub(crate) reason: String,
}

/// Splits `found` into what stays refused, unused waivers included, and what is waived. Waivers of checks that were
/// `skipped` had nothing to silence.
pub(super) fn apply(
    waivers: &[Waiver],
    found: Vec<Finding>,
    skipped: &BTreeSet<Check>,
) -> (Vec<Finding>, Vec<Waived>) {
    let mut used = vec![false; waivers.len()];
    let (mut refused, mut waived) = (Vec::new(), Vec::new());
    for finding in found {
        let mut reason = None;
        for (waiver, used) in waivers.iter().zip(&mut used) {
            if covers(waiver, &finding) {
                *used = true;
                reason.get_or_insert_with(|| waiver.reason.clone());
            }
        }
        match reason {
            Some(reason) => waived.push(Waived { finding, reason }),
            None => refused.push(finding),
        }
    }
    let unused = waivers.iter().zip(used).filter(|(waiver, used)| !used && !skipped.contains(&waiver.check));
    refused.extend(unused.map(|(waiver, _)| unused_waiver(waiver)));
    (refused, waived)
}

fn unused_waiver(waiver: &Waiver) -> Finding {
    let subject = waiver.subject.clone().unwrap_or_default();
    let about = if subject.is_empty() { String::new() } else { format!(" of `{subject}`") };
    let cause = format!("the waiver `{}`{about} silences nothing", waiver.check);
    Finding::new(Check::UnusedWaiver, subject, cause)
        .at(crate::recipe::FILE_NAME, Some(waiver.at.line))
        .remedy("take it out, or correct its subject")
}

/// A subject covers itself and what goes on behind it at a border: a host its paths, a mapping its values.
fn covers(waiver: &Waiver, finding: &Finding) -> bool {
    let Some(subject) = &waiver.subject else { return waiver.check == finding.check };
    let rest = finding.subject.strip_prefix(subject.as_str());
    let is_border = |rest: &str| {
        let goes_on_by_dot = rest.starts_with('.') && !subject.contains("://");
        rest.is_empty()
            || rest.starts_with(['/', '[', ':', '@', '?'])
            || goes_on_by_dot
            || subject.ends_with('/')
    };
    waiver.check == finding.check && rest.is_some_and(is_border)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::Position;

    fn waiver(check: Check, subject: Option<&str>) -> Waiver {
        Waiver {
            check,
            subject: subject.map(str::to_owned),
            reason: "known".to_owned(),
            at: Position { line: 4, column: 3 },
        }
    }

    #[test]
    fn a_waiver_covers_its_subject_up_to_a_border() {
        let table = [
            (Some("https://a.io"), "https://a.io/x", true),
            (Some("https://a.io"), "https://a.io.evil.com", false),
            (Some("https://a.io/"), "https://a.io/x", true),
            (Some("https://a.io"), "https://a.iot", false),
            (Some("a.b"), "a.b[0].c", true),
            (Some("a.b"), "a.bc", false),
            (None, "anything", true),
        ];
        for (subject, about, expected) in table {
            let finding = Finding::new(Check::PublicUrl, about, "");
            assert_eq!(covers(&waiver(Check::PublicUrl, subject), &finding), expected, "{subject:?} {about}");
            assert!(!covers(&waiver(Check::Secret, subject), &finding));
        }
    }

    #[test]
    fn an_unused_waiver_is_found_unless_its_check_was_skipped() {
        let found = vec![Finding::new(Check::Secret, "a.password", ""), Finding::new(Check::Lint, "x", "")];
        let waivers = [waiver(Check::Secret, Some("a")), waiver(Check::PublicUrl, Some("https://gone"))];
        let (refused, waived) = apply(&waivers, found.clone(), &BTreeSet::new());
        assert_eq!(
            refused.iter().map(|one| one.check).collect::<Vec<_>>(),
            [Check::Lint, Check::UnusedWaiver]
        );
        assert_eq!((refused[1].line, waived[0].reason.as_str()), (Some(4), "known"));
        let (refused, _) = apply(&waivers, found, &BTreeSet::from([Check::PublicUrl]));
        assert_eq!(refused.len(), 1);
    }
}
