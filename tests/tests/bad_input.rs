//! Everything a server should not take: each refused with its status and a text that names the fault, and
//! afterwards nothing has changed.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chart::testing::{ChartBuilder, RawEntry};
use stories::client::Client;
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::{compress, plain_chart};
use stories::wire::{WireRequest, connect, read_answer};

stories::on_each_backend! {
    each_fault_of_an_archive_is_refused_by_its_name,
    a_bomb_is_refused_soon_and_in_bounded_memory,
    an_upload_of_a_gigabyte_is_refused_before_it_is_read,
    an_ordinary_client_always_hears_why_its_upload_was_refused,
    an_upload_that_breaks_off_leaves_nothing,
    forms_that_are_none_are_refused_and_any_plain_type_is_taken,
    provenance_that_fits_no_archive_is_refused,
    nothing_is_written_without_a_credential_that_reaches_so_far,
}

/// What must not change: the index's bytes, and how much is kept and staged.
fn state(site: &Site, client: &Client) -> Result<(Vec<u8>, usize, usize)> {
    let index = client.get("/shelf/index.yaml")?.expect_status(200)?.body;
    Ok((index, site.blobs()?.len(), site.files_in("staging")?.len()))
}

/// Runs a story on a server that holds one chart, and checks that the story changed nothing.
pub(crate) fn unchanged_by(site: &Site, story: impl Fn(&Server, &Client) -> Result<()>) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    admin.publish("shelf", &plain_chart("kept", "1.0.0"))?.expect_status(201)?;
    let before = state(site, &admin)?;
    story(&server, &admin)?;
    ensure!(before == state(site, &admin)?, "something was stored or left behind");
    admin.get("/live")?.expect_status(200)?;
    Ok(())
}

fn odd() -> ChartBuilder {
    ChartBuilder::new("odd", "1.0.0")
}

fn with_lines(more: &str) -> Vec<u8> {
    odd().chart_yaml(format!("apiVersion: v2\nname: odd\nversion: 1.0.0\n{more}")).build()
}

fn with_file(path: &str) -> Vec<u8> {
    odd().raw_entry(RawEntry::new(b'0', path, "x")).build()
}

/// Archives with a fault, and the words by which the answer must name it.
fn faulty_archives() -> Result<Vec<(Vec<u8>, &'static [&'static str])>> {
    let chart_file = |text: &str| odd().chart_yaml(text).build();
    let bare = || odd().without_chart_yaml();
    Ok(vec![
        (Vec::new(), &["gzip"]),
        (b"no archive".to_vec(), &["gzip"]),
        (compress(b"no tar")?, &["archive"]),
        (bare().build(), &["no files"]),
        (bare().file("values.yaml", "").build(), &["Chart.yaml"]),
        (
            bare().raw_entry(RawEntry::new(b'0', "Chart.yaml", "name: odd\nversion: 1.0.0\n")).build(),
            &["Chart.yaml"],
        ),
        (with_file("odd//etc/passwd"), &["odd//etc/passwd", "absolute"]),
        (with_file("odd/../../up"), &["odd/../../up"]),
        (with_file("../../up"), &["../../up"]),
        (with_file("odd/c:/up"), &["c:/up"]),
        (with_file("._odd"), &["._odd"]),
        (chart_file("version: 1.0.0\n"), &["name"]),
        (chart_file("name: ''\nversion: 1.0.0\n"), &["name"]),
        (chart_file("name: a/b\nversion: 1.0.0\n"), &["name", "a/b"]),
        (chart_file("name: ../../a\nversion: 1.0.0\n"), &["name", "../../a"]),
        (chart_file("name: '..'\nversion: 1.0.0\n"), &["name", ".."]),
        (chart_file("name: odd\n"), &["version"]),
        (chart_file("name: odd\nversion: latest\n"), &["version", "latest"]),
        (chart_file("name: odd\nversion: 1.0.0/../../a\n"), &["version"]),
        (chart_file("name: odd\nversion: [1]\n"), &["version"]),
        (with_lines("type: plugin\n"), &["type", "plugin"]),
        (with_lines("maintainers:\n-\n"), &["maintainers"]),
        (with_lines("dependencies:\n-\n"), &["dependencies"]),
        (with_lines("dependencies:\n- {name: a, repository: '', alias: a.b}\n"), &["alias", "a.b"]),
        (with_lines("annotations: [a]\n"), &["annotations"]),
        (with_lines("deprecated: 'yes'\n"), &["deprecated"]),
        (with_lines("keywords: one\n"), &["keywords"]),
        (with_lines("a: [\n"), &["Chart.yaml", "line"]),
    ])
}

