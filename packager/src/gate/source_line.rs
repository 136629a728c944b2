//! Finds the line that people wrote for what a rendering shows: in the template, else in the values.

use chart::archive::ArchiveFile;

use crate::render::StagedChart;

/// The place of a finding in the chart's own files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceLine {
    /// The file below the chart.
    pub(super) file: String,
    /// The line, from 1; none when the text stands nowhere as it is.
    pub(super) line: Option<usize>,
}

/// Returns where `text`, seen in what `template` made, is written: in the template, else in the values of the chart it
/// belongs to or of one around it. Without any such line the template itself is the place.
pub(super) fn source_line(chart: &StagedChart, template: &str, text: &str) -> SourceLine {
    let file_of = |path: &str| chart.files().iter().find(|file| file.path == path);
    let in_template = file_of(template).and_then(|file| line_of(file, text));
    if in_template.is_some() {
        return SourceLine { file: template.to_owned(), line: in_template };
    }
    let mut root = template.split_once("templates/").map_or("", |(root, _)| root);
    loop {
        let values = format!("{root}values.yaml");
        if let Some(line) = file_of(&values).and_then(|file| line_of(file, text)) {
            return SourceLine { file: values, line: Some(line) };
        }
        match root.trim_end_matches('/').rsplit_once("charts/") {
            Some((above, _)) => root = above,
            None => return SourceLine { file: template.to_owned(), line: None },
        }
    }
}

/// Returns the first line of a file that has `text` outside of a comment.
fn line_of(file: &ArchiveFile, text: &str) -> Option<usize> {
    let contents = str::from_utf8(&file.bytes).ok()?;
    let mut lines = contents.lines().enumerate();
    lines.find(|(_, line)| line.contains(text) && !line.trim_start().starts_with('#')).map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_comes_first_then_the_nearest_values() {
        let file =
            |path: &str, text: &str| ArchiveFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
        let chart = StagedChart::new(vec![
            file("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n"),
            file("values.yaml", "# https://x.io/1\nb: {u: https://x.io/1}\n"),
            file("templates/a.yaml", "k: 1\nu: https://x.io/2\n"),
            file("charts/b/Chart.yaml", "apiVersion: v2\nname: b\nversion: 1.0.0\n"),
            file("charts/b/values.yaml", "u: https://x.io/3\n"),
            file("charts/b/templates/b.yaml", "u: {{ .Values.u }}\n"),
        ])
        .unwrap();
        let table = [
            ("templates/a.yaml", "https://x.io/2", "templates/a.yaml", Some(2)),
            ("charts/b/templates/b.yaml", "https://x.io/3", "charts/b/values.yaml", Some(1)),
            ("charts/b/templates/b.yaml", "https://x.io/1", "values.yaml", Some(2)),
            ("charts/b/templates/b.yaml", "nowhere", "charts/b/templates/b.yaml", None),
        ];
        for (template, text, file, line) in table {
            assert_eq!(source_line(&chart, template, text), SourceLine { file: file.to_owned(), line });
        }
    }
}
