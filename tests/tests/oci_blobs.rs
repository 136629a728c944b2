//! Blobs of every size that a store treats differently: each way in gives the same way out, and what breaks a rule
//! changes nothing. The specification's own rows are in `oci_distribution`.

use anyhow::{Context, Result, ensure};
use oci::{Algorithm, Digest, Digester};
use reqwest::Method;
use stories::answer::Answer;
use stories::blob_upload::{BlobUpload, blob_path, push_blob, received};
use stories::client::Client;
use stories::command_line::{RepositorySettings, TokenRequest};
use stories::site::Site;
use stories::synthetic::layer;

stories::on_each_backend! {
    a_blob_that_came_in_any_way_goes_out_the_same,
    a_chunk_out_of_order_is_refused_and_changes_nothing,
    a_wrong_digest_is_refused_and_ends_the_upload,
    an_upload_that_is_over_is_unknown,
    a_blob_is_mounted_from_where_the_caller_may_read_and_nowhere_else,
    a_deleted_blob_is_gone_at_once_from_its_name_alone,
}

const NAME: &str = "apps/web";
const MIB: usize = 1024 * 1024;

fn digest_of(algorithm: Algorithm, content: &[u8]) -> Digest {
    let mut digester = Digester::new(algorithm);
    digester.update(content);
    digester.finish()
}

/// Returns the code of a registry's error.
fn code(answer: &Answer) -> Result<String> {
    let body = answer.json()?;
    let code = body["errors"][0]["code"].as_str();
    Ok(code.with_context(|| format!("{}: no code: {body}", answer.request))?.to_owned())
}

/// The ways in (distribution specification, "Pushing blobs").
#[derive(Debug, Clone, Copy)]
enum Way {
    Post,
    PostAndPut,
    Streamed,
    Chunked,
    LastChunkInPut,
}

impl Way {
    const ALL: [Self; 5] =
        [Self::Post, Self::PostAndPut, Self::Streamed, Self::Chunked, Self::LastChunkInPut];

    fn push(self, client: &Client, digest: &Digest, content: &[u8]) -> Result<Answer> {
        if let Self::Post = self {
            return client.post(&format!("/v2/{NAME}/blobs/uploads/?digest={digest}"), content.to_vec());
        }
        let mut upload = BlobUpload::begin(client, NAME)?;
        let third = content.len() / 3 + 1;
        match self {
            Self::Post | Self::PostAndPut => upload.finish(client, digest, content),
            Self::Streamed => {
                let upload = BlobUpload::at(&upload.append(client, content)?.expect_status(202)?)?;
                upload.finish(client, digest, &[])
            }
            Self::Chunked | Self::LastChunkInPut => {
                let mut start = 0;
                let mut chunks = content.chunks(third).peekable();
                while let Some(chunk) = chunks.next() {
                    if matches!(self, Self::LastChunkInPut) && chunks.peek().is_none() {
                        return upload.finish_at(client, digest, start, chunk);
                    }
                    let answer = upload.append_at(client, start, chunk)?.expect_status(202)?;
                    start += chunk.len();
                    ensure!(answer.header("range") == format!("0-{}", start - 1), "{answer:?}");
                    upload = BlobUpload::at(&answer)?;
                }
                upload.finish(client, digest, &[])
            }
        }
    }
}

fn a_blob_that_came_in_any_way_goes_out_the_same(site: &Site) -> Result<()> {
    let server = site.start()?;
    let (admin, reader) = (server.admin()?, server.admin()?);
    let mut mark = 0;
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        for size in [0, 1, 10 * 1024, 5 * MIB + 1, 9 * MIB] {
            for way in Way::ALL {
                mark += 1;
                let content = layer(size, mark);
                let digest = digest_of(algorithm, &content);
                let at = || format!("{size} bytes by {way:?} as {digest}");
                let answer = way.push(&admin, &digest, &content).with_context(at)?;
                let answer = answer.expect_status(201).with_context(at)?;
                ensure!(answer.header("docker-content-digest") == digest.to_string(), "{}: {answer:?}", at());
                ensure!(answer.header("location") == blob_path(NAME, &digest), "{}: {answer:?}", at());
                check_blob(&reader, &digest, &content).with_context(at)?;
            }
        }
    }
    Ok(())
}

