//! `chartpack build`.

use std::fs;
use std::process::Command;

use crate::support::{Workplace, delivery, text_of, values_of};

fn refused(place: &Workplace, arguments: &[&str]) -> String {
    let answer = place.run(&[&["build", "--no-gate", "--vault", "vault", "-o", "dist"], arguments].concat());
    assert_eq!(answer.code, 1, "{}{}", answer.out, answer.err);
    answer.err
}

#[test]
fn every_step_of_a_recipe_is_in_the_archive() {
    let place = delivery();
    place.lock();
    let answer = place.build("dist");
    assert_eq!(
        (answer.code, answer.err.lines().count()),
        (0, 3),
        "one line for each chart, and a warning: {}",
        answer.err
    );
    let web = place.archive("dist/web-1.2.301.tgz");
    assert_eq!(web.metadata().keywords, ["networking"]);
    assert_eq!(web.metadata().icon, "file://icon.svg");
    assert!(text_of(&web, "icon.svg").starts_with("<svg"));
    assert_eq!(text_of(&web, "values.yaml"), "image: # of the site\n  tag: '2'\n");
    assert!(text_of(&web, "templates/pod.yaml").contains("image: ours\n"));
    assert_eq!(text_of(&web, "templates/extra.yaml"), "extra: 1\n");
    assert!(web.file("ci/test-values.yaml").is_none());
    let own = place.archive("dist/own-0.1.0.tgz");
    assert_eq!(text_of(&own, "charts/part/templates/x.yaml"), "x: 1\n");
    let dependencies = &own.metadata().dependencies;
    let names: Vec<_> =
        dependencies.iter().map(|one| (one.effective_name(), one.condition.as_str())).collect();
    assert_eq!(names, [("left", "left.enabled"), ("right", "")]);
    assert_eq!(values_of(&own)["left"]["enabled"], false);
    assert!(own.file("recipe.yaml").is_none());
}

#[test]
fn two_places_give_the_same_bytes_whatever_the_umask_time_zone_locale_and_user() {
    let (place, other) = (delivery(), delivery());
    place.lock();
    assert_eq!(place.build("dist").code, 0);
    // The other user may not reach into the folder where the program was built.
    fs::copy(env!("CARGO_BIN_EXE_chartpack"), other.path("chartpack")).unwrap();
    let script = "umask 077 && ./chartpack lock --images none --vault vault && \
                  exec ./chartpack build --no-gate --vault vault -o deep/out --jobs 4";
    let mut command = as_somebody(&other, script);
    command.current_dir(other.path("")).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("TZ", "Asia/Seoul").env("LC_ALL", "tr_TR.UTF-8").env("USER", "somebody");
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(place.files_in("dist"), other.files_in("deep/out"));
    assert_eq!(place.files_in("dist").len(), 2, "and no temporary file");
    assert_eq!(place.read("playcekube.lock"), other.read("playcekube.lock"));
}

/// Returns a shell with `script` as a user without a name, to whom the place then belongs; where only root could make
/// it one, as the tester.
fn as_somebody(place: &Workplace, script: &str) -> Command {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|answer| answer.stdout == b"0\n");
    if !is_root {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        return shell;
    }
    let owned = Command::new("chown").args(["-R", "64123:64123"]).arg(place.path("")).status().unwrap();
    assert!(owned.success());
    let mut shell = Command::new("setpriv");
    shell.args(["--reuid=64123", "--regid=64123", "--clear-groups", "sh", "-c", script]);
    shell
}

#[test]
fn lock_and_vault_are_enough() {
    let place = delivery();
    place.lock();
    assert_eq!(place.build("dist").code, 0);
    fs::remove_dir_all(place.path("recipes")).unwrap();
    fs::remove_file(place.path("playcekube.yaml")).unwrap();
    place.succeed_quietly(&["build", "--no-gate", "playcekube.lock", "--vault", "vault", "-o", "again"]);
    assert_eq!(place.files_in("dist"), place.files_in("again"));
    place.succeed_quietly(&[
        "build",
        "--no-gate",
        "playcekube.lock",
        "--vault",
        "vault",
        "-o",
        "group",
        "--only",
        "cicd",
    ]);
    let names: Vec<_> = place.files_in("group").into_keys().collect();
    assert_eq!(names, ["own-0.1.0.tgz"]);
}

