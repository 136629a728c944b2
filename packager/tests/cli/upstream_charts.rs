//! Relocation of community charts as their projects published them, laid beside the repository; without them the tests
//! are skipped in sight. `CHARTROOM_TEST_ALL=1` takes all of them, which takes minutes.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::helm::{helm, wants_all};
use crate::support::Workplace;

const SITE: &str = "registry.local.cloud:5000";

/// Charts that render quickly, and between them have most shapes of values.
const QUICK: [&str; 10] = [
    "argo-events-2.0.3",
    "argo-rollouts-2.18.0",
    "csi-driver-nfs-v4.0.0",
    "gatekeeper-3.11.0",
    "ingress-nginx-4.1.4",
    "linkerd-multicluster-2.11.1",
    "linkerd-viz-2.11.1",
    "metrics-server-3.8.2",
    "tekton-pipeline-v0.32.1",
    "velero-2.30.1",
];

/// What no value moves, and why.
const LEFT: [(&str, &str, &str); 3] = [
    (
        "argo-events-2.0.3",
        "docker.io/argoproj/argo-events:v1.7.1",
        "an environment variable leaves the registry out",
    ),
    (
        "opendistro-es-1.13.3",
        "docker.io/bitnami/elasticsearch-curator:5.8.3",
        "the hook leaves out the registry that the cron job puts before the same repository",
    ),
    (
        "tekton-pipeline-v0.32.1",
        "mcr.microsoft.com/powershell:nanoserver@sha256:b6d5ff841b78bdf2dfed7550000fd4f3437385b8fa686ec0f010be24777654d6",
        "it stands in the template, for machines with Windows",
    ),
];

fn charts() -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/upstream/charts");
    let Ok(entries) = fs::read_dir(&folder) else {
        let _ = writeln!(io::stderr(), "skipped: no community charts in `{}`", folder.display());
        return None;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    let is_wanted = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        path.extension().is_some_and(|extension| extension == "tgz") && (wants_all() || QUICK.contains(&name))
    };
    paths.retain(is_wanted);
    paths.sort();
    Some(paths)
}

/// Returns template, kind and name of every document that helm itself renders a chart to; random names are cut off.
fn documents(helm: &Path, chart: &Path) -> Vec<String> {
    let mut command = Command::new(helm);
    command.args(["template", "x", "--kube-version", "1.31.0", "--set", "certmanager-issuer.email=a@b.c"]);
    let certificates =
        ["identityTrustAnchorsPEM", "identity.issuer.tls.crtPEM", "identity.issuer.tls.keyPEM"];
    for value in certificates {
        command.args(["--set", &format!("{value}=x")]);
    }
    command.args(["--set-string", "identity.issuer.crtExpiry=2030-01-01T00:00:00Z"]).arg(chart);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}: {}", chart.display(), String::from_utf8_lossy(&output.stderr));
    let is_head = |line: &&str| line.starts_with("# Source: ") || line.starts_with("kind: ");
    text.lines().filter(is_head).map(str::to_owned).collect()
}

#[test]
fn community_charts_are_moved_whole_by_either_policy_but_for_what_is_named() {
    let (Some(helm), Some(charts)) = (helm(), charts()) else { return };
    let place = Workplace::new();
    let cache = place.path("cache");
    let variables =
        [("CHARTPACK_HELM", helm.to_str().unwrap()), ("CHARTPACK_CACHE", cache.to_str().unwrap())];
    for chart in charts {
        let name = chart.file_stem().unwrap().to_str().unwrap().to_owned();
        let expected: Vec<&str> =
            LEFT.iter().filter(|(of, _, _)| *of == name).map(|(_, image, _)| *image).collect();
        for policy in ["keep-host", "strip-host"] {
            let arguments = ["relocate", chart.to_str().unwrap(), "--to", SITE, "--path-policy", policy];
            let answer =
                place.run_with(&[&arguments[..], &["-o", policy, "--output", "json"]].concat(), &variables);
            assert_eq!(answer.code, i32::from(!expected.is_empty()), "{name} {policy}: {}", answer.err);
            let proofs: Value = serde_json::from_str(&answer.out).unwrap();
            let proof = &proofs[0];
            let open = proof["left"].as_array().unwrap().iter().filter(|left| left["onlyTests"] == false);
            let open: Vec<&Value> = open.collect();
            let names: Vec<_> = open.iter().map(|left| left["image"].as_str().unwrap()).collect();
            assert_eq!(names, expected, "{name} {policy}");
            assert!(open.iter().all(|left| left["patch"]["diff"].is_string()), "{name} {policy}: {open:?}");
            assert_eq!(proof["broken"].as_array().unwrap().len(), 0, "{name} {policy}: {}", proof["broken"]);
            for view in proof["views"].as_array().unwrap() {
                assert_eq!(view["wrong"].as_array().unwrap().len(), 0, "{name} {policy}: {view}");
            }
        }
        let moved = place.path(&format!("keep-host/{}", chart.file_name().unwrap().to_str().unwrap()));
        assert_eq!(documents(&helm, &chart), documents(&helm, &moved), "{name}");
    }
}
