//! Reading files under a limit: a recipe may name one of 2 GB, by mistake or not.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::SourceError;

/// Returns the bytes of the file at `path`, which may have at most `limit`.
///
/// # Errors
/// [`SourceError::TooLarge`] after reading `limit` bytes, or [`SourceError::Unreadable`].
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, SourceError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|reason| SourceError::Unreadable { path: path.to_owned(), reason })?;
    if bytes.len() as u64 > limit {
        return Err(SourceError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_the_limit_is_refused_without_being_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("values.yaml");
        File::create(&path).unwrap().set_len(2 << 30).unwrap();
        assert!(matches!(read_bounded(&path, 5 << 20), Err(SourceError::TooLarge { .. })));
        File::create(&path).unwrap().set_len(5 << 20).unwrap();
        assert_eq!(read_bounded(&path, 5 << 20).unwrap().len(), 5 << 20);
    }
}
