//! What strangers hear of private names of the registry: the same as of names that are not there.

use anyhow::{Context, Result, ensure};
use oci::Digest;
use reqwest::Method;
use stories::answer::Answer;
use stories::client::Client;
use stories::command_line::{RepositorySettings, TokenRequest};
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::plain_chart;

stories::on_each_backend! {
    private_and_missing_names_are_answered_alike,
    rights_end_where_they_should,
}

/// A blob that nobody has.
fn no_digest() -> Digest {
    Digest::sha256(b"nobody has this")
}

/// The requests that could tell whether a name exists: method, and the address with the name left out.
fn questions() -> Vec<(Method, String)> {
    let digest = no_digest();
    let mut questions = vec![
        (Method::GET, "/v2/NAME/tags/list".to_owned()),
        (Method::GET, format!("/v2/NAME/referrers/{digest}")),
        (Method::PUT, "/v2/NAME/manifests/1.0.0".to_owned()),
        (Method::DELETE, "/v2/NAME/manifests/1.0.0".to_owned()),
        (Method::DELETE, format!("/v2/NAME/blobs/{digest}")),
        (Method::POST, "/v2/NAME/blobs/uploads/".to_owned()),
        (Method::POST, format!("/v2/NAME/blobs/uploads/?digest={digest}")),
        (Method::POST, format!("/v2/NAME/blobs/uploads/?mount={digest}&from=team/web")),
        (Method::GET, "/v2/NAME/tags/list?ns=docker.io".to_owned()),
        (Method::GET, "/v2/NAME/manifests/1.0.0?ns=quay.io".to_owned()),
    ];
    for method in [Method::GET, Method::HEAD] {
        questions.push((method.clone(), "/v2/NAME/manifests/1.0.0".to_owned()));
        questions.push((method.clone(), format!("/v2/NAME/manifests/{digest}")));
        questions.push((method, format!("/v2/NAME/blobs/{digest}")));
    }
    questions
}

/// What is heard, with the name and what differs between any two answers taken out.
fn heard(client: &Client, method: &Method, address: &str, name: &str) -> Result<(u16, String)> {
    let answer = client.send(client.request(method.clone(), &address.replace("NAME", name)))?;
    let mut text = format!("{}\n", answer.text());
    for (header, value) in &answer.headers {
        if !["date", "x-request-id", "content-length"].contains(&header.as_str()) {
            text.push_str(&format!("{header}: {value}\n"));
        }
    }
    Ok((answer.status, text.replace(name, "NAME")))
}

/// Starts a server with a chart in a public repository, in a private one and in a private one below the public one.
fn with_secrets(site: &Site) -> Result<Server> {
    let server = site.start()?;
    for (path, private) in [("team", false), ("secret", true), ("team/secret", true)] {
        site.create_repository(path, &RepositorySettings { private, ..RepositorySettings::default() })?;
        server.admin()?.publish(path, &plain_chart("web", "1.0.0"))?.expect_status(201)?;
    }
    Ok(server)
}

fn holder(site: &Site, server: &Server, role: &str, repository: &str) -> Result<Client> {
    let name = format!("{role}-{}", repository.replace('/', "-"));
    let request = TokenRequest { name: &name, role, repository: Some(repository), expires: None };
    server.client(&site.create_token(&request)?)
}

fn private_and_missing_names_are_answered_alike(site: &Site) -> Result<()> {
    let server = with_secrets(site)?;
    let strangers = [
        ("nobody", server.anonymous()?),
        ("a reader elsewhere", holder(site, &server, "reader", "elsewhere")?),
        ("an administrator elsewhere", holder(site, &server, "admin", "elsewhere")?),
    ];
    for (who, client) in strangers {
        for (method, address) in questions() {
            let expected = heard(&client, &method, &address, "missing/web")?;
            ensure!([401, 403, 404].contains(&expected.0), "{who}: {method} {address}: {expected:?}");
            for name in
                ["secret/web", "secret/new", "secret", "team/secret/web", "team/missing/web", "missing"]
            {
                let heard = heard(&client, &method, &address, name)?;
                assert_eq!(heard, expected, "{who}: {method} {address} of {name}");
            }
        }
    }
    Ok(())
}

/// Mounts a blob that is in one name into another.
fn mount(client: &Client, into: &str, digest: &Digest, from: &str) -> Result<Answer> {
    client.post(&format!("/v2/{into}/blobs/uploads/?mount={digest}&from={from}"), Vec::new())
}

fn rights_end_where_they_should(site: &Site) -> Result<()> {
    let server = with_secrets(site)?;
    let (anonymous, admin) = (server.anonymous()?, server.admin()?);
    let publisher = holder(site, &server, "publisher", "team")?;
    let reader = holder(site, &server, "reader", "secret")?;
    let layer = b"a secret layer".to_vec();
    let digest = Digest::sha256(&layer);
    admin.post(&format!("/v2/secret/image/blobs/uploads/?digest={digest}"), layer)?.expect_status(201)?;
    // Who may not read there hears what they would hear of a blob that nobody has: an upload begins.
    for client in [&publisher, &admin] {
        mount(client, "team/image", &no_digest(), "secret/image")?.expect_status(202)?;
    }
    mount(&publisher, "team/image", &digest, "secret/image")?.expect_status(202)?;
    publisher
        .post(&format!("/v2/team/image/blobs/uploads/?mount={digest}"), Vec::new())?
        .expect_status(202)?;
    publisher.head(&format!("/v2/team/image/blobs/{digest}"))?.expect_status(404)?;
    mount(&admin, "team/image", &digest, "secret/image")?.expect_status(201)?;
    for (client, name, status) in [
        (&anonymous, "team/web", 200),
        (&anonymous, "secret/web", 401),
        (&publisher, "team/web", 200),
        (&publisher, "secret/web", 404),
        (&reader, "secret/web", 200),
        (&reader, "team/secret/web", 404),
        (&admin, "team/secret/web", 200),
    ] {
        for address in ["tags/list", "manifests/1.0.0"] {
            client.get(&format!("/v2/{name}/{address}"))?.expect_status(status).context(address)?;
        }
    }
    Ok(())
}
