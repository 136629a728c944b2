//! Where archives go: the URL of a repository, and the URLs of its parts.
//!
//! Credentials in the URL are taken out at once, so that nothing that is printed can show them.

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::config::Token;

/// A repository to publish to.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// The repository's URL without credentials, query and closing slash.
    url: Url,
    /// User and password of the URL.
    basic: Option<(String, Token)>,
}

/// How a request says who asks.
#[derive(Debug, Clone)]
pub(crate) enum Credentials {
    /// Nobody does.
    Anonymous,
    /// By a token.
    Bearer(Token),
    /// By user and password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Token,
    },
}

/// Why a text is no destination.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidDestination {
    /// The text is no URL.
    #[error("not a URL ({0}): write it as in `helm repo add`, for example http://127.0.0.1:8080/playcekube")]
    NotAUrl(#[from] url::ParseError),
    /// The scheme is another.
    #[error("`{0}://` is not spoken here: use http:// or https://")]
    Scheme(String),
    /// A query or fragment follows the path.
    #[error("a repository's URL ends with its path: take the part after `?` or `#` away")]
    Query,
    /// The URL is that of the index.
    #[error("this is the index: leave `/index.yaml` away")]
    Index,
}

impl Destination {
    /// Returns the credentials to send: those of the URL, which were typed for this very call, else `token`.
    pub(crate) fn credentials(&self, token: Option<&Token>) -> Credentials {
        match (&self.basic, token) {
            (Some((user, password)), _) => {
                Credentials::Basic { user: user.clone(), password: password.clone() }
            }
            (None, Some(token)) => Credentials::Bearer(token.clone()),
            (None, None) => Credentials::Anonymous,
        }
    }

    /// Returns the URL of the index.
    pub(crate) fn index(&self) -> Url {
        self.below(&format!("{}/index.yaml", self.path()))
    }

    /// Returns the URL that takes archives: `<context>/api/<repository>/charts`, as ChartMuseum has it.
    ///
    /// `context_path` is what the server says it lives under (`serverInfo.contextPath` of the index); a path
    /// that the repository's does not begin with is of another server and not used.
    pub(crate) fn upload(&self, context_path: &str, force: bool) -> Url {
        let context = context_path.trim_end_matches('/');
        let path = self.path();
        let repository = path.strip_prefix(context).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let (context, repository) = repository.map_or(("", path), |repository| (context, repository));
        let mut url = self.below(&format!("{context}/api{repository}/charts"));
        url.set_query(force.then_some("force"));
        url
    }

    fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    fn below(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

impl FromStr for Destination {
    type Err = InvalidDestination;

    fn from_str(text: &str) -> Result<Self, InvalidDestination> {
        let mut url = Url::parse(text)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidDestination::Scheme(url.scheme().to_owned()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidDestination::Query);
        }
        if url.path().ends_with("/index.yaml") {
            return Err(InvalidDestination::Index);
        }
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let password = Token::new(&decoded(url.password().unwrap_or_default()));
        let basic = password.map(|password| (decoded(url.username()), password));
        // An http URL has a host, so neither call can fail.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Ok(Self { url, basic })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(text: &str) -> Destination {
        text.parse().unwrap()
    }

    #[test]
    fn urls_are_made_from_the_repository_and_the_servers_context_path() {
        let table = [
            ("http://h:8080", "", "http://h:8080/index.yaml", "http://h:8080/api/charts"),
            ("http://h:8080/", "", "http://h:8080/index.yaml", "http://h:8080/api/charts"),
            ("http://h/playcekube", "", "http://h/playcekube/index.yaml", "http://h/api/playcekube/charts"),
            ("http://h/a/b/", "", "http://h/a/b/index.yaml", "http://h/api/a/b/charts"),
            ("https://h/ctx/a", "/ctx", "https://h/ctx/a/index.yaml", "https://h/ctx/api/a/charts"),
            ("https://h/ctx", "/ctx/", "https://h/ctx/index.yaml", "https://h/ctx/api/charts"),
            ("https://h/ctxt/a", "/ctx", "https://h/ctxt/a/index.yaml", "https://h/api/ctxt/a/charts"),
            ("https://h/a b", "", "https://h/a%20b/index.yaml", "https://h/api/a%20b/charts"),
        ];
        for (text, context, index, upload) in table {
            let to = destination(text);
            assert_eq!(to.index().as_str(), index, "{text}");
            assert_eq!(to.upload(context, false).as_str(), upload, "{text}");
            assert_eq!(to.upload(context, true).as_str(), format!("{upload}?force"), "{text}");
        }
    }

    #[test]
    fn credentials_of_the_url_are_taken_out_and_used_first() {
        let to = destination("https://push:p%40ss@h/r");
        assert_eq!(to.to_string(), "https://h/r");
        assert!(!format!("{to:?}{}{}", to.index(), to.upload("", false)).contains("ss@"));
        let token = Token::new("t").unwrap();
        let Credentials::Basic { user, password } = to.credentials(Some(&token)) else {
            panic!("the credentials of the URL are not used");
        };
        assert_eq!((user.as_str(), password.reveal()), ("push", "p@ss"));
        assert!(matches!(destination("http://h").credentials(Some(&token)), Credentials::Bearer(_)));
        assert!(matches!(destination("http://h").credentials(None), Credentials::Anonymous));
    }

    #[test]
    fn other_urls_are_refused_with_the_remedy() {
        let table = [
            ("playcekube", "not a URL"),
            ("oci://h/r", "`oci://` is not spoken"),
            ("http://h/r?x=1", "after `?`"),
            ("http://h/r/index.yaml", "leave `/index.yaml` away"),
        ];
        for (text, reason) in table {
            let refusal = text.parse::<Destination>().unwrap_err().to_string();
            assert!(refusal.contains(reason), "{text}: {refusal}");
        }
    }
}
