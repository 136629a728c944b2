//! Deliveries of signed charts: the publisher's pinned key speaks for the bytes, and nobody else does.

use std::fs;

use anyhow::{Context, Result, ensure};
use stories::command_line::{self, SIGN_KEY};
use stories::delivery::Delivery;
use stories::helm::{Helm, with_each_helm};
use stories::keyring::{Keyring, SIGNER};
use stories::packager::push;
use stories::site::Site;

/// A chart that helm packed and signed: the archive and its provenance.
fn sign(helm: &Helm, keyring: &Keyring, description: &str) -> Result<(Vec<u8>, Vec<u8>)> {
    let folder = helm.home().join("signed");
    fs::create_dir_all(&folder)?;
    fs::write(
        folder.join("Chart.yaml"),
        format!("apiVersion: v2\nname: signed\nversion: 1.0.0\ndescription: {description}\n"),
    )?;
    let key = keyring.secret().display().to_string();
    helm.ok(&["package", "signed", "--sign", "--key", SIGNER, "--keyring", &key])?;
    let file = helm.home().join("signed-1.0.0.tgz");
    Ok((fs::read(&file)?, fs::read(file.with_extension("tgz.prov"))?))
}

/// What is wrong, archive, provenance, pinned key, and what is said.
type Case<'a> = (&'a str, &'a [u8], &'a [u8], &'a Keyring, &'a str);

const RECIPE: &str = "upstream: {path: signed-1.0.0.tgz}\nprovenance: {key: publisher.gpg}\n";

fn delivery_of(archive: &[u8], provenance: &[u8], keyring: &Keyring) -> Result<Delivery> {
    let delivery = Delivery::new(&[("signed", RECIPE)])?;
    delivery.write("recipes/signed/signed-1.0.0.tgz", archive)?;
    delivery.write("recipes/signed/signed-1.0.0.tgz.prov", provenance)?;
    delivery.write("recipes/signed/publisher.gpg", fs::read(keyring.public())?)?;
    Ok(delivery)
}

#[test]
fn only_the_pinned_key_speaks_for_an_upstream_archive() -> Result<()> {
    let (Some(helm), Some(publisher), Some(stranger)) =
        (Helm::find("helm3")?, Keyring::create()?, Keyring::create()?)
    else {
        return Ok(());
    };
    let (archive, provenance) = sign(&helm, &publisher, "first")?;
    let (other, other_provenance) = sign(&helm, &publisher, "second")?;
    let delivery = delivery_of(&archive, &provenance, &publisher)?;
    delivery.lock(&[])?.success()?;
    ensure!(delivery.lock_text().contains("signedBy: "), "{}", delivery.lock_text());
    delivery.build("dist")?;
    let text = String::from_utf8(provenance.clone()).context("no text")?;
    let digest = oci::Digest::sha256(&archive);
    let forged = text.replace(digest.hex(), oci::Digest::sha256(&other).hex());
    // What stands before the signed message must not speak for it.
    let prefixed = forged.split("-----BEGIN PGP SIGNATURE-----").next().unwrap_or_default().to_owned();
    let prefixed = format!("{prefixed}-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n{text}");
    let table: [Case<'_>; 6] = [
        ("a stranger's key is pinned", &archive, &provenance, &stranger, "no key of `publisher.gpg` signed"),
        ("the archive was changed", &other, &provenance, &publisher, "its provenance file is of other bytes"),
        ("the text was changed", &other, forged.as_bytes(), &publisher, "no key of `publisher.gpg` signed"),
        ("another text stands before", &other, prefixed.as_bytes(), &publisher, "not proven"),
        (
            "it is of another archive",
            &archive,
            &other_provenance,
            &publisher,
            "its provenance file is of other bytes",
        ),
        ("it is no provenance", &archive, b"hello", &publisher, "is not clear-signed"),
    ];
    for (case, archive, provenance, keyring, expected) in table {
        let delivery = delivery_of(archive, provenance, keyring)?;
        let refusal = delivery.lock(&[])?.failure()?;
        ensure!(refusal.contains(expected), "{case}: {refusal}");
        ensure!(delivery.lock_text().is_empty(), "{case}: a lock was written");
    }
    Ok(())
}

#[test]
fn what_build_signs_is_what_helm_pulls_and_verifies() -> Result<()> {
    let Some(keyring) = Keyring::create()? else { return Ok(()) };
    let delivery = Delivery::new(&[("own", "chart: .\n")])?;
    let chart = "apiVersion: v2\nname: own\nversion: 0.1.0\ndescription: 가상 IP, - and \\\"quotes\\\"\n";
    delivery.write("recipes/own/Chart.yaml", chart)?;
    delivery.lock(&[])?.success()?;
    let mut line = command_line::build("dist");
    line.extend([SIGN_KEY.to_owned(), keyring.secret().display().to_string()]);
    delivery.packager(&line)?.success()?;
    let archive = delivery.path("dist/own-0.1.0.tgz");
    let site = Site::new()?;
    let server = site.launch().open().start()?;
    let url = format!("{}/playcekube", server.url());
    push(&[&archive], &url, "")?.success()?;
    let public = keyring.public().display().to_string();
    with_each_helm(|helm| {
        helm.add_repository("site", &url)?;
        helm.ok(&["verify", &archive.display().to_string(), "--keyring", &public])?;
        helm.ok(&["pull", "site/own", "--verify", "--keyring", &public])?;
        Ok(())
    })
}
