//! Folders of git repositories, by the `git` program: one commit is fetched into a folder of its own and read from there.
//!
//! No file of the repository is ever checked out, so that no hook, filter or link of it is followed on this machine.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};

use chart::archive::{ArchiveFile, IgnoreRules, Limits};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::UpstreamError;
use crate::recipe::Commit;

/// What git may use to fetch. Others, as `ext::`, run programs.
const PROTOCOLS: &str = "file:git:http:https:ssh";

/// A chart's folder in a commit.
#[derive(Debug)]
pub(super) struct Tree {
    /// Its files, without those that `.helmignore` names.
    pub(super) files: Vec<ArchiveFile>,
    /// The object name of the tree.
    pub(super) name: String,
}

/// A repository with one commit, in a temporary folder.
struct Checkout<'url> {
    url: &'url str,
    folder: tempfile::TempDir,
}

/// Fetches the folder `path` of a commit.
///
/// # Errors
/// [`UpstreamError`] with what git says.
pub(super) async fn fetch(url: &str, commit: &Commit, path: &str) -> Result<Tree, UpstreamError> {
    let checkout = Checkout { url, folder: tempfile::tempdir()? };
    checkout.git(&["init", "--quiet", "--bare"]).await?;
    checkout.fetch(commit).await?;
    let name = checkout.tree_name(commit, path).await?;
    let files = follow_links(url, checkout.read_tree(&name).await?)?;
    Ok(Tree { files: without_ignored(url, files)?, name })
}

/// One entry of a tree.
enum Entry {
    File(Vec<u8>),
    Link(String),
}

