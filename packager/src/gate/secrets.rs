//! Secrets in a chart: private keys and known kinds of tokens in any file but its documents, passwords in its values.
//!
//! A chart is published; what stands in it is known to everyone, whoever wrote it there. A finding never shows the secret.

use chart::archive::ArchiveFile;

use super::{Check, Finding};
use crate::edit::{Kind, Node, compose};
use crate::render::StagedChart;

/// How the tokens of well-known services begin, with the least length of the rest.
/// Source: the documentation of each service, as collected by GitHub's secret scanning patterns.
const TOKENS: [(&str, usize, &str); 13] = [
    ("ghp_", 36, "a GitHub token"),
    ("gho_", 36, "a GitHub token"),
    ("ghs_", 36, "a GitHub token"),
    ("github_pat_", 40, "a GitHub token"),
    ("glpat-", 20, "a GitLab token"),
    ("xoxb-", 20, "a Slack token"),
    ("xoxp-", 20, "a Slack token"),
    ("AKIA", 16, "an AWS access key"),
    ("AIza", 35, "a Google API key"),
    ("hvs.", 24, "a Vault token"),
    ("npm_", 36, "an npm token"),
    ("dop_v1_", 64, "a DigitalOcean token"),
    ("sk_live_", 24, "a Stripe key"),
];

/// Ends of keys that hold a secret itself, in lower case without separators.
const SECRET_KEYS: [&str; 8] =
    ["password", "passwd", "passphrase", "secretkey", "apikey", "clientsecret", "authtoken", "htpasswd"];

/// Words that say of themselves that they are no secret.
const PLACEHOLDERS: [&str; 25] = [
    "password",
    "passwd",
    "secret",
    "pass",
    "change",
    "example",
    "default",
    "admin",
    "root",
    "user",
    "test",
    "demo",
    "dummy",
    "bogus",
    "fake",
    "placeholder",
    "replace",
    "your",
    "insecure",
    "not-secure",
    "notsecure",
    "none",
    "null",
    "todo",
    "xxx",
];

/// Returns every secret in the chart's files.
pub(super) fn check(chart: &StagedChart) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in chart.files() {
        let Ok(text) = str::from_utf8(&file.bytes) else { continue };
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        let is_document = [".md", ".txt", ".tpl", ".gotmpl"].iter().any(|end| name.ends_with(end));
        if !is_document {
            found.extend(keys_and_tokens(file, text));
        }
        if name == "values.yaml" {
            found.extend(passwords(chart, file, text));
        }
    }
    found
}

fn keys_and_tokens(file: &ArchiveFile, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        // Comments show the form of a key; they hold none.
        if line.trim_start().starts_with('#') {
            continue;
        }
        let what = if is_private_key(line) { Some("a private key") } else { token_in(line) };
        if let Some(what) = what {
            let remedy = format!(
                "leave the file out with `exclude: [\"{0}\"]`, or waive it with the reason why everyone may have it",
                file.path
            );
            let cause = format!("{what} stands in the file");
            found.push(finding(&file.path, &file.path, number + 1, cause).remedy(remedy));
        }
    }
    found
}

