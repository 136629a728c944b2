//! Flags of `render`, and those that every command shares which looks at a chart through renderings.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::HelmArguments;
use crate::edit::ValuePath;
use crate::profile::{Profile, Substitution};
use crate::toggle::Toggle;

const EXAMPLES: &str = "\
Examples:
  chartpack render linkerd-viz-2.11.1.tgz
  chartpack render gitlab-6.1.1.tgz --set certmanager-issuer.email=me@example.org --kube-version 1.24.0
  chartpack render harbor --toggle metrics.enabled --toggle trace.enabled

Hooks are printed too, custom resource definitions of the folder crds/ are not.";

/// Flags of `render`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RenderArguments {
    /// Chart folder, recipe file or archive
    #[arg(value_name = "CHART", value_hint = ValueHint::AnyPath)]
    pub(crate) chart: PathBuf,
    /// How the chart is looked at
    #[command(flatten)]
    pub(crate) view: ViewArguments,
}

/// How a chart is looked at.
#[derive(Debug, Args)]
pub(crate) struct ViewArguments {
    /// File of values to lay over those of the chart; may be given several times
    #[arg(short = 'f', long = "values", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) values: Vec<PathBuf>,
    /// One value to lay over those of the chart, as PATH=YAML
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = parse_setting)]
    pub(crate) settings: Vec<(ValuePath, serde_json::Value)>,
    /// One value that only makes a chart render that demands it, as PATH=YAML
    #[arg(long = "probe", value_name = "PATH=VALUE", value_parser = parse_setting)]
    pub(crate) probes: Vec<(ValuePath, serde_json::Value)>,
    /// Kubernetes version to render for; may be given several times, the newest last [default: 1.31.0]
    #[arg(long = "kube-version", value_name = "VERSION")]
    pub(crate) kubernetes_versions: Vec<String>,
    /// Which toggles to turn on
    #[arg(long, value_enum, default_value_t = Profile::All)]
    pub(crate) profile: Profile,
    /// A toggle of the profile `declared`, or one more of `all`: a switch, or PATH=TEXT; may be given several times
    #[arg(long = "toggle", value_name = "PATH")]
    pub(crate) toggles: Vec<Toggle>,
    /// Where images are fetched from instead, as FROM=TO, each a host or the beginning of a path
    #[arg(long = "substitute", value_name = "FROM=TO", value_parser = parse_substitution)]
    pub(crate) substitutions: Vec<Substitution>,
    /// How helm is run
    #[command(flatten)]
    pub(crate) renderer: HelmArguments,
}

pub(super) fn parse_setting(text: &str) -> Result<(ValuePath, serde_json::Value), String> {
    let (path, value) = text.split_once('=').ok_or("write PATH=VALUE, as in image.tag=1.27")?;
    let path: ValuePath = path.parse().map_err(|problem: crate::edit::InvalidPath| problem.to_string())?;
    let value = crate::edit::meaning_of(value).map_err(|problem| problem.to_string())?;
    Ok((path, value))
}

fn parse_substitution(text: &str) -> Result<Substitution, String> {
    let (from, to) = text.split_once('=').ok_or("write FROM=TO, as in k8s.gcr.io=registry.k8s.io")?;
    Ok(Substitution { from: from.to_owned(), to: to.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_yaml_behind_a_path() {
        let (path, value) = parse_setting("a.b=[1, x]").unwrap();
        assert_eq!((path.to_string().as_str(), value), ("a.b", serde_json::json!([1, "x"])));
        assert!(
            parse_setting("a.b").is_err() && parse_setting("=1").is_err() && parse_setting("a=[").is_err()
        );
    }
}
