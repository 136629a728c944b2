//! Registry clients log in, and the tokens they get: what they are good for, where, and until when.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stories::answer::Answer;
use stories::backend::{POSTGRES_MINIO, tell};
use stories::client::Client;
use stories::command_line::{self, RepositorySettings, TokenRequest};
use stories::environment::clean_command;
use stories::helm::Helm;
use stories::process::{Outcome, run};
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::plain_chart;
use stories::tool::find_tool;
use stories::wait::wait_for;

stories::on_each_backend! {
    names_are_listed_page_by_page_to_those_who_may_read_them,
    what_was_signed_with_a_replaced_key_is_worth_nothing,
}

/// How soon a revoked credential's tokens must be refused.
const REVOKED_WITHIN: Duration = Duration::from_secs(5);

fn reader(name: &str) -> TokenRequest<'_> {
    TokenRequest { name, role: "reader", repository: None, expires: None }
}

/// Asks for a registry token with a credential's client, or with none.
fn registry_token(client: &Client, scopes: &str) -> Result<String> {
    let answer = client.get(&format!("/v2/token?{scopes}"))?.expect_status(200)?.json()?;
    Ok(answer["token"].as_str().context("no token")?.to_owned())
}

/// Returns the path that a `Link` header leads to.
fn next_page(answer: &Answer) -> Option<String> {
    let (path, relation) = answer.header("link").strip_prefix('<')?.split_once('>')?;
    relation.contains("rel=\"next\"").then(|| path.to_owned())
}

/// Lists every name in pages of so many.
fn list_names(client: &Client, page: usize) -> Result<Vec<String>> {
    let (mut names, mut path) = (Vec::new(), Some(format!("/v2/_catalog?n={page}")));
    while let Some(asked) = path {
        let answer = client.get(&asked)?.expect_status(200)?;
        let listed: Vec<String> = serde_json::from_value(answer.json()?["repositories"].clone())?;
        ensure!(listed.len() <= page, "{asked}: {} names", listed.len());
        path = next_page(&answer);
        ensure!(path.is_none() || listed.len() == page, "{asked}: a page that is cut is full");
        names.extend(listed);
    }
    Ok(names)
}

fn names_are_listed_page_by_page_to_those_who_may_read_them(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    for (path, private) in [("team", false), ("team/secret", true), ("team-b", false)] {
        site.create_repository(path, &RepositorySettings { private, ..RepositorySettings::default() })?;
        for chart in ["nginx", "redis"] {
            admin.publish(path, &plain_chart(chart, "1.0.0"))?.expect_status(201)?;
        }
    }
    let public = ["team-b/nginx", "team-b/redis", "team/nginx", "team/redis"];
    let all = [
        "team-b/nginx",
        "team-b/redis",
        "team/nginx",
        "team/redis",
        "team/secret/nginx",
        "team/secret/redis",
    ];
    let within = TokenRequest { repository: Some("team/secret"), ..reader("within") };
    let within = server.client(&site.create_token(&within)?)?;
    let elsewhere = TokenRequest { repository: Some("team-b"), ..reader("elsewhere") };
    let elsewhere = server.client(&site.create_token(&elsewhere)?)?;
    let nobody = registry_token(&server.anonymous()?, "scope=registry:catalog:*")?;
    let nobody = server.client(&nobody)?;
    for (client, expected) in [(&admin, &all[..]), (&within, &all), (&elsewhere, &public), (&nobody, &public)]
    {
        for page in [1, 2, 4, 100] {
            assert_eq!(list_names(client, page)?, expected, "in pages of {page}");
        }
    }
    server.anonymous()?.get("/v2/_catalog")?.expect_status(401)?;
    admin.delete("/api/team/charts/nginx/1.0.0")?.expect_status(200)?;
    assert_eq!(list_names(&nobody, 100)?, ["team-b/nginx", "team-b/redis", "team/redis"]);
    Ok(())
}

fn what_was_signed_with_a_replaced_key_is_worth_nothing(site: &Site) -> Result<()> {
    let server = site.start()?;
    let before = registry_token(&server.admin()?, "scope=registry:catalog:*")?;
    server.stop()?;
    let server = site.start()?;
    server.client(&before)?.get("/v2/_catalog")?.expect_status(200)?;
    site.run(&command_line::rotate_keys())?.success()?;
    server.stop()?;
    let server = site.start()?;
    server.client(&before)?.get("/v2/_catalog")?.expect_status(401)?;
    let after = registry_token(&server.admin()?, "scope=registry:catalog:*")?;
    server.client(&after)?.get("/v2/_catalog")?.expect_status(200)?;
    Ok(())
}

