//! The disk's own floor: what making a file and a log entry durable costs without any server.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};

use crate::place::Place;

/// A folder that files are made durable in.
#[derive(Debug)]
pub(crate) struct Disk {
    place: Place,
    written: usize,
}

impl Disk {
    /// Begins on the disk that the servers work on.
    ///
    /// # Errors
    /// When no folder can be made.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { place: Place::new()?, written: 0 })
    }

    /// Makes each file and an entry of a log durable, `writers` at once, and returns how many seconds that took.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn seconds(&mut self, files: &[Vec<u8>], writers: usize) -> Result<f64> {
        let begun = Instant::now();
        let share = files.len().div_ceil(writers).max(1);
        let first = self.written;
        thread::scope(|scope| {
            let writers: Vec<_> = files
                .chunks(share)
                .enumerate()
                .map(|(writer, files)| {
                    let folder = self.place.folder().join(format!("writer-{writer}"));
                    scope.spawn(move || write_all(folder, first, files))
                })
                .collect();
            writers
                .into_iter()
                .try_for_each(|writer| writer.join().map_err(|_| anyhow!("a writer panicked"))?)
        })?;
        self.written += files.len();
        Ok(begun.elapsed().as_secs_f64())
    }
}

/// The least that keeps a published chart through a crash: the file synced, renamed into a folder that is synced, and
/// one synced entry in a log that says that it counts.
fn write_all(folder: PathBuf, first: usize, files: &[Vec<u8>]) -> Result<()> {
    let (staging, kept) = (folder.join("staging"), folder.join("kept"));
    fs::create_dir_all(&staging)?;
    fs::create_dir_all(&kept)?;
    let mut log = File::options().create(true).append(true).open(folder.join("log"))?;
    for (number, bytes) in files.iter().enumerate() {
        let staged = staging.join("file");
        let mut file = File::create(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&staged, kept.join((first + number).to_string()))?;
        File::open(&kept)?.sync_all()?;
        log.write_all(bytes)?;
        log.sync_data()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_kept_under_a_name_of_its_own() {
        let mut disk = Disk::new().unwrap();
        for _ in 0..2 {
            assert!(disk.seconds(&[b"one".to_vec(), b"two".to_vec(), b"three".to_vec()], 2).unwrap() > 0.0);
        }
        let kept =
            |writer: &str| fs::read_dir(disk.place.folder().join(writer).join("kept")).unwrap().count();
        assert_eq!((kept("writer-0"), kept("writer-1")), (4, 2));
    }
}
