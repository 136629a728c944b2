//! What a traced server did to its files before it acknowledged a publish.
//! Rule: a pure function from the text of `strace -f -y` to the steps that are missing.

use std::collections::HashMap;

/// The system calls a trace must hold.
pub const TRACED_CALLS: &str = "trace=write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,\
fsync,fdatasync,rename,renameat,renameat2,link,linkat,mkdir,mkdirat";

/// One thing a trace shows, in the order it was finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Bytes went into a file.
    Written(String),
    /// A file or a folder was synced.
    Synced(String),
    /// A name was given to a file: from, to.
    Named(String, String),
    /// A folder was made.
    FolderMade(String),
    /// A 201 was sent: the publish is acknowledged.
    Acknowledged,
}

/// A step that was missing before a publish was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// No file was moved to its final name.
    NoFinalName,
    /// The file's bytes were not synced before it got its final name.
    FileNotSynced,
    /// The folder that got the name was not synced after it.
    FolderNotSynced,
    /// A folder was made on the way and the one that holds it was not synced.
    ParentNotSynced,
    /// Nothing was written to the database's log.
    NoLogWritten,
    /// The log was not synced after its last write, or was synced before the file was safe.
    LogNotSynced,
}

/// Returns what is missing before each acknowledged publish, by its number. `is_final` knows the final names.
pub fn find_gaps(events: &[Event], is_final: impl Fn(&str) -> bool) -> Vec<(usize, Gap)> {
    let mut gaps = Vec::new();
    let publishes = events.split_inclusive(|event| *event == Event::Acknowledged);
    for (number, steps) in publishes.filter(|steps| steps.last() == Some(&Event::Acknowledged)).enumerate() {
        gaps.extend(gaps_of_one(steps, &is_final).into_iter().map(|gap| (number, gap)));
    }
    gaps
}

fn gaps_of_one(steps: &[Event], is_final: &impl Fn(&str) -> bool) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let named = steps.iter().enumerate().find_map(|(at, step)| match step {
        Event::Named(from, to) if is_final(to) => Some((at, from, to)),
        Event::Named(..)
        | Event::Written(_)
        | Event::Synced(_)
        | Event::FolderMade(_)
        | Event::Acknowledged => None,
    });
    let Some((named_at, from, to)) = named else { return vec![Gap::NoFinalName] };
    if !is_synced_after_writes(steps.get(..named_at).unwrap_or_default(), from) {
        gaps.push(Gap::FileNotSynced);
    }
    let folder_synced_at = last(steps, &Event::Synced(folder_of(to))).filter(|at| *at > named_at);
    if folder_synced_at.is_none() {
        gaps.push(Gap::FolderNotSynced);
    }
    if steps.iter().any(|step| made_without_sync(step, steps, to)) {
        gaps.push(Gap::ParentNotSynced);
    }
    gaps.extend(gap_of_log(steps, folder_synced_at.unwrap_or(named_at)));
    gaps
}

fn is_synced_after_writes(steps: &[Event], file: &str) -> bool {
    let synced = last(steps, &Event::Synced(file.to_owned()));
    let written = last(steps, &Event::Written(file.to_owned()));
    synced.is_some_and(|synced| written.is_none_or(|written| written < synced))
}

fn made_without_sync(step: &Event, steps: &[Event], file: &str) -> bool {
    let Event::FolderMade(folder) = step else { return false };
    let on_the_way = file.starts_with(&format!("{folder}/"));
    let synced = last(steps, &Event::Synced(folder_of(folder)));
    on_the_way && synced.is_none_or(|synced| last(steps, step).is_some_and(|made| made > synced))
}

fn gap_of_log(steps: &[Event], safe_at: usize) -> Option<Gap> {
    let is_log = |path: &str| path.ends_with("-wal");
    let written = steps.iter().rposition(|step| matches!(step, Event::Written(path) if is_log(path)));
    let synced = steps.iter().rposition(|step| matches!(step, Event::Synced(path) if is_log(path)));
    match (written, synced) {
        (None, _) => Some(Gap::NoLogWritten),
        (Some(written), Some(synced)) if written < synced && safe_at < written => None,
        (Some(_), _) => Some(Gap::LogNotSynced),
    }
}

fn last(steps: &[Event], wanted: &Event) -> Option<usize> {
    steps.iter().rposition(|step| step == wanted)
}

fn folder_of(path: &str) -> String {
    path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned())
}

/// Returns the events of a trace. A call counts when it is finished, an acknowledgement when it begins.
pub fn read_trace(trace: &str) -> Vec<Event> {
    let mut unfinished: HashMap<&str, String> = HashMap::new();
    let mut events = Vec::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(char::is_whitespace) else { continue };
        let call = call.trim_start();
        if let Some(begun) = call.strip_suffix("<unfinished ...>") {
            if is_acknowledgement(begun) {
                events.push(Event::Acknowledged);
            } else {
                unfinished.insert(thread, begun.to_owned());
            }
        } else if let Some((_, rest)) = call.split_once(" resumed>").filter(|_| call.starts_with("<... ")) {
            let begun = unfinished.remove(thread).unwrap_or_default();
            events.extend(event_of(&(begun + rest)));
        } else {
            events.extend(event_of(call));
        }
    }
    events
}

fn is_acknowledgement(call: &str) -> bool {
    call.contains("\"HTTP/1.1 201")
}

