//! `GET /api/{repository}/charts`: every chart with its versions, by pages of names.

use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::super::Server;
use super::super::error::{ErrorKind, Failure};
use super::super::request::Asked;
use crate::catalog::VersionRow;
use crate::repository_path::RepositoryPath;

/// Answers with an object of chart name to versions, newest first; `offset` and `limit` count charts by name.
pub(crate) async fn list(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
) -> Result<Response<Body>, Failure> {
    let offset = number(asked, "offset", 0, "offset is not a valid non-negative integer")?.unwrap_or(0);
    let limit = number(asked, "limit", 1, "limit is not a valid positive integer")?;
    let rows = match super::find(server, asked, path).await? {
        Some(repository) => server.app.catalog.list_charts(repository.id(), offset, limit).await?,
        None => Vec::new(),
    };
    Ok(super::json(StatusCode::OK, by_chart(&rows)))
}

fn number(asked: &Asked, name: &str, least: u32, text: &str) -> Result<Option<u32>, Failure> {
    let Some(value) = asked.query(name) else { return Ok(None) };
    match value.parse::<u32>() {
        Ok(number) if number >= least => Ok(Some(number)),
        Ok(_) | Err(_) => Err(Failure::new(ErrorKind::Invalid, text)),
    }
}

/// Writes the object from entries that are JSON already; rows come grouped by chart.
fn by_chart(rows: &[VersionRow]) -> Vec<u8> {
    let mut out = vec![b'{'];
    for (number, rows) in rows.chunk_by(|one, other| one.chart == other.chart).enumerate() {
        if number > 0 {
            out.push(b',');
        }
        if let Some(first) = rows.first() {
            // A chart's name has no character that JSON escapes.
            out.extend_from_slice(format!("\"{}\":", first.chart).as_bytes());
        }
        array(rows, &mut out);
    }
    out.push(b'}');
    out
}

/// Writes a JSON array of the rows' entries.
pub(super) fn array(rows: &[VersionRow], out: &mut Vec<u8>) {
    out.push(b'[');
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&row.entry);
    }
    out.push(b']');
}