fn each_fault_of_an_archive_is_refused_by_its_name(site: &Site) -> Result<()> {
    unchanged_by(site, |_, admin| {
        let mut wrong = Vec::new();
        for (number, (archive, words)) in faulty_archives()?.into_iter().enumerate() {
            let answer = admin.publish("shelf", &archive)?;
            let text = answer.error_text().unwrap_or_else(|_| answer.text());
            if answer.status != 400 || !words.iter().all(|word| text.contains(word)) {
                wrong.push(format!("fault {number}, {words:?}: {} {text}", answer.status));
            }
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    })
}

/// Archives and chart files that grow when they are read.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let mut many_files = odd();
    for number in 0..120_000 {
        many_files = many_files.file(&format!("templates/{number}"), "");
    }
    let mut large_files = odd();
    for number in 0..24 {
        large_files = large_files.file(&format!("{number}"), vec![0; 5 << 20]);
    }
    let mut nested = odd().build();
    for _ in 0..64 {
        nested = odd().packed_subchart("odd-1.0.0.tgz", &nested).build();
    }
    let mut laughs = String::from("a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n");
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        laughs.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    vec![
        ("a file of 300 MiB", odd().file("large", vec![0; 300 << 20]).build()),
        ("120 MiB in files of 5", large_files.build()),
        ("120,000 files", many_files.build()),
        ("charts in charts", nested),
        ("aliases of aliases", with_lines(&laughs)),
        ("brackets", with_lines(&format!("a: {}\n", "[".repeat(100_000)))),
        ("braces", with_lines(&format!("a: {}\n", "{a: ".repeat(30_000)))),
        (
            "indents",
            with_lines(&(0..1500).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>()),
        ),
        ("keys", with_lines(&(0..200_000).map(|key| format!("k{key}: 1\n")).collect::<String>())),
        ("a long line", with_lines(&format!("description: {}\n", "x".repeat(4 << 20)))),
    ]
}

/// What one hostile archive may cost: a debug build on loaded cores is some ten times slower than a release.
const MOST_TIME: Duration = Duration::from_secs(8);
const MOST_MEMORY: u64 = 96 << 20;

fn a_bomb_is_refused_soon_and_in_bounded_memory(site: &Site) -> Result<()> {
    let bombs = bombs();
    unchanged_by(site, |server, admin| {
        let (_, before) = server.resident_bytes()?;
        for (name, bomb) in &bombs {
            let begun = Instant::now();
            let answer = admin.publish("shelf", bomb)?;
            let (time, (_, peak)) = (begun.elapsed(), server.resident_bytes()?);
            ensure!([400, 413].contains(&answer.status), "{name}: {} {}", answer.status, answer.text());
            ensure!(time < MOST_TIME, "{name} took {time:?}");
            ensure!(peak - before < MOST_MEMORY, "{name} took {} MiB", (peak - before) >> 20);
        }
        Ok(())
    })
}

fn an_upload_of_a_gigabyte_is_refused_before_it_is_read(site: &Site) -> Result<()> {
    unchanged_by(site, |server, _| {
        let (_, before) = server.resident_bytes()?;
        let head = |name: &str, value: &str| {
            let request = WireRequest::new("POST", "/api/shelf/charts").header(name, value);
            request.header("authorization", &format!("Bearer {}", server.admin_token().unwrap_or_default()))
        };
        let mut stream = connect(server.address())?;
        stream.write_all(head("content-length", "1073741824").head(server.address()).as_bytes())?;
        read_answer("1 GiB by its length", &mut stream)?.expect_status(413)?;
        let mut stream = connect(server.address())?;
        stream.write_all(head("transfer-encoding", "chunked").head(server.address()).as_bytes())?;
        let chunk = [b"100000\r\n", &[0_u8; 1 << 20][..], b"\r\n"].concat();
        let sent = (0..1024).take_while(|_| stream.write_all(&chunk).is_ok()).count();
        ensure!(sent < 200, "{sent} MiB were taken of an upload that may have 20");
        read_answer("1 GiB in chunks", &mut stream)?.expect_status(413)?;
        let (_, peak) = server.resident_bytes()?;
        ensure!(peak - before < MOST_MEMORY, "it took {} MiB", (peak - before) >> 20);
        Ok(())
    })
}

