//! `/v2/` and `/v2/token`: how a registry client learns that it must log in, and the short tokens it gets, with the
//! caller's rights and no more.

pub(super) mod bearer;

use axum::body::{self, Body};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, Response, header};
use oci::ErrorCode;

use super::super::error::ErrorKind;
use super::super::origin::registry_base;
use super::super::request::{Asked, read_pairs};
use super::super::{Server, credential_of, wrong_verb};
use super::access::{permitted, readable};
use super::error::OciFailure;
use crate::access::{Action, Caller, Credential, Grants, Identity, Permission, RegistryToken, Scope, Secret};
use crate::catalog::Visibility;
use crate::config::RequestOrigin;
use crate::operations::create_repository::CreateRepositoryError;

/// The largest form taken.
const LARGEST_FORM: usize = 64 * 1024;
/// The longest name of a service, which is a host.
const LONGEST_SERVICE: usize = 255;
/// How many scopes a token may have: a client that copies an image between names asks for two.
const MOST_SCOPES: usize = 32;

/// What is asked for with a token request.
struct TokenRequest {
    credential: Option<Credential>,
    service: Option<String>,
    scopes: Vec<Scope>,
}

/// Answers `/v2/`, which clients ask to learn whether this is a registry and how to log in. Without a credential they
/// must hear of one here, or they never send theirs; a token that was given to nobody is enough.
pub(super) fn base(server: &Server, asked: &Asked) -> Result<Response<Body>, OciFailure> {
    if asked.method != Method::GET && asked.method != Method::HEAD {
        return Err(wrong_verb(server, asked).into());
    }
    if asked.caller == Caller::Anonymous && asked.grants.is_none() {
        return Err(CreateRepositoryError::Unauthenticated.into());
    }
    let mut response = Response::new(Body::from("{}"));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Gives out a token: `GET` with Basic credentials or none, `POST` with a form (OAuth 2's `password` grant).
pub(super) async fn answer(
    server: &Server,
    asked: &Asked,
    origin: &RequestOrigin,
    request: Request,
) -> Result<Response<Body>, OciFailure> {
    if asked.grants.is_some() {
        return Err(invalid("a token of the registry gives no other one: send the credential itself"));
    }
    let wanted = match asked.method {
        Method::GET | Method::HEAD => from_query(asked, &request)?,
        Method::POST => from_form(server, request).await?,
        _ => return Err(wrong_verb(server, asked).into()),
    };
    let identity = bearer::verify(server, wanted.credential.as_ref(), origin).await?;
    if identity.caller == Caller::Anonymous && !is_anything_public(server).await? {
        return Err(CreateRepositoryError::Unauthenticated.into());
    }
    let caller = Asked::new(Method::GET, axum::http::HeaderMap::new(), None, identity.caller.clone());
    let grants = allowed(server, &caller, &wanted.scopes).await?;
    // The host is that of the challenge; who asks for another one, as proxies do, gets a token for that.
    let service = wanted.service.filter(|given| given.len() <= LONGEST_SERVICE);
    let service = service.or_else(|| registry_base(server, origin).map(|(_, host)| host));
    respond(server, &identity, service.unwrap_or_default(), grants).await
}

async fn respond(
    server: &Server,
    identity: &Identity,
    service: String,
    grants: Grants,
) -> Result<Response<Body>, OciFailure> {
    let app = &server.app;
    let token = RegistryToken::issue(&app.signer, identity, service, grants, app.clock.now()).await?;
    let body = serde_json::json!({
        "token": token.text,
        "access_token": token.text,
        "token_type": "Bearer",
        "expires_in": token.life_seconds,
        "issued_at": token.issued_at.to_string(),
    });
    let mut response = Response::new(Body::from(body.to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn from_query(asked: &Asked, request: &Request) -> Result<TokenRequest, OciFailure> {
    Ok(TokenRequest {
        credential: credential_of(request)?,
        service: asked.query("service").map(str::to_owned),
        scopes: read_scopes(asked.query_values("scope"))?,
    })
}

async fn from_form(server: &Server, request: Request) -> Result<TokenRequest, OciFailure> {
    let in_header = credential_of(&request)?;
    // Nobody is known yet, and a form is one packet or two: who takes longer only holds a place.
    let bytes = body::to_bytes(request.into_body(), LARGEST_FORM);
    let form = match tokio::time::timeout(server.surface.body_idle_timeout, bytes).await {
        Ok(Ok(bytes)) => read_pairs(&String::from_utf8_lossy(&bytes)),
        Ok(Err(_)) | Err(_) => {
            let text = format!("the form is cut off, late or larger than {LARGEST_FORM} bytes");
            return Err(invalid(&text));
        }
    };
    let values = |name: &'static str| {
        form.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    };
    let credential = match (values("grant_type").next(), values("username").next(), values("password").next())
    {
        (Some("password"), Some(user), Some(password)) => {
            Some(Credential::Basic { user: user.to_owned(), password: Secret::exactly(password) })
        }
        (Some("password") | None, _, _) if in_header.is_some() => in_header,
        (grant, _, _) => {
            let grant = grant.unwrap_or("none");
            return Err(invalid(&format!(
                "the grant type `{grant}` gives no token: send `password` with `username` and `password`"
            )));
        }
    };
    let service = values("service").next().map(str::to_owned);
    Ok(TokenRequest { credential, service, scopes: read_scopes(values("scope"))? })
}

/// Reads scopes from parameters that may each hold several.
fn read_scopes<'t>(texts: impl Iterator<Item = &'t str>) -> Result<Vec<Scope>, OciFailure> {
    let scopes = texts.flat_map(str::split_whitespace).map(str::parse).collect::<Result<Vec<Scope>, _>>();
    let scopes = scopes.map_err(|refusal| invalid(&refusal.to_string()))?;
    if scopes.len() > MOST_SCOPES {
        return Err(invalid(&format!("the token would have more than {MOST_SCOPES} scopes: ask for fewer")));
    }
    Ok(scopes)
}

/// Returns what of the scopes the caller may do now. Fewer is no error; what is left out is refused when it is tried, and
/// no word here tells whether it exists.
async fn allowed(server: &Server, caller: &Asked, scopes: &[Scope]) -> Result<Grants, OciFailure> {
    let mut grants = Grants::default();
    for scope in scopes {
        match scope {
            Scope::Names => grants.add_names(),
            Scope::Other => {}
            Scope::Name { name, actions } => {
                for action in actions {
                    let answer = match action {
                        Action::Pull => readable(server, caller, name).await,
                        Action::Push => permitted(server, caller, name, Permission::Publish).await,
                        Action::Delete => permitted(server, caller, name, Permission::Delete).await,
                    };
                    match answer {
                        Ok(_) => grants.add(name, *action),
                        Err(failure) if failure.is_refusal() => {}
                        Err(failure) => return Err(failure),
                    }
                }
            }
        }
    }
    Ok(grants)
}

/// Tells whether a token for nobody would be good for anything.
async fn is_anything_public(server: &Server) -> Result<bool, OciFailure> {
    let app = &server.app;
    if !app.rules.anonymous_read.allows(&Caller::Anonymous) {
        return Ok(false);
    }
    let in_memory = app.repositories.loaded();
    let is_known = in_memory.iter().any(|known| known.row().settings.visibility == Visibility::Public);
    Ok(is_known || app.catalog.has_public_repository().await?)
}

fn invalid(text: &str) -> OciFailure {
    OciFailure::with_kind(ErrorCode::Unsupported, ErrorKind::Invalid, text)
}

#[cfg(test)]
mod tests;
