//! What the building machine leaves in a file system and no image should carry: logs, caches, locks, names of the machine,
//! device nodes. It would differ from build to build, or tell of the machine.

use super::entry::{LayerEntry, Substance};

/// Folders that the container's own start fills: nothing below them goes along.
const MOUNTED: [&[u8]; 3] = [b"dev/", b"proc/", b"sys/"];

/// Folders whose folders go along, with owners and modes, but nothing else in them.
const SCRATCH: [&[u8]; 6] =
    [b"run/", b"tmp/", b"var/tmp/", b"var/log/", b"var/cache/", b"var/lib/apt/lists/"];

/// Files that say where or when an image was built, or that only a machine in use has.
const FILES: [&[u8]; 15] = [
    b"etc/.pwd.lock",
    b"etc/apt/apt.conf.d/99mmdebstrap",
    b"etc/apt/sources.list",
    b"etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    b"etc/hostname",
    b"etc/hosts",
    b"etc/machine-id",
    b"etc/resolv.conf",
    b"var/lib/apt/extended_states",
    b"var/lib/dbus/machine-id",
    b"var/lib/dpkg/lock",
    b"var/lib/dpkg/lock-frontend",
    b"var/lib/dpkg/triggers/Lock",
    b"var/lib/systemd/random-seed",
    b"var/lib/dpkg/available",
];

/// Returns the entries that go along. What says that something of a layer below is gone always does.
pub(super) fn without(mut entries: Vec<LayerEntry>) -> Vec<LayerEntry> {
    entries.retain(|entry| !is_machine_made(entry));
    entries
}

fn is_machine_made(entry: &LayerEntry) -> bool {
    let path = entry.path.as_slice();
    let below = |folders: &[&[u8]]| folders.iter().any(|folder| path.starts_with(folder));
    if entry.substance == Substance::Device || below(&MOUNTED) {
        return true;
    }
    if entry.is_whiteout() || entry.substance == Substance::Folder {
        return false;
    }
    let is_old_copy = path.starts_with(b"var/lib/dpkg/") && path.ends_with(b"-old");
    below(&SCRATCH) || FILES.contains(&path) || is_old_copy
}
