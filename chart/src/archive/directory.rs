//! Packing a chart's folder, with the files that `helm package` would take and in its order.
//!
//! Links are followed as Helm follows them; what they lead to must be a regular file or a folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{
    ArchiveError, ArchiveFile, IgnoreRules, Limits, PackError, PackOptions, PackedChart, pack_files,
};

/// Packs the chart in the folder `chart`, without the files its `.helmignore` names.
///
/// # Errors
/// [`PackError`] for a folder that Helm would not pack, or whose archive it would not load.
pub fn pack_directory(chart: &Path, options: &PackOptions) -> Result<PackedChart, PackError> {
    pack_files(read_directory(chart)?, options)
}

/// Returns the files of the chart in the folder `chart` that `helm package` would take, in lexical order. Whether they
/// make a chart is not looked at: dependencies may still be missing.
///
/// # Errors
/// [`PackError`] for what cannot be read, and for what is too large for any chart.
pub fn read_directory(chart: &Path) -> Result<Vec<ArchiveFile>, PackError> {
    let root = resolve(chart)?;
    let mut folder =
        Folder { rules: read_rules(&root)?, around: Vec::new(), files: Vec::new(), total_bytes: 0 };
    folder.collect(&root, "")?;
    Ok(folder.files)
}

/// A chart's folder while its files are collected.
struct Folder {
    rules: IgnoreRules,
    /// The resolved folders around the one being read.
    around: Vec<PathBuf>,
    files: Vec<ArchiveFile>,
    total_bytes: u64,
}

impl Folder {
    /// Collects the files below `folder`, whose path relative to the chart is `path`, in lexical order.
    fn collect(&mut self, folder: &Path, path: &str) -> Result<(), PackError> {
        if self.around.iter().any(|around| around == folder) {
            return Err(PackError::LinkCycle { path: path.to_owned() });
        }
        self.around.push(folder.to_owned());
        for name in sorted_names(folder)? {
            let separator = if path.is_empty() { "" } else { "/" };
            self.collect_entry(folder, &format!("{path}{separator}{name}"), &name)?;
        }
        self.around.pop();
        Ok(())
    }

    fn collect_entry(&mut self, folder: &Path, path: &str, name: &str) -> Result<(), PackError> {
        let target = resolve(&folder.join(name))?;
        let kind =
            fs::metadata(&target).map_err(|reason| PackError::Read { path: target.clone(), reason })?;
        if self.rules.ignores(path, kind.is_dir()) {
            return Ok(());
        }
        if kind.is_dir() {
            return self.collect(&target, path);
        }
        if !kind.is_file() {
            return Err(PackError::IrregularFile { path: path.to_owned() });
        }
        let bytes = self.read_file(&target, path)?;
        self.files.push(ArchiveFile { path: path.to_owned(), bytes });
        Ok(())
    }

    /// Reads one file; stops as soon as it, or all files together, have more bytes than an archive may hold, since
    /// the folder may be a mistake as large as `/`.
    fn read_file(&mut self, target: &Path, path: &str) -> Result<Vec<u8>, PackError> {
        let limits = Limits::default();
        let mut bytes = Vec::new();
        File::open(target)
            .and_then(|file| file.take(limits.file_bytes + 1).read_to_end(&mut bytes))
            .map_err(|reason| PackError::Read { path: target.to_owned(), reason })?;
        let size = bytes.len() as u64;
        self.total_bytes += size;
        if size > limits.file_bytes {
            return Err(PackError::FileTooLarge { path: path.to_owned(), limit: limits.file_bytes });
        }
        if self.total_bytes >= limits.unpacked_bytes {
            let limit = limits.unpacked_bytes;
            return Err(ArchiveError::UnpackedTooLarge { entry: path.to_owned(), limit }.into());
        }
        Ok(bytes)
    }
}

/// Reads the `.helmignore` at the chart's root; those further down are plain files.
fn read_rules(root: &Path) -> Result<IgnoreRules, PackError> {
    let path = root.join(".helmignore");
    match fs::read(&path) {
        Ok(bytes) => Ok(IgnoreRules::parse(&bytes)?),
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => Ok(IgnoreRules::built_in()),
        Err(reason) => Err(PackError::Read { path, reason }),
    }
}

/// Returns the names in a folder in the order of their bytes.
fn sorted_names(folder: &Path) -> Result<Vec<String>, PackError> {
    let unreadable = |reason| PackError::Read { path: folder.to_owned(), reason };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name().into_string();
        names
            .push(name.map_err(|name| PackError::NameNotText { path: name.to_string_lossy().into_owned() })?);
    }
    names.sort_unstable();
    Ok(names)
}

/// Returns a path without links in it.
fn resolve(path: &Path) -> Result<PathBuf, PackError> {
    path.canonicalize().map_err(|reason| PackError::Read { path: path.to_owned(), reason })
}
