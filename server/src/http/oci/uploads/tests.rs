use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use futures_util::{TryStreamExt, stream};
use oci::Digester;
use stories::object_store::ObjectStore;

use super::*;
use crate::access::Role;
use crate::app::Rules;
use crate::blobs::tests::place::{content, in_bucket, new_bucket};
use crate::blobs::{Blobs, Layout};
use crate::catalog::{Catalog, SettingsChange};
use crate::http::Surface;
use crate::http::tests::{Answer, TestServer};
use crate::jobs::collect_garbage::{Collection, collect};
use crate::repository_path::RepositoryPath;

const MIB: usize = 1024 * 1024;

/// Two servers over the same stores, and a token that may do everything.
struct Site {
    servers: [TestServer; 2],
    token: String,
    /// What must outlive the servers.
    _postgres: Option<std::sync::Arc<stories::postgres::Postgres>>,
    _store: Option<ObjectStore>,
}

impl Site {
    async fn embedded() -> Self {
        let shared = tempfile::tempdir().unwrap();
        let root = shared.path().to_owned();
        let mut servers = Vec::new();
        for folder in [shared, tempfile::tempdir().unwrap()] {
            let catalog = Catalog::open_embedded(&root.join("catalog.db")).await.unwrap();
            let blobs = Blobs::open(root.join("kept"), folder.path().join("staging"), Layout::Addressed);
            servers.push(server(folder, catalog, blobs.unwrap()).await);
        }
        Self::of(servers, None, None).await
    }

    async fn shared() -> Option<Self> {
        let postgres = stories::postgres::shared().unwrap()?;
        let store = ObjectStore::minio().unwrap()?;
        let url = postgres.url(&postgres.create_database().unwrap());
        let options = new_bucket(&store);
        let mut servers = Vec::new();
        for _ in 0..2 {
            let catalog = Box::pin(Catalog::migrate_shared(&url, 4)).await.unwrap();
            let place = Box::pin(in_bucket(options.clone(), Layout::Addressed)).await;
            servers.push(server(place.folder, catalog, place.blobs).await);
        }
        Some(Self::of(servers, Some(postgres), Some(store)).await)
    }

    async fn of(
        servers: Vec<TestServer>,
        postgres: Option<std::sync::Arc<stories::postgres::Postgres>>,
        store: Option<ObjectStore>,
    ) -> Self {
        let Ok(servers) = <[TestServer; 2]>::try_from(servers) else { panic!("two servers") };
        let token = servers[0].token(Role::Admin, None).await;
        Self { servers, token, _postgres: postgres, _store: store }
    }

    async fn send(&self, server: usize, request: axum::http::request::Builder, body: Body) -> Answer {
        let request = request.header("authorization", format!("Bearer {}", self.token));
        Box::pin(self.servers[server].send(request.body(body).unwrap())).await
    }

    async fn post(&self, query: &str, body: &[u8]) -> Answer {
        let request = Request::post(format!("/v2/team/app/blobs/uploads/{query}"));
        self.send(0, request.header("content-length", body.len()), body.to_vec().into()).await
    }

    async fn begin(&self, query: &str) -> String {
        let begun = self.post(query, b"").await;
        assert_eq!((begun.status.as_u16(), begun.header(header::RANGE)), (202, "0-0"), "{}", begun.text());
        begun.header(header::LOCATION).to_owned()
    }

    async fn patch(&self, server: usize, location: &str, start: Option<usize>, body: &[u8]) -> Answer {
        let mut request = Request::patch(location).header("content-length", body.len());
        if let Some(start) = start {
            request = request.header("content-range", format!("{start}-{}", start + body.len() - 1));
        }
        self.send(server, request, body.to_vec().into()).await
    }

    async fn put(&self, server: usize, location: &str, digest: &Digest, body: &[u8]) -> Answer {
        let request = Request::put(format!("{location}?digest={digest}"));
        self.send(server, request.header("content-length", body.len()), body.to_vec().into()).await
    }

    async fn get(&self, server: usize, path: &str) -> Answer {
        self.send(server, Request::get(path), Body::empty()).await
    }

    async fn check_there(&self, name: &str, digest: &Digest, content: &[u8]) {
        for server in 0..2 {
            let path = format!("/v2/{name}/blobs/{digest}");
            let got = self.get(server, &path).await;
            assert_eq!(got.status, 200, "{}", got.text());
            assert!(got.body == content, "{path}");
            assert_eq!(got.header(CONTENT_DIGEST), digest.to_string());
            let head = self.send(server, Request::head(&path), Body::empty()).await;
            let length = content.len().to_string();
            assert_eq!((head.status.as_u16(), head.header(header::CONTENT_LENGTH)), (200, &*length));
        }
    }
}

