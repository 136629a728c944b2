//! What one rendered document reaches for on the internet when it is installed or runs, and what it only links to.
//!
//! Where a text stands decides: annotations and descriptions are read by people, commands, environment and
//! configuration by programs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chart::yaml::Value;

use super::Check;
use super::addresses::addresses;
use super::commands::fetching_commands;
use super::site::Site;
use super::text_kinds::{assigned, first_lines, is_dashboard, is_ini, is_script};
use crate::images::embedded_value;
use crate::render::Document;

/// How deep configuration inside configuration is read.
const MAX_EMBEDDED: usize = 4;

/// What a link does.
const LINK: &str = "a link for people";

/// Keys whose texts people read.
const FOR_PEOPLE: [&str; 21] = [
    "annotations",
    "labels",
    "description",
    "summary",
    "message",
    "runbook_url",
    "runbookurl",
    "docs",
    "documentation",
    "documentationurl",
    "dashboard_url",
    "homepage",
    "home",
    "help",
    "helpurl",
    "title",
    "links",
    "notes",
    "comment",
    "legend",
    "displayname",
];

/// One thing that a document names on the internet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach {
    /// The check that it is a matter of.
    pub(super) check: Check,
    /// The address, the command or the list.
    pub(super) subject: String,
    /// What fetches it, in a few words.
    pub(super) what: &'static str,
    /// What stands there.
    pub(super) text: String,
    /// The path in the document.
    pub(super) path: String,
}

/// Returns everything that a document names on the internet, in its order.
pub(super) fn reaches(document: &Document, site: &Site) -> Vec<Reach> {
    let root = document.value();
    // Definitions describe fields; nothing in them is fetched.
    if document.kind_and_name().0 == "CustomResourceDefinition" {
        return Vec::new();
    }
    let is_secret = document.kind_and_name().0 == "Secret";
    let mut walk = Walk { site, found: Vec::new(), embedded: 0, is_secret };
    walk.value(root, "", Reader::Program);
    walk.found
}

/// Who reads a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    Program,
    People,
}

struct Walk<'run> {
    site: &'run Site,
    found: Vec<Reach>,
    embedded: usize,
    is_secret: bool,
}

impl Walk<'_> {
    fn value(&mut self, value: &Value, path: &str, reader: Reader) {
        match value {
            Value::Mapping(entries) => {
                let reader = if is_dashboard(value) { Reader::People } else { reader };
                if let (Some(name), Some(text)) = (text_of(value, "name"), text_of(value, "value")) {
                    self.setting(name, text, path);
                }
                for (key, below) in entries {
                    self.entry(key, below, &join(path, key), reader);
                }
            }
            Value::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &format!("{path}[{index}]"), reader);
                }
            }
            Value::String(text) => self.text(text, path, reader),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_) => {}
        }
    }

    fn entry(&mut self, key: &str, value: &Value, path: &str, reader: Reader) {
        let reader = if FOR_PEOPLE.contains(&key.to_lowercase().as_str()) { Reader::People } else { reader };
        match (key, value) {
            ("args" | "command", Value::Sequence(items)) if reader == Reader::Program => {
                let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                // Either the program with its arguments, or a shell with a script in one of them.
                self.script(&words.join(" "), path);
                words.iter().for_each(|word| self.script(word, path));
                // A shell's script is one item; its addresses are those that its commands fetch.
                let flags = words.iter().filter(|word| !word.contains(['\n', ' ']));
                flags.for_each(|word| self.addresses(word, path, reader));
            }
            ("data", Value::Mapping(entries)) if self.is_secret && path == "data" => {
                for (key, value) in entries {
                    let decoded = value.as_str().and_then(|text| STANDARD.decode(text.trim()).ok());
                    if let Some(text) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
                        self.entry(key, &Value::String(text), &join(path, key), reader);
                    }
                }
            }
            (_, Value::String(text)) => {
                self.setting(key, text, path);
                self.text(text, path, reader);
            }
            (_, _) => self.value(value, path, reader),
        }
    }

    /// Settings that fetch without naming an address.
    fn setting(&mut self, name: &str, text: &str, path: &str) {
        let name = name.to_lowercase().replace(['.', '-'], "_");
        let is_plugins = matches!(name.as_str(), "plugins_txt" | "gf_install_plugins");
        let has_lines = text.lines().any(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
        if is_plugins && has_lines {
            let what = "plugins are fetched at the start";
            self.push(Check::PluginList, &name.replace("_txt", ".txt"), what, &first_lines(text), path);
        }
        let is_database = name.contains("trivy") && name.contains("skip") && name.contains("update");
        if is_database && text.trim() == "false" {
            let what = "Trivy fetches its database when it starts";
            self.push(Check::Download, "trivy-db", what, &format!("{name}: false"), path);
        }
    }

    fn text(&mut self, text: &str, path: &str, reader: Reader) {
        if self.embedded < MAX_EMBEDDED
            && !is_ini(text)
            && let Some(value) = embedded_value(text)
        {
            self.embedded += 1;
            self.value(&value, &format!("{path}>"), reader);
            self.embedded -= 1;
            return;
        }
        if reader == Reader::People {
            return self.addresses(text, path, reader);
        }
        self.script(text, path);
        if is_script(text) {
            return;
        }
        for line in text.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])) {
            self.addresses(line, path, reader);
        }
    }

    fn script(&mut self, text: &str, path: &str) {
        for command in fetching_commands(text, self.site) {
            self.push(Check::Download, &command.subject, "a command fetches it", &command.line, path);
        }
        // What is assigned is fetched by a command that does not name it.
        for value in text.lines().filter_map(assigned) {
            self.addresses(value, path, Reader::Program);
        }
    }

    fn addresses(&mut self, text: &str, path: &str, reader: Reader) {
        for address in addresses(text).into_iter().filter(|address| self.site.is_public(address.host)) {
            let what = match reader {
                Reader::People => LINK,
                Reader::Program => "configuration that a program may fetch from",
            };
            self.push(Check::PublicUrl, address.text, what, text.trim(), path);
        }
    }

    fn push(&mut self, check: Check, subject: &str, what: &'static str, text: &str, path: &str) {
        if !self.found.iter().any(|one| one.subject == subject && one.what == what) {
            let (subject, text, path) = (subject.to_owned(), text.to_owned(), path.to_owned());
            self.found.push(Reach { check, subject, what, text, path });
        }
    }
}

