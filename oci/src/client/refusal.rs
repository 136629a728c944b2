//! What a registry says when it refuses (distribution specification, "Error Codes").
//! Rule: its words are kept, but cannot take over a terminal or fill memory.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::error_code::ErrorCode;

/// How much of an error's body is read.
pub(super) const REFUSAL_BYTES: usize = 64 * 1024;
const LONGEST_TEXT: usize = 500;

/// A status and what came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// What the registry says in its own format.
    pub messages: Vec<RegistryMessage>,
    /// The first line of any other text, empty if there is none.
    pub text: String,
    /// How long the registry asks to wait.
    pub retry_after: Option<Duration>,
}

/// One entry of an error's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryMessage {
    /// The code, which need not be one of the specification's.
    pub code: String,
    /// The text.
    pub message: String,
}

#[derive(Deserialize)]
struct Body {
    errors: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    code: String,
    #[serde(default)]
    message: String,
}

/// What token services say (RFC 6749 §5.2).
#[derive(Deserialize)]
struct TokenBody {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
    #[serde(default)]
    details: String,
}

impl Refusal {
    /// Reads an error's body.
    pub(super) fn read(status: u16, body: &[u8]) -> Self {
        if let Ok(body) = serde_json::from_slice::<Body>(body) {
            let messages = body.errors.into_iter().take(10).map(|entry| RegistryMessage {
                code: harmless(&entry.code),
                message: harmless(&entry.message),
            });
            return Self { status, messages: messages.collect(), text: String::new(), retry_after: None };
        }
        let text = match serde_json::from_slice::<TokenBody>(body) {
            Ok(said) => {
                let parts = [said.error, said.error_description, said.details];
                parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
            }
            Err(_) => first_line(&String::from_utf8_lossy(body)),
        };
        Self { status, messages: Vec::new(), text: harmless(&text), retry_after: None }
    }

    /// Tells whether the registry gives this code.
    pub fn has_code(&self, code: ErrorCode) -> bool {
        self.messages.iter().any(|message| ErrorCode::from_body(&message.code) == Some(code))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.messages.iter().map(ToString::to_string).collect();
        match (words.is_empty(), self.text.is_empty()) {
            (false, _) => write!(formatter, "{} (status {})", words.join("; "), self.status),
            (true, false) => write!(formatter, "{} (status {})", self.text, self.status),
            (true, true) => write!(formatter, "status {}", self.status),
        }
    }
}

impl fmt::Display for RegistryMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

/// A page of HTML says nothing in its first line.
fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if line.starts_with('<') { String::new() } else { line.to_owned() }
}

fn harmless(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registrys_own_words_are_kept() {
        for (body, shown) in [
            (
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such manifest","detail":{"a":1}}]}"#,
                "MANIFEST_UNKNOWN: no such manifest (status 404)",
            ),
            (r#"{"errors":[{"code":"A"},{"code":"B","message":"b"}]}"#, "A: ; B: b (status 404)"),
            (
                r#"{"error":"invalid_grant","error_description":"too old"}"#,
                "invalid_grant: too old (status 404)",
            ),
            (
                r#"{"details":"incorrect username or password"}"#,
                "incorrect username or password (status 404)",
            ),
            ("\n404 page not found\n", "404 page not found (status 404)"),
            ("<html><h1>nginx</h1></html>", "status 404"),
            ("", "status 404"),
            ("\u{1b}[2Jgone", " [2Jgone (status 404)"),
        ] {
            assert_eq!(Refusal::read(404, body.as_bytes()).to_string(), shown);
        }
    }

    #[test]
    fn codes_are_recognised() {
        let refusal = Refusal::read(404, br#"{"errors":[{"code":"BLOB_UNKNOWN"}]}"#);
        assert!(refusal.has_code(ErrorCode::BlobUnknown));
        assert!(!refusal.has_code(ErrorCode::ManifestUnknown));
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(Refusal::read(500, "x".repeat(10_000).as_bytes()).text.len(), LONGEST_TEXT);
    }
}
