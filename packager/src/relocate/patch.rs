//! The shortest patch that moves what no value moves: the line of a template that holds the name.

use std::collections::BTreeSet;

use similar::TextDiff;

use super::Target;
use super::candidate::split_version;
use super::references::Reference;
use crate::images::ImageName;
use crate::render::StagedChart;

/// Returns a unified diff that moves a reference; nothing when no template holds its name as one text.
pub(super) fn propose_patch(
    chart: &StagedChart,
    template: &str,
    reference: &Reference,
    target: &Target,
) -> Option<String> {
    let (name, _) = split_version(&reference.written);
    let bare = ImageName { tag: None, digest: None, ..target.of(&reference.image) };
    let others = chart.files().iter().map(|file| file.path.as_str()).filter(|path| path.contains("templates/"));
    std::iter::once(template).chain(others).find_map(|path| {
        let before = chart.text(path)?;
        let after = replaced(before, name, &bare.to_string())?;
        let diff = TextDiff::from_lines(before, after.as_str());
        Some(diff.unified_diff().context_radius(1).header(&format!("a/{path}"), &format!("b/{path}")).to_string())
    })
}

/// Replaces a name wherever it stands alone: neither part of a longer path nor of a longer word.
fn replaced(text: &str, name: &str, by: &str) -> Option<String> {
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

/// Joins templates for one line.
pub(super) fn render_lines(templates: &BTreeSet<String>) -> String {
    templates.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

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
