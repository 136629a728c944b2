//! A server's life: it starts, is asked again and again, changes its certificate and its tokens, and stops in order.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use stories::client::Client;
use stories::command_line::{self, RepositorySettings, TokenRequest};
use stories::process::run;
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::plain_chart;
use stories::tool::find_tool;
use stories::wait::wait_for;
use stories::wire::{WireRequest, connect, read_answer};

/// How soon a revoked or expired token must be refused.
const REVOKED_WITHIN: Duration = Duration::from_secs(5);

fn with_charts(site: &Site) -> Result<Server> {
    let server = site.start()?;
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        server.admin()?.publish("shelf", &plain_chart("kept", version))?.expect_status(201)?;
    }
    Ok(server)
}

#[test]
fn a_request_in_flight_is_answered_before_the_server_stops() -> Result<()> {
    let site = Site::new()?;
    let mut server = with_charts(&site)?;
    let archive = plain_chart("late", "1.0.0");
    let request = WireRequest::new("POST", "/api/shelf/charts")
        .header("authorization", &format!("Bearer {}", server.admin_token()?))
        .body(archive.clone());
    let mut stream = connect(server.address())?;
    stream.write_all(request.head(server.address()).as_bytes())?;
    let (first, second) = archive.split_at(archive.len() / 2);
    stream.write_all(first)?;
    // An answer on another connection shows that the server has had its turn to take up this one.
    server.anonymous()?.get("/live")?.expect_status(200)?;
    server.signal("TERM")?;
    wait_for("the port to close", Duration::from_secs(10), || {
        Ok(TcpStream::connect(server.address()).is_err().then_some(()))
    })?;
    stream.write_all(second)?;
    read_answer("the publish in flight", &mut stream)?.expect_status(201)?;
    ensure!(server.wait()?.success(), "it did not end well");
    let server = site.start()?;
    server.anonymous()?.get("/shelf/charts/late-1.0.0.tgz")?.expect_status(200)?;
    Ok(())
}

#[test]
fn the_index_keeps_its_bytes_and_its_tag_across_restarts() -> Result<()> {
    let site = Site::new()?;
    let server = with_charts(&site)?;
    let before = server.anonymous()?.get("/shelf/index.yaml")?.expect_status(200)?;
    server.stop()?;
    let server = site.start()?;
    let after = server.anonymous()?.get("/shelf/index.yaml")?.expect_status(200)?;
    ensure!(before.body == after.body, "other bytes after a restart");
    for header in ["etag", "last-modified", "content-type"] {
        ensure!(
            !after.header(header).is_empty() && after.header(header) == before.header(header),
            "{header}"
        );
    }
    Ok(())
}

#[test]
fn nothing_is_sent_again_to_who_has_it_already() -> Result<()> {
    let site = Site::new()?;
    let server = with_charts(&site)?;
    let ask = |path: &str, name: &str, value: &str| {
        WireRequest::new("GET", path).header(name, value).send(server.address())
    };
    for path in ["/shelf/index.yaml", "/shelf/charts/kept-1.0.0.tgz"] {
        let whole = server.anonymous()?.get(path)?.expect_status(200)?;
        let tag = whole.header("etag").to_owned();
        ensure!(tag.starts_with('"') && tag.ends_with('"'), "{path}: `{tag}` is no strong tag");
        for condition in [tag.clone(), "*".to_owned(), format!("\"other\", {tag}"), format!("W/{tag}")] {
            let answer = ask(path, "if-none-match", &condition)?.expect_status(304)?;
            ensure!(answer.body.is_empty() && answer.header("etag") == tag, "{path}: {condition}");
        }
        ask(path, "if-none-match", "\"other\"")?.expect_status(200)?;
    }
    let index = || server.anonymous()?.get("/shelf/index.yaml");
    let modified = index()?.header("last-modified").to_owned();
    ask("/shelf/index.yaml", "if-modified-since", &modified)?.expect_status(304)?;
    let before = index()?.header("etag").to_owned();
    server.admin()?.publish("shelf", &plain_chart("kept", "1.3.0"))?.expect_status(201)?;
    ensure!(index()?.header("etag") != before, "the tag did not change with the content");
    ask("/shelf/index.yaml", "if-none-match", &before)?.expect_status(200)?;
    Ok(())
}

#[test]
fn the_index_is_compressed_only_for_who_asks_and_as_one_member() -> Result<()> {
    let site = Site::new()?;
    let server = with_charts(&site)?;
    let get = |path: &str, accepted: &str| {
        WireRequest::new("GET", path).header("accept-encoding", accepted).send(server.address())
    };
    let plain = server.anonymous()?.get("/shelf/index.yaml")?.expect_status(200)?;
    ensure!(plain.header("content-encoding").is_empty(), "compressed unasked");
    assert_eq!(plain.header("content-length"), plain.body.len().to_string());
    for accepted in ["gzip", "br, gzip;q=0.5", "*"] {
        let packed = get("/shelf/index.yaml", accepted)?.expect_status(200)?;
        assert_eq!(packed.header("content-encoding"), "gzip", "{accepted}");
        ensure!(packed.header("vary").to_lowercase().contains("accept-encoding"), "no Vary");
        ensure!(packed.header("etag") != plain.header("etag"), "one tag for two encodings");
        // This decoder stops after the first member: what it yields must be all.
        let mut unpacked = Vec::new();
        let mut decoder = GzDecoder::new(packed.body.as_slice());
        decoder.read_to_end(&mut unpacked)?;
        ensure!(unpacked == plain.body, "{accepted}: other bytes when unpacked");
        ensure!(decoder.into_inner().is_empty(), "{accepted}: something follows the first member");
    }
    for refused in ["identity", "gzip;q=0", "br"] {
        let answer = get("/shelf/index.yaml", refused)?.expect_status(200)?;
        ensure!(answer.header("content-encoding").is_empty(), "compressed for `{refused}`");
    }
    let archive = get("/shelf/charts/kept-1.0.0.tgz", "gzip")?.expect_status(200)?;
    ensure!(archive.header("content-encoding").is_empty(), "an archive was encoded");
    let Some(curl) = find_tool("curl")? else { return Ok(()) };
    let url = format!("{}/shelf/index.yaml", server.url());
    let outcome =
        run(Command::new(curl).args(["--noproxy", "*", "--silent", "--fail", "--compressed", &url]))?;
    ensure!(outcome.stdout == plain.body, "curl unpacked other bytes");
    Ok(())
}

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

