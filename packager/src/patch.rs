//! Unified diffs, applied to a chart's files. A hunk that does not fit is refused; one that fits elsewhere or loosely is
//! told, never silent.

mod fit;

use chart::archive::{ArchiveFile, path_below_base};
use diffy::patch_set::{FileOperation, ParseOptions, PatchKind, PatchSet, PatchSetParseError};

pub(crate) use self::fit::Drift;
use self::fit::{apply_hunk, is_there_already};

/// A hunk that was applied, but not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DriftedHunk {
    /// The file below the chart.
    pub(crate) file: String,
    /// Which of the file's hunks, from 1.
    pub(crate) hunk: usize,
    /// How it drifted.
    pub(crate) drift: Drift,
}

/// Why a patch does not apply.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PatchRefusal {
    /// The file is no unified diff.
    #[error("it is no unified diff: {0}; make it with `diff -u` or `git diff`")]
    NotADiff(#[from] PatchSetParseError),
    /// The bytes are not UTF-8.
    #[error("it is not UTF-8: save it as UTF-8")]
    NotText,
    /// Its file is not in the chart.
    #[error("it changes `{0}`, which the chart does not have: take that part out, or correct the path")]
    NoFile(String),
    /// Its new file is there already.
    #[error("it makes `{0}`, which the chart has already: change the file, or put it into the overlay")]
    FileExists(String),
    /// The file to change is not UTF-8.
    #[error("it changes `{0}`, which is not UTF-8: replace the file by the overlay")]
    FileNotText(String),
    /// A binary change, or one that only renames.
    #[error("it holds a change of `{0}` that is no text: put the file into the overlay")]
    NotTextual(String),
    /// A path that leaves the chart.
    #[error("it changes `{0}`, which is no path inside the chart")]
    OutsideChart(String),
    /// A hunk does not fit.
    #[error(
        "hunk {hunk} (line {line}) does not fit `{file}`: the line `{expected}` and those around it are not there any more; make the patch anew"
    )]
    DoesNotFit {
        /// The file below the chart.
        file: String,
        /// Which of the file's hunks, from 1.
        hunk: usize,
        /// The line at which it was made.
        line: usize,
        /// The first line that it removes, else its first line.
        expected: String,
    },
    /// A file that was to go still has contents.
    #[error(
        "it deletes `{0}`, which has other contents than the patch knows: make the patch anew, or use `exclude`"
    )]
    NotDeleted(String),
}

/// A hunk, or all that a patch does to one file, that does not fit.
#[derive(Debug)]
pub(crate) struct DeadHunk {
    /// The hunk as the patch has it; empty when the file as a whole is refused.
    pub(crate) text: String,
    /// Whether the file has already what the hunk would make of it.
    pub(crate) is_there_already: bool,
    /// Why it does not fit.
    pub(crate) refusal: PatchRefusal,
}

/// What became of the hunks of a patch; those that fit as they were written are not told.
#[derive(Debug, Default)]
pub(crate) struct Fitted {
    /// Those that were applied elsewhere or loosely.
    pub(crate) drifted: Vec<DriftedHunk>,
    /// Those that were not applied.
    pub(crate) dead: Vec<DeadHunk>,
}

/// Applies the diff `patch` to `files` and returns the hunks that drifted.
///
/// # Errors
/// [`PatchRefusal`] of the first hunk that does not fit; what fits is changed then.
pub(crate) fn apply(patch: &[u8], files: &mut Vec<ArchiveFile>) -> Result<Vec<DriftedHunk>, PatchRefusal> {
    let Fitted { drifted, dead } = apply_what_fits(patch, files)?;
    match dead.into_iter().next() {
        Some(DeadHunk { refusal, .. }) => Err(refusal),
        None => Ok(drifted),
    }
}

