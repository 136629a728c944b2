//! The short tokens of the registry: a JSON Web Token (RFC 7519) signed with a key of the catalog (HS256, RFC 7515).
//!
//! A token is no credential: whose right it uses stands in it and is looked at again with every request. Written by hand
//! because keys and clock are the server's own: there is one algorithm, and a token names nothing but its key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chart::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Grants, Holder, Identity, Purpose, Signer};
use crate::app;
use crate::catalog::CatalogError;

/// How long a token is good for: it cannot be taken back by itself, and clients ask for the next one in time.
const LIFE_SECONDS: i64 = 300;
/// How far the clocks of replicas may be apart.
const CLOCKS_APART_SECONDS: i64 = 30;
/// The longest token that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;
const ISSUER: &str = "chartroom";

#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

impl Header {
    fn of(key: i64) -> Self {
        Self { alg: "HS256".to_owned(), typ: "JWT".to_owned(), kid: key.to_string() }
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    /// The caller's name, for people who look into a token.
    sub: String,
    /// The host it was made for. Not compared: replicas are reached by several names, and whoever has another catalog has
    /// other keys.
    aud: String,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: String,
    /// What it is good for.
    pub(crate) access: Grants,
    /// Whose right it uses.
    pub(crate) holder: Holder,
}

/// A token that was just made.
#[derive(Debug, Clone)]
pub(crate) struct RegistryToken {
    /// The token itself.
    pub(crate) text: String,
    /// How long it is good for.
    pub(crate) life_seconds: i64,
    /// When it was made, to the second as the token has it.
    pub(crate) issued_at: Timestamp,
}

/// Tells whether a bearer token looks like one of these: three parts, the first of which begins a JSON object. An access
/// token that an operator chose may hold dots too.
pub(crate) fn is_registry_token(text: &str) -> bool {
    text.starts_with("eyJ") && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

impl RegistryToken {
    /// Makes a token of `identity` for `service` that is good for `access`.
    ///
    /// # Errors
    /// [`CatalogError`] when there is no key in memory and the catalog does not answer.
    pub(crate) async fn issue(
        signer: &Signer,
        identity: &Identity,
        service: String,
        access: Grants,
        now: Timestamp,
    ) -> Result<Self, CatalogError> {
        let iat = now.micros().div_euclid(1_000_000);
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: identity.caller.name().to_owned(),
            aud: service,
            exp: iat + LIFE_SECONDS,
            nbf: iat - CLOCKS_APART_SECONDS,
            iat,
            jti: app::random_request_id(),
            access,
            holder: identity.holder,
        };
        let key = signer.newest_key(now).await?;
        let signed = format!("{}.{}", encode(&Header::of(key.id())), encode(&claims));
        let code = key.code(Purpose::RegistryToken, signed.as_bytes());
        let text = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(code));
        Ok(Self { text, life_seconds: LIFE_SECONDS, issued_at: Timestamp::from_micros(iat * 1_000_000) })
    }
}

impl Claims {
    /// Reads a token; `None` for one that was not made here, or is not good any more.
    ///
    /// # Errors
    /// [`CatalogError`] when its key is not in memory and the catalog does not answer.
    pub(crate) async fn verify(
        signer: &Signer,
        text: &str,
        now: Timestamp,
    ) -> Result<Option<Self>, CatalogError> {
        if text.len() > LONGEST {
            return Ok(None);
        }
        let Some((signed, code)) = text.rsplit_once('.') else { return Ok(None) };
        let Some((header, claims)) = signed.split_once('.') else { return Ok(None) };
        let (Some(header), Ok(code)) = (decode::<Header>(header), URL_SAFE_NO_PAD.decode(code)) else {
            return Ok(None);
        };
        let Ok(id) = header.kid.parse::<i64>() else { return Ok(None) };
        if header != Header::of(id) {
            return Ok(None);
        }
        let Some(key) = signer.find_key(id).await? else { return Ok(None) };
        if !key.is_code(Purpose::RegistryToken, signed.as_bytes(), &code) {
            return Ok(None);
        }
        Ok(decode::<Self>(claims).filter(|claims| claims.hold(now)))
    }

    fn hold(&self, now: Timestamp) -> bool {
        let second = now.micros().div_euclid(1_000_000);
        self.iss == ISSUER && self.nbf <= second && second < self.exp
    }
}

fn encode(part: &impl Serialize) -> String {
    // Structs of texts and numbers always have a JSON form.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap_or_default())
}

fn decode<T: for<'a> Deserialize<'a>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Action, Caller};
    use crate::catalog::Catalog;

    const SECOND: i64 = 1_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * SECOND)
    }

    async fn signer(folder: &tempfile::TempDir) -> Signer {
        Signer::new(Catalog::open_embedded(&folder.path().join("catalog.db")).await.unwrap())
    }

    async fn issue(signer: &Signer) -> String {
        let mut access = Grants::default();
        access.add(&"a/b".parse().unwrap(), Action::Pull);
        let identity = Identity { caller: Caller::Anonymous, holder: Holder::Token(7) };
        RegistryToken::issue(signer, &identity, "host".to_owned(), access, at(1_000)).await.unwrap().text
    }

    #[tokio::test]
    async fn a_token_holds_for_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let signer = signer(&folder).await;
        let token = issue(&signer).await;
        assert!(is_registry_token(&token) && !is_registry_token("an.operators.own"));
        for (second, holds) in [(969, false), (970, true), (1_000, true), (1_299, true), (1_300, false)] {
            let claims = Claims::verify(&signer, &token, at(second)).await.unwrap();
            assert_eq!(claims.is_some(), holds, "{second}");
        }
        let claims = Claims::verify(&signer, &token, at(1_000)).await.unwrap().unwrap();
        assert_eq!((claims.holder, claims.aud.as_str()), (Holder::Token(7), "host"));
        assert!(claims.access.allow(&"a/b".parse().unwrap(), Action::Pull));
    }

    #[tokio::test]
    async fn what_was_not_signed_here_is_no_token() {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let (ours, others) = (signer(&folders[0]).await, signer(&folders[1]).await);
        let token = issue(&ours).await;
        let parts: Vec<&str> = token.split('.').collect();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT","kid":"1"}"#);
        let unknown_key = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT","kid":"99"}"#);
        let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        let widened = URL_SAFE_NO_PAD.encode(claims.replace(r#"{"token":7}"#, r#"{"token":1}"#));
        for forged in [
            issue(&others).await,
            format!("{none}.{}.", parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{unknown_key}.{}.{}", parts[1], parts[2]),
            format!("{}.{widened}.{}", parts[0], parts[2]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{token}A"),
            "..".to_owned(),
            format!("{}..", "a".repeat(LONGEST)),
        ] {
            assert_eq!(Claims::verify(&ours, &forged, at(1_000)).await.unwrap(), None, "{forged}");
        }
    }
}