fn check_blob(client: &Client, digest: &Digest, content: &[u8]) -> Result<()> {
    let path = blob_path(NAME, digest);
    for answer in [client.head(&path)?.expect_status(200)?, client.get(&path)?.expect_status(200)?] {
        let length = content.len().to_string();
        for (header, expected) in [
            ("content-length", length.as_str()),
            ("docker-content-digest", &digest.to_string()),
            ("accept-ranges", "bytes"),
            ("content-encoding", ""),
        ] {
            ensure!(answer.header(header) == expected, "{}: {header}: {answer:?}", answer.request);
        }
        ensure!(answer.header("etag").starts_with('"'), "no strong validator: {:?}", answer.headers);
        ensure!(answer.body.is_empty() || answer.body == content, "{}: other bytes", answer.request);
        let known = client.request(Method::GET, &path).header("if-none-match", answer.header("etag"));
        client.send(known)?.expect_status(304)?;
    }
    Ok(())
}

fn a_chunk_out_of_order_is_refused_and_changes_nothing(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    let content = layer(3_000, 2);
    let digest = Digest::sha256(&content);
    let mut upload = BlobUpload::begin(&admin, NAME)?;
    for start in [0_usize, 1_000, 2_000] {
        for wrong in [start + 1, start + 1_000, start.saturating_sub(500)] {
            if wrong == start {
                continue;
            }
            let chunk = &content[wrong.min(2_999)..];
            for answer in
                [upload.append_at(&admin, wrong, chunk)?, upload.finish_at(&admin, &digest, wrong, chunk)?]
            {
                let answer = answer.expect_status(416)?;
                assert_eq!(received(&answer)?, start, "{wrong}");
                upload = BlobUpload::at(&answer)?;
                assert_eq!(upload.received(&admin)?, start, "{wrong}");
            }
        }
        let answer = upload.append_at(&admin, start, &content[start..start + 1_000])?.expect_status(202)?;
        upload = BlobUpload::at(&answer)?;
    }
    let short = admin.request(Method::PATCH, upload.location()).header("content-range", "3000-3999");
    let refused = admin.send(short.body("too short"))?;
    ensure!([400, 416].contains(&refused.status), "a chunk of another length: {refused:?}");
    assert_eq!(upload.received(&admin)?, 3_000, "a chunk of another length was taken");
    upload.finish(&admin, &digest, &[])?.expect_status(201)?;
    check_blob(&admin, &digest, &content)
}

fn a_wrong_digest_is_refused_and_ends_the_upload(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    for size in [0, 10 * 1024, 9 * MIB] {
        for way in Way::ALL {
            let (content, wrong) = (layer(size, 3), Digest::sha256(b"other bytes"));
            let refused = way.push(&admin, &wrong, &content)?.expect_status(400)?;
            assert_eq!(code(&refused)?, "DIGEST_INVALID", "{size} by {way:?}");
            admin.head(&blob_path(NAME, &wrong))?.expect_status(404)?;
            admin.head(&blob_path(NAME, &Digest::sha256(&content)))?.expect_status(404)?;
        }
    }
    let upload = BlobUpload::begin(&admin, NAME)?;
    let joint = if upload.location().contains('?') { '&' } else { '?' };
    for odd in ["sha256:baddigeststring", "md5:d41d8cd98f00b204e9800998ecf8427e", ""] {
        let put = admin.request(Method::PUT, &format!("{}{joint}digest={odd}", upload.location()));
        assert_eq!(code(&admin.send(put.body("x"))?.expect_status(400)?)?, "DIGEST_INVALID", "{odd}");
    }
    upload.finish(&admin, &Digest::sha256(b"other"), b"bytes")?.expect_status(400)?;
    assert_eq!(code(&admin.get(upload.location())?.expect_status(404)?)?, "BLOB_UPLOAD_UNKNOWN");
    Ok(())
}

