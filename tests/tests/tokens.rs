//! Tokens: what each role may do, and when a token's life ends.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stories::client::Client;
use stories::command_line::{self, RepositorySettings, TokenRequest};
use stories::site::Site;
use stories::synthetic::plain_chart;
use stories::wait::wait_for;

use crate::lifecycle::with_charts;

stories::on_each_backend! {
    a_token_ends_when_it_is_revoked_and_when_its_time_is_over,
    a_token_does_what_its_role_allows_and_no_more,
}

/// How soon a revoked or expired token must be refused.
const REVOKED_WITHIN: Duration = Duration::from_secs(5);

fn token<'a>(name: &'a str, role: &'a str) -> TokenRequest<'a> {
    TokenRequest { name, role, repository: None, expires: None }
}

fn refused_soon(client: &Client, path: &str) -> Result<()> {
    wait_for(
        "the token to be refused",
        REVOKED_WITHIN,
        || Ok((client.get(path)?.status == 401).then_some(())),
    )
}

fn a_token_ends_when_it_is_revoked_and_when_its_time_is_over(site: &Site) -> Result<()> {
    let server = site.start()?;
    site.create_repository("secret", &RepositorySettings { private: true, ..RepositorySettings::default() })?;
    let path = "/secret/index.yaml";
    let revoked = server.client(&site.create_token(&token("revoked", "reader"))?)?;
    let request = TokenRequest { expires: Some("3s"), ..token("short", "reader") };
    let short = server.client(&site.create_token(&request)?)?;
    let lasting = server.client(&site.create_token(&token("lasting", "reader"))?)?;
    for client in [&revoked, &short, &lasting] {
        client.get(path)?.expect_status(200)?;
    }
    let listed = site.run(&command_line::list_tokens())?.success()?;
    ensure!(["revoked", "short", "lasting"].iter().all(|name| listed.contains(name)), "{listed}");
    site.run(&command_line::revoke_token("revoked"))?.success()?;
    refused_soon(&revoked, path)?;
    refused_soon(&short, path)?;
    lasting.get(path)?.expect_status(200)?;
    Ok(())
}

fn a_token_does_what_its_role_allows_and_no_more(site: &Site) -> Result<()> {
    let server = with_charts(site)?;
    let attempts = |client: &Client| -> Result<[u16; 4]> {
        let publish = client.publish("shelf", &plain_chart("kept", "1.0.0"))?.status;
        let create = client.publish("fresh", &plain_chart("kept", "1.0.0"))?.status;
        let delete = client.delete("/api/shelf/charts/kept/9.9.9")?.status;
        let elsewhere = client.publish("other", &plain_chart("kept", "1.0.0"))?.status;
        Ok([publish, create, delete, elsewhere])
    };
    site.create_repository("other", &RepositorySettings::default())?;
    let limited = TokenRequest { repository: Some("shelf"), ..token("limited", "publisher") };
    for (request, expected) in [
        (token("reads", "reader"), [403, 403, 403, 403]),
        (limited, [201, 403, 403, 403]),
        (token("publishes", "publisher"), [201, 404, 403, 201]),
        (token("curates", "curator"), [201, 404, 404, 201]),
        (token("administers", "admin"), [201, 201, 404, 201]),
    ] {
        let client = server.client(&site.create_token(&request)?)?;
        let statuses = attempts(&client).with_context(|| request.name.to_owned())?;
        assert_eq!(
            statuses, expected,
            "publish, create by publish, delete, publish elsewhere as {}",
            request.role
        );
    }
    Ok(())
}
