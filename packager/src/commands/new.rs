//! `chartpack new`: scaffolds a chart, or writes the recipe of a published one.

use std::io::Write;
use std::path::{Path, PathBuf};

use chart::{ChartName, ChartVersion};
use url::Url;

use super::CommandRefusal;
use super::fetch::{RETRIES, fetcher};
use crate::cli::{NewArguments, strict};
use crate::config::Config;
use crate::report;
use crate::scaffold::{RecipeScaffold, Scaffold};

/// The version of a chart that begins.
const FIRST_VERSION: &str = "0.1.0";

/// Where the recipes of published charts are kept.
const RECIPES: &str = "seed-charts";

/// Writes the scaffold that the flags describe.
pub(super) fn run(
    arguments: NewArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let NewArguments { name, kind, image, from, version, app_version, dir, ca_file } = arguments;
    match (from, version) {
        (Some(from), Some(version)) => {
            let dir = dir.unwrap_or_else(|| PathBuf::from(RECIPES));
            write_recipe(&from, &name, &version, &dir, (ca_file, config), out)
        }
        (Some(_), None) => Err(CommandRefusal::Version("`--from` needs `--version`".to_owned())),
        (None, version) => {
            let text = version.map_or_else(|| FIRST_VERSION.to_owned(), |version| version.to_string());
            let version = strict(&text).map_err(CommandRefusal::Version)?;
            let scaffold = Scaffold::new(name, kind, version, app_version, image)?;
            let folder = scaffold.write(&dir.unwrap_or_else(|| PathBuf::from(".")))?;
            report::write_scaffolded(out, &folder, kind)?;
            Ok(0)
        }
    }
}

fn write_recipe(
    from: &Url,
    name: &ChartName,
    version: &ChartVersion,
    dir: &Path,
    (ca_file, config): (Option<PathBuf>, &Config),
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let fetcher = fetcher(ca_file, RETRIES, &[], config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let scaffold = runtime.block_on(RecipeScaffold::fetch(&fetcher, from, name, version))?;
    let folder = scaffold.write(dir)?;
    report::write_recipe(out, &folder, name, version)?;
    Ok(0)
}
