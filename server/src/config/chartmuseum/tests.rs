//! Starts as ChartMuseum's own tests and users start it, and what becomes of each option.

use std::time::Duration;

use super::options::Kind;
use super::*;
use crate::config::{BlobsUrl, ByteSize, CatalogUrl, Encryption, Secret};

const LOCAL: &str = "--storage local --storage-local-rootdir /charts";

fn command(line: &str, environment: &[(&str, &str)]) -> Result<DropInCommand, DropInError> {
    let environment =
        environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    load_drop_in(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>(), &environment)
}

fn start(line: &str, environment: &[(&str, &str)]) -> DropIn {
    let DropInCommand::Serve(drop_in) = command(line, environment).unwrap() else { panic!("{line}") };
    *drop_in
}

fn refusal(line: &str) -> String {
    command(line, &[]).unwrap_err().to_string()
}

#[test]
fn a_plain_start_has_chartmuseums_defaults_and_a_warning() {
    let DropIn { config, settings, warnings } = start(LOCAL, &[]);
    assert_eq!(config.listening.listeners.first().unwrap().to_string(), "http://0.0.0.0:8080");
    assert_eq!(config.storage.data, Path::new("/charts/.chartroom"));
    assert_eq!(config.storage.catalog, CatalogUrl::Sqlite("/charts/.chartroom/catalog.db".into()));
    assert_eq!(config.storage.blobs, BlobsUrl::Folder("/charts".into()));
    assert_eq!(config.limits.max_chart_bytes, ByteSize::from_bytes(20_971_520));
    assert_eq!(config.metrics, MetricsAccess::Nobody);
    assert!(config.access.is_open);
    assert_eq!((settings.depth, settings.overwrite), (TenantDepth::Fixed(0), OverwriteRule::WhenForced));
    assert_eq!((settings.chart_field.as_str(), settings.provenance_field.as_str()), ("chart", "prov"));
    assert_eq!(settings.rescan_interval, Some(Duration::from_secs(300)));
    assert!(settings.serves_api && settings.serves_delete && !settings.json_index && !settings.prints_index);
    assert_eq!(warnings.len(), 1);
    assert!(warnings.first().unwrap().starts_with("anyone may publish and delete"));
}

#[test]
fn flags_win_over_variables_and_these_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(
        &path,
        "storage: {backend: local, local: {rootdir: /file}}\nport: 1\ndepth: 1\ndebug: true\n",
    )
    .unwrap();
    let in_file = format!("--config {}", path.display());
    let variables = [("STORAGE_LOCAL_ROOTDIR", "/variable"), ("PORT", "2"), ("CHART_URL", "")];
    for (line, environment, root, port) in [
        (in_file.clone(), &[][..], "/file", 1),
        (in_file.clone(), &variables, "/variable", 2),
        (format!("{in_file} --port 3 --storage-local-rootdir=/flag"), &variables, "/flag", 3),
        (String::new(), &[("CONFIG", path.to_str().unwrap())], "/file", 1),
    ] {
        let settings = start(&line, environment).settings;
        assert_eq!(
            (settings.archives, settings.listen_port),
            (ArchiveStore::Folder(root.into()), port),
            "{line}"
        );
        assert_eq!((settings.depth, settings.logs_debug), (TenantDepth::Fixed(1), true));
    }
}

#[test]
fn settings_reach_the_configuration() {
    let line = format!(
        "{LOCAL} --port=0 --listen-host 127.0.0.1 --tls-cert c --tls-key k --max-upload-size 7 --per-chart-limit 2 \
         --max-storage-objects 3 --context-path charts/ --chart-url https://x/ --cors-alloworigin * --log-json --log-health \
         --enable-metrics --artifact-hub-repo-id id --read-timeout 9 --debug"
    );
    let config =
        start(&line, &[("CHARTROOM_TRUSTED_PROXIES", "10.0.0.0/8"), ("CHARTROOM_LISTEN", "127.0.0.1:9")])
            .config;
    assert_eq!(config.listening.listeners.first().unwrap().to_string(), "https://127.0.0.1:0");
    assert_eq!(config.limits.max_chart_bytes.bytes(), 7);
    assert_eq!(config.limits.versions_per_chart.map(u64::from), Some(2));
    assert_eq!(config.limits.objects_per_repository.map(u64::from), Some(3));
    assert_eq!(config.limits.body_idle_timeout, Duration::from_secs(9));
    assert_eq!(config.public.context_path.as_str(), "/charts");
    assert_eq!(config.public.chart_url.unwrap().as_str(), "https://x");
    assert_eq!(config.public.cors_allow_origin.unwrap().as_str(), "*");
    assert_eq!(config.public.artifact_hub.get("").map(String::as_str), Some("id"));
    assert_eq!((config.log.format, config.log.logs_health), (LogFormat::Json, true));
    assert_eq!(config.log.filter, LogFilter::of_level(LevelFilter::DEBUG));
    assert_eq!(config.metrics, MetricsAccess::Anyone);
    assert_eq!(
        config.proxies.trusted.len(),
        1,
        "what ChartMuseum has no option for comes from our variables"
    );
}

