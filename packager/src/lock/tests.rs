//! Locks as text: what is written reads back, the same lock gives the same bytes, and other files are refused.

use serde_json::json;

use super::*;

fn digest(text: &str) -> Digest {
    Digest::sha256(text.as_bytes())
}

fn sample() -> Lock {
    let mut lock = Lock::new(
        LockedFile { path: "playcekube.yaml".to_owned(), digest: digest("catalogue") },
        315_532_800,
    );
    let origin = Origin::Repository(RepositoryOrigin {
        repository: "https://charts.test/".to_owned(),
        chart: "a".to_owned(),
        version: "1.10.0".to_owned(),
        url: "https://charts.test/a-1.10.0.tgz".to_owned(),
    });
    let git = GitOrigin {
        git: "https://git.test/x".to_owned(),
        commit: "0".repeat(40),
        path: "charts/b".to_owned(),
        tree: "1".repeat(40),
    };
    let chart = LockedChart {
        name: "a".parse().unwrap(),
        version: "1.10.1".parse().unwrap(),
        archive: LockedArchive { digest: digest("archive"), size_bytes: 7 },
        recipe: LockedFile { path: "seed-charts/a/recipe.yaml".to_owned(), digest: digest("recipe") },
        upstream: LockedSource { origin, digest: digest("upstream") },
        provenance: None,
        files: vec![LockedFile { path: "fix.patch".to_owned(), digest: digest("patch") }],
        overlay: Vec::new(),
        dependencies: vec![LockedDependency {
            folder: "charts/b/charts/c".to_owned(),
            version: "2.0.0".parse().unwrap(),
            source: LockedSource { origin: Origin::Git(git), digest: digest("tree") },
        }],
        icon: Some(LockedIcon { url: "https://charts.test/a.png".to_owned(), digest: digest("icon") }),
        drift: vec!["fix.patch, hunk 1 of values.yaml: 2 lines further down".to_owned()],
        images: vec![LockedImage {
            name: "docker.io/library/redis:7.0.0-alpine".to_owned(),
            site_name: "registry.local.cloud:5000/docker.io/library/redis:7.0.0-alpine".to_owned(),
            copied_from: None,
            digest: Some(digest("index")),
            platforms: BTreeMap::from([("linux/amd64".to_owned(), digest("amd64"))]),
            trail: vec!["templates/redis.yaml".to_owned()],
        }],
        relocation: vec![LockedEdit { path: "image.tag".to_owned(), value: json!("1.10") }],
        foreign: vec![LockedForeign {
            image: "gcr.io/a/b:1".to_owned(),
            place: "templates/b.yaml line 7".to_owned(),
            declared: Some("a node finds it".to_owned()),
        }],
    };
    lock.charts.insert("a".to_owned(), chart);
    lock
}

#[test]
fn a_lock_reads_back_as_it_was_written() {
    let lock = sample();
    let text = lock.to_text().unwrap();
    assert_eq!(Lock::parse(text.as_bytes()).unwrap(), lock, "{text}");
    assert_eq!(Lock::parse(text.as_bytes()).unwrap().to_text().unwrap(), text);
    let empty = Lock::new(LockedFile { path: "x.yaml".to_owned(), digest: digest("x") }, 0);
    assert_eq!(Lock::parse(empty.to_text().unwrap().as_bytes()).unwrap(), empty);
}

#[test]
fn everything_that_a_build_reads_is_needed() {
    let needed = sample().needed();
    for input in ["catalogue", "recipe", "upstream", "patch", "tree", "icon"] {
        assert!(needed.contains(&digest(input)), "{input}");
    }
    assert!(!needed.contains(&digest("archive")), "what comes out is made again");
}

#[test]
fn what_is_no_lock_of_ours_is_refused_with_the_remedy() {
    let text = sample().to_text().unwrap();
    let table = [
        ("a: [".to_owned(), "it is not YAML"),
        ("a: 1\n".to_owned(), "it is no lock"),
        (text.replace("format: 1", "format: 2"), "it has format 2"),
        (text.replace("drift:", "drifted:"), "unknown field `drifted`"),
        (text.replace("charts/b/charts/c", "../x"), "`../x` is no folder below `charts/`"),
        (text.replace("charts/b/charts/c", "charts/.x"), "`charts/.x` is no folder"),
        (text.replace(digest("recipe").hex(), "0"), "it is no lock"),
    ];
    for (text, expected) in table {
        let refusal = Lock::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(refusal.contains(expected), "{expected}: {refusal}");
    }
}

#[test]
fn what_moved_is_named() {
    let old = sample();
    assert!(old.moved(&old).is_empty());
    let mut now = old.clone();
    let chart = now.charts.get_mut("a").unwrap();
    chart.upstream.digest = digest("other");
    chart.files.clear();
    chart.dependencies.clear();
    let told: Vec<_> = old.moved(&now).into_iter().map(|one| one.what).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[0], "`fix.patch` is gone");
    assert!(told[1].starts_with("the chart from a 1.10.0 of https://charts.test/ was sha256:"), "{told:?}");
    assert_eq!(told[2], "`charts/b/charts/c` is not needed any more");
    now.charts.clear();
    assert_eq!(old.moved(&now)[0].what, "it is not in the catalogue file any more");
    assert_eq!(now.moved(&old)[0].what, "it is new in the catalogue file");
}
