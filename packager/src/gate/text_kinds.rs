//! Tells what kind of text stands in a configuration, where that decides how its addresses are read.

use chart::yaml::Value;

/// Returns whether a value is a dashboard of Grafana: the addresses in it are links in panels.
pub(super) fn is_dashboard(value: &Value) -> bool {
    let has = |key| value.get(key).is_some();
    has("panels") && (has("schemaVersion") || has("templating") || has("uid"))
        || (has("rows") && has("schemaVersion"))
}

/// Returns whether a text has sections in brackets with `key = value` below: a YAML reader would take the first header
/// for a list and stop there.
pub(super) fn is_ini(text: &str) -> bool {
    let is_header = |line: &str| line.starts_with('[') && line.trim_end().ends_with(']');
    let lines =
        || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    lines().next().is_some_and(is_header) && lines().any(|line| !is_header(line) && line.contains('='))
}

/// Returns whether a text has a shell's first line or words.
pub(super) fn is_script(text: &str) -> bool {
    let is_shell_line = |line: &str| {
        let line = line.trim();
        line.starts_with("#!") || line.starts_with("set -") || matches!(line, "fi" | "done" | "esac")
    };
    text.lines().any(is_shell_line)
}

/// Returns the value of a shell's assignment, `NAME=value` or `export NAME=value`.
pub(super) fn assigned(line: &str) -> Option<&str> {
    let line = line.trim();
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!name.is_empty() && name.bytes().all(is_part)).then_some(value)
}

/// Returns the first lines of a list in one, and how many more there are.
pub(super) fn first_lines(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let count = lines.len();
    lines.truncate(3);
    let more = if count > lines.len() { format!(" and {} more", count - lines.len()) } else { String::new() };
    lines.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_lines() {
        let table = [
            ("[a]\nb = 1\n", true, false),
            ("; c\n[a.b]\nc=1", true, false),
            ("[a, b]\n", false, false),
            ("#!/bin/sh\ncurl x\n", false, true),
            ("if x; then\n  y\nfi\n", false, true),
            ("server {\n  listen 80;\n}\n", false, false),
            ("a: b\n", false, false),
        ];
        for (text, ini, script) in table {
            assert_eq!((is_ini(text), is_script(text)), (ini, script), "{text}");
        }
        assert_eq!(assigned("  export A_1='x=y'"), Some("'x=y'"));
        assert_eq!(assigned("echo a=b"), None);
        assert_eq!(first_lines("a\n\nb\nc\nd\n"), "a, b, c and 1 more");
    }
}
