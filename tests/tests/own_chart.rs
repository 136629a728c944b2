//! The server's own Helm chart: clean in every mode with every helm, refused when it could not work, and installed on a
//! real API server.

mod installed;
mod shapes;

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stories::command_line;
use stories::helm::{Helm, with_each_helm};
use stories::own_chart::{self, Objects};
use stories::packager::{self, run_packager};
use stories::settings::unknown_variables;
use stories::site::Site;

use shapes::{SHAPES, shape};

/// The oldest Kubernetes the chart takes, and a new one.
const KUBERNETES: [&str; 2] = ["v1.25.0", "v1.34.0"];

/// What the Pod Security Standard "restricted" and a read-only root ask of every pod.
fn assert_shut_in(objects: &Objects) -> Result<()> {
    let pod = objects.pod()?;
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["enableServiceLinks"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    for container in objects.containers()? {
        let context = &container["securityContext"];
        assert_eq!(context["readOnlyRootFilesystem"], true, "{container}");
        assert_eq!(context["allowPrivilegeEscalation"], false, "{container}");
        assert_eq!(context["capabilities"], json!({"drop": ["ALL"]}), "{container}");
        ensure!(container["resources"]["limits"]["memory"].is_string(), "{container}");
    }
    Ok(())
}

/// A mount without its volume is refused only when a pod is made.
fn assert_every_mount_has_its_volume(objects: &Objects) -> Result<()> {
    let names = |list: &Value| -> BTreeSet<String> {
        let items = list.as_array().into_iter().flatten();
        items.filter_map(|item| Some(item["name"].as_str()?.to_owned())).collect()
    };
    let volumes = names(&objects.pod()?["volumes"]);
    for container in objects.containers()? {
        assert_eq!(names(&container["volumeMounts"]), volumes, "{container}");
    }
    Ok(())
}

#[test]
fn every_helm_lints_and_renders_every_shape() -> Result<()> {
    with_each_helm(|helm| {
        for shape in &SHAPES {
            shape.lint(helm).context(shape.name)?;
            for kubernetes in KUBERNETES {
                let objects = shape.render(helm, kubernetes).context(shape.name)?;
                assert_eq!(objects.kinds(), shape.kinds, "{}", shape.name);
                assert_shut_in(&objects).context(shape.name)?;
                assert_every_mount_has_its_volume(&objects).context(shape.name)?;
            }
        }
        Ok(())
    })
}

#[test]
fn the_server_knows_every_variable_the_chart_sets() -> Result<()> {
    let Some(helm) = Helm::find("helm3")? else { return Ok(()) };
    let mut names = BTreeSet::new();
    for shape in &SHAPES {
        let variables = shape.render(&helm, KUBERNETES[1])?.variables()?;
        names.extend(
            variables.into_iter().map(|(name, _)| name).filter(|name| name.starts_with("CHARTROOM_")),
        );
    }
    ensure!(names.len() > 8, "only {names:?}");
    assert_eq!(unknown_variables(&names.into_iter().collect::<Vec<_>>())?, [""; 0]);
    Ok(())
}

#[test]
fn the_embedded_mode_is_one_pod_on_a_volume_that_stays() -> Result<()> {
    let Some(helm) = Helm::find("helm3")? else { return Ok(()) };
    let objects = shape("embedded as it is")?.render(&helm, KUBERNETES[1])?;
    assert_eq!(objects.of("StatefulSet")?["spec"]["replicas"], 1);
    let claim = objects.of("PersistentVolumeClaim")?;
    assert_eq!(claim["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
    let volume = &objects.pod()?["volumes"][0];
    assert_eq!(volume["persistentVolumeClaim"]["claimName"], claim["metadata"]["name"]);
    let [server] = objects.containers()?[..] else { panic!("not one container") };
    for (probe, path) in [("startupProbe", "/live"), ("livenessProbe", "/live"), ("readinessProbe", "/ready")]
    {
        assert_eq!(
            server[probe]["httpGet"],
            json!({"path": path, "port": "http", "scheme": "HTTP"}),
            "{probe}"
        );
    }
    let egress = &objects.of("NetworkPolicy")?["spec"]["egress"];
    assert_eq!(egress.as_array().map(Vec::len), Some(1), "more than DNS: {egress}");
    Ok(())
}

#[test]
fn the_production_mode_runs_replicas_on_the_named_secrets() -> Result<()> {
    let Some(helm) = Helm::find("helm3")? else { return Ok(()) };
    let objects = shape("production as the example has it")?.render(&helm, KUBERNETES[1])?;
    assert_eq!(objects.of("Deployment")?["spec"]["replicas"], 3);
    assert_eq!(objects.of("PodDisruptionBudget")?["spec"]["maxUnavailable"], 1);
    let [migrate, server] = objects.containers()?[..] else { panic!("not two containers") };
    assert_eq!((&migrate["args"], &server["args"]), (&json!(["migrate"]), &json!(["serve"])));
    assert_eq!(migrate["env"], server["env"]);
    let variables = objects.variables()?;
    let given =
        |name: &str, value: Option<&str>| variables.contains(&(name.to_owned(), value.map(str::to_owned)));
    ensure!(given("CHARTROOM_CATALOG_URL_FILE", Some("/etc/chartroom/postgres/url")), "{variables:?}");
    ensure!(given("CHARTROOM_BLOBS_URL", Some("s3://charts")), "{variables:?}");
    ensure!(given("AWS_SECRET_ACCESS_KEY", None), "a secret that is no secret: {variables:?}");
    let ports = &objects.of("NetworkPolicy")?["spec"]["egress"][1]["ports"];
    assert_eq!(ports, &json!([{"port": 5432}, {"port": 9000}]));
    let spread = objects.pod()?["topologySpreadConstraints"].as_array().map(Vec::len);
    assert_eq!(spread, Some(2));
    Ok(())
}

#[test]
fn toggles_reach_what_they_name() -> Result<()> {
    let Some(helm) = Helm::find("helm3")? else { return Ok(()) };
    let full = shape("embedded with everything on")?.render(&helm, KUBERNETES[1])?;
    let [server] = full.containers()?[..] else { panic!("not one container") };
    let get = json!({"path": "/charts/ready", "port": "http", "scheme": "HTTPS"});
    assert_eq!(server["readinessProbe"]["httpGet"], get);
    let path = &full.of("Ingress")?["spec"]["rules"][0]["http"]["paths"][0];
    assert_eq!(path["path"], "/charts");
    assert_eq!(path["backend"]["service"]["port"]["name"], full.of("Service")?["spec"]["ports"][0]["name"]);
    assert_eq!(full.of("ServiceMonitor")?["spec"]["endpoints"][0]["path"], "/charts/metrics");
    assert_eq!(full.of("Service")?["spec"]["ports"][0]["nodePort"], 30080);

    let cloud = shape("production on AWS with web identity")?.render(&helm, KUBERNETES[1])?;
    let variables = cloud.variables()?;
    ensure!(!variables.iter().any(|(name, _)| name.starts_with("AWS_")), "{variables:?}");
    let prefixed = ("CHARTROOM_BLOBS_URL".to_owned(), Some("s3://charts/team/a".to_owned()));
    ensure!(variables.contains(&prefixed), "{variables:?}");

    let pause = |kubernetes| -> Result<bool> {
        let objects = shape("embedded as it is")?.render(&helm, kubernetes)?;
        Ok(objects.containers()?[0]["lifecycle"]["preStop"]["sleep"].is_object())
    };
    assert_eq!((pause("v1.29.0")?, pause("v1.30.0")?), (false, true), "the pause came with Kubernetes 1.30");
    Ok(())
}

#[test]
fn another_configuration_makes_other_pods() -> Result<()> {
    let Some(helm) = Helm::find("helm3")? else { return Ok(()) };
    let checksum = |arguments: &[&str]| -> Result<String> {
        let rendered = own_chart::template(&helm, KUBERNETES[1], arguments)?.success()?;
        let objects = Objects::read(&rendered)?;
        let annotations = &objects.of("StatefulSet")?["spec"]["template"]["metadata"]["annotations"];
        Ok(annotations["checksum/config"].as_str().context("no checksum")?.to_owned())
    };
    let plain = checksum(&[])?;
    assert_eq!(plain, checksum(&["--set", "persistence.size=20Gi"])?);
    ensure!(plain != checksum(&["--set", "config=open = true"])?, "the same pods");
    Ok(())
}

#[test]
fn values_that_cannot_work_are_refused_by_their_name() -> Result<()> {
    let rows: [(&[&str], &[&str]); 12] = [
        (&["replicaCount=2"], &["replicaCount"]),
        (&["replicaCount=-1"], &["replicaCount"]),
        (&["mode=productive"], &["mode"]),
        (&["mode=production"], &["postgres", "s3", "bucket", "existingSecret"]),
        (&["mode=production", "postgres.existingSecret=p", "s3.bucket=charts"], &["s3", "existingSecret"]),
        (&["mode=production", "postgres.existingSecret=p", "s3.credentials=ambient"], &["bucket"]),
        (&["mode=production", "s3.bucket=charts", "s3.existingSecret=s"], &["postgres", "existingSecret"]),
        (&["replicas=1"], &["replicas"]),
        (&["contextPath=charts/"], &["contextPath"]),
        (&["image.digest=latest"], &["digest"]),
        (&["serviceMonitor.create=true"], &["serviceMonitor", "create"]),
        (&["s3.endpoint=minio:9000"], &["endpoint"]),
    ];
    with_each_helm(|helm| {
        for (values, words) in rows {
            let joined = values.join(",");
            let said = own_chart::template(helm, KUBERNETES[1], &["--set", &joined])?.failure()?;
            ensure!(said.contains("values don't meet the specifications of the schema"), "{joined}: {said}");
            for word in words {
                ensure!(said.contains(word), "{joined}: no `{word}` in {said}");
            }
        }
        Ok(())
    })
}

#[test]
fn the_server_takes_its_own_chart_and_helm_gets_it_back() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    run_packager(site.folder(), &command_line::pack(&own_chart::folder(), site.folder()))?.success()?;
    let archive = site.folder().join("chartroom-0.1.0.tgz");
    let url = format!("{}/rooms", server.url());
    packager::push(&[&archive], &url, &server.admin_token()?)?.success()?;
    with_each_helm(|helm| {
        helm.add_repository("rooms", &url)?;
        let line = ["template", "room", "rooms/chartroom", "--kube-version", KUBERNETES[1]];
        let objects = Objects::read(&helm.ok(&line)?)?;
        assert_eq!(objects.kinds(), shape("embedded as it is")?.kinds);
        Ok(())
    })
}
