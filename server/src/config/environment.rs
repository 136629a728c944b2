//! The program's environment and arguments, and the settings that the environment gives.
//!
//! Only this file reads them from the process; everything else is handed a map, so that tests hand one too.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::error::{Origin, Problem};
use super::nearest::nearest;
use super::setting::AnySetting;
use super::sources::{Given, known_settings};
use super::value::Value;

const PREFIX: &str = "CHARTROOM_";
/// Names the configuration file, as `--config` does; not a setting of the file itself.
pub(super) const CONFIG_FILE: &str = "CHARTROOM_CONFIG";

/// Returns the environment of this process; bytes that are not UTF-8 are replaced.
pub(crate) fn process_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect()
}

/// Returns the arguments of this process, the program's own name first.
pub(crate) fn process_arguments() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// Returns the settings that `environment` gives, by key, and a problem for each `CHARTROOM_` variable that is none.
///
/// An empty variable counts as not given: compose files and Kubernetes templates write them so.
pub(super) fn read(environment: &BTreeMap<String, String>) -> (BTreeMap<String, Given>, Vec<Problem>) {
    let variables = variables();
    let mut given = BTreeMap::new();
    let mut problems = Vec::new();
    for (variable, text) in environment.iter().filter(|(variable, _)| variable.starts_with(PREFIX)) {
        if let Some((key, setting)) = variables.get(variable) {
            if !text.is_empty() {
                let value = Value::from_text(text, setting.shape());
                given.insert(key.clone(), Given { value, origin: Origin::Variable(variable.clone()) });
            }
        } else if variable != CONFIG_FILE && !is_service_link(variable, text) {
            problems.push(Problem::UnknownVariable {
                variable: variable.clone(),
                nearest: nearest_variable(variable, variables.keys()),
            });
        }
    }
    (given, problems)
}

/// Returns every variable with its key and setting; secrets have a second one, for the file that holds them.
fn variables() -> BTreeMap<String, (String, &'static dyn AnySetting)> {
    let files = known_settings().filter(|setting| setting.may_be_in_a_file()).map(|setting| {
        (format!("{}_FILE", setting.variable()), (format!("{}_file", setting.key()), setting))
    });
    known_settings()
        .map(|setting| (setting.variable(), (setting.key().to_owned(), setting)))
        .chain(files)
        .collect()
}

/// Returns the known variable nearest to `variable`; the prefix that all share does not count as likeness.
fn nearest_variable<'a>(variable: &str, known: impl Iterator<Item = &'a String>) -> Option<String> {
    let word = variable.strip_prefix(PREFIX)?;
    let nearest = nearest(word, known.filter_map(|known| known.strip_prefix(PREFIX)))?;
    Some(format!("{PREFIX}{nearest}"))
}

/// Returns whether Kubernetes made the variable: beside a Service called `chartroom` or `chartroom-…` it gives every
/// pod `CHARTROOM_SERVICE_HOST`, `CHARTROOM_PORT=tcp://…` and the like, which nobody wrote and nobody can remove.
fn is_service_link(variable: &str, text: &str) -> bool {
    let is_port_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = variable.split('_').collect();
    let is_port_link = words
        .windows(3)
        .any(|window| matches!(window, ["PORT", number, "TCP" | "UDP" | "SCTP"] if is_port_number(number)));
    let is_service_address = words.windows(2).any(|window| matches!(window, ["SERVICE", "HOST" | "PORT"]));
    let is_port_url = variable.ends_with("_PORT")
        && ["tcp://", "udp://", "sctp://"].iter().any(|scheme| text.starts_with(scheme));
    is_port_link || is_service_address || is_port_url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn variables_give_settings_in_their_shape() {
        let (given, problems) = read(&environment(&[
            ("PATH", "/bin"),
            ("CHARTROOM_LISTEN", "127.0.0.1:0, [::1]:0"),
            ("CHARTROOM_LIMITS_MAX_CHART_BYTES", "1MiB"),
            ("CHARTROOM_ARTIFACT_HUB", "team/a=id"),
            ("CHARTROOM_PUBLIC_URL", ""),
            ("CHARTROOM_ADMIN_TOKEN_FILE", "/run/secrets/token"),
            ("CHARTROOM_CONFIG", "c.toml"),
        ]));
        assert_eq!(problems, []);
        assert_eq!(
            given.keys().map(String::as_str).collect::<Vec<_>>(),
            ["admin_token_file", "artifact_hub", "limits.max_chart_bytes", "listen"]
        );
        assert_eq!(
            given.get("listen").map(|given| &given.value),
            Some(&Value::Many(vec!["127.0.0.1:0".to_owned(), "[::1]:0".to_owned()]))
        );
    }

    #[test]
    fn an_unknown_variable_is_refused_with_the_nearest_one() {
        let (_, problems) = read(&environment(&[
            ("CHARTROOM_LISTN", "x"),
            ("CHARTROOM_WHATEVER_ELSE", "x"),
            ("CHARTROOM_ADMIN_TOKEN_FIL", "x"),
        ]));
        assert_eq!(
            problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "the variable `CHARTROOM_ADMIN_TOKEN_FIL` is not a setting: did you mean `CHARTROOM_ADMIN_TOKEN_FILE`?",
                "the variable `CHARTROOM_LISTN` is not a setting: did you mean `CHARTROOM_LISTEN`?",
                "the variable `CHARTROOM_WHATEVER_ELSE` is not a setting: remove it, or see all settings with `chartroom check-config --defaults`",
            ]
        );
    }

    #[test]
    fn the_variables_kubernetes_adds_for_a_service_are_not_ours() {
        let (given, problems) = read(&environment(&[
            ("CHARTROOM_SERVICE_HOST", "10.96.0.7"),
            ("CHARTROOM_SERVICE_PORT", "80"),
            ("CHARTROOM_SERVICE_PORT_HTTP", "80"),
            ("CHARTROOM_PORT", "tcp://10.96.0.7:80"),
            ("CHARTROOM_PORT_80_TCP", "tcp://10.96.0.7:80"),
            ("CHARTROOM_PORT_80_TCP_ADDR", "10.96.0.7"),
            ("CHARTROOM_POSTGRES_SERVICE_HOST", "10.96.0.8"),
        ]));
        assert!(given.is_empty());
        assert_eq!(problems, []);
        assert_eq!(read(&environment(&[("CHARTROOM_PORT", "8080")])).1.len(), 1);
    }

    #[test]
    fn every_variable_belongs_to_one_setting() {
        let named =
            known_settings().count() + known_settings().filter(|setting| setting.may_be_in_a_file()).count();
        assert_eq!(variables().len(), named);
    }
}
