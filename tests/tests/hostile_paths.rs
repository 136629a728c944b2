//! Paths that lead out of their place: refused as they come on the wire, encoded or plain.

use anyhow::{Result, ensure};
use stories::site::Site;
use stories::synthetic::plain_chart;
use stories::wire::WireRequest;

use crate::bad_input::unchanged_by;

stories::on_each_backend! {
    no_path_climbs_anywhere,
    no_repository_is_made_at_a_path_that_is_none,
}

/// Ways to climb out of a repository, a chart or a file name.
const CLIMBS: [&str; 22] = [
    "/../index.yaml",
    "/shelf/../../index.yaml",
    "/shelf/%2e%2e/%2e%2e/index.yaml",
    "/shelf/..%2f..%2findex.yaml",
    "/shelf%2f..%2fshelf/index.yaml",
    "/shelf/./index.yaml",
    "/shelf//index.yaml",
    "//shelf/index.yaml",
    "/shelf/charts/..%2fcatalog.db",
    "/shelf/charts/../../admin-token",
    "/shelf/charts/%2e%2e%2f%2e%2e%2fadmin-token",
    "/shelf/charts/..%5c..%5cadmin-token",
    "/shelf/charts/%00.tgz",
    "/shelf/charts/.tgz",
    "/shelf/charts/..tgz",
    "/shelf/charts/",
    "/shelf/charts/kept-1.0.0.tgz/",
    "/shelf/charts/kept-1.0.0.tgz%2f..",
    "/api/shelf/charts/..%2fkept/1.0.0",
    "/api/shelf/charts/kept/..%2f1.0.0",
    "/api/../shelf/charts",
    "/api/shelf/%2e%2e/charts",
];

fn no_path_climbs_anywhere(site: &Site) -> Result<()> {
    unchanged_by(site, |server, _| {
        let token = format!("Bearer {}", server.admin_token()?);
        for target in CLIMBS {
            for method in ["GET", "HEAD", "DELETE"] {
                let request = WireRequest::new(method, target).header("authorization", &token);
                let answer = request.send(server.address())?;
                let refused = [400, 404, 405].contains(&answer.status);
                ensure!(refused, "{method} {target}: {} {}", answer.status, answer.text());
                ensure!(!answer.text().contains("SQLite"), "{target} gave a file of the server");
            }
        }
        Ok(())
    })
}

fn no_repository_is_made_at_a_path_that_is_none(site: &Site) -> Result<()> {
    unchanged_by(site, |server, _| {
        let token = format!("Bearer {}", server.admin_token()?);
        let long = "a/".repeat(400);
        for path in [
            "..", "%2e%2e", "a/..", "a%2Fb", "A B", "%00", "-", "a//b", "charts", "api", "v2/x", "UPPER",
            &long,
        ] {
            let target = format!("/api/{path}/charts");
            let request = WireRequest::new("POST", &target).header("authorization", &token);
            let answer = request.body(plain_chart("odd", "1.0.0")).send(server.address())?;
            ensure!(
                [400, 404, 405, 414, 431].contains(&answer.status),
                "{target}: {} {}",
                answer.status,
                answer.text()
            );
        }
        Ok(())
    })
}
