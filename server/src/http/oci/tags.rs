//! `GET /v2/{name}/tags/list`: in byte order, by pages where a client asks for them.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Response, header};
use oci::{ErrorCode, OciName};

use super::super::error::ErrorKind;
use super::super::request::Asked;
use super::super::{Server, wrong_verb};
use super::access::{readable, unknown};
use super::error::OciFailure;
use super::manifests::value;
use crate::registry::{Standing, place_of};

/// Answers a request by its verb.
pub(super) async fn answer(
    server: &Server,
    asked: &Asked,
    name: &OciName,
    _request: Request,
) -> Result<Response<Body>, OciFailure> {
    if asked.method != Method::GET && asked.method != Method::HEAD {
        return Err(wrong_verb(server, asked).into());
    }
    let owned = readable(server, asked, name).await?;
    if matches!(owned.standing, Standing::New) {
        return Err(unknown(name));
    }
    let most = match asked.query("n") {
        None => usize::MAX,
        Some(text) => text.parse().map_err(|_| {
            let text = format!("`n` is `{text}`: it must be a number of tags");
            OciFailure::with_kind(ErrorCode::Unsupported, ErrorKind::Invalid, text)
        })?,
    };
    let tags = server.app.catalog.list_tags(&place_of(name, &owned)).await?;
    let (page, is_cut) = page_of(&tags, asked.query("last"), most);
    let body = serde_json::json!({ "name": name.as_str(), "tags": page }).to_string();
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, value("application/json"));
    if let Some(last) = page.last().filter(|_| is_cut) {
        let link = format!("</v2/{name}/tags/list?n={most}&last={last}>; rel=\"next\"");
        headers.insert(header::LINK, value(&link));
    }
    Ok(response)
}

/// Returns the tags after `last`, `most` of them at most, and whether there are more.
fn page_of<'t>(tags: &'t [String], last: Option<&str>, most: usize) -> (&'t [String], bool) {
    let start = last.map_or(0, |last| tags.partition_point(|tag| tag.as_str() <= last));
    let rest = tags.get(start..).unwrap_or_default();
    let page = rest.get(..most.min(rest.len())).unwrap_or_default();
    (page, !page.is_empty() && page.len() < rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_begin_after_the_last_tag_and_say_when_they_are_cut() {
        let tags = ["1", "10", "2", "a"].map(str::to_owned);
        let all = usize::MAX;
        let table: [(Option<&str>, usize, &[&str], bool); 7] = [
            (None, all, &["1", "10", "2", "a"], false),
            (None, 2, &["1", "10"], true),
            (Some("10"), 2, &["2", "a"], false),
            (Some("11"), all, &["2", "a"], false),
            (Some("a"), all, &[], false),
            (None, 0, &[], false),
            (Some("1"), 1, &["10"], true),
        ];
        for (last, most, expected, is_cut) in table {
            let (page, cut) = page_of(&tags, last, most);
            assert_eq!(
                (page, cut),
                (expected.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>().as_slice(), is_cut)
            );
        }
    }
}
