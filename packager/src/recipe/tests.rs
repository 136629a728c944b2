//! Recipes as text: every key is read, and every refusal names its line, column and remedy.

use oci::Digest;
use serde_json::json;

use super::*;
use crate::edit::TextEdit;
use crate::profile::source_of;

const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn every_key_of_the_short_form_is_read() {
    let text = "chart: {path: ../keepalived-0.1.0.tgz, digest: 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}\n\
                version: 0.1.1\n\
                metadata:\n  description: 가상 IP\n  appVersion: 2.2.4\n  icon: null\n\
                \x20 annotations:\n    catalog.cattle.io/certified: playcekube\n    artifacthub.io/signKey:\n\
                \x20 keywordsFirst: [infrastructure]\n\
                values:\n  image.tag: v2.2.4\n  vrouter_id: \"150\"\n  'a.\"b.c\"[0]': {d: 1}\n";
    let recipe = Recipe::parse(text).unwrap();
    let path = PathBuf::from("../keepalived-0.1.0.tgz");
    assert_eq!(recipe.upstream, Upstream::Path { path, digest: Some(Digest::sha256(b"")) });
    assert_eq!(recipe.revision, Revision::Own("0.1.1".parse().unwrap()));
    assert_eq!(recipe.metadata.app_version, Some(TextEdit::Set("2.2.4".to_owned())));
    assert_eq!(recipe.metadata.icon, Some(TextEdit::Remove));
    assert_eq!(recipe.metadata.annotations.last().unwrap().1, TextEdit::Remove);
    assert_eq!(recipe.metadata.keywords_first, ["infrastructure"]);
    let values: Vec<_> =
        recipe.values.iter().map(|edit| (edit.path.to_string(), edit.value.clone())).collect();
    let expected =
        [("image.tag", json!("v2.2.4")), ("vrouter_id", json!("150")), ("a.\"b.c\"[0]", json!({"d": 1}))];
    assert_eq!(values, expected.map(|(path, value)| (path.to_owned(), value)));
}

/// A recipe of a community chart with everything that recipes know. It fits a page.
const FULL: &str = "\
# Why this chart: the ingress of the cluster.
description: Ingress, since it is the most used one
upstream:
  repository: https://kubernetes.github.io/ingress-nginx
  chart: ingress-nginx
  version: 4.1.4
  digest: DIGEST
revision: 1
metadata:
  annotations: {catalog.cattle.io/certified: playcekube}
  keywordsFirst: [networking]
values:
  controller.replicaCount: 2
patches: [patches/hook.patch]
overlay: overlay
exclude: ['ci/**', README.md.gotmpl]
dependencies:
  common: {oci: 'registry-1.docker.io/bitnamicharts/common', version: 1.14.1}
icon: upstream
images:
  profile: all
  toggles: [defaultBackend.enabled]
  probeValues: {controller.admissionWebhooks.enabled: true}
  extraImages:
  - {image: 'docker.io/library/busybox:1.35', reason: started by the operator}
  substitutions: {'docker.io/bitnami/redis:7.0.0': 'docker.io/bitnamilegacy/redis:7.0.0'}
waivers:
- {check: public-url, subject: 'https://x.test', reason: a link in a comment}
provenance: {key: keys/ingress.gpg}
";

#[test]
fn every_key_of_a_community_charts_recipe_is_read() {
    let recipe = Recipe::parse(&FULL.replace("DIGEST", EMPTY)).unwrap();
    assert_eq!(
        recipe.upstream.to_string(),
        "ingress-nginx 4.1.4 of https://kubernetes.github.io/ingress-nginx"
    );
    assert_eq!(recipe.revision, Revision::Number(1));
    assert_eq!(recipe.patches, [PathBuf::from("patches/hook.patch")]);
    assert_eq!(recipe.overlay, Some(PathBuf::from("overlay")));
    assert_eq!(
        recipe.exclude.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["ci/**", "README.md.gotmpl"]
    );
    let common = recipe.dependencies.values().next().unwrap();
    assert_eq!(common.to_string(), "oci://registry-1.docker.io/bitnamicharts/common 1.14.1");
    assert_eq!(recipe.icon, Some(IconSource::Upstream));
    assert_eq!(recipe.images.toggles[0].to_string(), "defaultBackend.enabled");
    assert_eq!(recipe.images.probe_values[0].value, json!(true));
    assert_eq!(recipe.images.extra_images[0].reason, "started by the operator");
    let redis = "bitnami/redis:7.0.0".parse().unwrap();
    let source = source_of(&redis, &recipe.images.substitutions);
    assert_eq!(source.to_string(), "docker.io/bitnamilegacy/redis:7.0.0");
    assert_eq!(recipe.waivers[0].subject.as_deref(), Some("https://x.test"));
    assert_eq!(recipe.signers, Some(PathBuf::from("keys/ingress.gpg")));
    let named: Vec<_> = recipe.named_files().collect();
    assert_eq!(named, [Path::new("patches/hook.patch"), Path::new("keys/ingress.gpg")]);
}

