//! The icon that a chart carries, so that no catalogue has to fetch it from the internet.

/// The largest icon that is carried, in bytes. It is in every copy of the chart.
const LARGEST: usize = 1024 * 1024;

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Icon {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    extension: &'static str,
}

/// Why bytes are no icon.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnknownIcon {
    /// None of the formats that browsers show.
    #[error("it is neither SVG, PNG, JPEG, GIF nor WebP: a web page in its place? name another `icon`")]
    Format,
    /// Too large to go along with every copy of the chart.
    #[error("it has {0} bytes, and an icon may have {LARGEST}: name a smaller one")]
    TooLarge(usize),
}

impl Icon {
    /// Takes the bytes of a picture.
    ///
    /// # Errors
    /// [`UnknownIcon`].
    pub(crate) fn of(bytes: Vec<u8>) -> Result<Self, UnknownIcon> {
        if bytes.len() > LARGEST {
            return Err(UnknownIcon::TooLarge(bytes.len()));
        }
        let extension = extension_of(&bytes).ok_or(UnknownIcon::Format)?;
        Ok(Self { bytes, extension })
    }

    /// Returns the name of its file at the top of the chart.
    pub(crate) fn file_name(&self) -> String {
        format!("icon.{}", self.extension)
    }
}

fn extension_of(bytes: &[u8]) -> Option<&'static str> {
    let starts: [(&[u8], &str); 4] =
        [(b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"), (b"GIF8", "gif"), (b"RIFF", "webp")];
    if let Some((_, extension)) = starts.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Some(extension);
    }
    let text = str::from_utf8(bytes).ok()?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_markup =
        text.starts_with("<?xml") || text.starts_with("<!--") || text.starts_with("<!DOCTYPE svg");
    (text.starts_with("<svg") || (is_markup && text.contains("<svg"))).then_some("svg")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_bytes() {
        let table: [(&[u8], Option<&str>); 6] = [
            (b"\x89PNG\r\n\x1a\n...", Some("icon.png")),
            (b"<?xml version='1.0'?>\n<svg/>", Some("icon.svg")),
            (b" <svg xmlns='x'/>", Some("icon.svg")),
            (b"<!doctype html><html>404</html>", None),
            (b"<?xml version='1.0'?><html/>", None),
            (b"", None),
        ];
        for (bytes, name) in table {
            let icon = Icon::of(bytes.to_vec());
            assert_eq!(icon.ok().map(|icon| icon.file_name()).as_deref(), name, "{bytes:?}");
        }
        assert!(matches!(Icon::of(vec![0; LARGEST + 1]), Err(UnknownIcon::TooLarge(_))));
    }
}
