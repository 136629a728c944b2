//! Precedence, the list of settings as a whole, and what the other tests of this folder load configurations with.

use std::collections::BTreeMap;

use super::setting::AnySetting;
use super::sources::known_settings;
use super::*;

/// Returns the configuration of an environment alone.
pub(crate) fn config(given: &[(&str, &str)]) -> Config {
    load(&Flags::default(), &environment(given)).unwrap()
}

/// Returns what is said of an environment that makes no configuration.
pub(crate) fn refusal(given: &[(&str, &str)]) -> String {
    load(&Flags::default(), &environment(given)).unwrap_err().to_string()
}

fn environment(given: &[(&str, &str)]) -> BTreeMap<String, String> {
    given.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn file_of(text: &str) -> (tempfile::TempDir, Flags) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chartroom.toml");
    std::fs::write(&path, text).unwrap();
    (folder, Flags { config: Some(path), ..Flags::default() })
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let (_folder, in_file) =
        file_of("listen = ['127.0.0.1:1']\ndata = 'file'\nopen = false\npublic_url = 'http://file'\n");
    let in_environment =
        environment(&[("CHARTROOM_LISTEN", "127.0.0.1:2"), ("CHARTROOM_DATA", "environment")]);
    let in_flags = Flags {
        listen: vec!["127.0.0.1:3".to_owned(), "127.0.0.1:4".to_owned()],
        data: Some("flag".into()),
        open: true,
        ..in_file.clone()
    };
    for (flags, environment, ports, data, is_open) in [
        (&Flags::default(), &environment(&[]), &[8080][..], "chartroom-data", false),
        (&in_file, &environment(&[]), &[1], "file", false),
        (&in_file, &in_environment, &[2], "environment", false),
        (&in_flags, &in_environment, &[3, 4], "flag", true),
    ] {
        let config = load(flags, environment).unwrap();
        assert_eq!(
            config.listening.listeners.iter().map(|listener| listener.port).collect::<Vec<_>>(),
            ports
        );
        assert_eq!(config.storage.data.to_str(), Some(data));
        assert_eq!(config.access.is_open, is_open);
        assert_eq!(config.public.url.is_some(), flags.config.is_some(), "what only the file gives is kept");
    }
}

#[test]
fn the_environment_can_name_the_file_and_the_flag_wins() {
    let (folder, flags) = file_of("data = 'flag'");
    let other = folder.path().join("other.toml");
    std::fs::write(&other, "data = 'variable'").unwrap();
    let named = environment(&[("CHARTROOM_CONFIG", other.to_str().unwrap())]);
    assert_eq!(load(&Flags::default(), &named).unwrap().storage.data.to_str(), Some("variable"));
    assert_eq!(load(&flags, &named).unwrap().storage.data.to_str(), Some("flag"));
}

#[test]
fn a_secret_from_a_higher_source_replaces_the_file_of_a_lower_one() {
    let (folder, flags) = file_of("admin_token = 'lower'");
    let token = folder.path().join("token");
    std::fs::write(&token, "higher\n").unwrap();
    let named = environment(&[("CHARTROOM_ADMIN_TOKEN_FILE", token.to_str().unwrap())]);
    assert_eq!(load(&flags, &named).unwrap().access.admin_token, Some(Secret::new("higher")));
}

#[test]
fn everything_wrong_is_reported_at_once() {
    let (_folder, flags) = file_of("opne = true\n[limits]\nmax_chart_bytes = 'much'\n");
    let path = flags.config.as_ref().unwrap().display().to_string();
    let refusal =
        load(&flags, &environment(&[("CHARTROOM_DAT", "x"), ("CHARTROOM_LISTEN", "x:y")])).unwrap_err();
    assert_eq!(
        refusal.to_string().lines().collect::<Vec<_>>(),
        [
            format!("{path}, line 1, column 1: `opne` is not a setting: did you mean `open`?"),
            "the variable `CHARTROOM_DAT` is not a setting: did you mean `CHARTROOM_DATA`?".to_owned(),
            "the variable `CHARTROOM_LISTEN`: `x:y` is not an address to listen on: write `127.0.0.1:8080`, `0.0.0.0:8080` or `https://[::]:8443`".to_owned(),
            format!("{path}, line 3, column 19: `limits.max_chart_bytes`: `much` is not a size: write a whole number of bytes, or one with a unit, such as `20MiB` or `500kB`"),
        ]
    );
}

#[test]
fn keys_and_variables_are_unique_and_explained() {
    let variables: std::collections::BTreeSet<_> = known_settings().map(AnySetting::variable).collect();
    assert_eq!(variables.len(), known_settings().count());
    for setting in known_settings() {
        assert!(!setting.summary().is_empty() && !setting.summary().contains('\n'), "{}", setting.key());
        assert!(
            setting.key().bytes().all(|byte| byte.is_ascii_lowercase() || b"._0123456789".contains(&byte))
        );
    }
}

#[test]
fn the_description_names_the_source_of_each_value_and_hides_secrets() {
    let (_folder, flags) = file_of("[limits]\nmax_chart_bytes = 1000\n");
    let flags = Flags { open: true, ..flags };
    let path = flags.config.as_ref().unwrap().display().to_string();
    let given =
        environment(&[("CHARTROOM_ADMIN_TOKEN", "hunter2"), ("CHARTROOM_ARTIFACT_HUB", "id,team/a=other")]);
    let description = describe(&flags, &given).unwrap();
    for line in [
        "listen = [\"127.0.0.1:8080\"]  # default",
        "open = true  # --open",
        "# admin_token = \"***\"  # CHARTROOM_ADMIN_TOKEN",
        "artifact_hub = { \"\" = \"id\", \"team/a\" = \"other\" }  # CHARTROOM_ARTIFACT_HUB",
        "# public_url is not set: address that clients use, context path left out; unless set, each answer uses the one its request came to",
        &format!("max_chart_bytes = 1000  # {path}, line 2"),
        "[metrics]",
    ] {
        assert!(description.lines().any(|printed| printed == line), "{line}\n{description}");
    }
    assert!(!description.contains("hunter2"));
}

#[test]
fn a_description_read_as_a_file_gives_the_same_configuration() {
    let given = environment(&[
        ("CHARTROOM_LISTEN", "http://127.0.0.1:0,https://localhost:1"),
        ("CHARTROOM_TLS_CERTIFICATE", "a \"quoted\" \\ path"),
        ("CHARTROOM_TLS_KEY", "007"),
        ("CHARTROOM_TRUSTED_PROXIES", "10.0.0.0/8,fd00::/8"),
        ("CHARTROOM_ARTIFACT_HUB", "id,team/a=other"),
        ("CHARTROOM_LOG_LEVEL", "info,chartroom::index=debug"),
        ("CHARTROOM_SHUTDOWN_GRACE", "1m30s"),
    ]);
    let (_folder, flags) = file_of(&describe(&Flags::default(), &given).unwrap());
    assert_eq!(load(&flags, &environment(&[])).unwrap(), load(&Flags::default(), &given).unwrap());
}

#[test]
fn the_described_defaults_are_the_defaults() {
    let (_folder, flags) = file_of(&describe_defaults());
    assert_eq!(load(&flags, &environment(&[])).unwrap(), config(&[]));
    for setting in known_settings() {
        assert!(describe_defaults().contains(&setting.variable()), "{}", setting.key());
    }
}
