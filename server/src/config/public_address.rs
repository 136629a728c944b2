//! What the server tells others about itself: its address, the path before its own, the URLs in its index.

use std::collections::BTreeMap;

use super::error::ConfigError;
use super::http_url::HttpUrl;
use super::setting::{AnySetting, Setting};
use super::sources::Settings;
use super::value::FromText;

const PUBLIC_URL: Setting<Option<HttpUrl>> = Setting::new(
    "public_url",
    "address that clients use, context path left out; unless set, each answer uses the one its request came to",
);
const CONTEXT_PATH: Setting<ContextPath> = Setting::with_default(
    "context_path",
    "",
    "path before every path of the server, for a proxy that keeps it",
);
const CHART_URL: Setting<Option<HttpUrl>> =
    Setting::new("chart_url", "base of absolute archive URLs in the index; unless set, they are relative");
const CORS_ALLOW_ORIGIN: Setting<Option<HeaderText>> =
    Setting::new("cors_allow_origin", "value of `Access-Control-Allow-Origin` on `/api` answers");
const ARTIFACT_HUB: Setting<BTreeMap<String, String>> = Setting::with_default(
    "artifact_hub",
    "",
    "Artifact Hub's id of each repository, by repository path; the default repository's path is empty",
);

pub(super) const SETTINGS: &[&dyn AnySetting] =
    &[&PUBLIC_URL, &CONTEXT_PATH, &CHART_URL, &CORS_ALLOW_ORIGIN, &ARTIFACT_HUB];

/// How others see the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicAddress {
    /// The address clients use, context path left out: `public_url`, `CHARTROOM_PUBLIC_URL`; default the request's.
    pub(crate) url: Option<HttpUrl>,
    /// The path before every path: `context_path`, `CHARTROOM_CONTEXT_PATH`; default none.
    pub(crate) context_path: ContextPath,
    /// The base of absolute archive URLs, as ChartMuseum's `--chart-url`: `chart_url`, `CHARTROOM_CHART_URL`; default
    /// relative URLs.
    pub(crate) chart_url: Option<HttpUrl>,
    /// The value of `Access-Control-Allow-Origin` on API answers: `cors_allow_origin`, `CHARTROOM_CORS_ALLOW_ORIGIN`;
    /// default no such header.
    pub(crate) cors_allow_origin: Option<HeaderText>,
    /// Artifact Hub's repository ids by repository path, empty for the default one: `[artifact_hub]`,
    /// `CHARTROOM_ARTIFACT_HUB=ID` or `PATH=ID,PATH=ID`; default none.
    pub(crate) artifact_hub: BTreeMap<String, String>,
}

/// The path before the server's own paths: empty, or segments each after a slash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ContextPath(Box<str>);

/// A text that may be the value of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderText(Box<str>);

impl PublicAddress {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            url: settings.value(&PUBLIC_URL)?,
            context_path: settings.value(&CONTEXT_PATH)?,
            chart_url: settings.value(&CHART_URL)?,
            cors_allow_origin: settings.value(&CORS_ALLOW_ORIGIN)?,
            artifact_hub: settings.value(&ARTIFACT_HUB)?,
        })
    }
}

impl ContextPath {
    /// Returns the path: empty, or beginning with a slash and not ending with one.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl HeaderText {
    /// Returns the text: printable ASCII.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromText for ContextPath {
    fn from_text(text: &str) -> Result<Self, String> {
        let path = text.trim_matches('/');
        let is_segment = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        };
        match path {
            "" => Ok(Self::default()),
            path if path.split('/').all(is_segment) => Ok(Self(format!("/{path}").into())),
            _ => Err(format!(
                "`{text}` is not a path: write segments of letters, digits, `.`, `_`, `~` and `-`, such as `/charts`"
            )),
        }
    }
}

impl FromText for HeaderText {
    fn from_text(text: &str) -> Result<Self, String> {
        if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            Ok(Self(text.trim().into()))
        } else {
            Err("cannot be a header: write printable ASCII letters only".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{config, refusal};

    #[test]
    fn the_context_path_is_written_one_way() {
        for (text, expected) in [("/", ""), ("team", "/team"), ("/team/a/", "/team/a")] {
            assert_eq!(config(&[("CHARTROOM_CONTEXT_PATH", text)]).public.context_path.as_str(), expected);
        }
        for text in ["/a//b", "/a/../b", "/a?b", "/a b"] {
            assert!(
                refusal(&[("CHARTROOM_CONTEXT_PATH", text)]).contains("is not a path: write segments"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_header_value_can_not_hold_a_line_end() {
        assert!(refusal(&[("CHARTROOM_CORS_ALLOW_ORIGIN", "*\r\nX: y")]).contains("cannot be a header"));
    }
}
