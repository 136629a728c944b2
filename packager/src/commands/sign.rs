//! `chartpack sign`: writes provenance files, all or none, or checks those that are there.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::CommandRefusal;
use crate::cli::SignArguments;
use crate::config::Config;
use crate::report::{self, Signed, SignedState};
use crate::sign::{Passphrase, SecretKey, SignableArchive, public_half};
use crate::target::Staged;

/// Signs or checks what the flags name.
pub(super) fn run(
    arguments: SignArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let SignArguments { archives, key, passphrase_file, out: folder, check, output } = arguments;
    let archives: Vec<(PathBuf, Vec<u8>)> =
        archives.into_iter().map(|path| read(&path).map(|bytes| (path, bytes))).collect::<Result<_, _>>()?;
    let place = |archive: &Path| provenance_of(archive, folder.as_deref());
    if check {
        let keys = public_half(&read(&key)?);
        let name = key.display().to_string();
        let mut checked = Vec::new();
        for (path, bytes) in &archives {
            let archive = SignableArchive::read(path, bytes)?;
            let provenance = place(path);
            let state = match std::fs::read(&provenance) {
                Ok(text) => match archive.check(&text, (&name, &keys)) {
                    Ok(signer) => SignedState::Good { signer },
                    Err(refusal) => SignedState::Refused { reason: refusal.to_string() },
                },
                Err(reason) => SignedState::Refused { reason: format!("it cannot be read: {reason}") },
            };
            checked.push(Signed { provenance, state });
        }
        report::write_signed(out, &checked, output)?;
        return Ok(u8::from(checked.iter().any(Signed::is_refused)));
    }
    refuse_same_file(&archives, &place)?;
    let key = read_key(&key, passphrase_file.as_deref(), config)?;
    let items: Vec<_> = archives.iter().map(|(path, bytes)| (path.as_path(), bytes.as_slice())).collect();
    let made = provenances(&key, &items, &place)?;
    let signed = write(made)?;
    report::write_signed(out, &signed, output)?;
    Ok(0)
}

/// Archives of one name from two folders would share a provenance file in `--out-dir`.
fn refuse_same_file(
    archives: &[(PathBuf, Vec<u8>)],
    place: &impl Fn(&Path) -> PathBuf,
) -> Result<(), CommandRefusal> {
    for (at, (second, _)) in archives.iter().enumerate() {
        let same = archives.iter().take(at).find(|(first, _)| place(first) == place(second));
        if let Some((first, _)) = same.filter(|(first, _)| first != second) {
            let file_name = place(second).display().to_string();
            return Err(CommandRefusal::SameFile { first: first.clone(), second: second.clone(), file_name });
        }
    }
    Ok(())
}

/// A provenance file to write; nothing when the one there is good.
pub(super) struct Made {
    path: PathBuf,
    text: Option<String>,
}

/// Reads the signing key, and unlocks it for a try.
///
/// # Errors
/// [`CommandRefusal::File`] or [`CommandRefusal::SigningKey`].
pub(super) fn read_key(
    key: &Path,
    passphrase_file: Option<&Path>,
    config: &Config,
) -> Result<SecretKey, CommandRefusal> {
    let of_file = |path: &Path| read(path).map(|bytes| Passphrase::new(&String::from_utf8_lossy(&bytes)));
    let passphrase = passphrase_file.map(of_file).transpose()?.or_else(|| config.signing_passphrase.clone());
    Ok(SecretKey::read(&key.display().to_string(), &read(key)?, passphrase.as_ref())?)
}

/// Signs archives, given by file and bytes, whose provenance at its `place` is missing or not good.
///
/// # Errors
/// [`CommandRefusal::Sign`].
pub(super) fn provenances(
    key: &SecretKey,
    archives: &[(&Path, &[u8])],
    place: &dyn Fn(&Path) -> PathBuf,
) -> Result<Vec<Made>, CommandRefusal> {
    let public = key.public_half()?;
    let made = archives.iter().map(|(path, bytes)| {
        let archive = SignableArchive::read(path, bytes)?;
        let path = place(path);
        let is_good =
            std::fs::read(&path).is_ok_and(|text| archive.check(&text, ("the signing key", &public)).is_ok());
        let text = if is_good { None } else { Some(archive.sign(key)?) };
        Ok(Made { path, text })
    });
    made.collect()
}

/// Writes provenance files: first all of them under other names, then under their own.
///
/// # Errors
/// [`CommandRefusal::File`]; up to the first new name the folders are as they were.
pub(super) fn write(made: Vec<Made>) -> Result<Vec<Signed>, CommandRefusal> {
    let failed = |path: &Path, reason| CommandRefusal::File { path: path.to_owned(), reason };
    let (mut staged, mut signed) = (Vec::new(), Vec::new());
    for Made { path, text } in made {
        let state = if text.is_some() { SignedState::Written } else { SignedState::Unchanged };
        if let Some(text) = text {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(|reason| failed(folder, reason))?;
            }
            let file = Staged::write(&path, text.as_bytes()).map_err(|reason| failed(&path, reason))?;
            staged.extend(file.map(|file| (path.clone(), file)));
        }
        signed.push(Signed { provenance: path, state });
    }
    for (path, file) in staged {
        file.reveal(&path).map_err(|reason| failed(&path, reason))?;
    }
    Ok(signed)
}

/// Returns where the provenance of an archive belongs: beside it, or in `folder`.
pub(super) fn provenance_of(archive: &Path, folder: Option<&Path>) -> PathBuf {
    let name = format!("{}.prov", archive.file_name().unwrap_or_default().to_string_lossy());
    match folder {
        Some(folder) => folder.join(name),
        None => archive.with_file_name(name),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CommandRefusal> {
    std::fs::read(path).map_err(|reason| CommandRefusal::File { path: path.to_owned(), reason })
}
