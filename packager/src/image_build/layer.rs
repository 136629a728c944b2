//! Layers that follow from their content alone: entries sorted, one time for all, nothing that the building machine made.
//!
//! The normal form is ours, not the builder's: the same files give the same bytes whatever program gathered them.

mod entry;
mod machine_made;
mod order;
mod reader;
mod writer;

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use oci::{Algorithm, Descriptor, Digest, Digester};

pub(super) use self::entry::{LayerEntry, Substance};
pub(super) use self::reader::read_entries;
use super::refusal::ImageBuildRefusal;

/// The media type of layers as they are written here.
pub(super) const GZIP_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// How hard layers are compressed. Another level, like another compressor, would be another digest.
const LEVEL: u32 = 6;

/// A layer in its normal form.
#[derive(Debug)]
pub(super) struct Layer {
    /// The digest of the uncompressed bytes.
    pub(super) diff_id: Digest,
    /// The compressed bytes' type, digest and length.
    pub(super) descriptor: Descriptor,
    /// The file with the compressed bytes.
    pub(super) path: PathBuf,
}

/// Writes the uncompressed tar file at `tar` in its normal form, compressed, to `target`.
///
/// # Errors
/// [`ImageBuildRefusal`] when it cannot be read or written, or holds what a layer cannot.
pub(super) fn normalise(
    tar: &Path,
    target: &Path,
    modified_seconds: u64,
) -> Result<Layer, ImageBuildRefusal> {
    let mut source = File::open(tar).map_err(ImageBuildRefusal::file(tar))?;
    let entries = read_entries(&mut BufReader::new(&source)).map_err(ImageBuildRefusal::Layer)?;
    let entries = order::sorted(machine_made::without(entries));
    let failed = |reason| ImageBuildRefusal::File { path: target.to_owned(), reason };
    let file = BufWriter::new(File::create(target).map_err(failed)?);
    let compressed = Tee { sink: file, digester: Digester::new(Algorithm::Sha256), size: 0 };
    let gzip = GzEncoder::new(compressed, Compression::new(LEVEL));
    let mut plain = Tee { sink: gzip, digester: Digester::new(Algorithm::Sha256), size: 0 };
    for entry in &entries {
        writer::write_head(&mut plain, entry, modified_seconds).map_err(failed)?;
        if let Substance::File { offset, size } = entry.substance {
            source.seek(SeekFrom::Start(offset)).map_err(ImageBuildRefusal::file(tar))?;
            let copied = std::io::copy(&mut (&source).take(size), &mut plain).map_err(failed)?;
            if copied != size {
                return Err(ImageBuildRefusal::Layer(format!("`{}` is cut off", entry.shown())));
            }
            writer::write_padding(&mut plain, size).map_err(failed)?;
        }
    }
    writer::write_end(&mut plain).map_err(failed)?;
    let Tee { sink: gzip, digester, .. } = plain;
    let Tee { mut sink, digester: of_compressed, size } = gzip.finish().map_err(failed)?;
    sink.flush().map_err(failed)?;
    let descriptor = Descriptor::new(GZIP_LAYER, of_compressed.finish(), size);
    Ok(Layer { diff_id: digester.finish(), descriptor, path: target.to_owned() })
}

/// Opens a compressed or plain layer for reading; nothing when its compression is one that is not known here.
///
/// # Errors
/// The system's.
pub(super) fn open(path: &Path, media_type: &str) -> std::io::Result<Option<Box<dyn Read>>> {
    let file = BufReader::new(File::open(path)?);
    if media_type.ends_with("+gzip") || media_type.ends_with(".tar.gzip") {
        Ok(Some(Box::new(GzDecoder::new(file))))
    } else if media_type.ends_with(".tar") {
        Ok(Some(Box::new(file)))
    } else {
        Ok(None)
    }
}

/// Digests what passes through.
struct Tee<W> {
    sink: W,
    digester: Digester,
    size: u64,
}

impl<W: Write> Write for Tee<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.sink.write(bytes)?;
        self.digester.update(bytes.get(..written).unwrap_or_default());
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.sink.flush()
    }
}

#[cfg(test)]
mod tests;
