//! Some words may stand in one place only, which keeps the layers apart. This test reads the sources and says where
//! one has strayed.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// A word and the paths, below the workspace, where it may stand.
const WORDS: [(&str, &[&str]); 8] = [
    ("axum::", &["server/src/http"]),
    ("sqlx::", &["server/src/catalog"]),
    ("aws_sdk_s3", &["server/src/blobs"]),
    ("aws_config", &["server/src/blobs"]),
    ("aws_smithy", &["server/src/blobs"]),
    ("std::env::", &["server/src/config", "packager/src/config", "packager/tests", "tests/", "bench/"]),
    ("SystemTime::now", &["server/src/app.rs", "packager/src/clock", "tests/", "bench/"]),
    ("now_utc", &["server/src/app.rs", "packager/src/clock", "tests/", "bench/"]),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found)?;
        } else if name.ends_with(".rs") && name != "one_place_words.rs" {
            found.push(path);
        }
    }
    Ok(())
}

fn strays(source: &str, place: &str) -> Vec<String> {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let allowed = |homes: &[&str]| homes.iter().any(|home| place.starts_with(home));
    WORDS
        .iter()
        .filter(|(_, homes)| !allowed(homes))
        .filter(|(word, _)| source.lines().filter(is_code).any(|line| line.contains(word)))
        .map(|(word, _)| format!("{place}: `{word}`"))
        .collect()
}

#[test]
fn each_word_stands_in_its_one_place() {
    let root = workspace();
    let mut files = Vec::new();
    sources(&root, &mut files).unwrap();
    assert!(files.len() > 50, "the sources were not found");
    let found: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let place = file.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            strays(&fs::read_to_string(file).unwrap(), &place)
        })
        .collect();
    assert!(found.is_empty(), "words outside their one place:\n{}", found.join("\n"));
}

#[test]
fn a_stray_word_is_found() {
    assert_eq!(strays("use sqlx::query;\n", "server/src/http/x.rs"), ["server/src/http/x.rs: `sqlx::`"]);
    assert!(strays("// sqlx:: is elsewhere\n", "server/src/http/x.rs").is_empty());
    assert!(strays("use sqlx::query;\n", "server/src/catalog/x.rs").is_empty());
}