#[test]
fn credentials_are_asked_as_there() {
    let basic =
        start(&format!("{LOCAL} --basic-auth-user u --basic-auth-pass hunter2 --auth-anonymous-get"), &[]);
    assert_eq!(basic.settings.login, Login::Basic { user: "u".to_owned(), password: Secret::new("hunter2") });
    assert!(basic.settings.anonymous_get && !basic.config.access.is_open);
    assert_eq!(basic.warnings, Vec::<String>::new());
    assert!(!format!("{basic:?}").contains("hunter2"));
    let bearer = start(
        &format!(
            "{LOCAL} --bearer-auth --auth-realm https://r --auth-service s --auth-cert-path k --basic-auth-user u --basic-auth-pass p"
        ),
        &[],
    );
    let expected =
        Login::Bearer { realm: "https://r".to_owned(), service: "s".to_owned(), public_key: "k".into() };
    assert_eq!(bearer.settings.login, expected);
}

#[test]
fn what_does_not_start_there_does_not_start_here_in_the_same_words() {
    for (line, expected) in [
        ("", "Missing required flags(s): --storage"),
        ("--storage garage", "Unsupported storage backend: garage"),
        ("--storage local", "Missing required flags(s): --storage-local-rootdir"),
        ("--storage amazon", "Missing required flags(s): --storage-amazon-bucket, --storage-amazon-region"),
        (
            "--storage amazon --storage-amazon-endpoint http://minio",
            "Missing required flags(s): --storage-amazon-bucket",
        ),
        ("--storage google", "Missing required flags(s): --storage-google-bucket"),
        (&format!("{LOCAL} --cache memcached"), "Unsupported cache store: memcached"),
        (&format!("{LOCAL} --cache redis"), "Missing required flags(s): --cache-redis-addr"),
        (&format!("{LOCAL} --bearer-auth"), "Missing Auth Realm"),
        (&format!("{LOCAL} --bearer-auth --auth-realm r"), "Missing Auth Service"),
        (
            &format!("{LOCAL} --bearer-auth --auth-realm r --auth-service s"),
            "Missing Auth Server Public Cert Path",
        ),
        ("--config /nowhere/c.yaml", "config file not found: /nowhere/c.yaml"),
        ("--no-such-flag-at-all", "flag provided but not defined: -no-such-flag-at-all"),
    ] {
        assert_eq!(refusal(line), expected, "{line}");
    }
}

#[test]
fn what_is_not_served_stops_the_start_with_the_way_out() {
    for (line, expected) in [
        (
            "--storage Google --storage-google-bucket b",
            "`--storage` google is not served here: copy the archives to a folder and start with `--storage local --storage-local-rootdir DIR`",
        ),
        (
            "--storage local --storage-local-rootdir d --cache redis --cache-redis-addr a:1",
            "`--cache` redis is not served here: leave it out, the index is kept in memory and is always current",
        ),
        (
            "--storage local --storage-local-rootdir d --auth-actions-search-path x",
            "`--auth-actions-search-path` is not served here: give the tokens the claim `access` of the registry token format, which needs no search path",
        ),
        (
            "--storage local --storage-local-rootdir d --tls-key k",
            "`--tls-key` is set without `--tls-cert`: TLS needs both",
        ),
        (
            "--storage local --storage-local-rootdir d --basic-auth-user u",
            "`--basic-auth-user` is set without `--basic-auth-pass`: basic authentication needs both",
        ),
        (
            "--storage local --storage-local-rootdir d --port 70000",
            "invalid value \"70000\" for `--port`: write a port from 0 to 65535",
        ),
        (
            "--storage local --storage-local-rootdir d --depth=-1",
            "invalid value \"-1\" for `--depth`: write 0 or more",
        ),
    ] {
        assert_eq!(refusal(line), expected);
    }
    assert!(
        refusal(&format!("{LOCAL} --chart-url x"))
            .starts_with("invalid value \"x\" for `--chart-url`: `x` is not a base URL")
    );
}