fn event_of(call: &str) -> Option<Event> {
    if is_acknowledgement(call) {
        return Some(Event::Acknowledged);
    }
    let (name, arguments) = call.split_once('(')?;
    if !succeeded(call) {
        return None;
    }
    match name {
        "write" | "pwrite64" | "writev" | "pwritev" | "pwritev2" => {
            Some(Event::Written(descriptor_path(arguments)?))
        }
        "fsync" | "fdatasync" => Some(Event::Synced(descriptor_path(arguments)?)),
        "rename" | "renameat" | "renameat2" | "link" | "linkat" => {
            let mut paths = quoted(arguments);
            let (from, to) = (paths.next()?, paths.next()?);
            Some(Event::Named(from.to_owned(), to.to_owned()))
        }
        "mkdir" | "mkdirat" => Some(Event::FolderMade(quoted(arguments).next()?.to_owned())),
        _ => None,
    }
}

fn succeeded(call: &str) -> bool {
    call.rsplit_once(" = ").is_some_and(|(_, result)| !result.starts_with('-') && !result.starts_with('?'))
}

/// `12</data/file>, …`: with `-y` a descriptor carries its path; sockets and pipes have none.
fn descriptor_path(arguments: &str) -> Option<String> {
    let (_, rest) = arguments.split_once('<')?;
    let (path, _) = rest.split_once('>')?;
    path.starts_with('/').then(|| path.to_owned())
}

fn quoted(arguments: &str) -> impl Iterator<Item = &str> {
    arguments.split('"').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [&str; 9] = [
        r#"7 mkdir("/d/blobs/sha256/ab", 0777) = 0"#,
        r#"7 fsync(9</d/blobs/sha256>) = 0"#,
        r#"7 write(9</d/staging/x>, "abc"..., 3) = 3"#,
        r#"7 fsync(9</d/staging/x>) = 0"#,
        r#"7 renameat2(AT_FDCWD, "/d/staging/x", AT_FDCWD, "/d/blobs/sha256/ab/cd", 0) = 0"#,
        r#"7 fsync(10</d/blobs/sha256/ab>) = 0"#,
        r#"8 pwrite64(4</d/catalog.db-wal>, "x"..., 24, 0) = 24"#,
        r#"8 fdatasync(4</d/catalog.db-wal>) = 0"#,
        r#"9 writev(12<socket:[5]>, [{iov_base="HTTP/1.1 201 Created\r\n"..., iov_len=90}], 1) = 90"#,
    ];

    fn gaps(lines: &[&str]) -> Vec<Gap> {
        let found = find_gaps(&read_trace(&lines.join("\n")), |path| path.contains("/blobs/"));
        found.into_iter().map(|(_, gap)| gap).collect()
    }

    #[test]
    fn a_complete_trace_has_no_gap() {
        assert_eq!(gaps(&GOOD), []);
    }

    #[test]
    fn each_step_left_out_is_found() {
        let table = [
            (1, vec![Gap::ParentNotSynced]),
            (3, vec![Gap::FileNotSynced]),
            (4, vec![Gap::NoFinalName]),
            (5, vec![Gap::FolderNotSynced]),
            (6, vec![Gap::NoLogWritten]),
            (7, vec![Gap::LogNotSynced]),
        ];
        for (left_out, expected) in table {
            let mut lines = GOOD.to_vec();
            let line = lines.remove(left_out);
            assert_eq!(gaps(&lines), expected, "without {line}");
        }
    }

    #[test]
    fn each_step_in_the_wrong_place_is_found() {
        let table = [
            (3, 2, Gap::FileNotSynced),
            (5, 4, Gap::FolderNotSynced),
            (7, 6, Gap::LogNotSynced),
            (1, 0, Gap::ParentNotSynced),
            (8, 7, Gap::LogNotSynced),
        ];
        for (from, to, expected) in table {
            let mut lines = GOOD.to_vec();
            let line = lines.remove(from);
            lines.insert(to, line);
            assert_eq!(gaps(&lines), [expected], "with {line} before its time");
        }
    }

    #[test]
    fn the_record_may_not_come_before_the_bytes() {
        let lines = [&GOOD[6..8], &GOOD[..6], &GOOD[8..]].concat();
        assert_eq!(gaps(&lines), [Gap::LogNotSynced]);
    }

    #[test]
    fn a_call_counts_when_it_is_finished_and_only_if_it_succeeded() {
        let mut lines = GOOD.to_vec();
        lines[7] = "8 fdatasync(4</d/catalog.db-wal> <unfinished ...>";
        lines.push("8 <... fdatasync resumed>) = 0");
        assert_eq!(gaps(&lines), [Gap::LogNotSynced]);
        lines.swap(8, 9);
        assert_eq!(gaps(&lines), []);
        lines[8] = "8 <... fdatasync resumed>) = -1 EIO (Input/output error)";
        assert_eq!(gaps(&lines), [Gap::LogNotSynced]);
    }

    #[test]
    fn every_publish_is_looked_at_by_itself() {
        let twice = [&GOOD[..], &GOOD[..3], &GOOD[4..]].concat();
        let found = find_gaps(&read_trace(&twice.join("\n")), |path| path.contains("/blobs/"));
        assert_eq!(found, [(1, Gap::FileNotSynced)]);
    }
}
