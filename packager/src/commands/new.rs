//! `chartpack new`: scaffolds a chart.

use std::io::Write;

use super::CommandRefusal;
use crate::cli::NewArguments;
use crate::report;
use crate::scaffold::Scaffold;

/// Writes the scaffold that the flags describe.
pub(super) fn run(arguments: NewArguments, out: &mut dyn Write) -> Result<u8, CommandRefusal> {
    let NewArguments { name, kind, image, version, app_version, dir } = arguments;
    let scaffold = Scaffold::new(name, kind, version, app_version, image)?;
    let folder = scaffold.write(&dir)?;
    report::write_scaffolded(out, &folder, kind)?;
    Ok(0)
}
