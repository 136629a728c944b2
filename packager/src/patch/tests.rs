//! Patches against files that are as they were, have moved, have changed, or are gone.

use super::*;

const TEMPLATE: &str = "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7\nh: 8\n";

const PATCH: &str = "\
--- a/templates/x.yaml
+++ b/templates/x.yaml
@@ -2,5 +2,5 @@
 b: 2
 c: 3
-d: 4
+d: four
 e: 5
 f: 6
";

fn patched(text: &str, patch: &str) -> Result<(String, Vec<String>), PatchRefusal> {
    let mut files = vec![ArchiveFile { path: "templates/x.yaml".to_owned(), bytes: text.into() }];
    let drifted = apply(patch.as_bytes(), &mut files)?;
    let told = drifted.iter().map(|one| format!("{} {}: {}", one.file, one.hunk, one.drift)).collect();
    Ok((files.iter().map(|file| String::from_utf8(file.bytes.clone()).unwrap()).collect(), told))
}

#[test]
fn a_hunk_fits_at_its_line_elsewhere_or_loosely_and_says_so() {
    let expected = TEMPLATE.replace("d: 4", "d: four");
    assert_eq!(patched(TEMPLATE, PATCH).unwrap(), (expected.clone(), vec![]));
    let moved = patched(&format!("# new\n# lines\n{TEMPLATE}"), PATCH).unwrap();
    assert_eq!(
        moved,
        (format!("# new\n# lines\n{expected}"), vec!["templates/x.yaml 1: 2 lines further down".to_owned()])
    );
    let changed = patched(&TEMPLATE.replace("b: 2", "b: two"), PATCH).unwrap();
    let told = vec!["templates/x.yaml 1: with 1 line of context changed".to_owned()];
    assert_eq!(changed, (expected.replace("b: 2", "b: two"), told));
    let both = patched(&TEMPLATE.replace("a: 1\n", "").replace("f: 6", "f: six"), PATCH).unwrap();
    assert_eq!(both.1, ["templates/x.yaml 1: 1 line further up, with 1 line of context changed"]);
}

#[test]
fn a_hunk_whose_own_lines_are_gone_is_refused_by_file_and_line() {
    let refusal = patched(&TEMPLATE.replace("d: 4", "d: 44"), PATCH).unwrap_err().to_string();
    assert!(
        refusal.starts_with("hunk 1 (line 2) does not fit `templates/x.yaml`: the line `d: 4`"),
        "{refusal}"
    );
}

#[test]
fn two_hunks_keep_their_order() {
    let patch = "--- x\n+++ templates/x.yaml\n@@ -1,2 +1,3 @@\n a: 1\n+new: 0\n b: 2\n@@ -7,2 +8,1 @@\n g: 7\n-h: 8\n";
    let (text, told) = patched(TEMPLATE, patch).unwrap();
    assert_eq!(text, "a: 1\nnew: 0\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7\n");
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn files_are_made_moved_and_deleted() {
    let mut files = vec![ArchiveFile { path: "b.txt".to_owned(), bytes: b"gone\n".to_vec() }];
    let patch = "--- /dev/null\n+++ b/a.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n--- a/b.txt\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-gone\n";
    assert!(apply(patch.as_bytes(), &mut files).unwrap().is_empty());
    assert_eq!(files, [ArchiveFile { path: "a.txt".to_owned(), bytes: b"one\ntwo\n".to_vec() }]);
    let rename = "diff --git a/a.txt b/c.txt\nsimilarity index 100%\nrename from a.txt\nrename to c.txt\n";
    apply(rename.as_bytes(), &mut files).unwrap();
    assert_eq!(files.first().unwrap().path, "c.txt");
    assert!(matches!(apply(rename.as_bytes(), &mut files), Err(PatchRefusal::NoFile(_))));
}

#[test]
fn what_cannot_be_applied_is_refused() {
    let none = |patch: &str| apply(patch.as_bytes(), &mut Vec::new()).unwrap_err().to_string();
    assert!(none("hello\n").starts_with("it is no unified diff"), "{}", none("hello\n"));
    assert!(none(PATCH).contains("changes `templates/x.yaml`, which the chart does not have"));
    let outside = PATCH.replace("b/templates", "b/../templates");
    assert!(none(&outside).contains("no path inside the chart"), "{}", none(&outside));
}

#[test]
fn a_file_without_a_last_line_end_is_patched() {
    let patch =
        "--- a/templates/x.yaml\n+++ b/templates/x.yaml\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n";
    assert_eq!(patched("a", patch).unwrap().0, "b\n");
}

#[test]
fn what_fits_is_applied_and_the_rest_is_shown_as_it_was_written() {
    let patch = "--- x\n+++ templates/x.yaml\n@@ -1,2 +1,2 @@\n-a: 0\n+a: zero\n b: 2\n@@ -7,2 +7,2 @@\n g: 7\n-h: 8\n+h: eight\n\
                 --- x\n+++ templates/absent.yaml\n@@ -1 +1 @@\n-a\n+b\n";
    let mut files = vec![ArchiveFile { path: "templates/x.yaml".to_owned(), bytes: TEMPLATE.into() }];
    let fitted = apply_what_fits(patch.as_bytes(), &mut files).unwrap();
    assert_eq!(files[0].bytes, TEMPLATE.replace("h: 8", "h: eight").as_bytes());
    let dead: Vec<_> = fitted.dead.iter().map(|one| (one.text.as_str(), one.is_there_already)).collect();
    assert_eq!(dead, [("@@ -1,2 +1,2 @@\n-a: 0\n+a: zero\n b: 2\n", false), ("", false)]);
    assert!(matches!(fitted.dead[1].refusal, PatchRefusal::NoFile(_)));
}

#[test]
fn a_hunk_that_upstream_has_made_itself_is_told() {
    let text = TEMPLATE.replace("d: 4", "d: four");
    let mut files = vec![ArchiveFile { path: "templates/x.yaml".to_owned(), bytes: text.clone().into() }];
    let fitted = apply_what_fits(PATCH.as_bytes(), &mut files).unwrap();
    assert!(fitted.dead[0].is_there_already && files[0].bytes == text.as_bytes());
}
