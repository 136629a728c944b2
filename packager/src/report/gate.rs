//! What `gate`, and the gate within `build`, say.

use std::io::{self, Write};

use crate::cli::Output;
use crate::gate::{Finding, Verdict, Waived};

/// Reports what the gate says about charts, then one line for each; `with_listed` also what refuses nothing.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_verdicts(
    out: &mut dyn Write,
    verdicts: &[Verdict],
    with_listed: bool,
    output: Output,
) -> io::Result<()> {
    match output {
        Output::Json => return writeln!(out, "{}", serde_json::to_string_pretty(verdicts)?),
        Output::Text => {}
    }
    for verdict in verdicts {
        write_findings(out, verdict, with_listed)?;
    }
    write_table(out, verdicts)
}

/// Says in one line that every chart passed.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_passed(out: &mut dyn Write, verdicts: &[Verdict]) -> io::Result<()> {
    let sum = |count: fn(&Verdict) -> usize| verdicts.iter().map(count).sum::<usize>();
    let (renderings, waived) = (sum(|verdict| verdict.renderings), sum(|verdict| verdict.waived.len()));
    writeln!(out, "gate: {} charts passed, {renderings} renderings, {waived} findings waived", verdicts.len())
}

fn write_findings(out: &mut dyn Write, verdict: &Verdict, with_listed: bool) -> io::Result<()> {
    let untried = &verdict.not_tried_together;
    let is_silent = verdict.is_passed() && verdict.waived.is_empty() && untried.is_empty() && !with_listed;
    if is_silent {
        return Ok(());
    }
    writeln!(out, "{} ({} {})", verdict.name, verdict.chart, verdict.version)?;
    for finding in &verdict.refused {
        write_finding(out, "refused", finding)?;
    }
    for Waived { finding, reason } in &verdict.waived {
        writeln!(out, "  waived   {:20} {}: {reason}", finding.check, finding.subject)?;
    }
    if !untried.is_empty() {
        let (count, names) = (untried.len(), untried.join(", "));
        writeln!(out, "  not tried together with the other toggles, only alone ({count}): {names}")?;
    }
    if with_listed {
        for finding in &verdict.listed {
            write_finding(out, "listed", finding)?;
        }
        for fetch in &verdict.fetches {
            writeln!(out, "  known    {}; {} ({})", fetch.what, fetch.remedy, fetch.source)?;
        }
    }
    Ok(())
}

fn write_finding(out: &mut dyn Write, verb: &str, finding: &Finding) -> io::Result<()> {
    let Finding { check, subject, file, line, view, cause, remedy } = finding;
    writeln!(out, "  {verb:8} {check:20} {subject}")?;
    let line = line.map(|line| format!(" line {line}")).unwrap_or_default();
    let place = if file.is_empty() { String::new() } else { format!("{file}{line}: ") };
    writeln!(out, "           {place}{cause}")?;
    if let Some(view) = view {
        writeln!(out, "           seen with {view}")?;
    }
    if !remedy.is_empty() {
        writeln!(out, "           {remedy}")?;
    }
    Ok(())
}

fn write_table(out: &mut dyn Write, verdicts: &[Verdict]) -> io::Result<()> {
    let width = verdicts.iter().map(|verdict| verdict.name.chars().count()).max().unwrap_or_default().max(5);
    writeln!(out, "{:width$}  verdict  refused  waived  listed  toggles  renderings", "chart")?;
    for verdict in verdicts {
        let word = if verdict.is_passed() { "passed" } else { "refused" };
        let Verdict { name, refused, waived, listed, toggles, renderings, .. } = verdict;
        let (refused, waived, listed) = (refused.len(), waived.len(), listed.len());
        writeln!(
            out,
            "{name:width$}  {word:7}  {refused:7}  {waived:6}  {listed:6}  {toggles:7}  {renderings:10}"
        )?;
    }
    let skipped = verdicts.first().map(|verdict| verdict.skipped.as_slice()).unwrap_or_default();
    if !skipped.is_empty() {
        let names: Vec<_> = skipped.iter().map(ToString::to_string).collect();
        writeln!(out, "not checked: {}", names.join(", "))?;
    }
    Ok(())
}