/// Applies each hunk of the diff `patch` that fits `files`, and says what became of the others.
///
/// # Errors
/// [`PatchRefusal::NotADiff`] or [`PatchRefusal::NotText`]; files before the malformed part are changed then.
pub(crate) fn apply_what_fits(patch: &[u8], files: &mut Vec<ArchiveFile>) -> Result<Fitted, PatchRefusal> {
    let text = str::from_utf8(patch).map_err(|_| PatchRefusal::NotText)?;
    let is_git = text.lines().any(|line| line.starts_with("diff --git "));
    let options = if is_git { ParseOptions::gitdiff() } else { ParseOptions::unidiff() };
    let mut fitted = Fitted::default();
    for one in PatchSet::parse(text, options) {
        let one = one?;
        let refused = match one.patch() {
            PatchKind::Text(text) => change(one.operation(), text.hunks(), files, &mut fitted),
            PatchKind::Binary(_) => Err(PatchRefusal::NotTextual(shown_path(one.operation()))),
        };
        if let Err(refusal) = refused {
            fitted.dead.push(DeadHunk { text: String::new(), is_there_already: false, refusal });
        }
    }
    Ok(fitted)
}

type Hunks<'patch> = [diffy::Hunk<'patch, str>];

/// Makes what a patch does to one file.
fn change(
    operation: &FileOperation<'_, str>,
    hunks: &Hunks<'_>,
    files: &mut Vec<ArchiveFile>,
    fitted: &mut Fitted,
) -> Result<(), PatchRefusal> {
    match operation {
        FileOperation::Create(path) => create(below_chart(path)?, hunks, files, fitted),
        FileOperation::Delete(path) => delete(&below_chart(path)?, hunks, files),
        FileOperation::Modify { modified, .. } => modify(&below_chart(modified)?, hunks, files, fitted),
        FileOperation::Rename { from, to } | FileOperation::Copy { from, to } => {
            let (from, to) = (below_chart(from)?, below_chart(to)?);
            let original = position(files, &from)?;
            if from != to {
                refuse_existing(files, &to)?;
                let bytes = files.get(original).map(|file| file.bytes.clone()).unwrap_or_default();
                if matches!(operation, FileOperation::Rename { .. }) {
                    files.remove(original);
                }
                files.push(ArchiveFile { path: to.clone(), bytes });
            }
            modify(&to, hunks, files, fitted)
        }
    }
}

fn create(
    path: String,
    hunks: &Hunks<'_>,
    files: &mut Vec<ArchiveFile>,
    fitted: &mut Fitted,
) -> Result<(), PatchRefusal> {
    refuse_existing(files, &path)?;
    let text = apply_all(&path, "", hunks, fitted);
    files.push(ArchiveFile { path, bytes: text.into_bytes() });
    Ok(())
}

fn delete(path: &str, hunks: &Hunks<'_>, files: &mut Vec<ArchiveFile>) -> Result<(), PatchRefusal> {
    let at = position(files, path)?;
    let text = text_of(files, at, path)?;
    let mut fitted = Fitted::default();
    let left = apply_all(path, text, hunks, &mut fitted);
    if let Some(DeadHunk { refusal, .. }) = fitted.dead.into_iter().next() {
        return Err(refusal);
    }
    if !left.is_empty() || !fitted.drifted.is_empty() {
        return Err(PatchRefusal::NotDeleted(path.to_owned()));
    }
    files.remove(at);
    Ok(())
}

fn modify(
    path: &str,
    hunks: &Hunks<'_>,
    files: &mut [ArchiveFile],
    fitted: &mut Fitted,
) -> Result<(), PatchRefusal> {
    let at = position(files, path)?;
    let text = apply_all(path, text_of(files, at, path)?, hunks, fitted);
    if let Some(file) = files.get_mut(at) {
        file.bytes = text.into_bytes();
    }
    Ok(())
}

