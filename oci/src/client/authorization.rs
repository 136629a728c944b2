//! Shows a registry who asks, in the way it asked for. Rule: tokens are kept per set of rights until they end, and one
//! that the registry refuses is asked for anew once.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Client, Response};
use tokio::sync::Mutex;
use url::Url;

use super::address::RegistryAddress;
use super::challenge::Challenge;
use super::credentials::{CredentialSource, Credentials};
use super::failure::Failure;
use super::request::Request;
use super::token::{Token, TokenService};
use crate::name::OciName;

/// What knows who asks, and how to show it.
#[derive(Debug)]
pub(super) struct Authorizer {
    address: RegistryAddress,
    source: CredentialSource,
    // Held while a token is fetched, so that of many requests one asks.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    challenge: Option<Challenge>,
    credentials: HashMap<Option<OciName>, Credentials>,
    tokens: HashMap<String, Token>,
}

impl Authorizer {
    pub(super) fn new(address: RegistryAddress, source: CredentialSource) -> Self {
        Self { address, source, state: Mutex::default() }
    }

    /// Takes note of how the registry wants to be shown who asks. Returns whether it said so.
    pub(super) async fn learn(&self, response: &Response) -> bool {
        let headers = response.headers().get_all(WWW_AUTHENTICATE).iter();
        let challenge = Challenge::choose(headers.filter_map(|value| value.to_str().ok()));
        let is_known = challenge.is_some();
        if is_known {
            self.state.lock().await.challenge = challenge;
        }
        is_known
    }

    /// Tells, after a 401, whether the same request with what is known now may be answered otherwise.
    pub(super) async fn is_worth_repeating(&self, response: &Response, request: &Request) -> bool {
        let was_asked_before = self.state.lock().await.challenge.clone();
        if !self.learn(response).await {
            return false;
        }
        let mut state = self.state.lock().await;
        match (&state.challenge, was_asked_before) {
            (Some(Challenge::Bearer { .. }), _) => {
                state.tokens.remove(&key(request));
                true
            }
            // The password was sent and refused.
            (Some(Challenge::Basic), Some(Challenge::Basic)) | (None, _) => false,
            (Some(Challenge::Basic), Some(Challenge::Bearer { .. }) | None) => true,
        }
    }

    /// Returns the value of `Authorization`; nothing when the registry does not ask or nobody in particular asks.
    pub(super) async fn header(
        &self,
        http: &Client,
        request: &Request,
    ) -> Result<Option<HeaderValue>, Failure> {
        let mut state = self.state.lock().await;
        let Some(challenge) = state.challenge.clone() else { return Ok(None) };
        let name = request.scopes.first().and_then(|scope| scope.name()).cloned();
        let credentials = match state.credentials.get(&name) {
            Some(known) => known.clone(),
            None => {
                let found = self.source.find(&self.address, name.as_ref()).await?;
                state.credentials.entry(name).or_insert(found).clone()
            }
        };
        match (challenge, &credentials) {
            (_, Credentials::RegistryToken(token)) => {
                secret_header(request, &format!("Bearer {}", token.reveal()))
            }
            (Challenge::Basic, Credentials::Basic { user, password }) => {
                let pair = STANDARD.encode(format!("{user}:{}", password.reveal()));
                secret_header(request, &format!("Basic {pair}"))
            }
            (Challenge::Basic, Credentials::Anonymous | Credentials::IdentityToken(_)) => Ok(None),
            (Challenge::Bearer { realm, service }, _) => {
                let key = key(request);
                if let Some(token) = state.tokens.get(&key).filter(|token| token.is_fresh()) {
                    return secret_header(request, &format!("Bearer {}", token.text.reveal()));
                }
                let realm = self.checked_realm(request, &realm)?;
                let service = TokenService { realm, service: service.as_deref(), request };
                let token = service.ask(http, &credentials).await?;
                let header = secret_header(request, &format!("Bearer {}", token.text.reveal()));
                state.tokens.insert(key, token);
                header
            }
        }
    }

    /// An attacker on the way could otherwise name a realm and be sent the password.
    pub(super) fn checked_realm(&self, request: &Request, realm: &str) -> Result<Url, Failure> {
        let url: Url =
            realm.parse().map_err(|_| request.bad_answer(format!("`{realm}` is no token service")))?;
        if url.scheme() == "https" || (url.scheme() == "http" && self.address.is_plain()) {
            return Ok(url);
        }
        Err(request.bad_answer(format!("its token service `{realm}` is not asked over HTTPS")))
    }
}

fn key(request: &Request) -> String {
    let mut scopes: Vec<String> = request.scopes.iter().map(ToString::to_string).collect();
    scopes.sort();
    scopes.join(" ")
}

fn secret_header(request: &Request, value: &str) -> Result<Option<HeaderValue>, Failure> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| request.bad_answer("its token, or the password, cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}
