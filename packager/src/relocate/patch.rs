//! The shortest patch that moves what no value moves: the line of a template that holds the name.

use std::collections::BTreeSet;

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use super::Site;
use super::candidate::split_version;
use super::references::{Reference, Slot};
use crate::images::ImageName;
use crate::render::StagedChart;

/// A change of a template that is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ProposedPatch {
    /// The file.
    pub(crate) template: String,
    /// The first line that changes, from 1.
    pub(crate) line: usize,
    /// The unified diff, as a recipe takes it under `patches`.
    pub(crate) diff: String,
}

/// Returns patches that may move the reference at a place, the likeliest first; whether they do, a rendering shows.
pub(super) fn propose_patches(
    chart: &StagedChart,
    (template, _, place): &Slot,
    reference: &Reference,
    site: &Site,
) -> Vec<ProposedPatch> {
    let (name, _) = split_version(&reference.written);
    let bare = ImageName { tag: None, digest: None, ..site.name_of(&reference.image) }.to_string();
    let others =
        chart.files().iter().map(|file| file.path.as_str()).filter(|path| path.contains("templates/"));
    let by_name = std::iter::once(template.as_str()).chain(others.filter(|path| path != template));
    let by_name = by_name.filter_map(|path| {
        let before = chart.text(path)?;
        patch_of(path, before, &replaced(before, name, &bare)?)
    });
    let composed = || {
        let before = chart.text(template)?;
        let prefix = bare.strip_suffix(name)?;
        patch_of(template, before, &prefixed(before, last_key(place), prefix)?)
    };
    by_name.chain(composed()).collect()
}

fn patch_of(path: &str, before: &str, after: &str) -> Option<ProposedPatch> {
    let diff = TextDiff::from_lines(before, after);
    let first = diff.iter_all_changes().find(|change| change.tag() == ChangeTag::Delete)?;
    let text =
        diff.unified_diff().context_radius(1).header(&format!("a/{path}"), &format!("b/{path}")).to_string();
    Some(ProposedPatch { template: path.to_owned(), line: first.old_index()? + 1, diff: text })
}

fn last_key(place: &str) -> &str {
    place.rsplit(['.', ' ']).next().unwrap_or(place)
}

/// Puts a prefix before the expression of the only line that sets `key` to an image.
fn prefixed(text: &str, key: &str, prefix: &str) -> Option<String> {
    let at_value = |line: &str| {
        let (before, value) = line.split_once(&format!("{key}:"))?;
        let is_key = before.trim().is_empty() || before.trim() == "-";
        let blank = value.len() - value.trim_start_matches([' ', '"', '\'']).len();
        let is_image = line.to_lowercase().contains("image") && value.contains("{{");
        (is_key && is_image).then_some(before.len() + key.len() + 1 + blank)
    };
    let mut found = text.lines().enumerate().filter_map(|(number, line)| Some((number, at_value(line)?)));
    let (number, at) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let lines =
        text.split_inclusive('\n').enumerate().map(|(current, line)| match line.split_at_checked(at) {
            Some((before, after)) if current == number => format!("{before}{prefix}{after}"),
            Some(_) | None => line.to_owned(),
        });
    Some(lines.collect())
}

/// Replaces a name wherever it stands alone: neither part of a longer path nor of a longer word.
pub(super) fn replaced(text: &str, name: &str, by: &str) -> Option<String> {
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '/' | '-' | '_' | '.');
    let mut out = String::new();
    let mut rest = text;
    let mut is_changed = false;
    while let Some((before, after)) = rest.split_once(name) {
        out.push_str(before);
        let stands_alone = !out.ends_with(is_part) && !after.starts_with(is_part);
        // A bare word such as `busybox` is an image only where a tag or the key says so.
        let is_image = name.contains('/') || after.starts_with(':') || out.trim_end().ends_with("image:");
        let is_moved = stands_alone && is_image;
        out.push_str(if is_moved { by } else { name });
        is_changed |= is_moved;
        rest = after;
    }
    out.push_str(rest);
    is_changed.then_some(out)
}

/// Returns templates as one line.
pub(super) fn in_one_line(templates: &BTreeSet<String>) -> String {
    templates.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_goes_before_the_only_expression_of_an_image() {
        let table = [
            (
                "  - name: a\n    image: \"{{ .Values.x }}\"\n",
                "image",
                Some("  - name: a\n    image: \"P/{{ .Values.x }}\"\n"),
            ),
            ("- image: {{ .a }}\n- image: {{ .b }}\n", "image", None),
            (
                "  value: {{ .Values.image }}\n  value: {{ .port }}\n",
                "value",
                Some("  value: P/{{ .Values.image }}\n  value: {{ .port }}\n"),
            ),
        ];
        for (text, key, expected) in table {
            assert_eq!(prefixed(text, key, "P/").as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_name_is_replaced_only_where_it_stands_alone() {
        let table = [
            ("image: busybox\n", "busybox", Some("image: NEW\n")),
            ("image: \"busybox:latest\"\n", "busybox", Some("image: \"NEW:latest\"\n")),
            ("name: busybox\nimage: x/busybox:1\n", "busybox", None),
            ("- gcr.io/a/b\n- gcr.io/a/bc\n", "gcr.io/a/b", Some("- NEW\n- gcr.io/a/bc\n")),
        ];
        for (text, name, expected) in table {
            assert_eq!(replaced(text, name, "NEW").as_deref(), expected, "{text}");
        }
    }
}