fn an_ordinary_client_always_hears_why_its_upload_was_refused(site: &Site) -> Result<()> {
    unchanged_by(site, |_, admin| {
        // Refused in the middle of the body: closing at once would take the answer away from who is still sending.
        let too_large = vec![0; 24 << 20];
        for attempt in 0..12 {
            let answer = admin.publish("shelf", &too_large).with_context(|| format!("attempt {attempt}"))?;
            answer.expect_status(413)?;
        }
        Ok(())
    })
}

fn an_upload_that_breaks_off_leaves_nothing(site: &Site) -> Result<()> {
    unchanged_by(site, |server, admin| {
        let large: Vec<u8> = (0..1_u32 << 20).flat_map(u32::to_le_bytes).collect();
        let archive = ChartBuilder::new("cut", "1.0.0").file("large", large).build();
        let request = WireRequest::new("POST", "/api/shelf/charts")
            .header("authorization", &format!("Bearer {}", server.admin_token()?))
            .body(archive.clone());
        for cut_at in [0, 1, 10, archive.len() / 2, archive.len() - 1] {
            let said = request.send_cut(server.address(), cut_at)?;
            ensure!(!String::from_utf8_lossy(&said).contains(" 201 "), "cut at {cut_at} and taken");
        }
        assert_eq!(admin.get("/shelf/charts/cut-1.0.0.tgz")?.status, 404);
        Ok(())
    })
}

fn forms_that_are_none_are_refused_and_any_plain_type_is_taken(site: &Site) -> Result<()> {
    unchanged_by(site, |server, admin| {
        let token = format!("Bearer {}", server.admin_token()?);
        let post = |content_type: &str, body: &[u8]| {
            let request = WireRequest::new("POST", "/api/shelf/charts").header("authorization", &token);
            request.header("content-type", content_type).body(body).send(server.address())
        };
        let chart = plain_chart("kept", "1.0.0");
        for (content_type, body) in [
            ("multipart/form-data", chart.as_slice()),
            ("multipart/form-data; boundary=x", chart.as_slice()),
            (
                "multipart/form-data; boundary=x",
                b"--x\r\nContent-Disposition: form-data; name=\"chart\"\r\n\r\n",
            ),
            ("multipart/form-data; boundary=x", b"--x--\r\n"),
        ] {
            let answer = post(content_type, body)?;
            ensure!(
                answer.status == 400 && !answer.error_text()?.is_empty(),
                "{content_type}: {}",
                answer.status
            );
        }
        // `curl --data-binary` calls everything a form; the same bytes again change nothing.
        for content_type in ["application/x-www-form-urlencoded", "application/gzip", "text/html", "nonsense"]
        {
            post(content_type, &chart)?.expect_status(201)?;
        }
        admin.get("/shelf/index.yaml")?.expect_status(200)?;
        Ok(())
    })
}

fn provenance_that_fits_no_archive_is_refused(site: &Site) -> Result<()> {
    unchanged_by(site, |_, admin| {
        let text = |name: &str, digest: &str| {
            format!(
                "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nname: {name}\nversion: 1.0.0\n\n...\nfiles:\n  \
                 {name}-1.0.0.tgz: sha256:{digest}\n-----BEGIN PGP SIGNATURE-----\n\nwsBc\n-----END PGP SIGNATURE-----\n"
            )
        };
        let table = [
            (text("kept", &"0".repeat(64)), 400, "digest"),
            (text("kept", "none"), 400, "digest"),
            (text("gone", &"0".repeat(64)), 404, "gone"),
            (text("../kept", &"0".repeat(64)), 400, "name"),
            (String::new(), 400, "PGP"),
            ("plain text".to_owned(), 400, "PGP"),
        ];
        for (body, status, word) in table {
            let answer = admin.post("/api/shelf/prov", body.clone())?.expect_status(status)?;
            ensure!(answer.error_text()?.contains(word), "{body}: {}", answer.text());
        }
        Ok(())
    })
}

fn nothing_is_written_without_a_credential_that_reaches_so_far(site: &Site) -> Result<()> {
    unchanged_by(site, |server, _| {
        let chart = plain_chart("odd", "1.0.0");
        for client in [server.anonymous()?, server.client("guess")?] {
            let answer = client.publish("shelf", &chart)?.expect_status(401)?;
            ensure!(answer.header("www-authenticate").starts_with("Basic"), "no challenge");
            client.publish("elsewhere", &chart)?.expect_status(401)?;
            client.delete("/api/shelf/charts/kept/1.0.0")?.expect_status(401)?;
            client.post("/api/shelf/prov", "x")?.expect_status(401)?;
        }
        Ok(())
    })
}
