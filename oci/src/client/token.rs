//! Asks a token service for a token (Docker's token authentication, "Token" and "OAuth2").
//! Rule: the service is asked over HTTPS, unless the registry itself is spoken to in plain.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::Serializer;

use super::credentials::{Credentials, Secret};
use super::failure::Failure;
use super::refusal::Refusal;
use super::request::{Answer, Request, stalled};
use super::transport::{refusal_of, refused, unreachable};

/// How token services may list this program.
const CLIENT: &str = "chartroom-oci";
/// What counts when the answer does not say (the specification's own default).
const DEFAULT_LIFE: u64 = 60;
/// A token that ends on the way is no use; clocks do not matter, since lengths of time are compared.
const MARGIN: Duration = Duration::from_secs(10);
/// Tokens that list many rights have some kilobytes; what is longer fits no header.
const TOKEN_BYTES: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);

/// A token and when it is over.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) text: Secret,
    expires: Instant,
}

impl Token {
    pub(super) fn is_fresh(&self) -> bool {
        Instant::now() < self.expires
    }
}

/// Whom to ask, and for what.
#[derive(Debug)]
pub(super) struct TokenService<'a> {
    pub(super) realm: Url,
    pub(super) service: Option<&'a str>,
    pub(super) request: &'a Request,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
    expires_in: Option<u64>,
}

impl TokenService<'_> {
    /// Returns a token for the request's scopes.
    pub(super) async fn ask(&self, http: &Client, credentials: &Credentials) -> Result<Token, Failure> {
        let response = match credentials {
            Credentials::IdentityToken(token) => {
                self.post(http, &[("grant_type", "refresh_token"), ("refresh_token", token.reveal())]).await?
            }
            Credentials::Basic { user, password } => {
                let response = self.get(http, Some((user, password))).await?;
                if is_another_method_wanted(response.status()) {
                    let password = password.reveal();
                    let grant =
                        [("grant_type", "password"), ("username", user.as_str()), ("password", password)];
                    self.post(http, &grant).await?
                } else {
                    response
                }
            }
            Credentials::Anonymous | Credentials::RegistryToken(_) => self.get(http, None).await?,
        };
        self.read(response).await
    }

    async fn get(&self, http: &Client, account: Option<(&String, &Secret)>) -> Result<Response, Failure> {
        let mut request = http.get(self.question(account.map(|(user, _)| user.as_str())));
        if let Some((user, password)) = account {
            request = request.basic_auth(user, Some(password.reveal()));
        }
        self.send(request).await
    }

    fn question(&self, account: Option<&str>) -> Url {
        let mut url = self.realm.clone();
        url.query_pairs_mut()
            .extend_pairs(self.service.map(|service| ("service", service)))
            .extend_pairs(self.request.scopes.iter().map(|scope| ("scope", scope.to_string())))
            .extend_pairs(account.map(|account| ("account", account)));
        url
    }

    async fn post(&self, http: &Client, grant: &[(&str, &str)]) -> Result<Response, Failure> {
        let request = http.post(self.realm.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(self.form(grant))).await
    }

    fn form(&self, grant: &[(&str, &str)]) -> String {
        let scopes: Vec<String> = self.request.scopes.iter().map(ToString::to_string).collect();
        let mut form = Serializer::new(String::new());
        form.extend_pairs(grant).append_pair("client_id", CLIENT).append_pair("scope", &scopes.join(" "));
        form.extend_pairs(self.service.map(|service| ("service", service)));
        form.finish()
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, Failure> {
        let what = self.what();
        let response = tokio::time::timeout(PATIENCE, request.send()).await;
        let response = response.map_err(|_| stalled(&what, &self.realm, PATIENCE))?;
        // The address holds no secret, but the library's own text would repeat all scopes.
        response.map_err(|error| unreachable(&what, &self.realm, &error.without_url()))
    }

    async fn read(&self, response: Response) -> Result<Token, Failure> {
        let is_token = response.status().is_success();
        let answer = Answer { response, what: self.what(), stall_timeout: PATIENCE, _place: None };
        if !is_token {
            return Err(self.refusal(refusal_of(answer).await));
        }
        let bad = |reason: &str| Failure::BadAnswer { what: self.what(), reason: reason.to_owned() };
        let whole = answer.whole(TOKEN_BYTES).await?;
        // The answer itself is not shown: it may hold a token.
        let body: Body =
            serde_json::from_slice(&whole.body).map_err(|_| bad("it is not JSON with a token"))?;
        let text = if body.token.is_empty() { body.access_token } else { body.token };
        if text.is_empty() {
            return Err(bad("it holds no token"));
        }
        let life = Duration::from_secs(body.expires_in.unwrap_or(DEFAULT_LIFE).clamp(1, 86_400));
        let expires = Instant::now() + life.saturating_sub(MARGIN).max(life / 2);
        Ok(Token { text: Secret::new(text), expires })
    }

    fn refusal(&self, refusal: Refusal) -> Failure {
        // 400 is OAuth's status for credentials that are not accepted.
        if refusal.status == 400 {
            let advice = "the token service does not accept these credentials, log in again";
            return Failure::Unauthorized { what: self.request.what.clone(), advice, refusal };
        }
        refused(self.what(), refusal)
    }

    fn what(&self) -> String {
        format!("{}, a token from `{}`", self.request.what, self.realm.host_str().unwrap_or_default())
    }
}

fn is_another_method_wanted(status: StatusCode) -> bool {
    status == StatusCode::NOT_FOUND || status == StatusCode::METHOD_NOT_ALLOWED
}