#[test]
fn what_has_no_effect_is_accepted_with_a_warning() {
    let line = format!(
        "{LOCAL} --log-latency-integer --enforce-semver2 --basic-auth-user u --basic-auth-pass p --index-limit 0"
    );
    let warnings = start(&line, &[("STORAGE_GOOGLE_BUCKET", "b"), ("CACHE_REDIS_ADDR", "a:1")]).warnings;
    assert_eq!(
        warnings,
        [
            "`--log-latency-integer` has no effect: latencies are always logged in milliseconds",
            "the variable `CACHE_REDIS_ADDR` has no effect: the index is kept in memory, and nothing else is needed",
            "the variable `STORAGE_GOOGLE_BUCKET` has no effect: it belongs to `--storage google`",
            "`--enforce-semver2` has no effect: ChartMuseum ignores it too",
        ]
    );
}

#[test]
fn every_honoured_option_changes_something() {
    // What must be there already for the option to be allowed, or to decide anything.
    let needed = |flag: &str| match flag {
        "tls-cert" | "tls-key" | "tls-ca-cert" => "--tls-cert c --tls-key k",
        "basic-auth-user" | "basic-auth-pass" => "--basic-auth-user u --basic-auth-pass p",
        "bearer-auth" => "--auth-realm r --auth-service s --auth-cert-path k",
        "auth-realm" | "auth-service" | "auth-cert-path" => {
            "--bearer-auth --auth-realm r --auth-service s --auth-cert-path k"
        }
        "disable-metrics" => "--enable-metrics",
        _ => "",
    };
    let honoured = OPTIONS.iter().filter(|option| {
        option.support == Support::Honoured && !["config", "storage", "cache"].contains(&option.flag)
    });
    for option in honoured {
        let value = match option.kind {
            Kind::Switch => "true",
            Kind::Number => "7",
            Kind::Time => "7s",
            Kind::Text if option.flag == "chart-url" => "https://other",
            Kind::Text | Kind::Pairs => "other",
        };
        let line = format!("{LOCAL} {}", needed(option.flag));
        let without = start(&line, &[]).settings;
        let with = start(&format!("{line} --{}={value}", option.flag), &[]).settings;
        assert_ne!(with, without, "--{} has no effect", option.flag);
    }
}

#[test]
fn help_and_version_are_known_and_the_help_names_the_options() {
    assert!(matches!(command("--version", &[]), Ok(DropInCommand::Version)));
    let Ok(DropInCommand::Help(help)) = command("--help", &[]) else { panic!("no help") };
    for expected in ["--port N", "[default: 8080]", "[STORAGE_LOCAL_ROOTDIR]", "(not served)", "CHARTROOM_"] {
        assert!(help.contains(expected), "{expected}\n{help}");
    }
}

#[test]
fn the_data_folder_can_be_elsewhere() {
    let config = start(LOCAL, &[("CHARTROOM_DATA", "/data")]).config;
    assert_eq!(config.storage.data, Path::new("/data"));
    assert_eq!(config.storage.blobs, BlobsUrl::Folder("/charts".into()));
}

#[test]
fn archives_in_a_bucket_are_reached_as_the_flags_say() {
    let line = "--storage Amazon --storage-amazon-bucket b --storage-amazon-prefix /a/b/ --storage-amazon-sse AES256";
    let DropIn { config, warnings, .. } =
        start(&format!("{line} --storage-amazon-endpoint minio:9000"), &[("CHARTROOM_S3_CA_FILE", "ca.pem")]);
    assert_eq!(config.storage.blobs, BlobsUrl::S3 { bucket: "b".to_owned(), prefix: "a/b".to_owned() });
    assert_eq!(config.storage.data, Path::new("chartroom-data"));
    let service = config.storage.s3;
    assert_eq!(service.endpoint.unwrap().as_str(), "https://minio:9000");
    assert_eq!((service.region, service.path_style, service.encryption), (None, true, Encryption::Aes256));
    assert_eq!(service.ca.as_deref(), Some(Path::new("ca.pem")), "what ChartMuseum has no flag for");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let aws = start("--storage amazon --storage-amazon-bucket b --storage-amazon-region eu-west-1", &[]);
    assert_eq!(aws.config.storage.s3.region.as_deref(), Some("eu-west-1"));
    for (more, expected) in [
        ("--storage-amazon-sse aes", "write `none`, `AES256` or `aws:kms`"),
        ("--storage-amazon-endpoint http://a?b", "is not a base URL"),
    ] {
        let refused = refusal(&format!("{line} --storage-amazon-region r {more}"));
        assert!(refused.contains(expected), "{refused}");
    }
}