#[test]
fn recipes_that_were_not_locked_are_not_built() {
    let place = delivery();
    assert!(refused(&place, &[]).contains("`playcekube.lock` is not there"));
    place.lock();
    for (path, expected) in [
        ("recipes/web/recipe.yaml", "web: the recipe `recipes/web/recipe.yaml` changed"),
        ("recipes/web/fix.patch", "web: `fix.patch` beside the recipe changed"),
        ("recipes/web/overlay/new.txt", "web: `new.txt` beside the recipe changed"),
        ("recipes/own/values.yaml", "own: the chart `.` changed"),
        ("playcekube.yaml", "the catalogue file `playcekube.yaml` changed"),
    ] {
        let before = place.exists(path).then(|| place.read(path));
        place.write(path, [before.clone().unwrap_or_default(), b"\n# more\n".to_vec()].concat());
        let refusal = refused(&place, &[]);
        assert!(refusal.contains(expected), "{path}: {refusal}");
        match before {
            Some(bytes) => place.write(path, bytes),
            None => fs::remove_file(place.path(path)).unwrap(),
        }
    }
    assert!(!place.exists("dist"));
}

#[test]
fn tampering_is_refused_and_the_outputs_stay() {
    let place = delivery();
    place.lock();
    assert_eq!(place.build("dist").code, 0);
    let before = place.files_in("dist");
    let lock = String::from_utf8(place.read("playcekube.lock")).unwrap();
    let digest = lock
        .split("- folder: charts/part")
        .nth(1)
        .unwrap()
        .split("digest: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    let hex = digest.trim_matches('"').strip_prefix("sha256:").unwrap();
    let kept = format!("vault/sha256/{}/{hex}", &hex[..2]);
    let bytes = place.read(&kept);
    place.write(&kept, [bytes.as_slice(), b"x"].concat());
    let refusal = refused(&place, &[]);
    assert!(refusal.contains("not what its name says"), "{refusal}");
    fs::remove_file(place.path(&kept)).unwrap();
    assert!(refused(&place, &[]).contains("does not hold sha256:"));
    place.write(&kept, &bytes);
    let archive = lock.split("archive:").nth(1).unwrap().split("sha256:").nth(1).unwrap().get(..64).unwrap();
    place.write("playcekube.lock", lock.replace(archive, &"0".repeat(64)));
    assert!(refused(&place, &[]).contains("but the lock says sha256:0000"));
    place.write("playcekube.lock", lock.replace("format: 1", "format: 1\nmore: 1"));
    assert!(refused(&place, &[]).contains("unknown field `more`"));
    assert_eq!(place.files_in("dist"), before);
}

#[test]
fn a_dry_run_shows_the_edits_and_writes_nothing() {
    let place = delivery();
    place.lock();
    let answer = place.run(&["build", "--no-gate", "--vault", "vault", "-o", "dist", "--dry-run"]);
    assert!(answer.out.contains("-  tag: '1'\n+  tag: '2'\n"), "{}", answer.out);
    assert!(answer.out.contains("would write dist/own-0.1.0.tgz sha256:"), "{}", answer.out);
    assert!(!place.exists("dist"));
    let answer = place.run(&["build", "--no-gate", "--vault", "vault", "-o", "dist", "--output", "json"]);
    let report: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!((&report[1]["name"], &report[1]["version"]), (&"web".into(), &"1.2.301".into()));
}

#[test]
fn a_folder_that_cannot_be_written_keeps_what_it_has() {
    let place = delivery();
    place.lock();
    place.write("dist/own-0.1.0.tgz", "old");
    fs::create_dir_all(place.path("dist/web-1.2.301.tgz/in-the-way")).unwrap();
    assert!(refused(&place, &[]).contains("cannot write `dist/web-1.2.301.tgz`"));
    assert_eq!(fs::read_dir(place.path("dist")).unwrap().count(), 2, "no temporary file is left");
}
