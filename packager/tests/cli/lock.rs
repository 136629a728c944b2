//! `chartpack lock`.

use std::fs::File;

use chart::testing::{ChartBuilder, RawEntry};

use crate::support::{Workplace, delivery, values_of};

fn refused(place: &Workplace, arguments: &[&str]) -> String {
    let answer = place.run(&[&["lock", "--vault", "vault", "--images", "none"], arguments].concat());
    assert_eq!(answer.code, 1, "{}{}", answer.out, answer.err);
    answer.out + &answer.err
}

#[test]
fn the_lock_is_the_same_text_whenever_it_is_made() {
    let place = delivery();
    assert_eq!(place.lock(), "2 charts locked in playcekube.lock\n");
    let first = place.read("playcekube.lock");
    place.lock();
    assert_eq!(place.read("playcekube.lock"), first);
    let other = delivery();
    let answer = other.run_with(
        &["lock", "--vault", "elsewhere", "--images", "none"],
        &[("TZ", "Asia/Seoul"), ("LC_ALL", "tr_TR.UTF-8")],
    );
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert_eq!(other.read("playcekube.lock"), first);
    let text = String::from_utf8(first).unwrap();
    for line in ["    version: \"1.2.301\"\n", "- folder: charts/part\n", "- path: fix.patch\n"] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[test]
fn values_that_the_chart_does_not_have_are_refused_by_their_place_in_the_recipe() {
    let place = delivery();
    place.write(
        "recipes/web/recipe.yaml",
        "upstream: {path: web-1.2.3.tgz}\nvalues:\n  image.tga: '2'\n  image.tag: '2'\n  replicas: 3\n",
    );
    let said = refused(&place, &[]);
    let expected = "`recipes/web/recipe.yaml`, line 3 column 3: `image.tga` is no value of the chart, and no template reads it; \
                    did you mean `image.tag`?; line 5 column 3: `replicas` is no value of the chart, and no template reads it";
    assert!(said.contains(expected), "{said}");
    assert!(!place.exists("playcekube.lock"));
}

#[test]
fn a_check_writes_nothing_and_names_what_moved() {
    let place = delivery();
    let missing = refused(&place, &["--check"]);
    assert!(missing.contains("`playcekube.lock` is not there: run `chartpack lock` first"), "{missing}");
    place.lock();
    let unmoved = place.run(&["lock", "--vault", "vault", "--images", "none", "--check"]);
    assert_eq!((unmoved.code, unmoved.out.as_str()), (0, "nothing moved since playcekube.lock was made\n"));
    let (lock, vault) =
        (place.read("playcekube.lock"), place.succeed(&["vault", "list", "--vault", "vault"]));
    place.write("recipes/web/overlay/templates/extra.yaml", "extra: 2\n");
    place.write("recipes/part/templates/x.yaml", "x: 2\n");
    let moved = refused(&place, &["--check"]);
    assert!(moved.contains("moved: web: `templates/extra.yaml` changed\n"), "{moved}");
    assert!(
        moved.contains("moved: own: `charts/part` from ../part was sha256:")
            || moved.contains("moved: own: `charts/part` from ./../part was sha256:"),
        "{moved}"
    );
    let version = ChartBuilder::new("web", "1.2.4").build();
    place.write("recipes/web/web-1.2.3.tgz", version);
    let vanished = refused(&place, &["--check"]);
    assert!(vanished.contains("moved: web: "), "{vanished}");
    assert_eq!(place.read("playcekube.lock"), lock);
    assert_eq!(place.succeed(&["vault", "list", "--vault", "vault"]), vault);
}

#[test]
fn what_was_found_out_about_a_chart_stays_while_it_is_made_of_the_same() {
    let place = delivery();
    place.lock();
    let text = String::from_utf8(place.read("playcekube.lock")).unwrap();
    place.write(
        "playcekube.lock",
        text.trim_end().to_owned() + "\n    relocation:\n    - path: image.tag\n      value: site\n",
    );
    place.lock();
    place.succeed_quietly(&["build", "--no-gate", "--vault", "vault", "-o", "dist"]);
    let tag = |place: &Workplace| values_of(&place.archive("dist/web-1.2.301.tgz"))["image"]["tag"].clone();
    assert_eq!(tag(&place), "site", "the edit of relocation is made after the recipe's");
    let check = place.run_with(
        &["lock", "--vault", "vault", "--images", "none", "--check"],
        &[("SOURCE_DATE_EPOCH", "86400")],
    );
    assert_eq!(check.code, 0, "another time asked for is nothing that moved: {}", check.out);
    place.write("recipes/web/overlay/templates/extra.yaml", "extra: 2\n");
    place.lock();
    place.succeed_quietly(&["build", "--no-gate", "--vault", "vault", "-o", "dist"]);
    assert_eq!(tag(&place), "2", "of another chart nothing is known yet");
}

#[test]
fn a_drifted_patch_is_locked_and_told() {
    let place = delivery();
    let patch = "--- a/templates/pod.yaml\n+++ b/templates/pod.yaml\n@@ -1,3 +1,3 @@\n c: 3\n-image: upstream\n+image: ours\n d: 4\n";
    place.write("recipes/web/fix.patch", patch);
    let said = place.lock();
    let drift = "fix.patch, hunk 1 of templates/pod.yaml: 2 lines further down";
    assert!(said.contains(&format!("drifted: web: {drift}\n")), "{said}");
    assert!(String::from_utf8(place.read("playcekube.lock")).unwrap().contains(drift));
}

#[test]
fn every_recipe_that_cannot_be_locked_is_named_and_the_old_lock_stays() {
    let place = delivery();
    place.lock();
    let lock = place.read("playcekube.lock");
    place.write("recipes/web/fix.patch", "--- a/templates/pod.yaml\n+++ b/templates/pod.yaml\n@@ -3,3 +3,3 @@\n c: 3\n-image: other\n+image: ours\n d: 4\n");
    place.write("recipes/own/recipe.yaml", "chart: .\nvalue: {}\n");
    let refusal = refused(&place, &[]);
    assert!(refusal.contains("nothing is locked, since these recipes cannot be:"), "{refusal}");
    assert!(refusal.contains("the patch `fix.patch` of `recipes/web/recipe.yaml` is refused: hunk 1 (line 3) does not fit `templates/pod.yaml`: the line `image: other`"), "{refusal}");
    assert!(
        refusal.contains("recipe.yaml`, line 2 column 1: unknown key `value`, did you mean `values`?"),
        "{refusal}"
    );
    assert_eq!(place.read("playcekube.lock"), lock);
}

#[test]
fn a_circle_of_dependencies_is_shown() {
    let place = delivery();
    place.write(
        "recipes/part/Chart.yaml",
        "apiVersion: v2\nname: part\nversion: 1.4.0\ndependencies:\n- {name: own, version: '*', repository: 'file://../own'}\n",
    );
    let refusal = refused(&place, &[]);
    assert!(refusal.contains("own: the dependencies go in a circle: "), "{refusal}");
    assert!(refusal.contains("recipes/part → ") && !place.exists("playcekube.lock"), "{refusal}");
}

#[test]
fn a_file_of_two_gigabytes_is_refused_before_it_is_read() {
    for (path, kind) in [
        ("recipes/own/values.yaml", "in a folder"),
        ("recipes/web/overlay/values.yaml", "in an overlay"),
        ("recipes/web/fix.patch", "as a patch"),
        ("recipes/web/web-1.2.3.tgz", "as an archive"),
        ("recipes/web/recipe.yaml", "as a recipe"),
        ("playcekube.yaml", "as the catalogue file"),
    ] {
        let place = delivery();
        File::create(place.path(path)).unwrap().set_len(2 << 30).unwrap();
        let refusal = refused(&place, &[]);
        assert!(refusal.contains("has more than "), "{kind}: {refusal}");
        assert!(!place.exists("playcekube.lock"), "{kind}");
    }
}

#[test]
fn an_archive_that_unpacks_to_two_gigabytes_is_refused_by_what_it_declares() {
    let place = delivery();
    let values = RawEntry::new(b'0', "web/values.yaml", b"a: 1\n").declaring(2 << 30);
    place.write("recipes/web/web-1.2.3.tgz", ChartBuilder::new("web", "1.2.3").raw_entry(values).build());
    let refusal = refused(&place, &[]);
    assert!(refusal.contains("values.yaml"), "{refusal}");
    assert!(!place.exists("playcekube.lock"), "{refusal}");
}

#[test]
fn stale_settings_of_a_recipe_are_refused() {
    let table = [
        (
            "exclude: [nowhere/]\n",
            "`exclude` of `recipes/web/recipe.yaml` names `nowhere/`, and the chart has no such file",
        ),
        ("dependencies: {redis: {path: x}}\n", "names `redis`, which the chart does not depend on"),
        ("icon: upstream\n", "`icon: upstream` finds `` in the chart"),
        ("version: 2.0.0+up1.2.4\n", "names the upstream version `1.2.4`, but upstream's is `1.2.3`"),
        ("provenance: {key: web.svg}\n", "the upstream has no provenance file for it"),
        ("patches: [absent.patch]\n", "cannot read `recipes/web/absent.patch`"),
    ];
    for (line, expected) in table {
        let place = delivery();
        place.write("recipes/web/recipe.yaml", format!("upstream: {{path: web-1.2.3.tgz}}\n{line}"));
        let refusal = refused(&place, &[]);
        assert!(refusal.contains(expected), "{line}{refusal}");
    }
}

#[test]
fn an_unknown_recipe_to_update_and_a_missing_catalogue_are_refused() {
    let place = delivery();
    assert!(refused(&place, &["--update", "wbe"]).contains("`wbe` is no recipe of the catalogue file"));
    assert!(refused(&place, &["other.yaml"]).contains("cannot read `other.yaml`"));
}
