//! `GET /v2/_catalog`: the names the caller may read, in byte order, page by page.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, header};
use oci::{ErrorCode, OciName};

use super::super::error::ErrorKind;
use super::super::request::Asked;
use super::super::{Server, wrong_verb};
use super::access::out_of_scope;
use super::error::OciFailure;
use crate::access::Caller;
use crate::app::AnonymousRead;
use crate::catalog::{NamesPage, Readable};
use crate::operations::create_repository::CreateRepositoryError;

/// How many names an answer has at most, and unless the request says otherwise.
const MOST: u32 = 1_000;

/// Answers with a page of names.
///
/// Without a credential it is 401 even where names are public: clients send theirs only when told to, and would list the
/// public names alone. One who has none asks for a token without it, and lists those.
pub(super) async fn answer(server: &Server, asked: &Asked) -> Result<Response<Body>, OciFailure> {
    if asked.method != Method::GET && asked.method != Method::HEAD {
        return Err(wrong_verb(server, asked).into());
    }
    match (&asked.grants, &asked.caller) {
        (None, Caller::Anonymous) => return Err(CreateRepositoryError::Unauthenticated.into()),
        (Some(grants), _) if !grants.allow_names() => return Err(out_of_scope("the list of names", "*")),
        (Some(_) | None, _) => {}
    }
    let Some(readable) = readable_by(server, &asked.caller) else {
        return Err(CreateRepositoryError::Unauthenticated.into());
    };
    let limit = read_limit(asked)?;
    let names = list(server, &readable, asked.query("last").unwrap_or_default(), limit).await?;
    respond(&names, limit)
}

/// Returns whose names the caller may read; `None` for nobody's.
fn readable_by(server: &Server, caller: &Caller) -> Option<Readable> {
    match caller {
        Caller::Anonymous => match server.app.rules.anonymous_read {
            AnonymousRead::ByRepository => Some(Readable::Public),
            AnonymousRead::Never => None,
        },
        Caller::Everyone | Caller::Known { repository: None, .. } => Some(Readable::All),
        Caller::Known { repository: Some(path), .. } => Some(Readable::PublicAndWithin(path.clone())),
    }
}

fn read_limit(asked: &Asked) -> Result<u32, OciFailure> {
    let Some(text) = asked.query("n") else { return Ok(MOST) };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        let text = format!("`n` is `{text}`: give the number of names wanted");
        return Err(OciFailure::with_kind(ErrorCode::Unsupported, ErrorKind::Invalid, text));
    }
    // More digits than fit are more names than fit.
    Ok(text.parse().unwrap_or(MOST).min(MOST))
}

/// What a page holds, and whether there is more.
struct Names {
    names: Vec<OciName>,
    is_cut: bool,
}

/// Reads names until there are `limit`, or no more. Charts whose names break the registry's grammar, as those with
/// upper-case letters, are passed over, so one page may take several looks.
async fn list(server: &Server, readable: &Readable, after: &str, limit: u32) -> Result<Names, OciFailure> {
    let (mut names, mut after) = (Vec::new(), after.to_owned());
    if limit == 0 {
        return Ok(Names { names, is_cut: false });
    }
    loop {
        let page = NamesPage { readable, after: &after, limit: limit + 1 };
        let read = server.app.catalog.list_registry_names(page).await?;
        let is_last = read.len() <= limit as usize;
        let Some(last) = read.last().cloned() else { break };
        names.extend(read.into_iter().filter_map(|name| name.parse::<OciName>().ok()));
        if is_last || names.len() > limit as usize {
            break;
        }
        after = last;
    }
    let is_cut = names.len() > limit as usize;
    names.truncate(limit as usize);
    Ok(Names { names, is_cut })
}

fn respond(page: &Names, limit: u32) -> Result<Response<Body>, OciFailure> {
    let names: Vec<&str> = page.names.iter().map(OciName::as_str).collect();
    let body = serde_json::json!({ "repositories": names });
    let mut response = Response::new(Body::from(body.to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // A name needs no encoding in a query: it holds letters, digits, `.`, `_`, `-` and `/`.
    if let Some(last) = names.last().filter(|_| page.is_cut)
        && let Ok(link) =
            HeaderValue::from_str(&format!("</v2/_catalog?n={limit}&last={last}>; rel=\"next\""))
    {
        headers.insert(header::LINK, link);
    }
    Ok(response)
}

#[cfg(test)]
mod tests;
