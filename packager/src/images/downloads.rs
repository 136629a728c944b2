//! Downloads by scripts: what a container's command or a configured script fetches from the network when it runs.
//!
//! An address counts only behind a program that fetches it; links for people and addresses inside the cluster do not.

use chart::yaml::Value;

use super::knowledge::Fetch;
use crate::render::Document;

/// Programs that fetch the addresses on their command line.
const PROGRAMS: [&str; 9] = ["curl", "wget", "git", "pip", "pip3", "npm", "helm", "kubectl", "aria2c"];

const REMEDY: &str = "carry the file in an image or in the chart, and change the script";

/// Returns what the scripts of a document fetch.
pub(super) fn downloads_in(document: &Document) -> Vec<Fetch> {
    let mut found = Vec::new();
    if document.text.contains("://") {
        walk(document.value(), false, &mut found);
    }
    let (kind, name) = document.kind_and_name();
    let source = format!("{}: {kind}/{name}", document.template);
    let fetches = found.into_iter().map(|(program, address)| Fetch {
        what: format!("{address}, by {program} in {source}"),
        remedy: REMEDY.to_owned(),
        source: source.clone(),
    });
    fetches.collect()
}

fn walk(value: &Value, is_script: bool, found: &mut Vec<(String, String)>) {
    match value {
        Value::Mapping(entries) => {
            for (key, below) in entries {
                let is_script =
                    is_script || matches!(key.as_str(), "args" | "command" | "data" | "stringData");
                walk(below, is_script, found);
            }
        }
        // The words of one command may be items of a list.
        Value::Sequence(items) if is_script && items.iter().all(|item| item.as_str().is_some()) => {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            in_script(&words.join(" "), found);
        }
        Value::Sequence(items) => items.iter().for_each(|item| walk(item, is_script, found)),
        Value::String(text) if is_script => in_script(text, found),
        Value::String(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Uint(_)
        | Value::Float(_) => {}
    }
}

fn in_script(text: &str, found: &mut Vec<(String, String)>) {
    // A backslash at the end of a line continues the command.
    for line in text.replace("\\\n", " ").lines().filter(|line| !line.trim_start().starts_with('#')) {
        let mut program = None;
        for word in line.split([' ', '\t', ';', '|', '&', '(', ')', '"', '\'', '`', '=']) {
            let name = word.rsplit('/').next().unwrap_or(word);
            if PROGRAMS.contains(&name) {
                program = Some(name);
            }
            if let Some(program) = program.filter(|_| is_outside(word)) {
                let one = (program.to_owned(), word.trim_end_matches([',', '.']).to_owned());
                if !found.contains(&one) {
                    found.push(one);
                }
            }
        }
    }
}

/// Returns whether an address leads out of the cluster: its host has a dot and is none of the cluster's.
fn is_outside(word: &str) -> bool {
    let Some((scheme, rest)) = word.split_once("://") else { return false };
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or(host);
    let is_own = host.ends_with(".svc")
        || host.contains(".svc.")
        || host.ends_with(".local")
        || host.starts_with("127.")
        || host.contains('$');
    matches!(scheme, "http" | "https" | "git" | "ssh" | "ftp")
        && host.contains('.')
        && !is_own
        && !host.starts_with("169.254.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_program_fetches_from_outside_counts() {
        let table = [
            (
                "spec: {args: [-c, 'curl -LO https://example.org/a.tgz && tar xf a.tgz']}",
                vec!["https://example.org/a.tgz"],
            ),
            ("spec: {command: [wget, -q, 'https://example.org/b']}", vec!["https://example.org/b"]),
            (
                "data:\n  run.sh: |\n    # curl https://example.org/no\n    git clone \\\n      https://example.org/c.git\n",
                vec!["https://example.org/c.git"],
            ),
            ("data: {readme: 'see https://example.org/docs'}", vec![]),
            (
                "spec: {args: ['curl http://api.default.svc:80/x http://127.0.0.1/y http://$HOST.org/z']}",
                vec![],
            ),
            ("metadata: {annotations: {link: 'curl https://example.org/d'}}", vec![]),
        ];
        for (text, expected) in table {
            let document = Document::new("templates/a.yaml".to_owned(), format!("kind: Job\n{text}\n"));
            let found = downloads_in(&document);
            assert_eq!(found.len(), expected.len(), "{text}: {found:?}");
            for (fetch, address) in found.iter().zip(expected) {
                assert!(fetch.what.starts_with(&format!("{address}, by ")), "{fetch:?}");
            }
        }
    }
}