fn is_private_key(line: &str) -> bool {
    line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----") && !line.contains("{{")
}

fn token_in(line: &str) -> Option<&'static str> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    let words = line.split(|character| !is_part(character));
    words.filter(|word| word.len() > 16).find_map(|word| {
        let found = TOKENS.iter().find(|(start, length, _)| {
            let rest = word.strip_prefix(start).unwrap_or_default();
            let is_mixed = rest.bytes().any(|byte| byte.is_ascii_digit()) && !rest.contains("xxxx");
            rest.len() >= *length && is_mixed
        });
        found.map(|(_, _, what)| *what)
    })
}

fn passwords(chart: &StagedChart, file: &ArchiveFile, text: &str) -> Vec<Finding> {
    let Ok(tree) = compose(text) else { return Vec::new() };
    let folders: Vec<&str> =
        file.path.split('/').filter(|part| !matches!(*part, "charts" | "values.yaml")).collect();
    // A password that is the chart's name is a default, not a secret.
    let mut names = vec![chart.metadata().name.to_string()];
    names.extend(folders.iter().map(|folder| (*folder).to_owned()));
    let mut found = Vec::new();
    collect(&tree, &folders.join("."), "", &mut |path, key, line, value| {
        if is_secret_key(key) && is_secret_value(value, &names) {
            let cause = format!("`{path}` is a password that everyone who has the chart knows");
            let remedy =
                format!("empty `{path}` in `values`, or waive it with the reason why everyone may know it");
            found.push(finding(path, &file.path, line, cause).remedy(remedy));
        }
    });
    found
}

/// Visits every scalar with its path, its key and its line; lines such as `password: x` in texts too.
fn collect(node: &Node, path: &str, key: &str, visit: &mut impl FnMut(&str, &str, usize, &str)) {
    match &node.kind {
        Kind::Mapping { entries, .. } => {
            for entry in entries {
                let key = entry.key.scalar_text().unwrap_or_default();
                let below = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                collect(&entry.value, &below, key, visit);
            }
        }
        Kind::Sequence { items, .. } => {
            for (index, item) in items.iter().enumerate() {
                collect(&item.node, &format!("{path}[{index}]"), key, visit);
            }
        }
        Kind::Scalar { text, .. } if text.contains('\n') => {
            // A block text begins on the line below its mark.
            let settings = text.lines().enumerate().filter_map(|(number, line)| {
                let (key, value) = line.trim().split_once([':', '='])?;
                Some((number, key.trim(), value.trim().trim_matches(['"', '\''])))
            });
            for (number, key, value) in settings.filter(|(_, key, _)| !key.starts_with(['#', ';', '/'])) {
                visit(&format!("{path}>{key}"), key, node.position.line + 1 + number, value);
            }
        }
        Kind::Scalar { text, .. } => visit(path, key, node.position.line, text),
        Kind::Absent | Kind::Alias(_) => {}
    }
}

fn is_secret_key(key: &str) -> bool {
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    // The name of a Secret, or of the key in it: `existingSecretKey`, `userPasswordKey`.
    let is_reference = key.starts_with("existing") || key.ends_with("keyname");
    !is_reference && SECRET_KEYS.iter().any(|end| key.ends_with(end))
}

fn is_secret_value(value: &str, names: &[String]) -> bool {
    let value = value.trim();
    let lower = value.to_lowercase();
    let is_scalar = matches!(lower.as_str(), "" | "true" | "false" | "~" | "yes" | "no");
    // Filled when the chart is used: a template, a variable, a reference, a path.
    let is_filled = value.starts_with(['$', '<', '/', '%']) || value.contains("{{") || value.contains("${");
    let is_name = |name: &String| {
        lower == name.to_lowercase() || (name.len() > 3 && lower.contains(&name.to_lowercase()))
    };
    let is_placeholder = PLACEHOLDERS.iter().any(|word| lower.contains(word)) || names.iter().any(is_name);
    // Hashes are made of a real password, whatever words are in them.
    let is_hash = value.contains("$2a$") || value.contains("$2y$") || value.contains("$2b$");
    !is_scalar && !is_filled && (is_hash || (!is_placeholder && value.len() >= 4 && !value.contains(' ')))
}

fn finding(subject: &str, file: &str, line: usize, cause: String) -> Finding {
    Finding::new(Check::Secret, subject, cause).at(file, Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_told_from_placeholders_and_references() {
        let table = [
            ("adminPassword", "vmffpdltm", true),
            ("password", "r8sA8CPHD9!bt6d", true),
            ("htpasswd", "harbor_user:$2y$10$9L4Tc0DJbFFMB6RdSCunrO", true),
            ("secretKey", "console123", true),
            ("password", "", false),
            ("password", "changeme", false),
            ("password", "not-secure-database-password", false),
            ("rootPassword", "gitea", false),
            ("password", "${chart-admin-password}", false),
            ("password", "{{ .Values.x }}", false),
            ("existingSecretKey", "redis", false),
            ("usePassword", "true", false),
            ("passwordKey", "redis", false),
            ("automountServiceAccountToken", "true", false),
        ];
        for (key, value, expected) in table {
            let found = is_secret_key(key) && is_secret_value(value, &["gitea".to_owned()]);
            assert_eq!(found, expected, "{key}: {value}");
        }
    }

    #[test]
    fn keys_and_tokens_are_found_outside_of_comments_and_never_shown() {
        let token = format!("ghp_{}1", "a".repeat(36));
        let file = |path: &str, text: String| ArchiveFile { path: path.to_owned(), bytes: text.into_bytes() };
        let chart = StagedChart::new(vec![
            file("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n".to_owned()),
            file(
                "values.yaml",
                format!("# -----BEGIN RSA PRIVATE KEY-----\nb:\n  c: {token}\n  list:\n  - password: kq3!xyz\n  text: |\n    a: b\n    password = zq7!abc\n"),
            ),
            file("tls.key", "-----BEGIN PRIVATE KEY-----\nMII\n".to_owned()),
            file("README.md", "-----BEGIN PRIVATE KEY-----\n".to_owned()),
        ])
        .unwrap();
        let found = check(&chart);
        let places: Vec<_> =
            found.iter().map(|one| (one.subject.as_str(), one.file.as_str(), one.line)).collect();
        let expected = [
            ("tls.key", "tls.key", Some(1)),
            ("values.yaml", "values.yaml", Some(3)),
            ("b.list[0].password", "values.yaml", Some(5)),
            ("b.text>password", "values.yaml", Some(8)),
        ];
        let mut sorted = places.clone();
        sorted.sort_unstable();
        let mut wanted = expected.to_vec();
        wanted.sort_unstable();
        assert_eq!(sorted, wanted);
        assert!(!format!("{found:?}").contains(&token) && !format!("{found:?}").contains("kq3!xyz"));
    }
}
