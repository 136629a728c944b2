//! Newer versions of upstream charts, asked of our own server: what they mean for a recipe, with the server and without.

use std::fs;

use anyhow::{Context, Result, ensure};
use chart::testing::ChartBuilder;
use serde_json::Value;
use stories::command_line::{self, OFFLINE, WRITE};
use stories::delivery::Delivery;
use stories::process::Outcome;
use stories::site::Site;
use stories::upstream;

fn bump(delivery: &Delivery, more: &[&str]) -> Result<Outcome> {
    delivery.packager(&command_line::bump(more))
}

/// Returns the report on the only recipe, without how the newer version was found.
fn report_of(outcome: &Outcome) -> Result<Value> {
    let mut report: Value = serde_json::from_str(&outcome.text()).context(outcome.text())?;
    let mut one = report.get_mut(0).map(Value::take).context("no recipe")?;
    one.as_object_mut().context("no object")?.remove("byName");
    Ok(one)
}

#[test]
fn a_bump_goes_on_when_the_upstream_is_gone() -> Result<()> {
    let site = Site::new()?;
    let server = site.launch().open().start()?;
    let client = server.anonymous()?;
    for (version, values) in [("1.0.0", "a: {tag: '1'}\n"), ("1.1.0", "b: {tag: '1'}\n")] {
        let chart = ChartBuilder::new("app", version).file("values.yaml", values);
        client.publish("apps", &chart.build())?.expect_status(201)?;
    }
    let recipe = format!(
        "upstream: {{repository: '{}/apps', chart: app, version: 1.0.0}}\nvalues: {{a.tag: '2'}}\n",
        server.url()
    );
    let delivery = Delivery::new(&[("app", &recipe)])?;
    delivery.lock(&[])?.success()?;
    let built = delivery.build("first")?;
    let asked = bump(&delivery, &[])?;
    ensure!(asked.status.code() == Some(1), "{asked:?}");
    let report = report_of(&asked)?;
    ensure!(report["after"] == "1.1.0" && report["findings"][0]["probable"][0] == "b.tag", "{report}");
    server.stop()?;
    let vanished = bump(&delivery, &[])?;
    ensure!(vanished.status.code() == Some(3), "a server that is away is 3: {vanished:?}");
    let offline = bump(&delivery, &[OFFLINE])?;
    ensure!(offline.status.code() == Some(1) && report_of(&offline)? == report, "{offline:?}");
    ensure!(delivery.build("again")? == built, "other bytes after the server was gone");
    ensure!(
        fs::read_to_string(delivery.path("recipes/app/recipe.yaml"))? == recipe,
        "the recipe was written"
    );
    Ok(())
}

const INGRESS: &str = "\
# Ingress of the cluster.
upstream:
  repository: REPOSITORY
  chart: ingress-nginx
  version: 4.1.4   # what the site runs
revision: 1
values:
  controller.replicaCount: 2     # two of them
  controller.kind: DaemonSet
  controller.hostNetwork: true
  controller.admissionWebhooks.patch.runAsUser: 3000
  controller.admissionWebhooks.patch.fsGroup: 2001
patches: [scheduler.patch, namespace.patch]
";

const DRIFTS: &str = "\
--- a/templates/controller-deployment.yaml
+++ b/templates/controller-deployment.yaml
@@ -202,3 +202,4 @@
     {{- end }}
       serviceAccountName: {{ template \"ingress-nginx.serviceAccountName\" . }}
+      schedulerName: site
       terminationGracePeriodSeconds: {{ .Values.controller.terminationGracePeriodSeconds }}
";

const DEAD: &str = "\
--- a/templates/controller-poddisruptionbudget.yaml
+++ b/templates/controller-poddisruptionbudget.yaml
@@ -11,3 +11,3 @@
   name: {{ include \"ingress-nginx.controller.fullname\" . }}
-  namespace: {{ .Release.Namespace }}
+  namespace: site
 spec:
";

#[test]
fn of_ingress_nginx_exactly_what_does_not_hold_is_named() -> Result<()> {
    let Some(charts) = upstream::charts()? else { return Ok(()) };
    let site = Site::new()?;
    let server = site.launch().open().start()?;
    let client = server.anonymous()?;
    for chart in charts {
        if upstream::file_name(&chart)?.starts_with("ingress-nginx-") {
            client.publish("upstream", &fs::read(&chart)?)?.expect_status(201)?;
        }
    }
    let recipe = INGRESS.replace("REPOSITORY", &format!("{}/upstream", server.url()));
    let delivery = Delivery::new(&[("ingress-nginx", &recipe)])?;
    delivery.write("recipes/ingress-nginx/scheduler.patch", DRIFTS)?;
    delivery.write("recipes/ingress-nginx/namespace.patch", DEAD)?;
    delivery.lock(&[])?.success()?;
    let report = report_of(&bump(&delivery, &[])?)?;
    ensure!(report["before"] == "4.1.4" && report["after"] == "4.9.0", "{report}");
    let told: Vec<String> = report["findings"]
        .as_array()
        .context("no findings")?
        .iter()
        .map(|one| {
            let subject = one.get("path").or_else(|| one.get("patch")).and_then(Value::as_str);
            format!("{} {}", one["finding"].as_str().unwrap_or_default(), subject.unwrap_or_default())
        })
        .collect();
    let expected = [
        "kubernetesConstraint ",
        "gonePath controller.admissionWebhooks.patch.runAsUser",
        "gonePath controller.admissionWebhooks.patch.fsGroup",
        "drifted scheduler.patch",
        "deadHunk namespace.patch",
    ];
    ensure!(told == expected, "{told:?}");
    let drift = report["findings"][3]["drift"].as_str();
    ensure!(drift == Some("11 lines further down"), "{drift:?}");
    let path = delivery.path("recipes/ingress-nginx/recipe.yaml");
    ensure!(fs::read_to_string(&path)? == recipe, "the recipe was written");
    ensure!(bump(&delivery, &[WRITE])?.status.code() == Some(1), "what does not hold is still told");
    let written = recipe.replace("version: 4.1.4 ", "version: 4.9.0 ").replace("revision: 1", "revision: 0");
    ensure!(fs::read_to_string(&path)? == written, "{}", fs::read_to_string(&path)?);
    Ok(())
}
