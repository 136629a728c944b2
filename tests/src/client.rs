//! An HTTP client with a credential, for requests that a well-behaved program sends.
//! Rule: no proxy, no redirect, no decoding: stories see what the server sent.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Method;
use reqwest::blocking::multipart::{Form, Part};
use reqwest::blocking::{Body, RequestBuilder, Response};
use reqwest::redirect::Policy;

use crate::answer::Answer;

/// The two files a publish may bring.
#[derive(Debug, Clone, Default)]
pub struct Upload {
    /// The chart's archive, in the form field `chart`.
    pub archive: Option<Vec<u8>>,
    /// Its provenance, in the form field `prov`.
    pub provenance: Option<Vec<u8>>,
}

/// A client of one server.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::blocking::Client,
    base: String,
    token: Option<String>,
}

impl Client {
    /// Makes a client for a server's base URL (no slash at its end) that sends the token, if any, as Bearer.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(base: &str, token: Option<&str>) -> Result<Self> {
        let http = reqwest::blocking::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(120))
            .build()
            .context("cannot set up an HTTP client")?;
        Ok(Self { http, base: base.to_owned(), token: token.map(str::to_owned) })
    }

    /// Returns a request to a path with query, for headers and bodies of its own.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request and reads its whole answer.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn send(&self, request: RequestBuilder) -> Result<Answer> {
        let request = request.build()?;
        let name = format!("{} {}", request.method(), request.url().path());
        let response = self.http.execute(request).with_context(|| format!("{name}: no answer"))?;
        read_answer(name, response)
    }

    /// Gets a path.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.request(Method::GET, path))
    }

    /// Asks for a path's headers.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn head(&self, path: &str) -> Result<Answer> {
        self.send(self.request(Method::HEAD, path))
    }

    /// Deletes a path.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn delete(&self, path: &str) -> Result<Answer> {
        self.send(self.request(Method::DELETE, path))
    }

    /// Posts a body without a content type.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn post(&self, path: &str, body: impl Into<Body>) -> Result<Answer> {
        self.send(self.request(Method::POST, path).body(body))
    }

    /// Publishes an archive into a repository (empty path: the default one) as a raw body.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn publish(&self, repository: &str, archive: &[u8]) -> Result<Answer> {
        self.post(&api_path(repository, "charts"), archive.to_vec())
    }

    /// Publishes as `helm cm-push` does: a multipart form.
    ///
    /// # Errors
    /// When no complete answer comes.
    pub fn publish_form(&self, repository: &str, upload: &Upload) -> Result<Answer> {
        let mut form = Form::new();
        for (field, bytes) in [("chart", &upload.archive), ("prov", &upload.provenance)] {
            if let Some(bytes) = bytes {
                form = form.part(field, Part::bytes(bytes.clone()).file_name(field));
            }
        }
        self.send(self.request(Method::POST, &api_path(repository, "charts")).multipart(form))
    }

    /// Returns a repository's index as JSON.
    ///
    /// # Errors
    /// When it is not served with status 200 as JSON.
    pub fn index(&self, repository: &str) -> Result<serde_json::Value> {
        self.get(&repository_path(repository, "index.yaml"))?.expect_status(200)?.json()
    }
}

/// Returns `/api/{repository}/{rest}`, without an empty segment for the default repository.
pub fn api_path(repository: &str, rest: &str) -> String {
    format!("/api{}", repository_path(repository, rest))
}

/// Returns `/{repository}/{rest}`, without an empty segment for the default repository.
pub fn repository_path(repository: &str, rest: &str) -> String {
    if repository.is_empty() { format!("/{rest}") } else { format!("/{repository}/{rest}") }
}

fn read_answer(request: String, response: Response) -> Result<Answer> {
    let status = response.status().as_u16();
    let mut headers = std::collections::BTreeMap::new();
    for (name, value) in response.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.as_str().to_owned()).or_insert(value);
    }
    let body = response.bytes().with_context(|| format!("{request}: the body broke off"))?.to_vec();
    Ok(Answer { request, status, headers, body })
}
