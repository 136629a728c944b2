//! The challenge that tells a client how to log in (RFC 6750 §3, Docker's token authentication).
//!
//! Clients read the first one only, so there is one. It names what was asked for, as it stands in the address: anything
//! else would tell strangers what is there.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};

use super::super::Server;
use super::super::origin::registry_base;
use super::super::request::Asked;
use super::error::OciFailure;
use super::route::OciRoute;
use crate::access::{Action, Scope};
use crate::config::RequestOrigin;

/// What was wrong with a bearer token that came (RFC 6750 §3.1). Clients that hear of it give up where they would ask for
/// the same token again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenFault {
    /// It is none, or its time is over.
    Invalid,
    /// It is not for this.
    InsufficientScope,
}

impl TokenFault {
    const fn word(self) -> &'static str {
        match self {
            Self::Invalid => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

/// Returns the answer of a failure, with a challenge when a credential would help.
pub(super) fn respond(
    server: &Server,
    origin: &RequestOrigin,
    route: &OciRoute,
    asked: &Asked,
    (failure, fault): (OciFailure, TokenFault),
) -> Response<Body> {
    let mut response = failure.into_response();
    // Where tokens are given out, what is wanted is the credential itself: the failure's own challenge stays.
    if response.status() != StatusCode::UNAUTHORIZED || matches!(route, OciRoute::Token) {
        return response;
    }
    let Some((scheme, host)) = registry_base(server, origin) else { return response };
    let mut challenge = format!("Bearer realm=\"{scheme}://{host}/v2/token\",service=\"{host}\"");
    let scopes: Vec<String> = scopes(route, asked).iter().map(Scope::to_string).collect();
    if !scopes.is_empty() {
        challenge.push_str(&format!(",scope=\"{}\"", scopes.join(" ")));
    }
    if came_with_bearer(asked) {
        challenge.push_str(&format!(",error=\"{}\"", fault.word()));
    }
    if let Ok(value) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// Returns what a token must be for that this request needs.
fn scopes(route: &OciRoute, asked: &Asked) -> Vec<Scope> {
    let more = match (route, &asked.method) {
        (OciRoute::Base | OciRoute::Token, _) => return Vec::new(),
        (OciRoute::Names, _) => return vec![Scope::Names],
        (OciRoute::Upload { .. } | OciRoute::Uploads { .. }, _) => Some(Action::Push),
        (_, &Method::GET | &Method::HEAD) => None,
        (_, &Method::DELETE) => Some(Action::Delete),
        (_, _) => Some(Action::Push),
    };
    let actions: Vec<Action> = std::iter::once(Action::Pull).chain(more).collect();
    let own = route.name().map(|name| Scope::Name { name: name.clone(), actions });
    own.into_iter().chain(mounted_from(route, asked)).collect()
}

/// Returns the scope of the name that a blob is to be mounted from.
fn mounted_from(route: &OciRoute, asked: &Asked) -> Option<Scope> {
    match route {
        OciRoute::Uploads { .. } if asked.query("mount").is_some() => {
            Some(Scope::Name { name: asked.query("from")?.parse().ok()?, actions: vec![Action::Pull] })
        }
        OciRoute::Base
        | OciRoute::Token
        | OciRoute::Names
        | OciRoute::Tags { .. }
        | OciRoute::Manifest { .. }
        | OciRoute::Blob { .. }
        | OciRoute::Uploads { .. }
        | OciRoute::Upload { .. }
        | OciRoute::Referrers { .. } => None,
    }
}

fn came_with_bearer(asked: &Asked) -> bool {
    let header = asked.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    header.is_some_and(|header| {
        header.trim_start().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;
    use crate::access::Caller;

    #[test]
    fn a_challenge_asks_for_what_the_request_needs() {
        let digest = oci::Digest::sha256(b"x");
        let blob = format!("a/b/blobs/{digest}");
        for (method, path, query, expected) in [
            ("GET", "", "", ""),
            ("GET", "_catalog", "", "registry:catalog:*"),
            ("HEAD", "a/b/manifests/1.0.0", "", "repository:a/b:pull"),
            ("GET", "a/b/tags/list", "", "repository:a/b:pull"),
            ("GET", &blob, "", "repository:a/b:pull"),
            ("PUT", "a/b/manifests/1.0.0", "", "repository:a/b:pull,push"),
            ("DELETE", "a/b/manifests/1.0.0", "", "repository:a/b:pull,delete"),
            ("DELETE", &blob, "", "repository:a/b:pull,delete"),
            ("POST", "a/b/blobs/uploads/", "", "repository:a/b:pull,push"),
            ("GET", "a/b/blobs/uploads/1", "", "repository:a/b:pull,push"),
            ("DELETE", "a/b/blobs/uploads/1", "", "repository:a/b:pull,push"),
            (
                "POST",
                "a/b/blobs/uploads/",
                "mount=x&from=c/d",
                "repository:a/b:pull,push repository:c/d:pull",
            ),
            ("POST", "a/b/blobs/uploads/", "mount=x&from=C", "repository:a/b:pull,push"),
            ("POST", "a/b/blobs/uploads/", "from=c/d", "repository:a/b:pull,push"),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let asked = Asked::new(method, HeaderMap::new(), Some(query), Caller::Anonymous);
            let scopes: Vec<String> =
                scopes(&OciRoute::parse(path).unwrap(), &asked).iter().map(Scope::to_string).collect();
            assert_eq!(scopes.join(" "), expected, "{path}?{query}");
        }
    }
}
