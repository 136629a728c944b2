//! Image recipes as far as they go without a builder: what is refused before anything is fetched or run.

use crate::support::Workplace;

const RECIPE: &str = "name: site/tool\ntag: v1\nplatforms: [linux/amd64]\nfiles: [run.sh]\nbase: {path: base, digest: 'sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'}\n";

fn place_with(recipe: &str, containerfile: &str) -> Workplace {
    let place = Workplace::new();
    place.write("tool/image.yaml", recipe);
    place.write("tool/Containerfile", containerfile);
    place.write("tool/run.sh", "#!/bin/sh\n");
    place
}

#[test]
fn an_image_is_built_from_a_lock_alone() {
    let place = place_with(RECIPE, "FROM base\n");
    let answer = place.run(&["image", "build", "tool", "--vault", "vault"]);
    assert_eq!(answer.code, 1);
    assert!(
        answer.err.contains("there is no `tool/image.lock`: run `chartpack image lock`"),
        "{}",
        answer.err
    );
    assert!(!place.exists("images"));
}

#[test]
fn a_recipe_is_refused_with_line_and_column() {
    let place = place_with(&format!("{RECIPE}shell: bash\n"), "FROM base\n");
    let answer = place.run(&["image", "lock", "tool", "--vault", "vault"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("`tool/image.yaml`, line 6 column 1: unknown key `shell`"), "{}", answer.err);
}

#[test]
fn a_containerfile_that_reaches_out_is_refused() {
    let place = place_with(RECIPE, "FROM base\nRUN true\nFROM docker.io/library/alpine\n");
    let answer = place.run(&["image", "lock", "tool", "--vault", "vault"]);
    assert_eq!(answer.code, 1);
    let expected =
        "`tool/Containerfile`: line 3: `docker.io/library/alpine` is neither `base` nor an earlier stage";
    assert!(answer.err.contains(expected), "{}", answer.err);
}

#[test]
fn a_base_that_is_not_the_one_meant_is_refused() {
    let place = place_with(RECIPE, "FROM base\n");
    place.write("tool/base/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    place.write("tool/base/index.json", "{\"schemaVersion\":2,\"manifests\":[]}");
    let answer = place.run(&["image", "lock", "tool", "--vault", "vault"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("has no image sha256:2d711642b726"), "{}", answer.err);
    assert!(!place.exists("tool/image.lock"), "nothing is written");
}

#[test]
fn both_commands_explain_themselves() {
    let place = Workplace::new();
    for command in ["lock", "build"] {
        let help = place.succeed(&["image", command, "--help"]);
        assert!(help.contains(&format!("  chartpack image {command} ")), "{help}");
    }
}

#[test]
fn collecting_a_vault_spares_what_the_lock_of_an_image_names() {
    // Of `needed` and `other`, by `sha256sum`.
    let needed = "c0cea2dd285281f7893d49fb1f28644d36777194b1c4655dbeb3b49944daa04f";
    let other = "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa";
    let place = Workplace::new();
    place.write(&format!("vault/sha256/c0/{needed}"), "needed");
    place.write(&format!("vault/sha256/d9/{other}"), "other");
    let digest = format!("sha256:{needed}");
    let lock = format!(
        "format: 1\nrecipe: {{path: image.yaml, digest: '{digest}'}}\nfiles: []\nmodifiedSeconds: 0\naskedBase: {digest}\n\
         bases: {{}}\nimage: {digest}\nbuilders: {{}}\n"
    );
    place.write("image.lock", lock);
    place.succeed(&["vault", "collect", "--keep", "image.lock", "--vault", "vault"]);
    assert!(
        place.exists(&format!("vault/sha256/c0/{needed}"))
            && !place.exists(&format!("vault/sha256/d9/{other}"))
    );
    place.write("image.lock", "askedBase: nothing else\n");
    let answer = place.run(&["vault", "collect", "--keep", "image.lock", "--vault", "vault"]);
    assert_eq!(answer.code, 1, "a lock that cannot be read must not empty the vault");
    assert!(place.exists(&format!("vault/sha256/c0/{needed}")));
}
