//! Makes a root file system of locked packages with mmdebstrap: the packages come from the vault by way of an archive
//! on disk, and nothing else is asked.

use std::fs;
use std::path::{Path, PathBuf};

use super::lock::LockedPackages;
use super::package_index::read_index;
use super::program::{Programs, Reach};
use super::refusal::ImageBuildRefusal;
use crate::vault::Vault;

/// Makes the root file system of `locked` for `architecture` (a Debian name) and returns its tar file, below `folder`.
///
/// # Errors
/// [`ImageBuildRefusal`] when the vault lacks a package or mmdebstrap fails.
pub(super) fn bootstrap(
    programs: &Programs,
    vault: &Vault,
    locked: &LockedPackages,
    architecture: &str,
    folder: &Path,
) -> Result<PathBuf, ImageBuildRefusal> {
    let archive = folder.join("archive");
    lay_out(vault, locked, &archive)?;
    let tar = folder.join("base.tar");
    let names: Vec<&str> = locked.packages.iter().map(|package| package.name.as_str()).collect();
    let arguments = [
        "--quiet",
        "--mode=root",
        "--variant=essential",
        // Nothing is lost with a build that fails: syncing each file would take most of the time.
        "--dpkgopt=force-unsafe-io",
        // The archive is in a folder that only the builder may read.
        "--aptopt=APT::Sandbox::User \"root\"",
        // A package that checks for a merged `/usr` wants it merged before it is unpacked.
        "--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr",
        &format!("--architectures={architecture}"),
        &format!("--include={}", names.join(",")),
        // No suite: the archive has no release file, only what was locked.
        "",
        &tar.display().to_string(),
        // Signatures were checked when the packages were locked; their digests are checked when the vault gives them.
        &format!("deb [trusted=yes] copy:{} ./", archive.display()),
    ]
    .map(str::to_owned);
    programs.run("mmdebstrap", &arguments, Reach::Files, "making the base")?;
    fs::remove_dir_all(&archive).map_err(ImageBuildRefusal::file(&archive))?;
    Ok(tar)
}

/// Writes the archive that apt is to read: the index, and each package where the index says it lies.
fn lay_out(vault: &Vault, locked: &LockedPackages, archive: &Path) -> Result<(), ImageBuildRefusal> {
    let write = |path: &Path, bytes: &[u8]| {
        let parent = path.parent().unwrap_or(archive);
        fs::create_dir_all(parent).map_err(ImageBuildRefusal::file(parent))?;
        fs::write(path, bytes).map_err(ImageBuildRefusal::file(path))
    };
    let index = vault.get(&locked.index)?;
    write(&archive.join("Packages"), &index)?;
    for entry in read_index(&String::from_utf8_lossy(&index))? {
        write(&archive.join(&entry.file_name), &vault.get(&entry.package.digest)?)?;
    }
    Ok(())
}
