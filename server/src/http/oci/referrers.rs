//! `GET /v2/{name}/referrers/{digest}`: what is attached to a manifest, as an image index (distribution specification,
//! "Listing Referrers"). What older clients listed under the fallback tag is merged in.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, Response, header};
use oci::{Descriptor, Digest, Manifest, OciName, Reference, Tag, media_type};

use super::super::request::Asked;
use super::super::{Server, wrong_verb};
use super::access::readable;
use super::error::OciFailure;
use super::manifests::value;
use crate::registry::Owned;

/// Says by what the list was filtered.
const FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");

/// How many referrers one page looks at. Clients read pages of up to 4 MiB.
const PAGE: u32 = 200;

/// Answers a request by its verb.
pub(super) async fn answer(
    server: &Server,
    asked: &Asked,
    name: &OciName,
    subject: &Digest,
    _request: Request,
) -> Result<Response<Body>, OciFailure> {
    if asked.method != Method::GET && asked.method != Method::HEAD {
        return Err(wrong_verb(server, asked).into());
    }
    let owned = readable(server, asked, name).await?;
    let after = asked.query("last").unwrap_or_default();
    let mut listed = match owned.standing.id() {
        None => Vec::new(),
        Some(id) => server.app.catalog.list_referrers(id, subject, after, PAGE).await?,
    };
    let next = listed.last().filter(|_| listed.len() >= PAGE as usize).map(|last| last.digest.clone());
    if after.is_empty() {
        let fallback = listed_by_tag(server, name, &owned, subject).await?;
        let known = |referrer: &Descriptor| listed.iter().any(|one| one.digest == referrer.digest);
        let more: Vec<Descriptor> = fallback.into_iter().filter(|referrer| !known(referrer)).collect();
        listed.extend(more);
    }
    let filter = asked.query("artifactType");
    if let Some(wanted) = filter {
        listed.retain(|referrer| referrer.artifact_type.as_deref().unwrap_or_default() == wanted);
    }
    let index = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::IMAGE_INDEX, "manifests": listed,
    });
    let mut response = Response::new(Body::from(index.to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type::IMAGE_INDEX));
    if filter.is_some() {
        headers.insert(FILTERS, HeaderValue::from_static("artifactType"));
    }
    if let Some(last) = next {
        let filter = filter.map(|kind| format!("&artifactType={}", encoded(kind))).unwrap_or_default();
        let link = format!("</v2/{name}/referrers/{subject}?last={last}{filter}>; rel=\"next\"");
        headers.insert(header::LINK, value(&link));
    }
    Ok(response)
}

/// Returns what clients without this API listed under the tag made from the subject's digest.
async fn listed_by_tag(
    server: &Server,
    name: &OciName,
    owned: &Owned,
    subject: &Digest,
) -> Result<Vec<Descriptor>, OciFailure> {
    let tag = Reference::Tag(Tag::of_referrers(subject));
    let Some(found) = server.app.registry.find_manifest(name, owned, &tag).await? else {
        return Ok(Vec::new());
    };
    // Whatever else somebody pushed under this tag lists nothing.
    let index = Manifest::parse(&found.content, Some(&found.media_type));
    Ok(index.map(|index| index.manifests().to_vec()).unwrap_or_default())
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
