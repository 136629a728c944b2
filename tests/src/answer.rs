//! An HTTP answer, as stories look at it.
//! Rule: header names are lower case; of a repeated header the first value counts.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use oci::Digest;

/// Status, headers and body of one answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked, for messages: method and path.
    pub request: String,
    /// The status code.
    pub status: u16,
    /// The headers by their lower-case names.
    pub headers: BTreeMap<String, String>,
    /// The body as it came, not decoded.
    pub body: Vec<u8>,
}

impl Answer {
    /// Returns the answer itself.
    ///
    /// # Errors
    /// When its status is another one; the text holds the body.
    pub fn expect_status(self, status: u16) -> Result<Self> {
        if self.status != status {
            bail!("{}: {} instead of {status}: {}", self.request, self.status, self.text());
        }
        Ok(self)
    }

    /// Returns the body as text, at most its first 2,000 characters.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(2000).collect()
    }

    /// Returns a header's value, empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Returns the body as JSON.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{}: no JSON: {}", self.request, self.text()))
    }

    /// Returns the text of an error body, `{"error": "…"}`.
    ///
    /// # Errors
    /// When the body has another shape.
    pub fn error_text(&self) -> Result<String> {
        let body = self.json()?;
        let text = body["error"].as_str().with_context(|| format!("{}: no `error`: {body}", self.request))?;
        Ok(text.to_owned())
    }

    /// Returns the SHA-256 of the body.
    pub fn digest(&self) -> Digest {
        Digest::sha256(&self.body)
    }
}
