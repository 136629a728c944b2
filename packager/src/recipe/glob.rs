//! Patterns of files in a chart: `*` and `?` within one folder, `**` over folders.
//!
//! A pattern without a slash at its end names files; one with a slash names everything in the folder.

use std::fmt;

/// A pattern of paths below the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    text: String,
    segments: Vec<String>,
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || text.starts_with('/') || text.contains('\\') {
            return Err("write a pattern relative to the chart, with slashes, as in `templates/tests/**`");
        }
        let mut segments: Vec<String> = text.split('/').map(str::to_owned).collect();
        if segments.last().is_some_and(String::is_empty) {
            segments.pop();
            segments.push("**".to_owned());
        }
        if segments.iter().any(|segment| segment.is_empty() || segment == "." || segment == "..") {
            return Err("write a pattern without empty parts, `.` and `..`");
        }
        if segments.iter().any(|segment| segment.contains("**") && segment != "**") {
            return Err("let `**` stand alone between slashes");
        }
        Ok(Self { text: text.to_owned(), segments })
    }

    /// Returns whether the file at `path` is named.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let segments: Vec<&str> = path.split('/').collect();
        let pattern: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        matches_parts(
            &pattern,
            &segments,
            &|pattern, segment| {
                let (pattern, segment): (Vec<char>, Vec<char>) =
                    (pattern.chars().collect(), segment.chars().collect());
                matches_parts(&pattern, &segment, &|one, other| one == '?' || one == other, '*')
            },
            "**",
        )
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Matches parts against a pattern in which `any` stands for any number of parts. Goes back to the last `any` only, so
/// that no pattern costs more than length times length.
fn matches_parts<T: Copy + PartialEq>(
    pattern: &[T],
    parts: &[T],
    equal: &dyn Fn(T, T) -> bool,
    any: T,
) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(part) = parts.get(from) {
        match pattern.get(at) {
            Some(one) if *one == any => {
                retry = Some((at + 1, from));
                at += 1;
            }
            Some(one) if equal(*one, *part) => {
                at += 1;
                from += 1;
            }
            Some(_) | None => {
                let Some((after, taken)) = retry else { return false };
                retry = Some((after, taken + 1));
                at = after;
                from = taken + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|one| *one == any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_files_and_folders() {
        let table = [
            ("README.md", "README.md", true),
            ("README.md", "charts/a/README.md", false),
            ("**/README.md", "charts/a/README.md", true),
            ("**/README.md", "README.md", true),
            ("templates/tests/", "templates/tests/a/b.yaml", true),
            ("templates/tests/**", "templates/tests/b.yaml", true),
            ("templates/tests/**", "templates/b.yaml", false),
            ("templates/*.yaml", "templates/b.yaml", true),
            ("templates/*.yaml", "templates/tests/b.yaml", false),
            ("ci/?-*.yaml", "ci/1-values.yaml", true),
            ("a/**/b/*c", "a/x/b/y/b/zcc", true),
            ("*", "한글.txt", true),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(Glob::parse(pattern).unwrap().matches(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn patterns_that_leave_the_chart_are_refused() {
        for pattern in ["", "/a", "../a", "a//b", "a/**b", "."] {
            assert!(Glob::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_hostile_pattern_costs_no_more_than_a_plain_one() {
        let pattern = "*a".repeat(200) + "b";
        assert!(!Glob::parse(&pattern).unwrap().matches(&"a".repeat(5000)));
    }
}
