//! `chartpack sign` and `build --sign-key`, with keys that gpg makes and with those of other hands; helm and gpg judge.

use std::fs;
use std::io::{self, Write};
use std::process::{Command, Output};
use std::thread;

use chart::testing::ChartBuilder;
use pgp::composed::{ArmorOptions, KeyType, SecretKeyParamsBuilder};
use pgp::ser::Serialize;
use rand_of_pgp::rngs::OsRng;

use crate::helm::helm;
use crate::support::{Answer, Workplace, delivery};

const PASSPHRASE: &str = "correct horse";

/// A home of gpg with one key.
struct Keys {
    place: Workplace,
}

impl Keys {
    /// Makes a key of `algorithm`; nothing, after saying so, when there is no gpg.
    fn new(algorithm: &str, passphrase: &str) -> Option<Self> {
        let keys = Self { place: Workplace::new() };
        // Else a passphrase is stretched for seconds in a build for tests.
        keys.place.write("gpg/gpg-agent.conf", "s2k-count 65536\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(keys.place.path("gpg"), fs::Permissions::from_mode(0o700)).unwrap();
        }
        let Some(made) = keys.gpg(&[
            "--passphrase",
            passphrase,
            "--quick-gen-key",
            "site@example.org",
            algorithm,
            "sign",
            "1y",
        ]) else {
            // Written to the stream itself: what `eprintln!` prints is captured while a test passes.
            let _ = writeln!(
                io::stderr(),
                "skipped: {}: gpg is missing",
                thread::current().name().unwrap_or("test")
            );
            assert!(!crate::helm::is_ci(), "gpg is missing, and with CI=true that is a failure");
            return None;
        };
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let export = |arguments: &[&str], file: &str| {
            let answer = keys.gpg(&[&["--passphrase", passphrase], arguments].concat()).unwrap();
            keys.place.write(file, answer.stdout);
        };
        export(&["--export-secret-keys"], "secret");
        export(&["--armor", "--export-secret-keys"], "secret.asc");
        export(&["--export"], "public");
        keys.place.write("passphrase", format!("{passphrase}\n"));
        let chart = ChartBuilder::new("a", "1.0.0").description("two  \n- lines\n---\n...\nand  ").build();
        keys.place.write("a-1.0.0.tgz", chart);
        Some(keys)
    }

    fn gpg(&self, arguments: &[&str]) -> Option<Output> {
        let mut command = Command::new("gpg");
        command.args(["--batch", "--pinentry-mode", "loopback"]).args(arguments);
        command.env("GNUPGHOME", self.place.path("gpg")).current_dir(self.place.path("")).output().ok()
    }

    fn sign(&self, arguments: &[&str]) -> Answer {
        self.place.run(&[&["sign", "a-1.0.0.tgz"], arguments].concat())
    }

