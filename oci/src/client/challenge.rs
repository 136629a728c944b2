//! What a registry asks for with a 401: the header `WWW-Authenticate` (RFC 9110 §11.6.1).

use std::collections::BTreeMap;

/// How a registry wants to be shown who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token from elsewhere.
    Bearer {
        /// The address of the token service.
        realm: String,
        /// How the token service knows this registry.
        service: Option<String>,
    },
}

impl Challenge {
    /// Returns the challenge to answer, a token's before a password's; nothing when none of them is known.
    pub(super) fn choose<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Self> {
        let offered: Vec<_> = headers.flat_map(parse).collect();
        let scheme = |name: &str| offered.iter().find(|(scheme, _)| scheme.eq_ignore_ascii_case(name));
        let bearer = scheme("bearer").and_then(|(_, parameters)| {
            let realm = parameters.get("realm")?.clone();
            Some(Self::Bearer { realm, service: parameters.get("service").cloned() })
        });
        bearer.or_else(|| scheme("basic").map(|_| Self::Basic))
    }
}

type Offered = (String, BTreeMap<String, String>);

/// A comma separates parameters as well as challenges: a word without `=` begins the next challenge.
fn parse(header: &str) -> Vec<Offered> {
    let mut offered: Vec<Offered> = Vec::new();
    let mut rest = header.trim_start_matches([' ', ',']);
    while !rest.is_empty() {
        let length = rest.find([' ', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        rest = match (after.trim_start().strip_prefix('='), offered.last_mut()) {
            (Some(value), Some((_, parameters))) => {
                let (value, after) = read_value(value.trim_start());
                parameters.insert(word.to_ascii_lowercase(), value);
                after
            }
            // A value with no scheme before it.
            (Some(_), None) => return offered,
            (None, _) => {
                offered.push((word.to_owned(), BTreeMap::new()));
                after
            }
        };
        rest = rest.trim_start_matches([' ', ',']);
    }
    offered
}

/// Returns a token or the content of a quoted string, and what follows.
fn read_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, after) = text.split_at(text.find([',', ' ']).unwrap_or(text.len()));
        return (value.to_owned(), after);
    };
    let (mut value, mut letters) = (String::new(), quoted.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
    }

    #[test]
    fn challenges_are_read_as_servers_write_them() {
        let table: [(&[&str], Option<Challenge>); 12] = [
            (
                &[r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io""#],
                bearer("https://auth.docker.io/token", Some("registry.docker.io")),
            ),
            (
                &[
                    r#"Bearer realm="https://h/t",service="s",scope="repository:a/b:pull,push",error="invalid_token""#,
                ],
                bearer("https://h/t", Some("s")),
            ),
            (&[r#"bearer Realm="https://h/t?a=b,c""#], bearer("https://h/t?a=b,c", None)),
            (&[r#"Bearer realm = "https://h/t" , service = s"#], bearer("https://h/t", Some("s"))),
            (&[r#"Bearer realm="a\"b""#], bearer(r#"a"b"#, None)),
            (&[r#"Basic realm="basic-realm""#], Some(Challenge::Basic)),
            (&["Basic"], Some(Challenge::Basic)),
            (&[r#"Basic realm="x", Bearer realm="https://h/t""#], bearer("https://h/t", None)),
            (&[r#"Basic realm="x""#, r#"Bearer realm="https://h/t""#], bearer("https://h/t", None)),
            (&[r#"Bearer service="s""#, "Basic"], Some(Challenge::Basic)),
            (&["Negotiate", ", ,", "=", r#"Bearer realm=""#], bearer("", None)),
            (&["Negotiate", ""], None),
        ];
        for (headers, expected) in table {
            assert_eq!(Challenge::choose(headers.iter().copied()), expected, "{headers:?}");
        }
    }
}
