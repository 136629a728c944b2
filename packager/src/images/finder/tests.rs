use super::*;

/// Returns the images of a document with their places, in order.
fn found(text: &str) -> Vec<(String, Place)> {
    let document = Document::new("templates/a.yaml".to_owned(), text.to_owned());
    sightings(&document).into_iter().map(|one| (one.image.to_string(), one.place)).collect()
}

#[test]
fn each_kind_of_place_is_read() {
    let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let pinned = format!("spec: {{containers: [{{image: 'a/b:1@{digest}'}}]}}\n");
    let table: Vec<(&str, Vec<(String, Place)>)> = vec![
        (
            "spec: {containers: [{name: a, image: busybox}]}",
            vec![("docker.io/library/busybox".into(), Place::Container)],
        ),
        (&pinned, vec![(format!("docker.io/a/b:1@{digest}"), Place::Container)]),
        (
            "args: [--reloader=quay.io/p/reloader:v1, -nop-image, gcr.io/t/nop, '--thanos-image=gcr.io/x/y']",
            vec![
                ("quay.io/p/reloader:v1".into(), Place::Argument),
                ("gcr.io/t/nop".into(), Place::Argument),
                ("gcr.io/x/y".into(), Place::Argument),
            ],
        ),
        (
            "env: [{name: RELATED_IMAGE_X, value: 'a/b:1'}]",
            vec![("docker.io/a/b:1".into(), Place::Environment)],
        ),
        (
            "kind: ConfigMap\ndata:\n  config.yaml: |\n    jenkins:\n    - image: \"jenkins/agent:4\"\n",
            vec![("docker.io/jenkins/agent:4".into(), Place::Embedded)],
        ),
        (
            "kind: ConfigMap\ndata:\n  config.toml: |\n    [[runners]]\n      [runners.kubernetes]\n        image = \"ubuntu:16.04\"\n",
            vec![("docker.io/library/ubuntu:16.04".into(), Place::Embedded)],
        ),
        (
            "kind: ConfigMap\ndata:\n  a.json: '{\"natsImage\": \"nats:2.8\"}'\n",
            vec![("docker.io/library/nats:2.8".into(), Place::Embedded)],
        ),
        (
            "kind: ConfigMap\ndata:\n  queue-sidecar-image: gcr.io/k/queue@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
            vec![(format!("gcr.io/k/queue@{digest}"), Place::Embedded)],
        ),
        (
            "kind: Prometheus\nspec: {thanos: {image: 'quay.io/t/t:v1'}}",
            vec![("quay.io/t/t:v1".into(), Place::Container)],
        ),
        (
            "kind: Kafka\nspec: {kafkaImage: {repository: strimzi/kafka, tag: '1'}}",
            vec![("docker.io/strimzi/kafka:1".into(), Place::Field)],
        ),
        (
            "spec: {containers: [{command: [sh, -c, 'run quay.io/a/b:1 now']}]}",
            vec![("quay.io/a/b:1".into(), Place::Argument)],
        ),
    ];
    for (text, expected) in table {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn what_only_looks_like_an_image_is_left_alone() {
    for text in [
        "args: ['--listen=0.0.0.0:8080', '--peer=db.example.org:5432', 'ns/name:22']",
        "args: ['https://quay.io/a/b:1', 'git@github.com:a/b.git', '--repo=github.com/a/b:v1']",
        "env: [{name: IMAGE_PULL_POLICY, value: Always}, {name: IMAGE_REGISTRY, value: docker.io}]",
        "spec: {imagePullPolicy: IfNotPresent, imagePullSecrets: [{name: a}], repository: graph/db}",
        "kind: CustomResourceDefinition\nspec: {image: 'a/b:1'}",
        "kind: ConfigMap\ndata: {note: 'use the image a of registry b'}",
        "metadata: {labels: {image: ''}}",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn paths_lead_into_embedded_texts() {
    let text = "kind: ConfigMap\ndata:\n  a.yaml: |\n    b: {image: \"x/y:1\"}\n    c: 1\n";
    let document = Document::new(String::new(), text.to_owned());
    assert_eq!(sightings(&document)[0].path, "data.\"a.yaml\">[0].b.image");
}

#[test]
fn settings_without_a_documents_form_are_read() {
    let images = |text: &str| {
        let indented: String = text.lines().map(|line| format!("    {line}\n")).collect();
        let found = found(&format!("kind: ConfigMap\ndata:\n  config.ini: |\n{indented}"));
        assert!(found.iter().all(|(_, place)| *place == Place::Embedded), "{text}");
        found.into_iter().map(|(image, _)| image).collect::<Vec<_>>()
    };
    for (text, expected) in [
        ("[worker]\nimage = registry.local/x/y:1\n", vec!["registry.local/x/y:1"]),
        ("[worker]\nimage: registry.local/x/y:1\nport: 1\n", vec!["registry.local/x/y:1"]),
        ("key=quay.io/a/b:1\n", vec!["quay.io/a/b:1"]),
        ("; note\n[a]\nother = 5\n[b]\nimage = x/y:1 ; the newest\n", vec!["docker.io/x/y:1"]),
        ("A=b\nDEFAULT_IMAGE=nginx:1.25\n", vec!["docker.io/library/nginx:1.25"]),
        ("[a]\nworker-image = \"quay.io/a/b\"\n", vec!["quay.io/a/b"]),
        ("[a]\nimages = a/b:1, quay.io/c/d:2\n", vec!["docker.io/a/b:1", "quay.io/c/d:2"]),
        ("[a]\ncommand = run --sidecar-image=quay.io/a/b:1\n", vec!["quay.io/a/b:1"]),
        // None of these is an image, or none that could be told from something else.
        ("[ui]\nbackground_image = img/logo.png\nimage = logo\nimage_url = https://a.b/c/d:1\n", vec![]),
        ("[a]\nhost = quay.io/a/b\nimage_tag = 1.0\nimage_dir = /srv/images\n", vec![]),
        ("[server]\nroot_url = %(protocol)s://%(domain)s:3000/\nimage = ${REGISTRY}/a/b:1\n", vec![]),
    ] {
        assert_eq!(images(text), expected, "{text}");
    }
}