impl Reach {
    /// Returns whether only people follow it.
    pub(super) fn is_link(&self) -> bool {
        self.what == LINK
    }
}

fn text_of<'value>(value: &'value Value, key: &str) -> Option<&'value str> {
    value.get(key).and_then(Value::as_str)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() || path.ends_with('>') { format!("{path}{key}") } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(Check, String, bool)> {
        let document = Document::new("templates/a.yaml".to_owned(), text.to_owned());
        let found = reaches(&document, &Site::default());
        found.into_iter().map(|one| (one.check, one.subject.clone(), one.is_link())).collect()
    }

    #[test]
    fn the_place_of_an_address_decides_who_follows_it() {
        let link = |text: &str| (Check::PublicUrl, text.to_owned(), true);
        let fetched = |check, text: &str| (check, text.to_owned(), false);
        let secret = STANDARD.encode("server: https://a.io/secret\n");
        let table = [
            ("metadata: {annotations: {see: 'https://a.io/doc'}}".to_owned(), vec![link("https://a.io/doc")]),
            (
                "spec: {containers: [{env: [{name: U, value: 'https://a.io/env'}]}]}".to_owned(),
                vec![fetched(Check::PublicUrl, "https://a.io/env")],
            ),
            (
                "spec: {containers: [{command: [sh, -c, 'curl -O https://a.io/f']}]}".to_owned(),
                vec![fetched(Check::Download, "https://a.io/f")],
            ),
            (
                "spec: {containers: [{args: ['--repo=https://a.io/r', '--x=http://y.default.svc']}]}".to_owned(),
                vec![fetched(Check::PublicUrl, "https://a.io/r")],
            ),
            (
                "kind: ConfigMap\ndata:\n  app.ini: |\n    [a]\n    ; see https://a.io/doc\n    [b]\n    url = https://a.io/api\n".to_owned(),
                vec![fetched(Check::PublicUrl, "https://a.io/api")],
            ),
            (
                "kind: ConfigMap\ndata:\n  run.sh: |\n    #!/bin/sh\n    echo https://a.io/doc\n    wget https://a.io/f\n".to_owned(),
                vec![fetched(Check::Download, "https://a.io/f")],
            ),
            (
                "kind: ConfigMap\ndata:\n  run.sh: |\n    #!/bin/sh\n    FROM=https://a.io/f\n    curl $FROM\n".to_owned(),
                vec![fetched(Check::PublicUrl, "https://a.io/f")],
            ),
            (
                "kind: ConfigMap\ndata:\n  site.conf: |\n    server {\n      proxy_pass https://a.io/f;\n    }\n".to_owned(),
                vec![fetched(Check::PublicUrl, "https://a.io/f")],
            ),
            (
                "kind: ConfigMap\ndata:\n  d.json: '{\"panels\": [{\"url\": \"https://a.io/p\"}], \"schemaVersion\": 1}'\n".to_owned(),
                vec![link("https://a.io/p")],
            ),
            (
                "kind: ConfigMap\ndata:\n  plugins.txt: |\n    git:4.11.3\n    kubernetes:1\n".to_owned(),
                vec![fetched(Check::PluginList, "plugins.txt")],
            ),
            (
                "kind: ConfigMap\ndata: {SCANNER_TRIVY_SKIP_UPDATE: 'false'}\n".to_owned(),
                vec![fetched(Check::Download, "trivy-db")],
            ),
            (
                format!("kind: Secret\ndata: {{config.yaml: {secret}}}\n"),
                vec![fetched(Check::PublicUrl, "https://a.io/secret")],
            ),
            ("kind: CustomResourceDefinition\nspec: {x: 'https://a.io'}\n".to_owned(), vec![]),
        ];
        for (text, expected) in table {
            assert_eq!(of(&text), expected, "{text}");
        }
    }
}