async fn server(folder: tempfile::TempDir, catalog: Catalog, blobs: Blobs) -> TestServer {
    TestServer::over(folder, catalog, blobs, Rules::default(), Surface::default()).await
}

fn digest_of(algorithm: Algorithm, content: &[u8]) -> Digest {
    let mut digester = Digester::new(algorithm);
    digester.update(content);
    digester.finish()
}

macro_rules! on_each_pair_of_stores {
    ($($check:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test]
            async fn $check() {
                Box::pin(super::$check(super::Site::embedded().await)).await;
            })+
        }

        mod shared {
            $(#[tokio::test]
            async fn $check() {
                if let Some(site) = Box::pin(super::Site::shared()).await {
                    Box::pin(super::$check(site)).await;
                }
            })+
        }
    };
}

on_each_pair_of_stores![
    every_way_of_pushing_a_whole_blob_ends_with_it,
    pieces_reach_servers_in_turn,
    a_piece_that_does_not_follow_is_refused_and_changes_nothing,
    a_body_that_breaks_off_is_gone_on_with,
    other_bytes_than_named_end_the_upload,
    a_cancelled_upload_is_over,
    a_blob_is_mounted_from_a_name_that_may_be_read,
    what_nobody_may_write_is_refused,
    one_request_at_a_time_sends_to_an_upload,
    the_collector_leaves_an_open_upload_and_ends_an_idle_one,
    a_full_repository_takes_nothing_and_goes_on_when_there_is_room,
];

async fn every_way_of_pushing_a_whole_blob_ends_with_it(site: Site) {
    for (number, size) in [0, 1, 10_240, 9 * MIB].into_iter().enumerate() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let [posted, put, streamed] = [1, 2, 3].map(|salt| {
                let mut content = content(size);
                content.extend(if size == 0 { vec![] } else { vec![salt, number as u8] });
                content
            });
            let digest = digest_of(algorithm, &posted);
            let answer = site.post(&format!("?digest={digest}"), &posted).await;
            assert_eq!(answer.status, 201, "{}", answer.text());
            assert_eq!(answer.header(header::LOCATION), format!("/v2/team/app/blobs/{digest}"));
            site.check_there("team/app", &digest, &posted).await;

            let digest = digest_of(algorithm, &put);
            let location = site.begin("").await;
            let answer = site.put(1, &location, &digest, &put).await;
            assert_eq!(answer.status, 201, "{}", answer.text());
            site.check_there("team/app", &digest, &put).await;
            assert_eq!(site.put(0, &location, &digest, &put).await.status, 404, "it is over");
            assert_eq!(site.get(0, &location).await.status, 404);

            // As Docker does: no length, no range, an empty PUT.
            let digest = digest_of(algorithm, &streamed);
            let location = site.begin("").await;
            let chunks: Vec<_> = streamed
                .chunks(65_536)
                .map(|chunk| Ok::<_, std::io::Error>(Bytes::from(chunk.to_vec())))
                .collect();
            let body = Body::from_stream(stream::iter(chunks));
            let answer = site.send(0, Request::patch(&location), body).await;
            assert_eq!(answer.status, 202, "{}", answer.text());
            let answer = site.put(1, &location, &digest, b"").await;
            assert_eq!(answer.status, 201, "{}", answer.text());
            site.check_there("team/app", &digest, &streamed).await;
        }
    }
}

async fn pieces_reach_servers_in_turn(site: Site) {
    let sizes = [1, 5 * MIB - 1, 1, 5 * MIB + 1, 1, 3];
    let content = content(sizes.iter().sum());
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let location = site.begin(&format!("?digest-algorithm={}", algorithm.name())).await;
        let mut start = 0;
        for (number, size) in sizes[..5].iter().enumerate() {
            let piece = &content[start..start + size];
            let answer = site.patch(number % 2, &location, (number != 2).then_some(start), piece).await;
            start += size;
            let range = format!("0-{}", start - 1);
            assert_eq!((answer.status.as_u16(), answer.header(header::RANGE)), (202, &*range));
            let asked = site.get((number + 1) % 2, answer.header(header::LOCATION)).await;
            assert_eq!((asked.status.as_u16(), asked.header(header::RANGE)), (204, &*range));
        }
        let digest = digest_of(algorithm, &content);
        let answer = site.put(1, &location, &digest, &content[start..]).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        site.check_there("team/app", &digest, &content).await;
    }
}

