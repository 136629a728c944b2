//! What an `Authorization` header carries (RFC 7617 Basic, RFC 6750 Bearer).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Secret;

/// A credential as it came, not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// User and password; a token may stand as the password of any user, since helm and cm-push send only Basic.
    Basic {
        /// The user's name.
        user: String,
        /// The password or token.
        password: Secret,
    },
    /// A token.
    Bearer(Secret),
}

impl Credential {
    /// Reads the header's value; `None` when it is of no scheme or form known here.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let (scheme, value) = header.trim().split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self::Bearer(Secret::from_text(value)));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
        let (user, password) = text.split_once(':')?;
        Some(Self::Basic { user: user.to_owned(), password: Secret::exactly(password) })
    }

    /// Returns the part that may be a token.
    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::Basic { password, .. } => password,
            Self::Bearer(secret) => secret,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_and_bearer_are_read_whatever_their_case() {
        let basic = Credential::parse("Basic dXNlcjpwYTpzcw==").unwrap();
        assert_eq!(basic, Credential::Basic { user: "user".into(), password: Secret::from_text("pa:ss") });
        assert_eq!(Credential::parse("bearer abc"), Some(Credential::Bearer(Secret::from_text("abc"))));
    }

    #[test]
    fn other_forms_are_no_credential() {
        for header in ["", "Basic", "Basic %%%", "Basic dXNlcg==", "Digest x", "abc"] {
            assert_eq!(Credential::parse(header), None, "{header}");
        }
    }
}
