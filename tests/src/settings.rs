//! Which variables the server takes, asked of the program itself.
//! Rule: no list of settings is kept here.

use anyhow::Result;

use crate::binary;
use crate::environment::clean_command;
use crate::process::run;

/// Returns those of the given variables that the server would refuse as none of its settings.
///
/// # Errors
/// When the program cannot be started.
pub fn unknown_variables(names: &[String]) -> Result<Vec<String>> {
    let program = binary::chartroom()?;
    let mut unknown = Vec::new();
    for name in names {
        // The value may be refused as well: it is not what is asked.
        let outcome = run(clean_command(&program).arg("check-config").env(name, "0"))?;
        if (outcome.text() + &outcome.complaint()).contains(&format!("`{name}` is not a setting")) {
            unknown.push(name.clone());
        }
    }
    Ok(unknown)
}
