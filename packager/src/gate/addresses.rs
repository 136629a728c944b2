//! Finds addresses in a text: what begins with a scheme by which things are fetched.

/// Schemes by which programs fetch.
const SCHEMES: [&str; 9] =
    ["https://", "http://", "git://", "ssh://", "oci://", "ftp://", "ftps://", "git+https://", "git+ssh://"];

/// An address in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address<'text> {
    /// The whole address, without the punctuation around it.
    pub(super) text: &'text str,
    /// Host and port, without user and password.
    pub(super) host: &'text str,
}

/// Returns every address in `text`, in order.
pub(super) fn addresses(text: &str) -> Vec<Address<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = (rest.get(..at).unwrap_or_default(), rest.get(at + 3..).unwrap_or_default());
        let scheme_length =
            before.chars().rev().take_while(|one| one.is_ascii_alphanumeric() || *one == '+').count();
        let start = before.len() - scheme_length;
        let end = after.find(is_end).unwrap_or(after.len());
        let whole = rest.get(start..at + 3 + end).unwrap_or_default();
        let whole = whole.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*']);
        if SCHEMES.iter().any(|scheme| rest.get(start..at + 3) == Some(*scheme)) {
            let address = whole.split_once("://").map_or("", |(_, below)| below);
            let authority = address.split(['/', '?', '#']).next().unwrap_or(address);
            let host = authority.rsplit('@').next().unwrap_or(authority);
            found.push(Address { text: whole, host });
        }
        rest = after;
    }
    found
}

fn is_end(character: char) -> bool {
    character.is_whitespace() || matches!(character, '"' | '<' | '>' | '`' | '|' | ')' | ']' | '\\' | '^')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_without_what_stands_around_them() {
        let table: [(&str, &[(&str, &str)]); 6] = [
            ("see https://a.io/x.", &[("https://a.io/x", "a.io")]),
            ("(http://a.io:80/x), 'git://b.io'", &[("http://a.io:80/x", "a.io:80"), ("git://b.io", "b.io")]),
            ("https://user:word@a.io/x?y=1", &[("https://user:word@a.io/x?y=1", "a.io")]),
            ("redis://cache:6379 jdbc:postgresql://db/x", &[]),
            ("--repo=git+https://a.io/r.git", &[("git+https://a.io/r.git", "a.io")]),
            ("한https://a.io", &[("https://a.io", "a.io")]),
        ];
        for (text, expected) in table {
            let found: Vec<_> = addresses(text).iter().map(|one| (one.text, one.host)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
