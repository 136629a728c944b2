//! The base of an address that others reach: `https://charts.example.com/team`.

use std::fmt;

use super::value::FromText;

/// An `http` or `https` URL with a host and perhaps a path; without user, query, fragment or a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpUrl(Box<str>);

impl HttpUrl {
    /// Returns the URL's text, which paths beginning with `/` can be put after.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromText for HttpUrl {
    fn from_text(text: &str) -> Result<Self, String> {
        let base = text.trim_end_matches('/');
        let is_url =
            base.strip_prefix("https://").or_else(|| base.strip_prefix("http://")).is_some_and(|rest| {
                !rest.is_empty() && !rest.starts_with([':', '/']) && rest.bytes().all(is_plain)
            });
        if is_url {
            Ok(Self(base.into()))
        } else {
            Err(format!(
                "`{text}` is not a base URL: write `https://HOST` or `https://HOST:PORT/PATH`, without user, query or fragment"
            ))
        }
    }
}

/// Returns whether a byte may stand in such a URL; it also ends up in headers, pages and the index.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/[]%+,;=&$!()*'".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_loses_only_its_last_slashes() {
        for (text, expected) in [
            ("https://charts.example.com", "https://charts.example.com"),
            ("http://[::1]:8080/team/a//", "http://[::1]:8080/team/a"),
        ] {
            assert_eq!(HttpUrl::from_text(text).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "charts.example.com",
            "ftp://a",
            "https://",
            "https:///a",
            "https://:80",
            "https://u:p@a",
            "https://a?b",
            "https://a#b",
            "https://a b",
            "https://a\"b",
            "https://ä",
        ] {
            assert!(HttpUrl::from_text(text).unwrap_err().contains("is not a base URL"), "{text}");
        }
    }
}
