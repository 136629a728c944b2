//! As many toggles at once as go together, found by halving those that do not.
//!
//! Rule: what is tried next follows from what was tried before, so the caller learns with each question which one is
//! likely to come after it, and may answer both at once.

use super::Toggle;

/// Toggles that were turned on at once.
#[derive(Debug)]
pub(crate) struct Together<Shown, Refusal> {
    /// Those that go together.
    pub(crate) toggles: Vec<Toggle>,
    /// What came of the last that were tried and go together; nothing where none does.
    pub(crate) shown: Option<Shown>,
    /// Those that are refused with the others on, and how.
    pub(crate) contradictions: Vec<(Toggle, Refusal)>,
    /// Those that are left after the most questions.
    pub(crate) not_tried: Vec<Toggle>,
}

/// Tries toggles together, `most` times at most. `ask` gets what to turn on, and what it is likely to be asked next.
///
/// # Errors
/// What `ask` fails with.
pub(crate) fn go_together<Shown, Refusal, Failure>(
    toggles: &[Toggle],
    most: usize,
    mut ask: impl FnMut(&[Toggle], Option<&[Toggle]>) -> Result<Result<Shown, Refusal>, Failure>,
) -> Result<Together<Shown, Refusal>, Failure> {
    let (mut kept, mut shown, mut contradictions) = (Vec::new(), None, Vec::new());
    let mut pending = vec![toggles.to_vec()];
    pending.retain(|part| !part.is_empty());
    for _ in 0..most {
        let Some(part) = pending.pop() else { break };
        let (left, right) = part.split_at(part.len() / 2);
        // Who is refused is the likelier case: all at once is tried first, and halves of what was refused.
        let likely = if left.is_empty() { pending.last().map(Vec::as_slice) } else { Some(left) };
        let likely = likely.map(|likely| [kept.as_slice(), likely].concat());
        let together = [kept.as_slice(), part.as_slice()].concat();
        match (ask(&together, likely.as_deref())?, part.as_slice()) {
            (Ok(answer), _) => (kept, shown) = (together, Some(answer)),
            (Err(refusal), [toggle]) => contradictions.push((toggle.clone(), refusal)),
            (Err(_), _) => pending.extend([right.to_vec(), left.to_vec()]),
        }
    }
    let not_tried = pending.into_iter().rev().flatten().collect();
    Ok(Together { toggles: kept, shown, contradictions, not_tried })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::convert::Infallible;

    use super::*;

    /// Asks for toggles of which some pairs exclude each other; returns the answer, what was asked, and how many
    /// questions were foretold.
    fn asked(names: &str, excluding: &[&str], most: usize) -> (Together<usize, String>, Vec<String>, usize) {
        let toggles: Vec<Toggle> = names.chars().map(|name| name.to_string().parse().unwrap()).collect();
        let text = |toggles: &[Toggle]| toggles.iter().map(ToString::to_string).collect::<String>();
        let (mut questions, mut foretold, mut known) = (Vec::new(), 0, HashSet::new());
        let answer = go_together(&toggles, most, |on, likely| {
            let on = text(on);
            foretold += usize::from(known.contains(&on));
            known.extend(likely.map(text));
            let clash = excluding.iter().find(|pair| pair.chars().all(|name| on.contains(name)));
            questions.push(on.clone());
            Ok::<_, Infallible>(match clash {
                Some(pair) => Err((*pair).to_owned()),
                None => Ok(on.len()),
            })
        });
        let Ok(together) = answer;
        (together, questions, foretold)
    }

    fn names(toggles: &[Toggle]) -> String {
        toggles.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_that_go_together_are_kept_and_the_others_are_named_with_the_cause() {
        for (toggles, excluding, kept, against) in [
            ("", vec![], "", vec![]),
            ("a", vec![], "a", vec![]),
            ("abcdefgh", vec![], "abcdefgh", vec![]),
            ("abcdefgh", vec!["ah"], "abcdefg", vec![("h", "ah")]),
            ("abcdefgh", vec!["ab", "bc", "gh"], "acdefg", vec![("b", "ab"), ("h", "gh")]),
            ("aa", vec!["a"], "", vec![("a", "a"), ("a", "a")]),
        ] {
            let (together, _, _) = asked(toggles, &excluding, usize::MAX);
            assert_eq!(names(&together.toggles), kept, "{toggles} {excluding:?}");
            let contradictions: Vec<_> = together
                .contradictions
                .iter()
                .map(|(toggle, refusal)| (toggle.to_string(), refusal.clone()))
                .collect();
            let against: Vec<_> =
                against.iter().map(|(name, pair)| (name.to_string(), pair.to_string())).collect();
            assert_eq!(contradictions, against, "{toggles} {excluding:?}");
            assert_eq!(together.shown, Some(kept.len()).filter(|kept| *kept > 0));
            assert!(together.not_tried.is_empty());
        }
    }

    #[test]
    fn what_the_questions_do_not_suffice_for_is_told() {
        let (together, questions, _) = asked("abcdefgh", &["ah", "bg"], 3);
        assert_eq!(questions, ["abcdefgh", "abcd", "abcdefgh"]);
        assert_eq!(
            (names(&together.toggles).as_str(), names(&together.not_tried).as_str()),
            ("abcd", "efgh")
        );
    }

    #[test]
    fn most_questions_after_a_refusal_are_foretold() {
        let (_, questions, foretold) = asked("abcdefghijklmnop", &["ab", "cd", "ef", "gh", "ip"], usize::MAX);
        assert!(foretold * 2 > questions.len(), "{foretold} of {questions:?}");
    }
}