/// Returns `text` with the hunks that fit.
fn apply_all(path: &str, text: &str, hunks: &Hunks<'_>, fitted: &mut Fitted) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    // Lines before this one were made or passed by earlier hunks; the shift is what those added.
    let (mut floor, mut shift) = (0, 0);
    for (number, hunk) in (1..).zip(hunks) {
        let Some(applied) = apply_hunk(&lines, hunk, floor, shift) else {
            let is_there_already = is_there_already(&lines, hunk, floor);
            let refusal = does_not_fit(path, number, hunk);
            fitted.dead.push(DeadHunk { text: shown(hunk), is_there_already, refusal });
            continue;
        };
        if let Some(drift) = applied.drift {
            fitted.drifted.push(DriftedHunk { file: path.to_owned(), hunk: number, drift });
        }
        (lines, floor, shift) = (applied.lines, applied.floor, applied.shift);
    }
    lines.concat()
}

/// Returns the hunk as a unified diff has it.
fn shown(hunk: &diffy::Hunk<'_, str>) -> String {
    use diffy::Line;
    let (old, new) = (hunk.old_range(), hunk.new_range());
    let mut text = format!("@@ -{},{} +{},{} @@\n", old.start(), old.len(), new.start(), new.len());
    for line in hunk.lines() {
        let (mark, line) = match line {
            Line::Context(line) => (' ', line),
            Line::Delete(line) => ('-', line),
            Line::Insert(line) => ('+', line),
        };
        text.push(mark);
        text.push_str(line.trim_end_matches('\n'));
        text.push('\n');
    }
    text
}

fn does_not_fit(path: &str, number: usize, hunk: &diffy::Hunk<'_, str>) -> PatchRefusal {
    use diffy::Line;
    let removed = hunk.lines().iter().find_map(|line| match line {
        Line::Delete(text) => Some(*text),
        Line::Context(_) | Line::Insert(_) => None,
    });
    let first = hunk.lines().iter().find_map(|line| match line {
        Line::Context(text) => Some(*text),
        Line::Delete(_) | Line::Insert(_) => None,
    });
    let expected = removed.or(first).unwrap_or_default().trim_end().to_owned();
    PatchRefusal::DoesNotFit { file: path.to_owned(), hunk: number, line: hunk.old_range().start(), expected }
}

/// Returns a diff's path below the chart: `a/` and `b/` in front are the diff's own.
fn below_chart(path: &str) -> Result<String, PatchRefusal> {
    let below = path.strip_prefix("a/").or_else(|| path.strip_prefix("b/")).unwrap_or(path);
    match path_below_base(&format!("chart/{below}")) {
        Ok(clean) if clean == below => Ok(clean),
        Ok(_) | Err(_) => Err(PatchRefusal::OutsideChart(path.to_owned())),
    }
}

fn shown_path(operation: &FileOperation<'_, str>) -> String {
    match operation {
        FileOperation::Create(path) | FileOperation::Delete(path) => path.to_string(),
        FileOperation::Modify { modified, .. } => modified.to_string(),
        FileOperation::Rename { to, .. } | FileOperation::Copy { to, .. } => to.to_string(),
    }
}

fn position(files: &[ArchiveFile], path: &str) -> Result<usize, PatchRefusal> {
    files.iter().position(|file| file.path == path).ok_or_else(|| PatchRefusal::NoFile(path.to_owned()))
}

fn refuse_existing(files: &[ArchiveFile], path: &str) -> Result<(), PatchRefusal> {
    match position(files, path) {
        Ok(_) => Err(PatchRefusal::FileExists(path.to_owned())),
        Err(_) => Ok(()),
    }
}

fn text_of<'files>(files: &'files [ArchiveFile], at: usize, path: &str) -> Result<&'files str, PatchRefusal> {
    let bytes = files.get(at).map(|file| file.bytes.as_slice()).unwrap_or_default();
    str::from_utf8(bytes).map_err(|_| PatchRefusal::FileNotText(path.to_owned()))
}

#[cfg(test)]
mod tests;
