//! Who may import, and what an import may say of times: nobody else may reorder an index.

use chart::testing::ChartBuilder;

use super::*;
use crate::access::Role;
use crate::http::tests::TestServer;
use crate::import_source::FlatSource;
use crate::operations::publish::{ImportTerms, Publication, Terms, publish};

fn caller(role: Role) -> Caller {
    Caller::Known { name: role.to_string(), role, repository: None }
}

fn path(text: &str) -> RepositoryPath {
    text.parse().unwrap()
}

#[tokio::test]
async fn only_an_administrator_imports() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let blobs = crate::blobs::Blobs::beside(folder.path().to_owned(), crate::blobs::Layout::Flat).unwrap();
    let source = ImportSource::Flat(FlatSource::new(blobs, 0, true));
    for (role, may) in [(Role::Curator, false), (Role::Admin, true)] {
        let import_as = Import {
            source: &source,
            into: path("shelf"),
            overwrite: false,
            dry_run: false,
            at_once: NonZeroUsize::MIN,
            caller: caller(role),
        };
        let imported = import(&server.server.app, &import_as, &|_| {}).await;
        assert_eq!(imported.is_ok(), may, "{role}: {imported:?}");
    }
}

#[tokio::test]
async fn only_an_administrator_says_when_something_was_published() {
    let server = TestServer::start().await;
    let app = &server.server.app;
    let created = "2020-01-02T03:04:05Z".parse().unwrap();
    for (role, expected) in [(Role::Curator, None), (Role::Admin, Some(created))] {
        let archive = ChartBuilder::new("a", "1.0.0").build();
        let body = futures_util::stream::iter([Ok::<_, std::io::Error>(archive.into())]);
        let archive = app.blobs.staging().receive(body, 1 << 20).await.unwrap();
        let terms = Terms::Import(ImportTerms { created: Some(created), overwrite: false, named: None });
        let (repository, caller) = (RepositoryPath::root(), caller(role));
        let publication =
            Publication { repository, archive: archive.into(), provenance: None, terms, caller };
        assert_eq!(publish(app, publication).await.is_ok(), expected.is_some(), "{role}");
        let repository = app.repositories.find(&RepositoryPath::root()).await.unwrap().unwrap();
        let listed = repository.index().find_archive("a-1.0.0.tgz").map(|located| located.created);
        assert_eq!(listed, expected, "{role}");
    }
}
