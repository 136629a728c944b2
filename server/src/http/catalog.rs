//! The catalogue API, `/catalog/v1`: what automation and the web interface speak.

pub(super) mod changes;
pub(super) mod removed;
pub(super) mod repositories;
pub(super) mod status;

use std::ops::RangeInclusive;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::error::{ErrorKind, Failure};
use super::request::Asked;

/// Answers with `body` as JSON.
fn respond(status: StatusCode, body: &impl serde::Serialize) -> Result<Response<Body>, Failure> {
    let json = serde_json::to_vec(body).map_err(|error| {
        tracing::error!(%error, "cannot write JSON");
        Failure::new(ErrorKind::Internal, "internal error")
    })?;
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Reads a whole number of the query, `unset` when it is not given.
fn number<T>(asked: &Asked, name: &str, unset: T, within: RangeInclusive<T>) -> Result<T, Failure>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let Some(text) = asked.query(name) else { return Ok(unset) };
    match text.parse() {
        Ok(number) if within.contains(&number) => Ok(number),
        Ok(_) | Err(_) => {
            let (least, most) = within.into_inner();
            let text = format!("`{name}` must be a whole number from {least} to {most}");
            Err(Failure::new(ErrorKind::Invalid, text))
        }
    }
}