#[test]
fn a_token_ends_when_it_is_revoked_and_when_its_time_is_over() -> Result<()> {
    let site = Site::new()?;
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

#[test]
fn a_token_does_what_its_role_allows_and_no_more() -> Result<()> {
    let site = Site::new()?;
    let server = with_charts(&site)?;
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

#[test]
fn every_answer_carries_the_number_of_its_request() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    for path in ["/live", "/index.yaml", "/nowhere/at/all", "/api/charts"] {
        let own = WireRequest::new("GET", path).header("x-request-id", "story-17").send(server.address())?;
        assert_eq!(own.header("x-request-id"), "story-17", "{path}");
        let given = WireRequest::new("GET", path).send(server.address())?;
        ensure!(!given.header("x-request-id").is_empty(), "{path}: no number");
    }
    let hostile = format!("{}\u{1b}[2J", "x".repeat(5000));
    let answer = WireRequest::new("GET", "/live").header("x-request-id", &hostile).send(server.address())?;
    ensure!(answer.header("x-request-id").len() < 300, "any text is taken as a request's number");
    Ok(())
}

#[test]
fn health_readiness_and_metrics_are_told() -> Result<()> {
    let site = Site::new()?;
    let server = with_charts(&site)?;
    let client = server.anonymous()?;
    for path in ["/live", "/ready", "/health", "/info", "/metrics"] {
        client.get(path)?.expect_status(200)?;
    }
    assert_eq!(client.get("/health")?.json()?, serde_json::json!({"healthy": true}));
    let metrics = client.get("/metrics")?;
    ensure!(
        metrics.header("content-type").starts_with("text/plain")
            || metrics.header("content-type").contains("openmetrics")
    );
    let text = String::from_utf8(metrics.body)?;
    ensure!(text.contains("# TYPE") && text.contains("POST"), "no count of requests: {text}");
    ensure!(!text.contains("kept-1.0.0"), "a series of its own for each file grows without end");
    Ok(())
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() -> Result<()> {
    let site = Site::new()?;
    let server = with_charts(&site)?;
    let refusal = site.start().err().context("two servers on one folder")?.to_string();
    ensure!(refusal.contains("data") || refusal.contains("lock") || refusal.contains("use"), "{refusal}");
    server.anonymous()?.get("/shelf/index.yaml")?.expect_status(200)?;
    Ok(())
}

/// Writes a fresh certificate for 127.0.0.1 where the configuration names it, and a copy for clients.
fn write_certificate(folder: &Path) -> Result<()> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["127.0.0.1".to_owned()])?;
    // Key first: the server looks for a changed certificate and must find its key beside it.
    fs::write(folder.join("key.pem"), signing_key.serialize_pem())?;
    fs::write(folder.join("certificate.pem"), cert.pem())?;
    Ok(())
}

fn configuration(folder: &Path, listen: &[&str]) -> Result<std::path::PathBuf> {
    let file = folder.join("chartroom.toml");
    let listen: Vec<String> = listen.iter().map(|address| format!("\"{address}\"")).collect();
    let path = |name: &str| folder.join(name).display().to_string();
    let text = format!(
        "listen = [{}]\n[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        listen.join(", "),
        path("certificate.pem"),
        path("key.pem")
    );
    fs::write(&file, text)?;
    Ok(file)
}

#[test]
fn several_listeners_serve_the_same_and_a_new_certificate_is_taken_up() -> Result<()> {
    let Some(curl) = find_tool("curl")? else { return Ok(()) };
    let site = Site::new()?;
    write_certificate(site.folder())?;
    let config = configuration(site.folder(), &["http://127.0.0.1:0", "https://127.0.0.1:0"])?;
    let server = site.launch().configured(&config, 2).start()?;
    let (http, https): (Vec<&String>, Vec<&String>) =
        server.urls().iter().partition(|url| url.starts_with("http://"));
    let (http, https) = (http.first().context("no http")?, https.first().context("no https")?);
    let authority = site.folder().join("certificate.pem");
    let get = |url: &str, authority: &Path| {
        let mut command = Command::new(&curl);
        command.args(["--noproxy", "*", "--silent", "--show-error", "--fail", "--cacert"]).arg(authority);
        run(command.arg(format!("{url}/health")))
    };
    for url in [http, https] {
        ensure!(get(url, &authority)?.success()?.contains("healthy"), "{url}");
    }
    let former = site.folder().join("former.pem");
    fs::copy(&authority, &former)?;
    write_certificate(site.folder())?;
    wait_for("the new certificate", Duration::from_secs(20), || {
        Ok(get(https, &authority)?.status.success().then_some(()))
    })?;
    get(https, &former)?.failure()?;
    Ok(())
}