async fn a_piece_that_does_not_follow_is_refused_and_changes_nothing(site: Site) {
    let location = site.begin("").await;
    assert_eq!(site.patch(0, &location, Some(0), b"first").await.status, 202);
    for start in [0, 4, 6] {
        let refused = site.patch(1, &location, Some(start), b"second").await;
        assert_eq!((refused.status.as_u16(), refused.header(header::RANGE)), (416, "0-4"));
        assert_eq!(refused.header(header::LOCATION), location);
    }
    let odd = Request::patch(&location).header("content-length", 6).header("content-range", "5-6");
    assert_eq!(site.send(0, odd, Body::from("second")).await.status, 400);
    assert_eq!(site.patch(0, &location, Some(5), b"second").await.status, 202);
    let digest = Digest::sha256(b"firstsecond");
    assert_eq!(site.put(0, &location, &digest, b"").await.status, 201);
    site.check_there("team/app", &digest, b"firstsecond").await;
}

async fn a_body_that_breaks_off_is_gone_on_with(site: Site) {
    let content = content(7 * MIB);
    let location = site.begin("").await;
    assert_eq!(site.patch(0, &location, None, &content[..10]).await.status, 202);
    let chunks = vec![
        Ok(Bytes::from(content[10..6 * MIB].to_vec())),
        Err(std::io::Error::other("the client is gone")),
    ];
    let cut = site.send(0, Request::patch(&location), Body::from_stream(stream::iter(chunks))).await;
    assert_eq!(cut.status, 400, "{}", cut.text());
    let asked = site.get(1, &location).await;
    assert_eq!(asked.header(header::RANGE), format!("0-{}", 6 * MIB - 1));
    assert_eq!(site.patch(1, &location, Some(6 * MIB), &content[6 * MIB..]).await.status, 202);
    let digest = Digest::sha256(&content);
    assert_eq!(site.put(0, &location, &digest, b"").await.status, 201);
    site.check_there("team/app", &digest, &content).await;
}

async fn other_bytes_than_named_end_the_upload(site: Site) {
    let named = Digest::sha256(b"named");
    for pieces in [0, 1] {
        let location = site.begin("").await;
        for _ in 0..pieces {
            assert_eq!(site.patch(0, &location, None, b"oth").await.status, 202);
        }
        let refused = site.put(0, &location, &named, b"er").await;
        assert_eq!(refused.status, 400);
        assert!(refused.text().contains("DIGEST_INVALID"), "{}", refused.text());
        assert_eq!(site.get(1, &location).await.status, 404);
        assert_eq!(site.put(1, &location, &named, b"named").await.status, 404);
    }
    assert_eq!(site.post(&format!("?digest={named}"), b"other").await.status, 400);
    assert_eq!(site.post("?digest=sha256:baddigeststring", b"other").await.status, 400);
    assert_eq!(site.get(0, &format!("/v2/team/app/blobs/{named}")).await.status, 404);
}

async fn a_cancelled_upload_is_over(site: Site) {
    for pieces in [0, 1] {
        let location = site.begin("").await;
        for _ in 0..pieces {
            assert_eq!(site.patch(0, &location, None, &content(6 * MIB)).await.status, 202);
        }
        let cancelled = site.send(1, Request::delete(&location), Body::empty()).await;
        assert_eq!(cancelled.status, 204);
        assert_eq!(site.send(0, Request::delete(&location), Body::empty()).await.status, 404);
        assert_eq!(site.get(0, &location).await.status, 404);
        assert_eq!(site.patch(1, &location, None, b"more").await.status, 404);
    }
    for made_up in ["x", "0-sha256-0-1.00"] {
        assert_eq!(site.get(0, &format!("/v2/team/app/blobs/uploads/{made_up}")).await.status, 404);
    }
    let of_other = site.begin("").await.replace("team/app", "team/other");
    assert_eq!(site.get(0, &of_other).await.status, 404, "an address is of one name");
}

async fn a_blob_is_mounted_from_a_name_that_may_be_read(site: Site) {
    let digest = Digest::sha256(b"layer");
    assert_eq!(site.post(&format!("?digest={digest}"), b"layer").await.status, 201);
    let mount = |query: String| {
        let request = Request::post(format!("/v2/other/app/blobs/uploads/{query}"));
        site.send(1, request, Body::empty())
    };
    assert_eq!(site.get(0, &format!("/v2/other/app/blobs/{digest}")).await.status, 404);
    assert_eq!(mount(format!("?mount={digest}&from=nobody/here")).await.status, 202);
    let absent = Digest::sha256(b"absent");
    assert_eq!(mount(format!("?mount={absent}&from=team/app")).await.status, 202);
    assert_eq!(mount(format!("?mount={absent}")).await.status, 202);
    let mounted = mount(format!("?mount={digest}&from=team/app")).await;
    assert_eq!(mounted.status, 201);
    assert_eq!(mounted.header(header::LOCATION), format!("/v2/other/app/blobs/{digest}"));
    site.check_there("other/app", &digest, b"layer").await;
    let third = Request::post(format!("/v2/third/blobs/uploads/?mount={digest}"));
    assert_eq!(site.send(0, third, Body::empty()).await.status, 201, "from whichever name has it");
}

