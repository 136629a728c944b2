//! `POST /api/{repository}/charts`: an archive as the whole body, or archive and provenance as a form.

use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{Response, StatusCode, header};

use super::super::error::{ErrorKind, Failure};
use super::super::request::Asked;
use super::super::{Server, announced_length};
use crate::blobs::StagedBlob;
use crate::operations::add_provenance::add_provenance;
use crate::operations::publish::{Offered, Publication, Terms, publish};
use crate::repository_path::RepositoryPath;

/// Publishes what the body holds and answers once it is listed.
pub(crate) async fn post(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
    request: Request,
) -> Result<Response<Body>, Failure> {
    // Nobody may fill the staging folder who may not publish.
    server.admit_upload(asked, path, announced_length(&request)).await?;
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"));
    let Uploaded { archive, provenance } =
        if is_form { receive_form(server, request).await? } else { receive_raw(server, request).await? };
    let force = asked.query("force").is_some();
    match (archive, provenance) {
        (Some(archive), provenance) => {
            let caller = asked.caller.clone();
            let publication = Publication {
                repository: path.clone(),
                archive: archive.into(),
                provenance: provenance.map(Offered::from),
                terms: Terms::Upload { force },
                caller,
            };
            let published = publish(&server.app, publication).await;
            server.count_publish(&published);
            published?;
        }
        (None, Some(provenance)) => {
            add_provenance(&server.app, path, provenance, force, &asked.caller).await?
        }
        (None, None) => {
            let (chart, prov) = (&server.surface.chart_field, &server.surface.provenance_field);
            let text = format!("no package or provenance file found in form fields {chart} and {prov}");
            return Err(Failure::new(ErrorKind::Invalid, text));
        }
    }
    Ok(super::json(StatusCode::CREATED, r#"{"saved":true}"#))
}

#[derive(Default)]
struct Uploaded {
    archive: Option<StagedBlob>,
    provenance: Option<StagedBlob>,
}

async fn receive_raw(server: &Server, request: Request) -> Result<Uploaded, Failure> {
    Ok(Uploaded { archive: Some(server.stage(request).await?), provenance: None })
}

/// Takes the fields named `chart` and `prov`, or as the operator named them; others are passed over.
async fn receive_form(server: &Server, request: Request) -> Result<Uploaded, Failure> {
    let bad_form = |error: &dyn std::fmt::Display| {
        Failure::new(ErrorKind::Invalid, format!("the form cannot be read: {error}"))
    };
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| bad_form(&error))?;
    let mut uploaded = Uploaded::default();
    while let Some(field) = form.next_field().await.map_err(|error| bad_form(&text_of(&error)))? {
        let name = field.name().unwrap_or_default().to_owned();
        let surface = &server.surface;
        if name == "chart" || name == surface.chart_field {
            uploaded.archive = Some(stage_field(server, field).await?);
        } else if name == "prov" || name == surface.provenance_field {
            uploaded.provenance = Some(stage_field(server, field).await?);
        }
    }
    Ok(uploaded)
}

async fn stage_field(server: &Server, field: Field<'_>) -> Result<StagedBlob, Failure> {
    server.receive(field, server.app.rules.upload_bytes).await
}

fn text_of(error: &MultipartError) -> String {
    error.body_text()
}