#[test]
fn a_token_of_one_replica_is_good_at_each_until_its_credential_is_revoked() -> Result<()> {
    tell(POSTGRES_MINIO, |site| {
        let replicas = site.replicas(3)?;
        let [first, others @ ..] = replicas.as_slice() else { return Ok(()) };
        let secret = site.create_token(&reader("reads"))?;
        let token = registry_token(&first.client(&secret)?, "scope=registry:catalog:*")?;
        for replica in &replicas {
            replica.client(&token)?.get("/v2/")?.expect_status(200)?;
            replica.client(&token)?.get("/v2/_catalog")?.expect_status(200)?;
            replica.client(&token)?.get("/api/charts")?.expect_status(401)?;
        }
        for replica in others {
            let theirs = registry_token(&replica.client(&secret)?, "scope=registry:catalog:*")?;
            first.client(&theirs)?.get("/v2/_catalog")?.expect_status(200)?;
        }
        site.run(&command_line::revoke_token("reads"))?.success()?;
        for replica in &replicas {
            let client = replica.client(&token)?;
            let refused = || {
                let answer = client.get("/v2/")?;
                Ok((answer.status == 401).then_some(answer))
            };
            let refused = wait_for("the token to be refused", REVOKED_WITHIN, refused)?;
            let challenge = refused.header("www-authenticate").to_owned();
            ensure!(challenge.ends_with("error=\"invalid_token\""), "{challenge}");
        }
        Ok(())
    })
}

#[test]
fn helm_logs_in_with_a_token_as_its_password() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    let secret = server.admin_token()?;
    for name in ["helm3", "helm4"] {
        let Some(helm) = Helm::find(name)? else { continue };
        let login = |password: &str| {
            let line = ["registry", "login", server.address(), "--plain-http", "--username", "ci"];
            helm.run(&[&line[..], &["--password", password]].concat())
        };
        let said = login("wrong")?.failure()?;
        ensure!(said.contains("401") || said.to_lowercase().contains("unauthorized"), "{name}: {said}");
        login(&secret)?.success().with_context(|| name.to_owned())?;
        let asked = requests(&server)?;
        let expected = ["GET /v2/ 401", "POST /v2/token 200", "GET /v2/ 200"];
        ensure!(asked.ends_with(&expected.map(str::to_owned)), "{name}: {asked:#?}");
        helm.ok(&["registry", "logout", server.address()])?;
    }
    Ok(())
}

/// Logs a client of Debian's in; its credentials stay in the site's folder.
fn log_in(tool: &Path, site: &Site, server: &Server, password: &str) -> Result<Outcome> {
    run(clean_command(tool)
        .args(["login", "--tls-verify=false", "--username", "ci", "--password", password])
        .arg("--authfile")
        .arg(site.folder().join("auth.json"))
        .arg(server.address())
        .env("HOME", site.folder()))
}

#[test]
fn skopeo_and_buildah_log_in_with_a_token_as_their_password() -> Result<()> {
    for name in ["skopeo", "buildah"] {
        let Some(tool) = find_tool(name)? else { continue };
        let site = Site::new()?;
        let server = site.start()?;
        log_in(&tool, &site, &server, "wrong")?.failure()?;
        log_in(&tool, &site, &server, &server.admin_token()?)?.success()?;
        let asked = requests(&server)?;
        let expected = ["GET /v2/ 401", "GET /v2/token 200", "GET /v2/ 200"];
        ensure!(asked.ends_with(&expected.map(str::to_owned)), "{name}: {asked:#?}");
    }
    Ok(())
}

/// Runs a client with the site's folder as its home.
fn client(tool: &Path, site: &Site, arguments: &[&str]) -> Result<Outcome> {
    let home = site.folder();
    run(clean_command(tool).args(arguments).env("HOME", home).env("DOCKER_CONFIG", home.join("docker")))
}

#[test]
fn clients_list_the_names_that_their_credential_may_read() -> Result<()> {
    // Each sends its credential only when told to, and lists without one what is public.
    for (name, list, login, plain) in [
        ("crane", &["catalog"][..], &["auth", "login"][..], "--insecure"),
        ("oras", &["repo", "ls"], &["login"], "--plain-http"),
    ] {
        let Some(tool) = find_tool(name)? else { continue };
        let site = Site::new()?;
        let server = site.start()?;
        site.create_repository(
            "secret",
            &RepositorySettings { private: true, ..RepositorySettings::default() },
        )?;
        for path in ["", "secret"] {
            server.admin()?.publish(path, &plain_chart("nginx", "1.0.0"))?.expect_status(201)?;
        }
        let listed = || -> Result<Vec<String>> {
            let line = [list, &[plain, server.address()]].concat();
            let listed = client(&tool, &site, &line)?.success().with_context(|| name.to_owned())?;
            Ok(listed.lines().map(str::to_owned).collect())
        };
        assert_eq!(listed()?, ["nginx"], "{name} without a credential");
        let token = site.create_token(&reader("reads"))?;
        let user = [plain, server.address(), "--username", "ci", "--password", &token];
        client(&tool, &site, &[login, &user].concat())?.success().with_context(|| name.to_owned())?;
        assert_eq!(listed()?, ["nginx", "secret/nginx"], "{name} with one");
    }
    Ok(())
}

/// Returns the requests in the server's log: method, path and status.
fn requests(server: &Server) -> Result<Vec<String>> {
    let field = |line: &str, name: &str| {
        let value = line.split_once(&format!(" {name}="))?.1.split([' ', '}']).next()?;
        Some(value.trim_matches('"').to_owned())
    };
    let request = |line: &str| {
        Some(format!("{} {} {}", field(line, "method")?, field(line, "path")?, field(line, "status")?))
    };
    Ok(server.log()?.lines().filter_map(request).collect())
}
