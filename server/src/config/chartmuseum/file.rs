//! ChartMuseum's configuration file: YAML, keys in any case, sections as maps.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use chart::yaml::{Budget, Value, parse};

use super::error::DropInError;
use super::given::{Given, GivenOptions, Source};
use super::option_value::OptionValue;
use super::options::{ChartMuseumOption, Kind, OPTIONS};
use crate::config::nearest::nearest;

/// Reads the file. Keys that ChartMuseum does not know it ignores; here they make a warning.
///
/// # Errors
/// In ChartMuseum's words if the file is not there or its name is wrong.
pub(super) fn read(path: &Path) -> Result<GivenOptions, DropInError> {
    let bytes = std::fs::read(path).map_err(|cause| {
        let path = path.to_owned();
        if cause.kind() == io::ErrorKind::NotFound {
            DropInError::FileNotFound(path)
        } else {
            DropInError::FileUnreadable { path, cause }
        }
    })?;
    if path.extension().is_some_and(|extension| extension != "yaml" && extension != "yml") {
        return Err(DropInError::FileExtension);
    }
    let refused = |reason: String| DropInError::FileNotYaml { path: path.to_owned(), reason };
    match parse(&bytes, &Budget::default()).map_err(|refusal| refused(refusal.to_string()))? {
        Value::Mapping(entries) => read_entries(&entries),
        Value::Null => Ok(GivenOptions::default()),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Uint(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Sequence(_) => Err(refused("write one `key: value` a line".to_owned())),
    }
}

fn read_entries(entries: &BTreeMap<String, Value>) -> Result<GivenOptions, DropInError> {
    let mut options = GivenOptions::default();
    read_section("", entries, &mut options)?;
    Ok(options)
}

fn read_section(
    section: &str,
    entries: &BTreeMap<String, Value>,
    options: &mut GivenOptions,
) -> Result<(), DropInError> {
    for (key, value) in entries {
        let key = format!("{section}{}", key.to_ascii_lowercase());
        let option = OPTIONS.iter().find(|option| option.key == key && !key.is_empty());
        match (option, value) {
            (Some(_), Value::Null) => {}
            (Some(option), value) => {
                options.options.insert(option.flag, given(option, value)?);
            }
            (None, Value::Mapping(inner)) => read_section(&format!("{key}."), inner, options)?,
            (None, _) => options.warnings.push(unknown(&key)),
        }
    }
    Ok(())
}

fn unknown(key: &str) -> String {
    let nearest = nearest(key, OPTIONS.iter().map(|option| option.key).filter(|key| !key.is_empty()));
    let hint = nearest.map(|nearest| format!(": did you mean `{nearest}`?")).unwrap_or_default();
    format!("`{key}` in the configuration file is no setting of ChartMuseum and has no effect{hint}")
}

fn given(option: &'static ChartMuseumOption, value: &Value) -> Result<Given, DropInError> {
    let refused = |expected: &str| DropInError::InvalidValue {
        named: Source::File.name(option),
        text: value.to_json().to_string(),
        expected: expected.to_owned(),
    };
    match (option.kind, value) {
        (Kind::Pairs, Value::Mapping(pairs)) => {
            let pairs =
                pairs.iter().map(|(tenant, id)| Some((tenant.trim_matches('/').to_owned(), scalar(id)?)));
            let pairs = pairs.collect::<Option<_>>().ok_or_else(|| refused("write `TENANT: ID` a line"))?;
            Ok(Given { value: OptionValue::Pairs(pairs), source: Source::File })
        }
        // A number alone is nanoseconds to ChartMuseum's configuration library.
        (Kind::Time, Value::Int(number)) => Given::parse(option, &format!("{number}ns"), Source::File),
        (_, value) => {
            let text = scalar(value).ok_or_else(|| refused("write one value"))?;
            Given::parse(option, &text, Source::File)
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(switch) => Some(switch.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Uint(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Result<GivenOptions, DropInError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn keys_in_any_case_and_sections_give_options() {
        let options = options(concat!(
            "Debug: true\nport: 8081\nstorage:\n  backend: local\n  local:\n    rootdir: /charts\ncacheinterval: 1m\n",
            "per-chart-limit: '3'\nbasicauth: {user: a, pass: 1234}\nartifact-hub-repo-id: {org1: x}\ncharturl:\n",
            "storage.timestamptolerance: 1500000000\n"
        ))
        .unwrap();
        assert!(options.switch("debug"));
        assert_eq!((options.number("port"), options.number("per-chart-limit")), (8081, 3));
        assert_eq!(
            (options.text("storage"), options.text("storage-local-rootdir")),
            ("local".into(), "/charts".into())
        );
        assert_eq!(options.text("basic-auth-pass"), "1234");
        assert_eq!(options.time("cache-interval"), std::time::Duration::from_secs(60));
        assert_eq!(options.time("storage-timestamp-tolerance"), std::time::Duration::from_millis(1500));
        assert_eq!(options.pairs("artifact-hub-repo-id"), [("org1".to_owned(), "x".to_owned())].into());
        assert_eq!(options.warnings, Vec::<String>::new());
    }

    #[test]
    fn unknown_keys_are_warned_about() {
        let options = options("storage: {bakend: local}\nwhatever: 1\n").unwrap();
        assert_eq!(
            options.warnings,
            [
                "`storage.bakend` in the configuration file is no setting of ChartMuseum and has no effect: did you mean `storage.backend`?",
                "`whatever` in the configuration file is no setting of ChartMuseum and has no effect",
            ]
        );
    }

    #[test]
    fn files_that_can_not_be_used_are_refused() {
        assert_eq!(
            read(Path::new("/nowhere/c.yaml")).unwrap_err().to_string(),
            "config file not found: /nowhere/c.yaml"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "port: 1").unwrap();
        assert_eq!(
            read(&path).unwrap_err().to_string(),
            "config file must have .yaml/.yml extension (or no extension)"
        );
        for (text, expected) in [
            ("port: x", "invalid value \"x\" for `port` in the configuration file: write a whole number"),
            ("port: [1]", "invalid value \"[1]\" for `port` in the configuration file: write one value"),
            ("- a", "is not a YAML map: write one `key: value` a line"),
            ("a: b: c", "is not a YAML map: line 1"),
        ] {
            let refusal = options(text).unwrap_err().to_string();
            assert!(refusal.contains(expected), "{text}: {refusal}");
        }
        assert_eq!(options("").unwrap(), GivenOptions::default());
    }
}