fn an_upload_that_is_over_is_unknown(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    let content = layer(6 * MIB, 4);
    let digest = Digest::sha256(&content);
    let [whole, chunked, cancelled, untouched] = [(); 4]
        .map(|()| BlobUpload::begin(&admin, NAME))
        .into_iter()
        .collect::<Result<Vec<_>>>()?
        .try_into()
        .map_err(|_| anyhow::anyhow!("four uploads were begun"))?;
    assert_eq!(untouched.received(&admin)?, 0);
    whole.finish(&admin, &digest, &content)?.expect_status(201)?;
    chunked.append(&admin, &content)?.expect_status(202)?;
    chunked.finish(&admin, &digest, &[])?.expect_status(201)?;
    cancelled.append(&admin, &content)?.expect_status(202)?;
    admin.delete(cancelled.location())?.expect_status(204)?;
    admin.delete(untouched.location())?.expect_status(204)?;
    for over in [&whole, &chunked, &cancelled, &untouched] {
        for answer in [
            admin.get(over.location())?,
            over.append(&admin, b"more")?,
            over.finish(&admin, &digest, &content)?,
            admin.delete(over.location())?,
        ] {
            let answer = answer.expect_status(404)?;
            assert_eq!(code(&answer)?, "BLOB_UPLOAD_UNKNOWN", "{}", answer.request);
        }
    }
    // An address is good for its own name, and none can be made up.
    let upload = BlobUpload::begin(&admin, NAME)?;
    admin.get(&upload.location().replace(NAME, "apps/other"))?.expect_status(404)?;
    admin.get(&format!("/v2/{NAME}/blobs/uploads/made-up"))?.expect_status(404)?;
    Ok(())
}

fn a_blob_is_mounted_from_where_the_caller_may_read_and_nowhere_else(site: &Site) -> Result<()> {
    let server = site.start()?;
    for (path, private) in [("open", false), ("secret", true), ("team", false)] {
        site.create_repository(path, &RepositorySettings { private, ..Default::default() })?;
    }
    let request = TokenRequest { name: "team", role: "publisher", repository: Some("team"), expires: None };
    let token = site.create_token(&request)?;
    let (admin, team) = (server.admin()?, server.client(&token)?);
    let shown = push_blob(&admin, "open/web", b"shown to all")?;
    let hidden = push_blob(&admin, "secret/web", b"shown to few")?;
    let mount = |client: &Client, digest: &Digest, from: &str| {
        client.post(&format!("/v2/team/app/blobs/uploads/?mount={digest}{from}"), "")
    };
    for from in ["&from=secret/web", "&from=open/web", "&from=nobody/web", ""] {
        let answer = mount(&team, &hidden, from)?.expect_status(202)?;
        let upload = BlobUpload::at(&answer)?;
        team.head(&blob_path("team/app", &hidden))?.expect_status(404)?;
        assert_eq!(upload.received(&team)?, 0, "what was not mounted can be sent");
    }
    let missing = Digest::sha256(b"nobody has this");
    mount(&admin, &missing, "&from=open/web")?.expect_status(202)?;
    mount(&admin, &hidden, "&from=open/web")?.expect_status(202)?;

    let answer = mount(&admin, &hidden, "&from=secret/web")?.expect_status(201)?;
    ensure!(answer.header("location") == blob_path("team/app", &hidden), "{answer:?}");
    team.get(&blob_path("team/app", &hidden))?.expect_status(200)?;
    mount(&team, &shown, "&from=secret/web")?.expect_status(202)?;
    let blobs = site.blobs()?;
    mount(&admin, &shown, "&from=open/web")?.expect_status(201)?;
    let again = push_blob(&admin, "open/again", b"shown to all")?;
    mount(&admin, &again, "")?.expect_status(201)?;
    assert_eq!(site.blobs()?, blobs, "the same bytes were stored again");
    Ok(())
}

fn a_deleted_blob_is_gone_at_once_from_its_name_alone(site: &Site) -> Result<()> {
    let server = site.start()?;
    site.create_repository("team", &RepositorySettings::default())?;
    let request = TokenRequest { name: "team", role: "publisher", repository: Some("team"), expires: None };
    let token = site.create_token(&request)?;
    let (admin, publisher) = (server.admin()?, server.client(&token)?);
    let digest = push_blob(&admin, "team/app", b"to be deleted")?;
    push_blob(&admin, "team/other", b"to be deleted")?;
    let path = blob_path("team/app", &digest);
    for _cold_and_warm in 0..2 {
        publisher.get(&path)?.expect_status(200)?;
    }
    publisher.delete(&path)?.expect_status(403)?;
    admin.delete(&path)?.expect_status(202)?;
    for client in [&admin, &publisher] {
        client.head(&path)?.expect_status(404)?;
        assert_eq!(code(&client.get(&path)?.expect_status(404)?)?, "BLOB_UNKNOWN");
        client.get(&blob_path("team/other", &digest))?.expect_status(200)?;
    }
    admin.delete(&path)?.expect_status(404)?;
    Ok(())
}