#[test]
fn every_origin_is_read() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let table = [
        (
            format!("upstream: {{git: 'https://g.test/x', commit: {commit}, path: charts/a}}\n"),
            format!("https://g.test/x at {commit}, folder `charts/a`"),
        ),
        (
            format!("upstream: {{git: 'git@g.test:x', commit: {commit}}}\n"),
            format!("git@g.test:x at {commit}, folder ``"),
        ),
        (
            "upstream: {oci: 'oci://ghcr.io/a/b', version: 1.0.0}\n".to_owned(),
            "oci://ghcr.io/a/b 1.0.0".to_owned(),
        ),
        ("upstream: {path: ../a}\n".to_owned(), "../a".to_owned()),
        ("chart: .\n".to_owned(), ".".to_owned()),
    ];
    for (text, expected) in table {
        assert_eq!(Recipe::parse(&text).unwrap().upstream.to_string(), expected, "{text}");
    }
}

#[test]
fn refusals_name_line_column_and_remedy() {
    let table = [
        (
            "chart: .\nmetdata: {}\n",
            "line 2 column 1: unknown key `metdata`, did you mean `metadata`?; the keys",
        ),
        ("chart: .\nmetadata:\n  ports: x\n", "line 3 column 3: unknown key `ports`; the keys"),
        (
            "chart: .\nmetadata:\n  appVersion: 1.10\n",
            "line 3 column 15: `appVersion` must be a text: write \"1.10\"",
        ),
        ("chart: .\nversion: one\n", "line 2 column 10: "),
        ("chart: .\nmetadata: x\n", "line 2 column 11: `metadata` must be a mapping"),
        ("chart: .\nmetadata:\n  keywordsFirst: a\n", "line 3 column 18: `keywordsFirst` must be a list"),
        (
            "chart: .\nmetadata:\n  keywordsFirst:\n  - [a]\n",
            "line 4 column 5: `keywordsFirst` must be a text",
        ),
        ("chart: .\nvalues:\n  a..b: 1\n", "line 3 column 3: the path `a..b` has an empty key"),
        ("chart: {path: x, digest: y}\n", "line 1 column 26: "),
        ("chart: {digest: 'sha256:0'}\n", "line 1 column 17: "),
        ("values: {}\n", "line 1 column 1: the key `chart` is missing"),
        ("- chart\n", "line 1 column 1: `recipe` must be a mapping"),
        ("", "line 1 column 1: the key `chart` is missing"),
        ("chart: .\nupstream: {path: x}\n", "line 2 column 11: write exactly one of `chart`, `upstream`"),
        (
            "chart: .\nversion: 1.0.0\nrevision: 1\n",
            "line 3 column 11: write exactly one of `version`, `revision`",
        ),
        ("chart: .\nrevision: 100\n", "line 2 column 11: `revision` must be a whole number from 0 to 99"),
        (
            "upstream: {repository: 'https://u:p@h', chart: a, version: 1.0.0}\n",
            "line 1 column 24: `repository` is `https://u:p@h`; keep user",
        ),
        (
            "upstream: {repository: 'file:///x', chart: a, version: 1.0.0}\n",
            "line 1 column 24: `repository` is `file:///x`; it must begin",
        ),
        ("upstream: {repository: 'https://h', chart: a}\n", "line 1 column 11: the key `version` is missing"),
        (
            "upstream: {repository: 'https://h', oci: a/b}\n",
            "line 1 column 11: write exactly one of `repository`, `oci`",
        ),
        ("upstream: {path: a, version: 1.0.0}\n", "line 1 column 21: unknown key `version`"),
        (
            "upstream: {git: 'x', commit: main}\n",
            "line 1 column 30: `commit` is `main`; write the whole commit",
        ),
        (
            "upstream: {git: '--upload-pack=x', commit: main}\n",
            "line 1 column 17: `git` is `--upload-pack=x`; write what",
        ),
        (
            "upstream: {oci: 'ghcr.io', version: 1.0.0}\n",
            "line 1 column 17: `oci` is `ghcr.io`; write `host/path`",
        ),
        ("chart: .\npatches: [/etc/x]\n", "line 2 column 11: `patches` is `/etc/x`; write a path relative"),
        ("chart: .\nexclude: [../x]\n", "line 2 column 11: `exclude` is `../x`; write a pattern without"),
        ("chart: .\nicon: other\n", "line 2 column 7: `icon` is `other`; it must be one of `upstream`"),
        (
            "chart: .\nimages: {profile: some}\n",
            "line 2 column 19: `profile` is `some`; it must be one of `exact`, `declared`, `all`",
        ),
        ("chart: .\nwaivers:\n- {check: lint}\n", "line 3 column 3: the key `reason` is missing: say why"),
        (
            "chart: .\nwaivers:\n- {check: linting, reason: x}\n",
            "line 3 column 11: `check` is `linting`; it must be one of `render`, `toggle`, ",
        ),
        ("chart: .\nimages: {extraImages: [{image: x}]}\n", "line 2 column 24: the key `reason` is missing"),
        ("chart: .\nprovenance: {}\n", "line 2 column 13: the key `key` is missing"),
    ];
    for (text, expected) in table {
        let refusal = Recipe::parse(text).unwrap_err().to_string();
        assert!(refusal.starts_with(expected), "{text}{refusal}");
    }
}
