//! What is installed in an image, as its own package database says (`/var/lib/dpkg/status`, Debian policy, chapter 5).

use std::io::Read;

use oci::Descriptor;
use oci::layout::Layout;

use super::layer::{self, Substance, read_entries};
use super::package_index::field_of;
use super::refusal::ImageBuildRefusal;

const STATUS: &[u8] = b"var/lib/dpkg/status";

/// A package that is installed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct InstalledPackage {
    /// Its name.
    pub(super) name: String,
    /// Its version.
    pub(super) version: String,
    /// Its architecture, or `all`.
    pub(super) architecture: String,
}

/// What is known of an image's packages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PackageDatabase {
    /// The packages, sorted.
    pub(super) packages: Vec<InstalledPackage>,
    /// The distribution, as its `os-release` names it, with its version's name: `debian-12`.
    pub(super) distribution: Option<String>,
}

/// Reads the package database of an image: that of its highest layer which has one.
///
/// # Errors
/// [`ImageBuildRefusal`] when a layer cannot be read. A layer in a compression that is unknown here is passed over.
pub(super) fn read_database(
    layout: &Layout,
    layers: &[Descriptor],
) -> Result<PackageDatabase, ImageBuildRefusal> {
    let mut database = PackageDatabase::default();
    let (mut has_packages, mut has_distribution) = (false, false);
    for descriptor in layers.iter().rev() {
        let Some(plain) = unpacked(layout, descriptor)? else { continue };
        for entry in read_entries(&mut plain.as_slice()).map_err(ImageBuildRefusal::Layer)? {
            let Substance::File { offset, size } = entry.substance else { continue };
            let content = || {
                let begin = usize::try_from(offset).unwrap_or(usize::MAX);
                let end = begin.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
                String::from_utf8_lossy(plain.get(begin..end).unwrap_or_default()).into_owned()
            };
            match entry.path.as_slice() {
                STATUS if !has_packages => {
                    has_packages = true;
                    database.packages = read_status(&content());
                }
                b"usr/lib/os-release" if !has_distribution => {
                    has_distribution = true;
                    database.distribution = read_release(&content());
                }
                _ => {}
            }
        }
    }
    Ok(database)
}

fn unpacked(layout: &Layout, descriptor: &Descriptor) -> Result<Option<Vec<u8>>, ImageBuildRefusal> {
    let blob =
        layout.root().join("blobs").join(descriptor.digest.algorithm().name()).join(descriptor.digest.hex());
    let Some(mut stream) =
        layer::open(&blob, &descriptor.media_type).map_err(ImageBuildRefusal::file(&blob))?
    else {
        return Ok(None);
    };
    let mut plain = Vec::new();
    stream.read_to_end(&mut plain).map_err(ImageBuildRefusal::file(&blob))?;
    Ok(Some(plain))
}

fn read_status(text: &str) -> Vec<InstalledPackage> {
    let entries =
        text.split("\n\n").filter(|entry| field_of(entry, "Status") == Some("install ok installed"));
    let mut packages: Vec<_> = entries
        .filter_map(|entry| {
            let field = |name| field_of(entry, name).map(str::to_owned);
            Some(InstalledPackage {
                name: field("Package")?,
                version: field("Version")?,
                architecture: field("Architecture")?,
            })
        })
        .collect();
    packages.sort();
    packages
}

fn read_release(text: &str) -> Option<String> {
    let field = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        Some(value.trim_matches('"').to_owned())
    };
    Some(format!("{}-{}", field("ID")?, field("VERSION_ID")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_installed_packages_count() {
        let status = "Package: b\nStatus: install ok installed\nVersion: 1:2-3\nArchitecture: all\n\n\
            Package: gone\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n\n\
            Package: a\nStatus: install ok installed\nVersion: 2\nArchitecture: amd64\nDescription: x\n Version: 9\n";
        let names: Vec<_> =
            read_status(status).into_iter().map(|one| format!("{} {}", one.name, one.version)).collect();
        assert_eq!(names, ["a 2", "b 1:2-3"]);
    }

    #[test]
    fn the_distribution_is_read() {
        let release = "PRETTY_NAME=\"Debian\"\nVERSION_ID=\"12\"\nID=debian\nID_LIKE=x\n";
        assert_eq!(read_release(release).as_deref(), Some("debian-12"));
        assert_eq!(read_release("ID=debian\n"), None);
    }
}
