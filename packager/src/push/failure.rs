//! Why a request did not do what it should, in words for whoever sent it.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde::Deserialize;

/// Why a request did not do what it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestFailure {
    /// There is no answer.
    #[error("cannot reach `{host}`: {reason}")]
    Unreachable {
        /// The host and port.
        host: String,
        /// What went wrong, as the innermost cause says.
        reason: String,
    },
    /// The server is busy or away.
    #[error("the server is not ready ({reason}, status {status})")]
    Busy {
        /// The status.
        status: StatusCode,
        /// What the server says.
        reason: String,
        /// How long the server asks to wait.
        wait: Option<Duration>,
    },
    /// The server asks for credentials and none were sent.
    #[error("the server asks who you are ({reason}): set CHARTPACK_TOKEN to a token that may publish here")]
    NoCredentials {
        /// What the server says.
        reason: String,
    },
    /// The server does not know the credentials that were sent.
    #[error(
        "the server does not accept the credentials ({reason}): check CHARTPACK_TOKEN, or user and password in the URL"
    )]
    BadCredentials {
        /// What the server says.
        reason: String,
    },
    /// The server sends elsewhere.
    #[error(
        "the server redirects to `{to}`: give that address to `--to` if you trust it with your credentials"
    )]
    Redirected {
        /// The address.
        to: String,
    },
    /// The server says no.
    #[error("{reason} (status {status})")]
    Refused {
        /// The status.
        status: StatusCode,
        /// What the server says.
        reason: String,
    },
    /// The archive cannot be read any more.
    #[error("cannot read `{path}`: {reason}")]
    File {
        /// The archive.
        path: PathBuf,
        /// What the system says.
        #[source]
        reason: std::io::Error,
    },
}

impl RequestFailure {
    /// Returns whether there was no answer, or none that says anything about the request.
    pub(crate) fn is_of_the_network(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Busy { .. } => true,
            Self::NoCredentials { .. }
            | Self::BadCredentials { .. }
            | Self::Redirected { .. }
            | Self::Refused { .. }
            | Self::File { .. } => false,
        }
    }
}

/// Returns what the server says: `{"error": …}`, else the first line of a text, else the status in words.
pub(crate) fn reason_of(body: &[u8], status: StatusCode) -> String {
    #[derive(Deserialize)]
    struct Answer {
        error: String,
    }
    if let Ok(answer) = serde_json::from_slice::<Answer>(body) {
        return answer.error;
    }
    let text = String::from_utf8_lossy(body);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let is_page = line.starts_with('<') || line.is_empty();
    if is_page {
        return status.canonical_reason().unwrap_or("no reason given").to_lowercase();
    }
    line.chars().take(300).collect()
}

/// Returns the failure of a request that got no answer.
pub(crate) fn unreachable(url: &Url, error: &reqwest::Error) -> RequestFailure {
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let reason = if error.is_timeout() { "no answer in time".to_owned() } else { innermost(error) };
    RequestFailure::Unreachable { host, reason }
}

/// Returns the text of the innermost cause: the outer ones only say that a request failed.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_own_words_are_used_when_there_are_any() {
        let table: [(&[u8], &str); 5] = [
            (br#"{"error":"`a` `1.0.0` exists with other bytes"}"#, "`a` `1.0.0` exists with other bytes"),
            (b"\nrequest too large\n", "request too large"),
            (b"<html><h1>413</h1></html>", "payload too large"),
            (b"", "payload too large"),
            (br#"{"message":"x"}"#, r#"{"message":"x"}"#),
        ];
        for (body, reason) in table {
            assert_eq!(reason_of(body, StatusCode::PAYLOAD_TOO_LARGE), reason);
        }
    }
}
