//! `chartpack pack`: packs charts, then writes all archives or none.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use super::CommandRefusal;
use crate::build::{Overrides, Packed};
use crate::cli::{Output, PackArguments};
use crate::config::Config;
use crate::pack::{PackSettings, pack};
use crate::report;
use crate::target::write_whole;

/// Packs what the flags name.
pub(super) fn run(
    arguments: PackArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let PackArguments { sources, out: folder, version, app_version, dry_run, output } = arguments;
    let settings = PackSettings {
        overrides: Overrides { version, app_version },
        modified_seconds: config.modified_seconds,
    };
    let mut by_file: BTreeMap<String, &Path> = BTreeMap::new();
    let mut packed: Vec<Packed> = Vec::new();
    for source in &sources {
        let one = pack(source, &settings)?;
        if let Some(first) = by_file.insert(one.chart.file_name.clone(), source) {
            let file_name = one.chart.file_name;
            return Err(CommandRefusal::SameFile {
                first: first.to_owned(),
                second: source.clone(),
                file_name,
            });
        }
        packed.push(one);
    }
    let listed: Vec<&Packed> = packed.iter().collect();
    if !dry_run {
        fs::create_dir_all(&folder)
            .map_err(|reason| CommandRefusal::File { path: folder.clone(), reason })?;
        for Packed { chart, .. } in &packed {
            let path = folder.join(&chart.file_name);
            write_whole(&path, &chart.bytes).map_err(|reason| CommandRefusal::File { path, reason })?;
        }
    } else if output == Output::Text {
        report::write_edits(out, &listed)?;
    }
    report::write_packed(out, &folder, &listed, !dry_run, output)?;
    Ok(0)
}
