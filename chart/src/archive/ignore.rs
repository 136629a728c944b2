//! `.helmignore`: which files of a chart's folder stay out of its archive.
//!
//! Helm's `pkg/ignore`, not git's rules: no `**`, and a `!` rule ignores whatever it does not match.

mod glob;

pub use glob::MalformedPattern;
use glob::{check_pattern, matches};

/// The rules of one `.helmignore`, with Helm's built-in one at their end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
}

/// Why a line is not a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIgnoreRule {
    /// The line uses `**`.
    #[error(
        "line {line} of `.helmignore` uses `**`, which Helm does not support; write one rule for each level"
    )]
    DoubleStar {
        /// Counted from 1.
        line: usize,
    },
    /// The line is no pattern.
    #[error("line {line} of `.helmignore` is not a pattern: {reason}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: MalformedPattern,
    },
    /// The file is not UTF-8.
    #[error("`.helmignore` is not UTF-8")]
    NotText,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    pattern: String,
    scope: Scope,
    is_inverted: bool,
    is_for_directories: bool,
}

/// What a pattern is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The last part of the path.
    BaseName,
    /// The whole path below the chart's folder.
    Path,
}

impl IgnoreRules {
    /// Returns Helm's built-in rule alone: files in `templates/` whose name begins with a dot.
    pub fn built_in() -> Self {
        Self { rules: vec![Rule::of("templates/.?*")] }
    }

    /// Parses the bytes of a `.helmignore`; the built-in rule comes last.
    ///
    /// # Errors
    /// [`InvalidIgnoreRule`] naming the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidIgnoreRule> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = str::from_utf8(bytes).map_err(|_| InvalidIgnoreRule::NotText)?;
        let mut rules = Vec::new();
        for (number, line) in (1..).zip(text.split('\n')) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.contains("**") {
                return Err(InvalidIgnoreRule::DoubleStar { line: number });
            }
            check_pattern(line).map_err(|reason| InvalidIgnoreRule::Malformed { line: number, reason })?;
            rules.push(Rule::of(line));
        }
        rules.extend(Self::built_in().rules);
        Ok(Self { rules })
    }

    /// Returns whether the file or directory at `path`, relative to the chart's folder, stays out. Rules are asked
    /// in order, and the first that answers decides.
    pub fn ignores(&self, path: &str, is_directory: bool) -> bool {
        self.rules.iter().any(|rule| rule.ignores(path, is_directory))
    }
}

impl Rule {
    fn of(line: &str) -> Self {
        let (is_inverted, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (is_for_directories, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
        let scope = if line.contains('/') { Scope::Path } else { Scope::BaseName };
        let pattern = line.strip_prefix('/').unwrap_or(line).to_owned();
        Self { pattern, scope, is_inverted, is_for_directories }
    }

    fn ignores(&self, path: &str, is_directory: bool) -> bool {
        let is_wrong_kind = self.is_for_directories && !is_directory;
        if self.is_inverted {
            return is_wrong_kind || !self.matches(path);
        }
        !is_wrong_kind && self.matches(path)
    }

    fn matches(&self, path: &str) -> bool {
        let subject = match self.scope {
            Scope::BaseName => path.rsplit('/').next().unwrap_or(path),
            Scope::Path => path,
        };
        // A pattern can still be malformed once its leading `!` or `/` is gone; Helm then lets it match nothing.
        matches(&self.pattern, subject).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(rules: &str, path: &str, is_directory: bool) -> bool {
        IgnoreRules::parse(rules.as_bytes()).unwrap().ignores(path, is_directory)
    }

    #[test]
    fn files_are_ignored_as_helm_ignores_them() {
        for (rules, path, expected) in [
            ("", "README.md", false),
            ("README.md", "README.md", true),
            ("README.md", "docs/README.md", true),
            ("/README.md", "README.md", true),
            ("/README.md", "docs/README.md", false),
            ("//README.md", "README.md", false),
            ("docs/README.md", "docs/README.md", true),
            ("docs/README.md", "a/docs/README.md", false),
            ("docs/*.md", "docs/a.md", true),
            ("docs/*.md", "docs/deep/a.md", false),
            ("docs", "docs/a.md", false),
            ("docs/", "docs", false),
            ("*.t?t", "a.txt", true),
            ("*.t?t", "a.tt", false),
            ("[ab].txt", "b.txt", true),
            ("[^ab].txt", "b.txt", false),
            (".*", ".git", true),
            ("# README.md", "README.md", false),
            ("  README.md\t\r", "README.md", true),
            ("a\nb\nc", "b", true),
            ("\u{feff}a", "a", true),
            ("*.tgz", "charts/a-1.0.0.tgz", true),
            ("!README.md", "README.md", false),
            ("!README.md", "Chart.yaml", true),
            ("!*.yaml", "templates/a.yaml", false),
            ("README.md\n!*.md", "README.md", true),
            ("!docs/", "docs", true),
            ("", "templates/.hidden", true),
            ("", "templates/.x/y", false),
            ("", "templates/deep/.hidden", false),
            ("", "templates/.", false),
            ("", ".hidden", false),
            ("\\#a", "#a", true),
            ("/", "a", false),
        ] {
            assert_eq!(ignored(rules, path, false), expected, "{rules:?} on file {path}");
        }
    }

    #[test]
    fn directories_are_ignored_as_helm_ignores_them() {
        for (rules, path, expected) in [
            ("docs/", "docs", true),
            ("docs/", "a/docs", true),
            ("/docs/", "a/docs", false),
            ("a/docs/", "a/docs", true),
            ("docs", "docs", true),
            ("!docs/", "docs", false),
            ("!docs/", "other", true),
            (".git/", ".git", true),
        ] {
            assert_eq!(ignored(rules, path, true), expected, "{rules:?} on directory {path}");
        }
    }

    #[test]
    fn rules_helm_refuses_are_refused_with_their_line() {
        let parse = |text: &str| IgnoreRules::parse(text.as_bytes()).unwrap_err();
        assert_eq!(parse("a\n**/b"), InvalidIgnoreRule::DoubleStar { line: 2 });
        assert_eq!(parse("\n\n[a"), InvalidIgnoreRule::Malformed { line: 3, reason: MalformedPattern });
        assert_eq!(IgnoreRules::parse(b"\xff"), Err(InvalidIgnoreRule::NotText));
    }
}
