//! Who sends a request to the registry: by Basic, by an access token as Bearer, or by a token that was given out here.

use std::net::IpAddr;

use oci::ErrorCode;

use super::super::super::Server;
use super::super::super::request::Asked;
use super::super::error::OciFailure;
use crate::access::{AccessError, Claims, Credential, Identity, is_registry_token};
use crate::config::RequestOrigin;

/// Notes in `asked` who sent the credential, and what a token of the registry limits them to.
///
/// # Errors
/// 401 for a credential that is not valid, 429 for too many of these.
pub(in super::super) async fn identify(
    server: &Server,
    asked: &mut Asked,
    origin: &RequestOrigin,
    credential: Option<Credential>,
) -> Result<(), OciFailure> {
    let registry_token = match &credential {
        Some(Credential::Bearer(secret)) if is_registry_token(secret.reveal()) => Some(secret.reveal()),
        Some(Credential::Bearer(_) | Credential::Basic { .. }) | None => None,
    };
    let (app, now) = (&server.app, server.app.clock.now());
    // On an open server no token can say less than nothing does.
    let Some(token) = registry_token.filter(|_| !app.verifier.is_open()) else {
        asked.caller = verify(server, credential.as_ref(), origin).await?.caller;
        return Ok(());
    };
    let claims = Claims::verify(&app.signer, token, now).await?.ok_or(AccessError::Refused)?;
    asked.caller = app.verifier.caller_of(claims.holder, now).await?;
    asked.grants = Some(claims.access);
    Ok(())
}

/// Returns who sends the credential.
///
/// # Errors
/// 401 when it is not valid, 429 when too many from the same address were not.
pub(super) async fn verify(
    server: &Server,
    credential: Option<&Credential>,
    origin: &RequestOrigin,
) -> Result<Identity, OciFailure> {
    let (app, now) = (&server.app, server.app.clock.now());
    if credential.is_some()
        && let Some(seconds) = server.wrong_credentials.wait_seconds(origin.client, now)
    {
        return Err(too_many(origin.client, seconds));
    }
    let identity = app.verifier.identity_of(credential, now).await;
    if matches!(identity, Err(AccessError::Refused)) {
        server.wrong_credentials.note(origin.client, now);
    }
    Ok(identity?)
}

fn too_many(client: IpAddr, seconds: u64) -> OciFailure {
    let text = format!("too many wrong credentials from `{client}`: try again in {seconds} s");
    OciFailure::new(ErrorCode::TooManyRequests, text)
}
