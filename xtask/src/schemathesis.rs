//! schemathesis, which tries the admin API with whatever its document allows and
//! forbids: installed once, into a virtual environment below the target folder.

use std::path::Path;

use anyhow::{Result, bail};

use crate::{command, pip, place};

/// Tried with this one; others check other things.
const REQUIREMENT: &str = "schemathesis==4.32.5";

/// Installs it. Outside of CI a machine may do without: the test that needs it
/// says that it was skipped.
pub(crate) fn prepare() -> Result<()> {
    let folder = place::target()?.join("tools/schemathesis");
    match install(&folder) {
        Err(error) if std::env::var_os("CI").is_none() => {
            eprintln!("no schemathesis, so the test of the admin API by it is skipped: {error:#}");
            // Half of one would be taken for it.
            let _ = std::fs::remove_dir_all(&folder);
            Ok(())
        }
        result => result,
    }
}

fn install(folder: &Path) -> Result<()> {
    let done = folder.join("installed");
    if std::fs::read_to_string(&done).is_ok_and(|present| present == REQUIREMENT) {
        return Ok(());
    }
    if !command::exists("python3") {
        bail!("there is no `python3` on the path");
    }
    eprintln!("Installing {REQUIREMENT} with pip.");
    pip::install(folder, &["--clear"], &[REQUIREMENT.as_ref()])?;
    std::fs::write(done, REQUIREMENT)?;
    Ok(())
}
