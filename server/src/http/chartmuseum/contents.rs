//! `GET /api/{repository}/charts/{name}/{version}/{templates|values}`: what an archive holds.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chart::archive::{ChartArchive, Limits};
use chart::yaml::{Budget, parse_values};

use super::super::Server;
use super::super::error::{ErrorKind, Failure};
use super::super::request::Asked;
use super::versions::select;
use crate::repository_path::RepositoryPath;

/// Answers with the templates, each base64, and the parsed default values.
pub(crate) async fn templates(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
    name: &str,
    version: &str,
) -> Result<Response<Body>, Failure> {
    let body = unpack(server, asked, path, name, version, |archive| {
        let templates: Vec<_> = archive
            .templates()
            .map(|file| serde_json::json!({ "name": file.path, "data": STANDARD.encode(&file.bytes) }))
            .collect();
        let values = archive.values().and_then(|values| parse_values(values, &Budget::for_values()).ok());
        let values = serde_json::Value::Object(values.unwrap_or_default());
        Some(serde_json::json!({ "templates": templates, "values": values }).to_string().into_bytes())
    })
    .await?;
    Ok(super::json(StatusCode::OK, body.unwrap_or_default()))
}

/// Answers with `values.yaml` as it stands in the archive.
pub(crate) async fn values(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
    name: &str,
    version: &str,
) -> Result<Response<Body>, Failure> {
    let values =
        unpack(server, asked, path, name, version, |archive| archive.values().map(<[u8]>::to_vec)).await?;
    let values = values.ok_or_else(|| Failure::new(ErrorKind::NotFound, "values.yaml not found"))?;
    let mut response = Response::new(Body::from(values));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/yaml"));
    Ok(response)
}

/// Reads the archive of a version and takes what `part` wants of it.
///
/// An unpacked archive may hold 100 MiB, so only a few are in memory at a time.
async fn unpack(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
    name: &str,
    version: &str,
    part: impl FnOnce(&ChartArchive) -> Option<Vec<u8>> + Send + 'static,
) -> Result<Option<Vec<u8>>, Failure> {
    let row = select(server, asked, path, name, version).await?;
    let internal = || Failure::new(ErrorKind::Internal, "internal error");
    let permit = Arc::clone(&server.unpacking).acquire_owned().await.map_err(|_| internal())?;
    let reader = server.app.blobs.open_reader(&row.archive, None).await?;
    tokio::task::spawn_blocking(move || {
        let _held_while_unpacked = permit;
        let archive =
            ChartArchive::read(reader.into_blocking_reader(), &Limits::default()).map_err(|error| {
                tracing::error!(%error, "a published archive cannot be read");
                internal()
            })?;
        Ok(part(&archive))
    })
    .await
    .map_err(|_| internal())?
}
