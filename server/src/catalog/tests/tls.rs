//! Postgres behind TLS with a private authority, and with client certificates, named by parameters of its address.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use stories::postgres::Postgres;

use crate::catalog::connection::on;
use crate::catalog::{Catalog, CatalogError};

/// An authority of our own with what it signed, as PEM.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        // Were it the name of what it signs, that would count as self-signed.
        parameters.distinguished_name.push(DnType::CommonName, "authority");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap() }
    }

    /// Returns certificate and key for a name.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (parameters.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// Writes a file of the database's own user into its data folder; its keys may be nobody else's.
fn write_beside(server: &Postgres, name: &str, text: &str) {
    let sql = format!(
        "COPY (SELECT unnest(string_to_array('{}', '|'))) TO PROGRAM 'umask 077; cat > {name}'",
        text.trim_end().replace('\n', "|")
    );
    server.query("postgres", &sql).unwrap();
}

fn turn_on(server: &Postgres, authority: &Authority) {
    let (certificate, key) = authority.sign("127.0.0.1");
    write_beside(server, "server.pem", &certificate);
    write_beside(server, "server.key", &key);
    write_beside(server, "authority.pem", &authority.issuer.pem());
    for setting in [
        "ssl_cert_file = 'server.pem'",
        "ssl_key_file = 'server.key'",
        "ssl_ca_file = 'authority.pem'",
        "ssl = on",
    ] {
        server.query("postgres", &format!("ALTER SYSTEM SET {setting}")).unwrap();
    }
    let rule = "hostssl all all all scram-sha-256 clientcert=verify-ca";
    let first = format!("COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; sed -i \"1i {rule}\" pg_hba.conf'");
    server.query("postgres", &first).unwrap();
    server.restart().unwrap();
}

async fn is_encrypted(catalog: &Catalog) -> bool {
    let mut connection = catalog.reader().await.unwrap();
    on!(&mut connection, |database| sqlx::query_scalar(
        "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    )
    .fetch_one(database)
    .await)
    .unwrap()
}

#[tokio::test]
async fn a_private_authority_and_a_client_certificate_are_taken_from_the_address() {
    let Some(server) = Postgres::start().unwrap() else { return };
    let database = server.create_database().unwrap();
    let authority = Authority::new();
    turn_on(&server, &authority);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let trusted = file("authority.pem", &authority.issuer.pem());
    let other = file("other.pem", &Authority::new().issuer.pem());
    let (certificate, key) = authority.sign("chartroom");
    let (certificate, key) = (file("client.pem", &certificate), file("client.key", &key));
    let url = |root: &Path, with_client: bool| {
        let client = format!("&sslcert={}&sslkey={}", certificate.display(), key.display());
        let client = if with_client { client } else { String::new() };
        format!("{}?sslmode=verify-full&sslrootcert={}{client}", server.url(&database), root.display())
    };
    let catalog = Catalog::migrate_shared(&url(&trusted, true), 8).await.unwrap();
    assert!(is_encrypted(&catalog).await);
    for (refused, why) in [
        (url(&other, true), "an authority that did not sign the server's certificate"),
        (url(&trusted, false), "no certificate of the client's"),
    ] {
        let refused = Catalog::open_shared(&refused, 8).await.err();
        assert!(matches!(refused, Some(CatalogError::Unavailable(_))), "{why}: {refused:?}");
    }
}
