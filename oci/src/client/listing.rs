//! Lists of tags and names (distribution specification, "Listing Tags"; Docker's `_catalog`).
//! Rule: all pages are read, and a registry that never ends its list is stopped.

use std::collections::HashSet;

use reqwest::Method;
use reqwest::header::LINK;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::failure::Failure;
use super::registry::Registry;
use super::request::{Request, WholeAnswer, text};
use super::scope::Scope;
use crate::name::OciName;
use crate::tag::Tag;

const PAGE_BYTES: usize = 16 * 1024 * 1024;
/// With the 1,000 entries that are asked for in each, more than any registry has.
const MOST_PAGES: usize = 10_000;

#[derive(Deserialize)]
struct TagPage {
    // Registries write `null` for a name whose last tag was deleted.
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct NamePage {
    repositories: Option<Vec<String>>,
}

impl Registry {
    /// Returns the tags of a name, in the registry's order.
    ///
    /// # Errors
    /// [`Failure::Missing`] when the registry does not know the name.
    pub async fn tags(&self, name: &OciName) -> Result<Vec<Tag>, Failure> {
        let url = self.transport.url(&format!("{name}/tags/list?n=1000"))?;
        let what = format!("the tags of `{}/{name}`", self.address().host());
        let request = Request::new(what, Method::GET, url, Scope::Pull(name.clone()), &[200]);
        let pages: Vec<TagPage> = self.pages(&request).await?;
        let tags = pages.into_iter().flat_map(|page| page.tags.unwrap_or_default());
        tags.map(|tag| {
            tag.parse().map_err(|reason: crate::InvalidTag| request.bad_answer(reason.to_string()))
        })
        .collect()
    }

    /// Returns the names that the registry lists, in its order. Many registries list none, or not to everybody.
    ///
    /// # Errors
    /// [`Failure`] when the registry cannot or does not want to say.
    pub async fn names(&self) -> Result<Vec<OciName>, Failure> {
        let url = self.transport.url("_catalog?n=1000")?;
        let what = format!("the names of `{}`", self.address().host());
        let request = Request::new(what, Method::GET, url, Scope::Catalog, &[200]);
        let pages: Vec<NamePage> = self.pages(&request).await?;
        let names = pages.into_iter().flat_map(|page| page.repositories.unwrap_or_default());
        names
            .map(|name| {
                name.parse().map_err(|reason: crate::InvalidOciName| request.bad_answer(reason.to_string()))
            })
            .collect()
    }

    /// Returns every page of a list.
    pub(super) async fn pages<T: DeserializeOwned>(&self, first: &Request) -> Result<Vec<T>, Failure> {
        let (mut pages, mut seen) = (Vec::new(), HashSet::new());
        let mut request = first.clone();
        loop {
            let answer = self.transport.fetch(&request, PAGE_BYTES).await?;
            let page = serde_json::from_slice(&answer.body);
            pages.push(page.map_err(|reason| request.bad_answer(reason.to_string()))?);
            let Some(next) = self.next_page(&request, &answer)? else { return Ok(pages) };
            if pages.len() >= MOST_PAGES || !seen.insert(next.clone()) {
                return Err(request.bad_answer("its list does not end"));
            }
            request.url = next;
        }
    }

    /// The next page is asked for with credentials, so it must be the registry's own.
    fn next_page(&self, request: &Request, answer: &WholeAnswer) -> Result<Option<Url>, Failure> {
        let Some(link) = text(&answer.headers, LINK.as_str()).and_then(next_link) else { return Ok(None) };
        let url = self.transport.resolve(request, link)?;
        if url.origin() == request.url.origin() {
            Ok(Some(url))
        } else {
            Err(request.bad_answer(format!("its list goes on elsewhere, at `{url}`")))
        }
    }
}

/// Returns the target of `<…>; rel="next"` (RFC 8288 §3).
fn next_link(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            matches!(parameter.trim().split_once('='), Some(("rel", value)) if value.trim_matches('"') == "next")
        });
        is_next.then_some(target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_in_its_header() {
        for (header, next) in [
            (r#"</v2/_catalog?last=b&n=2>; rel="next""#, Some("/v2/_catalog?last=b&n=2")),
            ("</a>; rel=next", Some("/a")),
            (r#"</a>; rel="prev", </b>; rel="next""#, Some("/b")),
            (r#"</a>; title="x"; rel="next""#, Some("/a")),
            (r#"</a>; rel="prev""#, None),
            ("/a; rel=next", None),
            ("", None),
        ] {
            assert_eq!(next_link(header), next, "{header}");
        }
    }
}
