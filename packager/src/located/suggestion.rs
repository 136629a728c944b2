//! Suggests the word that someone probably meant.

/// Returns the one of `known` that is nearest to `word`, when it is near enough to be meant.
pub(crate) fn nearest<'word>(word: &str, known: &[&'word str]) -> Option<&'word str> {
    let distances =
        known.iter().map(|candidate| (distance(&word.to_lowercase(), &candidate.to_lowercase()), *candidate));
    let (changes, candidate) = distances.min_by_key(|(changes, _)| *changes)?;
    (changes <= candidate.len().max(3) / 3).then_some(candidate)
}

/// Counts the characters to add, drop or change between two words (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut next = vec![index + 1];
        for (to, (above_left, above)) in right.iter().zip(row.iter().zip(row.iter().skip(1))) {
            let left_of = next.last().copied().unwrap_or_default();
            next.push((above_left + usize::from(from != *to)).min(above + 1).min(left_of + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let known = ["chart", "metadata", "values", "keywordsFirst"];
        let table = [
            ("metdata", Some("metadata")),
            ("Value", Some("values")),
            ("keywords_first", Some("keywordsFirst")),
            ("keywordFirst", Some("keywordsFirst")),
            ("patches", None),
            ("", None),
        ];
        for (word, expected) in table {
            assert_eq!(nearest(word, &known), expected, "{word}");
        }
    }

    #[test]
    fn distance_counts_single_changes() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