impl Checkout<'_> {
    /// Fetches the one commit; servers that give only what a branch or tag names are asked for all of these.
    async fn fetch(&self, commit: &Commit) -> Result<(), UpstreamError> {
        let alone = ["fetch", "--quiet", "--depth=1", "--no-tags", "--", self.url, commit.as_str()];
        if self.git(&alone).await.is_ok() {
            return Ok(());
        }
        let all = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
        self.git(&["fetch", "--quiet", "--", self.url, all[0], all[1]]).await?;
        let object = format!("{commit}^{{commit}}");
        self.git(&["cat-file", "-e", &object]).await.map(drop).map_err(|_| UpstreamError::Git {
            what: self.url.to_owned(),
            reason: format!("it has no commit {commit} on any branch or tag"),
        })
    }

    /// Returns the object name of a folder of the commit.
    async fn tree_name(&self, commit: &Commit, path: &str) -> Result<String, UpstreamError> {
        let no_folder = |_| UpstreamError::GitEntry {
            url: self.url.to_owned(),
            path: path.to_owned(),
            problem: "is no folder of that commit: correct `path`",
        };
        let object = format!("{commit}:{path}");
        let name = self.git(&["rev-parse", "--verify", "--quiet", &object]).await.map_err(no_folder)?;
        let name = String::from_utf8_lossy(&name).trim().to_owned();
        // Fails for a file, which has a name too.
        self.git(&["cat-file", "tree", &name]).await.map_err(no_folder)?;
        Ok(name)
    }

    async fn read_tree(&self, tree: &str) -> Result<BTreeMap<String, Entry>, UpstreamError> {
        let listing = self.git(&["ls-tree", "-r", "-z", "--long", "--full-tree", tree]).await?;
        let mut entries = BTreeMap::new();
        let (mut objects, mut total) = (Vec::new(), 0_u64);
        for line in listing.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let line = String::from_utf8_lossy(line).into_owned();
            let (head, path) = line.split_once('\t').unwrap_or((&line, ""));
            let refuse = |problem| UpstreamError::GitEntry {
                url: self.url.to_owned(),
                path: path.to_owned(),
                problem,
            };
            let words: Vec<&str> = head.split_whitespace().collect();
            let [mode, _, object, size] = words.as_slice() else {
                return Err(refuse("is listed in a form that is not understood"));
            };
            if *mode == "160000" {
                return Err(refuse("is a submodule, whose files are elsewhere: name that repository"));
            }
            let size: u64 = size.parse().unwrap_or(u64::MAX);
            total = total.saturating_add(size);
            let limits = Limits::default();
            if size > limits.file_bytes || total > limits.unpacked_bytes {
                return Err(refuse("is larger than a chart may be"));
            }
            objects.push((path.to_owned(), *mode == "120000", (*object).to_owned()));
        }
        let contents = self.read_objects(&objects).await?;
        for ((path, is_link, _), bytes) in objects.into_iter().zip(contents) {
            let entry = if is_link {
                Entry::Link(String::from_utf8_lossy(&bytes).into_owned())
            } else {
                Entry::File(bytes)
            };
            entries.insert(path, entry);
        }
        Ok(entries)
    }

    /// Reads objects by one `git cat-file --batch`: a header line, the bytes, a line end, for each.
    async fn read_objects(&self, objects: &[(String, bool, String)]) -> Result<Vec<Vec<u8>>, UpstreamError> {
        let names: String = objects.iter().map(|(_, _, object)| format!("{object}\n")).collect();
        let out = self.git_with_input(&["cat-file", "--batch"], names.into_bytes()).await?;
        let mut rest = out.as_slice();
        let mut contents = Vec::new();
        for _ in objects {
            let broken = || UpstreamError::Git {
                what: self.url.to_owned(),
                reason: "`git cat-file` ended early".to_owned(),
            };
            let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
            let header = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
            let size: usize =
                header.rsplit(' ').next().and_then(|size| size.parse().ok()).ok_or_else(broken)?;
            contents.push(rest.get(end + 1..end + 1 + size).ok_or_else(broken)?.to_vec());
            rest = rest.get(end + size + 2..).unwrap_or_default();
        }
        Ok(contents)
    }

    async fn git(&self, arguments: &[&str]) -> Result<Vec<u8>, UpstreamError> {
        self.git_with_input(arguments, Vec::new()).await
    }

    async fn git_with_input(&self, arguments: &[&str], input: Vec<u8>) -> Result<Vec<u8>, UpstreamError> {
        let output = self.run(arguments, input).await;
        let output = output.map_err(|reason| UpstreamError::NoGit { url: self.url.to_owned(), reason })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let reason = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it failed");
        Err(UpstreamError::Git { what: self.url.to_owned(), reason: reason.to_owned() })
    }

    async fn run(&self, arguments: &[&str], input: Vec<u8>) -> io::Result<Output> {
        let mut child = command(self.folder.path(), arguments).spawn()?;
        let stdin = child.stdin.take();
        let feed = async move {
            match stdin {
                Some(mut stdin) => stdin.write_all(&input).await,
                None => Ok(()),
            }
        };
        // Both at once: git stops reading when nobody takes what it writes.
        let (output, _) = tokio::join!(child.wait_with_output(), feed);
        output
    }
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .args(["-c", "core.fsmonitor=false", "-c", "fetch.fsckObjects=true"])
        .args(arguments)
        .env("GIT_DIR", folder)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ALLOW_PROTOCOL", PROTOCOLS)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Replaces links by the files they lead to, which must be in the tree. A link waits for those that it leads through.
fn follow_links(url: &str, mut entries: BTreeMap<String, Entry>) -> Result<Vec<ArchiveFile>, UpstreamError> {
    loop {
        let links: Vec<(String, String)> = links_of(&entries);
        let Some((first, _)) = links.first() else { break };
        let refuse = |path: &str, problem| UpstreamError::GitEntry {
            url: url.to_owned(),
            path: path.to_owned(),
            problem,
        };
        let mut has_moved_on = false;
        for (path, target) in &links {
            let at =
                beside(path, target).ok_or_else(|| refuse(path, "is a link that leads out of the folder"))?;
            let inside = format!("{at}/");
            let is_there = |candidate: &String| *candidate == at || candidate.starts_with(&inside);
            let is_link = |entry: &Entry| matches!(entry, Entry::Link(_));
            if entries.iter().any(|(candidate, entry)| is_there(candidate) && is_link(entry)) {
                continue;
            }
            let copies = copies_of(&entries, path, &at);
            if copies.is_empty() {
                return Err(refuse(path, "is a link to nothing in the folder"));
            }
            entries.remove(path);
            entries.extend(copies);
            has_moved_on = true;
        }
        if !has_moved_on {
            return Err(refuse(first, "is a link that leads back to itself"));
        }
    }
    let files = entries.into_iter().filter_map(|(path, entry)| match entry {
        Entry::File(bytes) => Some(ArchiveFile { path, bytes }),
        Entry::Link(_) => None,
    });
    Ok(files.collect())
}

