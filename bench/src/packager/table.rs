//! The packager's report: what ran where, a row for each chart, what no value moves.

use std::fmt::Write;

use anyhow::Result;

use super::row::{BAR_AGAIN, Left, Row, Way};
use super::site::Packager;
use crate::machine::{commit, cpu, date, load, said};

const METHOD: &str = "\
Each chart is delivered: `chartpack lock` (the images of what the recipe uses are found and moved), then `chartpack build` (the gate \
renders every toggle, and the chart at Kubernetes 1.24 and 1.31). Beside that `chartpack relocate` takes upstream's own chart with every \
toggle: images are searched, references moved, every view is rendered again and compared. Seconds are those on the clock, first with an \
empty cache and then again; `processors` is what all cores worked the first time, in all three. The bars are for a delivery, and again \
for the look at every toggle.

`listed` counts the images that people read out of upstream's sources before anything looked for them (`tests/expected-images`), `found` \
those of the packager in every view. References are counted over all views; foreign ones are those that no value moves, without those of \
`helm test`.";

/// Returns what stands before the table.
///
/// # Errors
/// When the machine or a program does not say what it is.
pub(super) fn head(packager: &Packager) -> Result<String> {
    let facts = [
        ("date", date()?),
        ("cores", cpu()?),
        ("load before (1, 5, 15 minutes)", load()?),
        ("chartpack", format!("{}, {}", said(&packager.program, &["--version"])?, commit()?)),
        ("helm", said(&packager.helm, &["version", "--short"])?),
    ];
    let mut text =
        "# The packager over community charts\n\nWritten by `cargo run --release -p bench -- packager`.\n\n\
                    | fact | value |\n|---|---|\n"
            .to_owned();
    for (fact, value) in facts {
        let _ = writeln!(text, "| {fact} | {value} |");
    }
    let _ = writeln!(text, "\n{METHOD}\n");
    Ok(text)
}

/// Returns the table, with what is missed and left named below it.
pub(super) fn to_markdown(rows: &[Row]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "| chart | listed | missed | found | toggles | views | references | edits | foreign, keep-host | foreign, strip-host \
         | else changed | lock | build | every toggle | processors | delivered again | every toggle again | bar |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|"
    );
    for row in rows {
        let Row { chart, listed, missed, found, toggles, kept, stripped, first, again } = row;
        let Way { lock, build, relocate } = first;
        let _ = writeln!(
            text,
            "| {chart} | {} | {} | {found} | {toggles} | {} | {} | {} | {} | {} | {} | {:.1} s | {:.1} s | {:.1} s | {:.1} s \
             | {:.1} s | {:.1} s | {} |",
            listed.map_or("–".to_owned(), |listed| listed.to_string()),
            missed.len(),
            kept.views.len(),
            kept.references(),
            kept.edits.len(),
            kept.foreign(),
            stripped.foreign(),
            kept.broken.len() + stripped.broken.len(),
            lock.seconds,
            build.seconds,
            relocate.seconds,
            first.processor_seconds(),
            again.delivery(),
            again.relocate.seconds,
            verdict(row),
        );
    }
    text.push_str(&sums(rows));
    text
}

fn verdict(row: &Row) -> String {
    let word = if row.is_met() { "met" } else { "**missed**" };
    format!("{word} ({:.0} s, {BAR_AGAIN:.0} s)", row.bar())
}

fn sums(rows: &[Row]) -> String {
    let listed: usize = rows.iter().filter_map(|row| row.listed).sum();
    let missed: usize = rows.iter().map(|row| row.missed.len()).sum();
    let met = rows.iter().filter(|row| row.is_met()).count();
    let mut text = format!(
        "\n{} of {listed} listed images are found; the bar of time is met by {met} of {} charts.\n",
        listed - missed,
        rows.len()
    );
    for (chart, image) in rows.iter().flat_map(|row| row.missed.iter().map(move |image| (&row.chart, image)))
    {
        let _ = writeln!(text, "\n- missed in {chart}: `{image}`");
    }
    text.push_str("\nWhat no value moves; the proof of each names template, line and patch:\n\n");
    let left = rows.iter().flat_map(|row| row.kept.left.iter().map(move |left| (&row.chart, left)));
    for (chart, Left { image, only_tests }) in left {
        let note = if *only_tests { " (only `helm test`)" } else { "" };
        let _ = writeln!(text, "- {chart}: `{image}`{note}");
    }
    text
}