    fn verify_with_everyone(&self) {
        let gpg = self.gpg(&["--verify", "a-1.0.0.tgz.prov"]).unwrap();
        assert!(gpg.status.success(), "{}", String::from_utf8_lossy(&gpg.stderr));
        if let Some(helm) = helm() {
            let mut command = Command::new(helm);
            command.args(["verify", "a-1.0.0.tgz", "--keyring", "public"]).current_dir(self.place.path(""));
            let said = command.output().unwrap();
            assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        }
        let checked = self.sign(&["--check", "--key", "public"]);
        assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
        assert!(checked.out.starts_with("good: a-1.0.0.tgz.prov, signed by "), "{}", checked.out);
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // The agent that gpg started for this home would outlive it.
        let home = self.place.path("gpg");
        drop(Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", home).output());
    }
}

#[test]
fn helm_and_gpg_verify_what_an_rsa_key_signed() {
    let Some(keys) = Keys::new("rsa4096", PASSPHRASE) else { return };
    let signed = keys.sign(&["--key", "secret", "--passphrase-file", "passphrase"]);
    assert_eq!((signed.code, signed.out.as_str()), (0, "signed: a-1.0.0.tgz.prov\n"), "{}", signed.err);
    keys.verify_with_everyone();
    assert_eq!(keys.sign(&["--check", "--key", "secret.asc"]).code, 0, "a secret key has its public half");
    let first = keys.place.read("a-1.0.0.tgz.prov");
    let arguments = ["sign", "a-1.0.0.tgz", "--key", "secret.asc"];
    let again = keys.place.run_with(&arguments, &[("CHARTPACK_SIGNING_PASSPHRASE", PASSPHRASE)]);
    assert_eq!((again.code, again.out.as_str()), (0, "signed already: a-1.0.0.tgz.prov\n"), "{}", again.err);
    assert_eq!(keys.place.read("a-1.0.0.tgz.prov"), first);
    keys.place.write("more/a-1.0.0.tgz", keys.place.read("a-1.0.0.tgz"));
    let both =
        keys.sign(&["more/a-1.0.0.tgz", "-o", "x", "--key", "secret", "--passphrase-file", "passphrase"]);
    assert!(
        both.code == 1 && both.err.contains("would both be written to `x/a-1.0.0.tgz.prov`"),
        "{}",
        both.err
    );
    let elsewhere = keys.sign(&["--key", "secret.asc", "--passphrase-file", "passphrase", "-o", "provs"]);
    assert!(elsewhere.code == 0 && keys.place.exists("provs/a-1.0.0.tgz.prov"), "{}", elsewhere.err);
}

#[test]
fn helm_verifies_what_an_ed25519_key_signed() {
    let Some(keys) = Keys::new("ed25519", "") else { return };
    let signed = keys.sign(&["--key", "secret"]);
    assert_eq!(signed.code, 0, "{}", signed.err);
    keys.verify_with_everyone();
}

#[test]
fn a_subkey_signs_when_the_primary_key_is_kept_elsewhere() {
    let Some(keys) = Keys::new("rsa2048", "") else { return };
    let listed = keys.gpg(&["--list-keys", "--with-colons"]).unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let fingerprint =
        listed.lines().find_map(|line| line.strip_prefix("fpr:::::::::")).unwrap().trim_end_matches(':');
    let added =
        keys.gpg(&["--passphrase", "", "--quick-add-key", fingerprint, "rsa2048", "sign", "1y"]).unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let subkeys = keys.gpg(&["--export-secret-subkeys"]).unwrap().stdout;
    keys.place.write("subkeys", subkeys);
    keys.place.write("public", keys.gpg(&["--export"]).unwrap().stdout);
    let signed = keys.sign(&["--key", "subkeys"]);
    assert_eq!(signed.code, 0, "{}", signed.err);
    keys.verify_with_everyone();
    assert!(
        !keys.sign(&["--check", "--key", "public"]).out.contains(&fingerprint.to_lowercase()),
        "the primary key signed"
    );
}

#[test]
fn keys_of_another_hand_than_gpgs_sign_too() {
    for (kind, passphrase) in [(KeyType::Rsa(2048), None), (KeyType::Ed25519Legacy, Some(PASSPHRASE))] {
        let Some(keys) = Keys::new("ed25519", "") else { return };
        let mut parameters = SecretKeyParamsBuilder::default();
        parameters.key_type(kind).can_sign(true).primary_user_id("Site <site@example.test>".to_owned());
        let mut key = parameters.build().unwrap().generate(OsRng).unwrap();
        if let Some(passphrase) = passphrase {
            key.primary_key.set_password(OsRng, &passphrase.into()).unwrap();
        }
        keys.place.write("secret", key.to_armored_bytes(ArmorOptions::default()).unwrap());
        keys.place.write("public", key.to_public_key().to_bytes().unwrap());
        keys.place.write("passphrase", PASSPHRASE);
        assert!(keys.gpg(&["--import", "public"]).unwrap().status.success());
        let signed = keys.sign(&["--key", "secret", "--passphrase-file", "passphrase"]);
        assert_eq!(signed.code, 0, "{}", signed.err);
        keys.verify_with_everyone();
    }
}

#[test]
fn a_key_that_has_expired_or_may_not_sign_is_refused() {
    let Some(keys) = Keys::new("rsa2048", "") else { return };
    let table = [("2020-01-01", "sign", "has expired"), ("", "cert", "is not one that may sign")];
    for (number, (end, usage, expected)) in table.into_iter().enumerate() {
        let user = format!("other{number}@example.test");
        let mut arguments = vec!["--passphrase", ""];
        if !end.is_empty() {
            arguments.extend(["--faked-system-time", "20190101T000000"]);
        }
        let end = if end.is_empty() { "never" } else { end };
        arguments.extend(["--quick-gen-key", &user, "rsa2048", usage, end]);
        let made = keys.gpg(&arguments).unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        keys.place
            .write("other", keys.gpg(&["--passphrase", "", "--export-secret-keys", &user]).unwrap().stdout);
        let refused = keys.sign(&["--key", "other"]);
        assert!(refused.code == 1 && refused.err.contains(expected), "{expected}: {}", refused.err);
    }
}

#[test]
fn refusals_write_nothing_and_never_say_the_passphrase() {
    let Some(keys) = Keys::new("rsa2048", PASSPHRASE) else { return };
    keys.place.write("wrong", "other horse");
    keys.place.write("empty", "");
    let table: [(&[&str], &str); 5] = [
        (&["--key", "secret"], "the key in `secret` is locked"),
        (
            &["--key", "secret", "--passphrase-file", "wrong"],
            "the passphrase does not unlock the key in `secret`",
        ),
        (&["--key", "public"], "`public` holds no OpenPGP secret key"),
        (&["--key", "empty"], "`empty` holds no OpenPGP secret key"),
        (&["--key", "absent"], "cannot use `absent`"),
    ];
    for (arguments, expected) in table {
        let answer = keys.sign(arguments);
        assert_eq!(answer.code, 1, "{arguments:?}");
        assert!(answer.err.contains(expected), "{arguments:?}: {}", answer.err);
        assert!(!answer.err.contains("horse") && !keys.place.exists("a-1.0.0.tgz.prov"), "{arguments:?}");
    }
}

#[test]
fn a_check_finds_other_bytes_other_names_other_keys_and_nothing() {
    let Some(keys) = Keys::new("rsa2048", "") else { return };
    let Some(other) = Keys::new("rsa2048", "") else { return };
    keys.sign(&["--key", "secret"]);
    let check = |arguments: &[&str]| {
        let answer = keys.place.run(&[&["sign", "--check"], arguments].concat());
        assert_eq!(answer.code, 1, "{}", answer.out);
        answer.out
    };
    keys.place.write("other", other.place.read("public"));
    assert!(check(&["a-1.0.0.tgz", "--key", "other"]).contains("no key of `other` signed"));
    let (archive, provenance) = (keys.place.read("a-1.0.0.tgz"), keys.place.read("a-1.0.0.tgz.prov"));
    keys.place.write("b.tgz", &archive);
    assert!(check(&["b.tgz", "--key", "public"]).contains("b.tgz.prov: it cannot be read"));
    keys.place.write("b.tgz.prov", &provenance);
    assert!(check(&["b.tgz", "--key", "public"]).contains("lists no `b.tgz`"));
    keys.place.write("a-1.0.0.tgz", ChartBuilder::new("a", "1.0.0").app_version("2").build());
    assert!(check(&["a-1.0.0.tgz", "--key", "public"]).contains("its provenance file is of other bytes"));
    // What is no longer good is signed anew.
    assert_eq!(keys.sign(&["--key", "secret"]).out, "signed: a-1.0.0.tgz.prov\n");
    keys.verify_with_everyone();
}

#[test]
fn a_build_signs_all_its_archives_or_writes_none() {
    let Some(keys) = Keys::new("rsa2048", "") else { return };
    let place = delivery();
    place.lock();
    place.write("secret", keys.place.read("secret"));
    place.write("public", keys.place.read("public"));
    let build =
        |key: &str| place.run(&["build", "--no-gate", "--vault", "vault", "-o", "dist", "--sign-key", key]);
    let refused = build("public");
    assert!(refused.code == 1 && !place.exists("dist"), "{}", refused.err);
    let built = build("secret");
    assert!(built.code == 0 && built.out.ends_with("signed: dist/web-1.2.301.tgz.prov\n"), "{}", built.out);
    let first = place.files_in("dist");
    let names: Vec<_> = first.keys().map(String::as_str).collect();
    assert_eq!(names, ["own-0.1.0.tgz", "own-0.1.0.tgz.prov", "web-1.2.301.tgz", "web-1.2.301.tgz.prov"]);
    let check = ["sign", "--check", "--key", "public", "dist/own-0.1.0.tgz", "dist/web-1.2.301.tgz"];
    assert_eq!(place.run(&check).code, 0);
    assert_eq!(build("secret").code, 0);
    assert_eq!(place.files_in("dist"), first, "what is signed well stays as it is");
}