async fn what_nobody_may_write_is_refused(site: Site) {
    let location = site.begin("").await;
    let catalog = &site.servers[0].server.app.catalog;
    catalog.set_read_only(Some("a house moves".to_owned())).await.unwrap();
    let digest = Digest::sha256(b"bytes");
    for answer in [
        site.post("", b"").await,
        site.post(&format!("?digest={digest}"), b"bytes").await,
        site.patch(0, &location, None, b"bytes").await,
        site.put(0, &location, &digest, b"bytes").await,
    ] {
        assert_eq!(answer.status, 503, "{}", answer.text());
    }
    catalog.set_read_only(None).await.unwrap();
    assert_eq!(site.put(0, &location, &digest, b"bytes").await.status, 201);
    let nobody = Request::post("/v2/team/app/blobs/uploads/").body(Body::empty()).unwrap();
    assert_eq!(site.servers[0].send(nobody).await.status, 401);
}

async fn one_request_at_a_time_sends_to_an_upload(site: Site) {
    let location = site.begin("").await;
    let (claimed, wait_for_claim) = tokio::sync::oneshot::channel();
    let (go_on, wait_to_go_on) = tokio::sync::oneshot::channel::<()>();
    let body = Body::from_stream(stream::once(async move {
        // A body is asked for bytes only by who has claimed the upload.
        claimed.send(()).unwrap();
        wait_to_go_on.await.unwrap();
        Ok::<_, std::io::Error>(Bytes::from_static(b"first"))
    }));
    let first = site.send(0, Request::patch(&location), body);
    let second = async {
        wait_for_claim.await.unwrap();
        let refused = site.patch(1, &location, None, b"second").await;
        go_on.send(()).unwrap();
        refused
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (202, 409), "{}", second.text());
    let digest = Digest::sha256(b"first");
    assert_eq!(site.put(1, &location, &digest, b"").await.status, 201);
}

async fn the_collector_leaves_an_open_upload_and_ends_an_idle_one(mut site: Site) {
    let content = content(6 * MIB);
    let digest = Digest::sha256(&content);
    let [going_on, idle] = [site.begin("").await, site.begin("").await];
    for location in [&going_on, &idle] {
        assert_eq!(site.patch(0, location, None, &content[..6 * MIB - 1]).await.status, 202);
    }
    let collection = Collection::new(Duration::ZERO).while_nobody_publishes();
    Box::pin(collect(&site.servers[0].server.app, collection)).await.unwrap();
    let put = site.put(1, &going_on, &digest, &content[6 * MIB - 1..]).await;
    assert_eq!(put.status, 201, "{}", put.text());
    let app = &mut site.servers[0].server.app;
    let later = app.clock.now().micros() + 25 * 3_600 * 1_000_000;
    app.clock = crate::app::Clock::Fixed(chart::Timestamp::from_micros(later));
    Box::pin(collect(&app.clone(), collection)).await.unwrap();
    assert_eq!(site.get(0, &idle).await.status, 404);
    assert_eq!(site.patch(1, &idle, None, b"more").await.status, 404);
    let app = &site.servers[0].server.app;
    assert_eq!(app.catalog.list_open_upload_keys().await.unwrap(), []);
    let left: Vec<_> = app.blobs.list_older_than(Duration::ZERO).try_concat().await.unwrap();
    assert_eq!(left, [], "the link is over too, and the blob with it");
    assert_eq!(app.blobs.discard_uploads(Duration::ZERO, &[]).await.unwrap(), 0);
}

async fn a_full_repository_takes_nothing_and_goes_on_when_there_is_room(site: Site) {
    let catalog = &site.servers[0].server.app.catalog;
    let root = site.servers[0].server.app.repositories.find(&RepositoryPath::root()).await.unwrap().unwrap();
    let limit = |most| SettingsChange { most_bytes: Some(most), ..SettingsChange::default() };
    let location = site.begin("").await;
    assert_eq!(site.patch(0, &location, None, b"five!").await.status, 202);
    catalog.change_settings(root.id(), limit(4)).await.unwrap();
    let digest = Digest::sha256(b"five!");
    for answer in
        [site.put(0, &location, &digest, b"").await, site.post(&format!("?digest={digest}"), b"five!").await]
    {
        assert_eq!(answer.status, 413, "{}", answer.text());
        assert!(answer.text().contains("DENIED"), "{}", answer.text());
    }
    catalog.change_settings(root.id(), limit(0)).await.unwrap();
    assert_eq!(site.put(1, &location, &digest, b"").await.status, 201);
    site.check_there("team/app", &digest, b"five!").await;
}
