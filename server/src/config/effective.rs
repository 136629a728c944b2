//! The settings as a TOML file for people: every one of them, with where its value came from, and no secret.
//!
//! What it prints can be read again as a configuration file; what may not be shown is a comment.

use std::fmt::Write as _;

use super::setting::AnySetting;
use super::sources::{Settings, known_settings};
use super::value::Value;

impl Settings {
    /// Returns every setting with its value and, as a comment, where the value came from.
    pub(super) fn to_toml(&self) -> String {
        write_settings(|setting| match self.given_or_default(setting) {
            Some(given) => format!("{}  # {}\n", assignment(setting, &given.value), given.origin),
            None => format!("# {} is not set: {}\n", key_in_section(setting), setting.summary()),
        })
    }
}

/// Returns every setting with its default, each after a line that explains it and names its variable.
pub(super) fn defaults_to_toml() -> String {
    write_settings(|setting| {
        let assigned = match setting.default() {
            Some(text) => assignment(setting, &Value::from_text(text, setting.shape())),
            None => format!("# {} =", key_in_section(setting)),
        };
        format!("# {} ({})\n{assigned}\n", setting.summary(), setting.variable())
    })
}

/// Returns the lines of all settings: those without a section first, then section by section.
fn write_settings(line: impl Fn(&dyn AnySetting) -> String) -> String {
    let mut text = String::new();
    // A table as a value is a section of its own in TOML and would swallow the keys after it, so inline tables are used.
    for setting in known_settings().filter(|setting| !setting.key().contains('.')) {
        text.push_str(&line(setting));
    }
    let mut section = "";
    for setting in known_settings() {
        let Some((its_section, _)) = setting.key().split_once('.') else { continue };
        if its_section != section {
            section = its_section;
            let _ = writeln!(text, "\n[{section}]");
        }
        text.push_str(&line(setting));
    }
    text
}

fn key_in_section(setting: &dyn AnySetting) -> &'static str {
    setting.key().rsplit_once('.').map_or(setting.key(), |(_, key)| key)
}

fn assignment(setting: &dyn AnySetting, value: &Value) -> String {
    let key = key_in_section(setting);
    match value {
        Value::One(text) => match setting.shown(text) {
            Some(shown) => format!("{key} = {}", literal(&shown)),
            None => format!("# {key} = \"***\""),
        },
        Value::Many(texts) => {
            format!("{key} = [{}]", texts.iter().map(|text| literal(text)).collect::<Vec<_>>().join(", "))
        }
        Value::Named(texts) => {
            let pairs: Vec<_> =
                texts.iter().map(|(name, text)| format!("{} = {}", quoted(name), quoted(text))).collect();
            if pairs.is_empty() {
                format!("{key} = {{}}")
            } else {
                format!("{key} = {{ {} }}", pairs.join(", "))
            }
        }
    }
}

/// Returns a text as TOML: numbers and truth values bare, as people write them, everything else quoted.
fn literal(text: &str) -> String {
    let is_number = text == "0"
        || (text.len() < 19
            && !text.starts_with('0')
            && !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_digit()));
    if is_number || matches!(text, "true" | "false") { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
