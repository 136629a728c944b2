//! Recipes, from the file to the packed chart.

use chart::testing::ChartBuilder;
use oci::Digest;

use crate::support::{Workplace, text_of};

const CHART: &str = "\
apiVersion: v2 # Helm 3
name: up
version: 1.2.3
description: 'from upstream'
keywords:
- database # ours
- infrastructure # theirs
annotations:
  artifacthub.io/signKey: |
    fingerprint: 0
  other: \"kept\"
icon: https://example.com/icon.png

# the end
";

const VALUES: &str = "\
# Registry
image:
    repository: docker.io/up/up   # moved
    tag: \"1.0\"
tolerations: [] # none
containers:
    - name: one
      image: a
    - {name: two, image: b}
podAnnotations:
    prometheus.io/scrape: 'true'
";

fn upstream() -> Vec<u8> {
    ChartBuilder::new("up", "1.2.3").chart_yaml(CHART).file("values.yaml", VALUES).build()
}

#[test]
fn only_the_named_spans_change() {
    let place = Workplace::new();
    place.write("up.tgz", upstream());
    let recipe = "\
chart: {path: up.tgz, digest: 'DIGEST'}
version: 1.2.301
metadata:
  icon: null
  annotations:
    artifacthub.io/signKey: null
    catalog.cattle.io/certified: playcekube
  keywordsFirst: [infrastructure]
values:
  image.repository: registry.local.cloud:5000/up/up
  image.tag: '1.1'
  tolerations:
  - operator: Exists
  containers[0].image: c
  containers[1].image: d
  podAnnotations.\"prometheus.io/scrape\": 'false'
  image.pullPolicy: Always
";
    place.write("recipe.yaml", recipe.replace("DIGEST", &Digest::sha256(&upstream()).to_string()));
    place.succeed(&["pack", "recipe.yaml"]);
    let archive = place.archive("up-1.2.301.tgz");
    let expected = "\
apiVersion: v2 # Helm 3
name: up
version: 1.2.301
description: 'from upstream'
keywords:
- infrastructure # theirs
- database # ours
annotations:
  other: \"kept\"
  catalog.cattle.io/certified: playcekube

# the end
";
    assert_eq!(text_of(&archive, "Chart.yaml"), expected);
    let expected = "\
# Registry
image:
    repository: registry.local.cloud:5000/up/up   # moved
    tag: \"1.1\"
    pullPolicy: Always
tolerations: # none
    - operator: Exists
containers:
    - name: one
      image: c
    - {name: two, image: d}
podAnnotations:
    prometheus.io/scrape: 'false'
";
    assert_eq!(text_of(&archive, "values.yaml"), expected);
}

#[test]
fn an_archive_with_another_digest_is_refused() {
    let place = Workplace::new();
    place.write("up.tgz", upstream());
    place.write("recipe.yaml", format!("chart: {{path: up.tgz, digest: '{}'}}\n", Digest::sha256(b"other")));
    let answer = place.run(&["pack", "."]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("but the recipe names sha256:"), "{}", answer.err);
}

#[test]
fn refusals_name_the_file_the_line_and_the_column() {
    let place = Workplace::new();
    place.write("up.tgz", upstream());
    let table = [
        (
            "chart: up.tgz\nvalue:\n  a: 1\n",
            "recipe.yaml`, line 2 column 1: unknown key `value`, did you mean `values`?",
        ),
        ("chart: up.tgz\nvalues: {a: [\n", "recipe.yaml`, line "),
        (
            "chart: up.tgz\nvalues:\n  image.tag.x: 1\n",
            "cannot edit `values.yaml` of `recipe.yaml`: `image.tag` at line 4 column 10 is not a mapping",
        ),
        (
            "chart: up.tgz\nvalues:\n  containers[7].image: x\n",
            "the list `containers` at line 7 column 5 has 2 items, so there is no [7]",
        ),
        (
            "chart: up.tgz\nmetadata:\n  annotations:\n    a: true\n",
            "line 4 column 8: `a` must be a text: write \"true\" in quotes",
        ),
        ("chart: other.tgz\n", "cannot read `other.tgz`"),
    ];
    for (recipe, reason) in table {
        place.write("recipe.yaml", recipe);
        let answer = place.run(&["pack", "recipe.yaml"]);
        assert_eq!(answer.code, 1);
        assert!(answer.err.contains(reason), "{recipe}{}", answer.err);
    }
}
