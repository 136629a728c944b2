//! Names of archive entries, turned into paths below the chart's base folder.
//!
//! The rules and their order are those of Helm's `LoadArchiveFiles`: a name it refuses is refused here.

/// Why an entry's name has no place in a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IllegalPath {
    /// The part below the base folder is absolute.
    #[error("it is absolute below the chart's folder")]
    Absolute,
    /// The entry lies beside the base folder, as the `._chart` files macOS adds.
    #[error("it is outside the chart's folder; pack the folder itself, without files beside it")]
    OutsideBase,
    /// The path climbs out of the base folder, or its first name begins with two dots.
    #[error("it begins with `..`")]
    Parent,
    /// The path begins with a Windows drive letter.
    #[error("it begins with a drive letter")]
    Drive,
    /// `Chart.yaml` is at the archive's root instead of in a folder.
    #[error("`Chart.yaml` must be inside a folder, not at the archive's root")]
    MetadataAtRoot,
}

/// Returns the path below the base folder of the entry called `name`: slashes only, cleaned, relative.
///
/// The first part of the name is the base folder, whatever it is called. A name with a backslash anywhere
/// uses backslashes as separators and keeps no slash as one (it comes from Windows).
///
/// # Errors
/// [`IllegalPath`] for every name that Helm refuses.
pub fn path_below_base(name: &str) -> Result<String, IllegalPath> {
    let separator = if name.contains('\\') { '\\' } else { '/' };
    let (base, below) = name.split_once(separator).unwrap_or((name, ""));
    if base == "Chart.yaml" {
        return Err(IllegalPath::MetadataAtRoot);
    }
    let below = below.replace(separator, "/");
    if below.starts_with('/') {
        return Err(IllegalPath::Absolute);
    }
    let path = clean(&below);
    if path.is_empty() {
        return Err(IllegalPath::OutsideBase);
    }
    if path.starts_with("..") {
        return Err(IllegalPath::Parent);
    }
    if has_drive_letter(&path) {
        return Err(IllegalPath::Drive);
    }
    Ok(path)
}

/// Returns a relative `path` without empty, `.` and resolvable `..` parts, empty for the folder itself.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn has_drive_letter(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_paths_below_the_base_folder() {
        for (name, path) in [
            ("chart/Chart.yaml", "Chart.yaml"),
            ("anything/templates/a.yaml", "templates/a.yaml"),
            ("./Chart.yaml", "Chart.yaml"),
            ("chart/./templates//a.yaml", "templates/a.yaml"),
            ("chart/templates/../Chart.yaml", "Chart.yaml"),
            ("/chart/Chart.yaml", "chart/Chart.yaml"),
            ("chart\\templates\\a.yaml", "templates/a.yaml"),
            ("chart\\templates/a.yaml", "templates/a.yaml"),
            ("chart/a b/ü.txt", "a b/ü.txt"),
            ("chart/templates/", "templates"),
            ("chart/.helmignore", ".helmignore"),
        ] {
            assert_eq!(path_below_base(name).as_deref(), Ok(path), "{name}");
        }
    }

    #[test]
    fn names_that_helm_refuses_are_refused() {
        for (name, reason) in [
            ("chart//etc/passwd", IllegalPath::Absolute),
            ("chart\\\\server", IllegalPath::Absolute),
            ("._chart", IllegalPath::OutsideBase),
            ("chart/", IllegalPath::OutsideBase),
            ("chart/.", IllegalPath::OutsideBase),
            ("chart/a/..", IllegalPath::OutsideBase),
            ("", IllegalPath::OutsideBase),
            ("chart/../outside", IllegalPath::Parent),
            ("chart/..data/x", IllegalPath::Parent),
            ("chart\\..\\outside", IllegalPath::Parent),
            ("chart/a/../../../b", IllegalPath::Parent),
            ("chart/c:/foo", IllegalPath::Drive),
            ("chart\\Z:\\foo", IllegalPath::Drive),
            ("Chart.yaml", IllegalPath::MetadataAtRoot),
            ("Chart.yaml/x", IllegalPath::MetadataAtRoot),
        ] {
            assert_eq!(path_below_base(name), Err(reason), "{name}");
        }
    }
}
