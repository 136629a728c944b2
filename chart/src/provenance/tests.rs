use super::*;
use crate::testing::{ChartBuilder, provenance_text};

const FILE: &str = "alpine-1.0.0.tgz";

fn text() -> String {
    provenance_text("alpine", "1.0.0", FILE, &ChartBuilder::new("alpine", "1.0.0").build())
}

fn parse(text: &str) -> Result<Provenance, InvalidProvenance> {
    Provenance::parse(text.as_bytes())
}

#[test]
fn name_version_and_digests_are_read() {
    let provenance = parse(&text()).unwrap();
    assert_eq!((provenance.name().as_str(), provenance.version().as_str()), ("alpine", "1.0.0"));
    let digest = Digest::sha256(&ChartBuilder::new("alpine", "1.0.0").build());
    assert_eq!(provenance.digest_of(FILE), Some(&digest));
    assert_eq!(provenance.covers(FILE, &digest), Ok(()));
}

#[test]
fn other_names_and_other_bytes_are_not_covered() {
    let provenance = parse(&text()).unwrap();
    let digest = provenance.digest_of(FILE).unwrap().clone();
    let renamed = provenance.covers("renamed.tgz", &digest).unwrap_err();
    assert_eq!(renamed.to_string(), format!("the provenance file lists no `renamed.tgz`; it names `{FILE}`"));
    let other = provenance.covers(FILE, &Digest::sha256(b"other")).unwrap_err();
    assert!(matches!(other, ProvenanceMismatch::OtherDigest { .. }));
}

/// ChartMuseum searches the text for `name:`, and takes the first maintainer's.
#[test]
fn names_of_maintainers_do_not_count() {
    assert!(text().find("name: somebody else").unwrap() < text().find("name: alpine").unwrap());
    assert_eq!(parse(&text()).unwrap().name().as_str(), "alpine");
}

#[test]
fn line_ends_text_in_front_and_quoted_versions_do_not_matter() {
    for changed in [
        text().replace('\n', "\r\n"),
        format!("some mail\n\n{}", text()),
        text().replace("version: 1.0.0", "version: \"1.0.0\""),
        text().replace("Hash: SHA512\n", "Hash: SHA512\nComment: x\n"),
        text().replace("Hash: SHA512\n", ""),
        text().replace("files:", "files: # all"),
        text().replace("-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP SIGNED MESSAGE-----  "),
    ] {
        assert_eq!(parse(&changed).unwrap(), parse(&text()).unwrap(), "{changed}");
    }
}

#[test]
fn files_that_are_not_provenance_are_refused() {
    for (changed, reason) in [
        (String::new(), "the line `-----BEGIN PGP SIGNED MESSAGE-----` is missing"),
        (
            "name: alpine\nversion: 1.0.0\n".to_owned(),
            "the line `-----BEGIN PGP SIGNED MESSAGE-----` is missing",
        ),
        (text().replace("BEGIN PGP SIGNATURE", "BEGIN"), "the signature between"),
        (text().replace("END PGP SIGNATURE", "END"), "the signature between"),
        (text().replace("\n...\n", "\n"), "the line `...`"),
        (text().replace("version: 1.0.0", "version: one"), "field `version`"),
        (text().replace("name: alpine", "name: ../alpine"), "field `name`"),
        (text().replace("name: alpine\n", ""), "field `name`"),
        (text().replace("name: alpine", "name: ["), "the chart's metadata is not valid YAML"),
        (text().replace("name: alpine", "name: [alpine]"), "the chart's metadata has a wrong field"),
        (text().replace("files:", "files: ["), "the list of files is not valid YAML"),
        (text().replace("files:\n", "files: 1\nother:\n"), "the list of files has a wrong field"),
        (text().replace("sha256:", "sha1:"), "the digest of `alpine-1.0.0.tgz` is refused"),
    ] {
        let error = parse(&changed).unwrap_err().to_string();
        assert!(error.starts_with(reason), "{error}");
    }
    assert!(matches!(Provenance::parse(b"\xff\xfe"), Err(InvalidProvenance::NotText)));
}
