//! The files that a Containerfile may copy: gathered once when the image is locked, laid out the same on every machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use oci::Digest;

use super::containerfile::{self, Foundation};
use super::lock::LockedContextFile;
use super::program::Programs;
use super::recipe::{ContextFile, ImageRecipe};
use super::refusal::ImageBuildRefusal;
use crate::source::read_bounded;
use crate::upstream::Fetcher;
use crate::vault::Vault;

/// The largest file of a build context.
const FILE_BYTES: u64 = 512 << 20;

/// Keeps the Containerfile, checked, and all files of the context in the vault.
///
/// # Errors
/// [`ImageBuildRefusal`] when one is not there, or not the one that the recipe means.
pub(super) fn gather(
    recipe: &ImageRecipe,
    folder: &Path,
    vault: &Vault,
    upstream: (&Programs, &Fetcher),
) -> Result<Vec<LockedContextFile>, ImageBuildRefusal> {
    let path = folder.join(&recipe.containerfile);
    let text = read_bounded(&path, 1 << 20)?;
    checked(&path, &text)?;
    let own = ContextFile { path: recipe.containerfile.clone(), remote: None };
    let files = [&own].into_iter().chain(&recipe.files);
    files.map(|file| keep(file, folder, vault, upstream)).collect()
}

fn checked(path: &Path, text: &[u8]) -> Result<Foundation, ImageBuildRefusal> {
    containerfile::check(&String::from_utf8_lossy(text))
        .map_err(|problem| ImageBuildRefusal::Containerfile { path: path.to_owned(), problem })
}

fn keep(
    file: &ContextFile,
    folder: &Path,
    vault: &Vault,
    (programs, fetcher): (&Programs, &Fetcher),
) -> Result<LockedContextFile, ImageBuildRefusal> {
    let path = file.path.to_string_lossy().into_owned();
    let Some((url, digest)) = &file.remote else {
        return Ok(LockedContextFile {
            digest: vault.put(&read_bounded(&folder.join(&file.path), FILE_BYTES)?)?,
            ..described(folder, &path)?
        });
    };
    if vault.get(digest).is_err() {
        let limit = usize::try_from(FILE_BYTES).unwrap_or(usize::MAX);
        let bytes = programs.wait(fetcher.get(url, limit))??;
        let found = Digest::sha256(&bytes);
        if found != *digest {
            return Err(ImageBuildRefusal::WrongDigest {
                what: url.to_string(),
                expected: digest.clone(),
                found,
            });
        }
        vault.put(&bytes)?;
    }
    Ok(LockedContextFile { path, digest: digest.clone(), executable: false })
}

/// Returns a file beside the recipe as a lock has it now.
///
/// # Errors
/// [`ImageBuildRefusal`] when it cannot be read.
pub(super) fn described(folder: &Path, path: &str) -> Result<LockedContextFile, ImageBuildRefusal> {
    let at = folder.join(path);
    let digest = Digest::sha256(&read_bounded(&at, FILE_BYTES)?);
    let metadata = fs::metadata(&at).map_err(ImageBuildRefusal::file(&at))?;
    let executable = metadata.permissions().mode() & 0o100 != 0;
    Ok(LockedContextFile { path: path.to_owned(), digest, executable })
}

/// Where the files of a build were laid out.
#[derive(Debug)]
pub(super) struct LaidOut {
    /// What the image stands on, as the Containerfile says.
    pub(super) foundation: Foundation,
    /// The folder with the files that may be copied.
    pub(super) context: PathBuf,
    /// The Containerfile, which is not among them.
    pub(super) containerfile: PathBuf,
}

/// Lays the locked files out below `work`, with permissions that follow from the lock and not from the umask.
///
/// # Errors
/// [`ImageBuildRefusal`] when the vault lacks one or it cannot be written.
pub(super) fn lay_out(
    files: &[LockedContextFile],
    recipe: &ImageRecipe,
    vault: &Vault,
    work: &Path,
) -> Result<LaidOut, ImageBuildRefusal> {
    let (context, containerfile) = (work.join("context"), work.join("Containerfile"));
    make_folder(&context, 0o755)?;
    for file in files {
        let is_containerfile = Path::new(&file.path) == recipe.containerfile;
        let target = if is_containerfile { containerfile.clone() } else { context.join(&file.path) };
        let mut folder = context.clone();
        for part in Path::new(&file.path).parent().into_iter().flatten().filter(|_| !is_containerfile) {
            folder.push(part);
            make_folder(&folder, 0o755)?;
        }
        fs::write(&target, vault.get(&file.digest)?).map_err(ImageBuildRefusal::file(&target))?;
        let mode = if file.executable { 0o755 } else { 0o644 };
        fs::set_permissions(&target, fs::Permissions::from_mode(mode))
            .map_err(ImageBuildRefusal::file(&target))?;
    }
    let text = fs::read(&containerfile).map_err(ImageBuildRefusal::file(&containerfile))?;
    Ok(LaidOut { foundation: checked(&containerfile, &text)?, context, containerfile })
}

/// Makes a folder, unless it is there, with exactly these permissions.
///
/// # Errors
/// [`ImageBuildRefusal::File`].
pub(super) fn make_folder(path: &Path, mode: u32) -> Result<(), ImageBuildRefusal> {
    fs::create_dir_all(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
        .map_err(ImageBuildRefusal::file(path))
}