fn links_of(entries: &BTreeMap<String, Entry>) -> Vec<(String, String)> {
    let links = entries.iter().filter_map(|(path, entry)| match entry {
        Entry::Link(target) => Some((path.clone(), target.clone())),
        Entry::File(_) => None,
    });
    links.collect()
}

/// Returns the file or the folder at `at` as it stands at `path`.
fn copies_of(entries: &BTreeMap<String, Entry>, path: &str, at: &str) -> Vec<(String, Entry)> {
    let copies = entries.iter().filter_map(|(candidate, entry)| {
        let below = candidate.strip_prefix(at).filter(|below| below.is_empty() || below.starts_with('/'))?;
        match entry {
            Entry::File(bytes) => Some((format!("{path}{below}"), Entry::File(bytes.clone()))),
            Entry::Link(_) => None,
        }
    });
    copies.collect()
}

/// Returns where the link at `path` leads, when that is in the tree.
fn beside(path: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        return None;
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Leaves out what `.helmignore` names, as a folder on this machine is read.
fn without_ignored(url: &str, mut files: Vec<ArchiveFile>) -> Result<Vec<ArchiveFile>, UpstreamError> {
    let rules = match files.iter().find(|file| file.path == ".helmignore") {
        Some(file) => IgnoreRules::parse(&file.bytes).map_err(|_| UpstreamError::GitEntry {
            url: url.to_owned(),
            path: ".helmignore".to_owned(),
            problem: "has a line that is no rule: exclude it and its files by the recipe",
        })?,
        None => IgnoreRules::built_in(),
    };
    files.retain(|file| {
        let folders = file.path.match_indices('/').filter_map(|(at, _)| file.path.get(..at));
        !rules.ignores(&file.path, false) && !folders.into_iter().any(|folder| rules.ignores(folder, true))
    });
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str)]) -> Result<Vec<String>, UpstreamError> {
        let entries = entries.iter().map(|(path, content)| {
            let entry = match content.strip_prefix("-> ") {
                Some(target) => Entry::Link(target.to_owned()),
                None => Entry::File(content.as_bytes().to_vec()),
            };
            ((*path).to_owned(), entry)
        });
        let files = follow_links("u", entries.collect())?;
        Ok(files.into_iter().map(|file| file.path).collect())
    }

    #[test]
    fn links_inside_the_folder_are_followed_and_others_refused() {
        let entries = [("a.yaml", "x"), ("b/c.yaml", "-> ../z/a"), ("d", "-> b"), ("z/a", "-> ../a.yaml")];
        assert_eq!(tree(&entries).unwrap(), ["a.yaml", "b/c.yaml", "d/c.yaml", "z/a"]);
        for target in ["-> /etc/passwd", "-> ../x", "-> nowhere", "-> a"] {
            assert!(tree(&[("a", target)]).is_err(), "{target}");
        }
    }

    #[test]
    fn helmignore_counts_as_on_this_machine() {
        let file = |path: &str, text: &str| ArchiveFile { path: path.to_owned(), bytes: text.into() };
        let files = vec![
            file(".helmignore", "ci/\n*.bak\n"),
            file("Chart.yaml", ""),
            file("ci/a/b.yaml", ""),
            file("x.bak", ""),
        ];
        let paths: Vec<_> = without_ignored("u", files).unwrap().into_iter().map(|file| file.path).collect();
        assert_eq!(paths, [".helmignore", "Chart.yaml"]);
    }
}
