//! `chartpack vault`.

use std::fs;

use crate::support::delivery;

#[test]
fn what_old_locks_name_stays_and_the_rest_goes() {
    let place = delivery();
    place.lock();
    fs::copy(place.path("playcekube.lock"), place.path("old.lock")).unwrap();
    assert_eq!(place.build("old").code, 0);
    place.write("recipes/own/values.yaml", "left: {enabled: true}\n");
    place.lock();
    let count = |text: &str| text.lines().count();
    let list = ["vault", "list", "--vault", "vault"];
    let both = count(&place.succeed(&list));
    place.succeed(&[
        "vault",
        "collect",
        "--vault",
        "vault",
        "--keep",
        "playcekube.lock",
        "--keep",
        "old.lock",
    ]);
    assert_eq!(count(&place.succeed(&list)), both, "both locks are kept");
    let told = place.succeed(&["vault", "collect", "--vault", "vault", "--keep", "old.lock", "--dry-run"]);
    assert!(told.contains("would remove 1 files"), "{told}");
    assert_eq!(count(&place.succeed(&list)), both);
    place.succeed(&["vault", "collect", "--vault", "vault", "--keep", "old.lock"]);
    assert_eq!(count(&place.succeed(&list)), both - 1);
    place.succeed_quietly(&["build", "--no-gate", "old.lock", "--vault", "vault", "-o", "again"]);
    assert_eq!(place.files_in("old"), place.files_in("again"));
}

#[test]
fn nothing_is_collected_for_a_lock_that_cannot_be_read() {
    let place = delivery();
    place.lock();
    place.write("broken.lock", "format: 1\n");
    for lock in ["broken.lock", "absent.lock"] {
        let answer = place.run(&["vault", "collect", "--vault", "vault", "--keep", lock]);
        assert_eq!(answer.code, 1, "{}", answer.out);
    }
    assert_eq!(place.build("dist").code, 0);
}

#[test]
fn changed_bytes_are_found() {
    let place = delivery();
    place.lock();
    assert!(
        place.succeed(&["vault", "verify", "--vault", "vault"]).contains("files are as they were locked")
    );
    let list = place.succeed(&["vault", "list", "--vault", "vault", "--output", "json"]);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let hex = list[0]["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned();
    place.write(&format!("vault/sha256/{}/{hex}", &hex[..2]), "changed");
    let answer = place.run(&["vault", "verify", "--vault", "vault"]);
    assert_eq!(answer.code, 1);
    assert!(answer.out.contains(&format!("damaged: sha256:{hex}")), "{}", answer.out);
}

#[test]
fn a_vault_needs_a_place() {
    let answer = delivery().run(&["vault", "list"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("name a folder with `--vault` or `CHARTPACK_VAULT`"), "{}", answer.err);
}
