//! What a handler needs to know of a request, apart from its body.

use axum::http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use crate::access::{Caller, Grants};

/// A request whose sender is known.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) caller: Caller,
    /// What the registry's token that came is good for; `None` when another credential came, or none.
    pub(crate) grants: Option<Grants>,
    /// Decoded names and values, in the order they came.
    query: Vec<(String, String)>,
}

impl Asked {
    /// Takes the parts of a request; `query` is what follows the question mark.
    pub(crate) fn new(method: Method, headers: HeaderMap, query: Option<&str>, caller: Caller) -> Self {
        Self { method, headers, caller, grants: None, query: read_pairs(query.unwrap_or_default()) }
    }

    /// Returns the first value of a query parameter; an empty text for one without a value, such as `?force`.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query_values(name).next()
    }

    /// Returns every value of a query parameter, in the order they came.
    pub(crate) fn query_values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a query or a form: decoded names and values, in the order they came.
pub(crate) fn read_pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    });
    pairs.collect()
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_parameters_are_decoded_and_may_have_no_value() {
        let asked =
            Asked::new(Method::GET, HeaderMap::new(), Some("force&a=b%20c&a=d&x=1+2"), Caller::Anonymous);
        assert_eq!(asked.query("force"), Some(""));
        assert_eq!(asked.query("a"), Some("b c"));
        assert_eq!(asked.query("x"), Some("1 2"));
        assert_eq!(asked.query("limit"), None);
    }
}
