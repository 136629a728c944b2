//! Asks a distribution's archive through apt, with folders of our own: the machine's packages play no part.
//!
//! What apt took for signed by the distribution's key is what is locked.

use std::fs;
use std::path::{Path, PathBuf};

use oci::Digest;

use super::package_index::{IndexEntry, read_index};
use super::program::{Programs, Reach};
use super::recipe::PackageBase;
use super::refusal::ImageBuildRefusal;

/// What apt is doing when a failure is one of the network.
pub(super) const ASKING: &str = "asking the archive";

/// All that the distribution calls essential, without apt: what an image is made of is settled when it is built.
const ESSENTIAL: &str = "?and(?essential,?not(?name(^apt$)))";

/// An apt that knows one platform of one archive.
#[derive(Debug)]
pub(super) struct Apt<'run> {
    programs: &'run Programs,
    folder: PathBuf,
}

/// Where packages come from, as flags say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Archive {
    /// The archive's URL, with `{snapshot}` where the moment stands; none means the machine's own.
    pub(crate) mirror: Option<String>,
    /// The file of keys that must have signed; none means the distribution's.
    pub(crate) keyring: Option<PathBuf>,
}

impl<'run> Apt<'run> {
    /// Makes an apt for `architecture` (a Debian name) in `folder` and reads the archive's indexes.
    ///
    /// # Errors
    /// [`ImageBuildRefusal`] when nothing says where packages are, or the archive does not answer as it should.
    pub(super) fn open(
        programs: &'run Programs,
        folder: &Path,
        base: &PackageBase,
        archive: &Archive,
        architecture: &str,
    ) -> Result<Self, ImageBuildRefusal> {
        let apt = Self { programs, folder: folder.to_owned() };
        for part in ["state/lists/partial", "cache/archives/partial", "parts"] {
            let path = folder.join(part);
            fs::create_dir_all(&path).map_err(ImageBuildRefusal::file(&path))?;
        }
        let sources = apt.sources(base, archive)?;
        let root = folder.display();
        let configuration = format!(
            "Dir \"{root}/\";\nDir::State \"{root}/state\";\nDir::State::status \"{root}/status\";\nDir::Cache \"{root}/cache\";\n\
             Dir::Etc::sourcelist \"{root}/sources.list\";\nDir::Etc::sourceparts \"{root}/parts\";\nDir::Etc::parts \"{root}/parts\";\n\
             Dir::Etc::trustedparts \"{root}/parts\";\nDir::Etc::preferences \"/dev/null\";\nDir::Etc::preferencesparts \"{root}/parts\";\n\
             APT::Architecture \"{architecture}\";\nAPT::Architectures {{ \"{architecture}\"; }};\n\
             APT::Install-Recommends \"false\";\nAPT::Sandbox::User \"\";\nAcquire::Languages \"none\";\nAcquire::Retries \"3\";\n\
             Acquire::Check-Valid-Until \"{}\";\n",
            // A moment of the past is past its date by definition.
            base.snapshot.is_none()
        );
        for (name, text) in [("status", ""), ("sources.list", &sources), ("apt.conf", &configuration)] {
            let path = folder.join(name);
            fs::write(&path, text).map_err(ImageBuildRefusal::file(&path))?;
        }
        apt.run("apt-get", &["update", "--quiet", "--error-on=any"], ASKING)?;
        Ok(apt)
    }

    /// Returns the entries of the packages that are installed for the base: those it names, the essential ones, and
    /// what these depend on.
    ///
    /// # Errors
    /// [`ImageBuildRefusal::Failed`] when a package is not there or packages do not go together.
    pub(super) fn resolve(&self, base: &PackageBase) -> Result<Vec<IndexEntry>, ImageBuildRefusal> {
        let mut arguments = vec!["install", "--print-uris", "--yes", "--quiet", ESSENTIAL];
        arguments.extend(base.packages.iter().map(String::as_str));
        let said = self.run("apt-get", &arguments, "choosing packages")?;
        // 'http://…/dash_0.5.12-2_amd64.deb' dash_0.5.12-2_amd64.deb 97572 SHA256:…
        let names =
            said.lines().filter(|line| line.starts_with('\'')).filter_map(|line| line.split(' ').nth(1));
        let wanted: Vec<String> = names.filter_map(name_and_version).collect();
        self.entries(&wanted)
    }

    /// Returns the entries of packages, each as `name=version`; those that the archive has not are left out.
    ///
    /// # Errors
    /// [`ImageBuildRefusal`] when apt fails or its answer cannot be used.
    pub(super) fn entries(&self, wanted: &[String]) -> Result<Vec<IndexEntry>, ImageBuildRefusal> {
        let mut arguments = vec!["show", "--no-all-versions"];
        arguments.extend(wanted.iter().map(String::as_str));
        Ok(read_index(&self.run("apt-cache", &arguments, "reading the package index")?)?)
    }

    /// Downloads one package's file after the other and hands each to `keep`.
    ///
    /// # Errors
    /// [`ImageBuildRefusal`] when a file is not the one that the index promises.
    pub(super) fn download(
        &self,
        entries: &[IndexEntry],
        keep: &mut dyn FnMut(&[u8]) -> Result<(), ImageBuildRefusal>,
    ) -> Result<(), ImageBuildRefusal> {
        let specific: Vec<String> =
            entries.iter().map(|entry| format!("{}={}", entry.package.name, entry.package.version)).collect();
        let mut arguments = vec!["download", "--quiet"];
        arguments.extend(specific.iter().map(String::as_str));
        self.run("apt-get", &arguments, ASKING)?;
        let mut files = fs::read_dir(self.programs_folder())
            .and_then(|files| files.map(|file| Ok(file?.path())).collect::<Result<Vec<_>, std::io::Error>>())
            .map_err(ImageBuildRefusal::file(&self.folder))?;
        files.retain(|file| file.extension().is_some_and(|extension| extension == "deb"));
        let mut missing: Vec<&IndexEntry> = entries.iter().collect();
        for file in files {
            let bytes = fs::read(&file).map_err(ImageBuildRefusal::file(&file))?;
            let digest = Digest::sha256(&bytes);
            missing.retain(|entry| entry.package.digest != digest);
            keep(&bytes)?;
            fs::remove_file(&file).map_err(ImageBuildRefusal::file(&file))?;
        }
        match missing.first() {
            Some(entry) => Err(ImageBuildRefusal::PackageGone(format!(
                "`{} {}`",
                entry.package.name, entry.package.version
            ))),
            None => Ok(()),
        }
    }

    /// Where `apt-get download` leaves its files: the folder that programs start in.
    fn programs_folder(&self) -> &Path {
        self.programs.home()
    }

    fn run(&self, program: &str, arguments: &[&str], doing: &str) -> Result<String, ImageBuildRefusal> {
        let configuration = format!("--config-file={}", self.folder.join("apt.conf").display());
        let arguments: Vec<String> =
            arguments.iter().map(|&argument| argument.to_owned()).chain([configuration]).collect();
        self.programs.run(program, &arguments, Reach::Network, doing)
    }

    /// Returns the lines of `sources.list`: the mirror's, else those of the machine's own that name the suites.
    fn sources(&self, base: &PackageBase, archive: &Archive) -> Result<String, ImageBuildRefusal> {
        let default =
            || PathBuf::from(format!("/usr/share/keyrings/{}-archive-keyring.gpg", base.distribution));
        let keyring = archive.keyring.clone().unwrap_or_else(default);
        if !keyring.is_file() {
            let distribution = &base.distribution;
            return Err(ImageBuildRefusal::NoArchive(format!(
                "there are no keys of `{distribution}` at `{}`: install its keyring, or name a file with `--keyring`",
                keyring.display()
            )));
        }
        // apt takes what does not begin at the root for a key's fingerprint.
        let keyring = keyring.canonicalize().map_err(ImageBuildRefusal::file(&keyring))?;
        let line = |url: &str, suite: &str, components: &str| {
            format!("deb [signed-by={}] {url} {suite} {components}\n", keyring.display())
        };
        let components = base.components.join(" ");
        match (&archive.mirror, &base.snapshot) {
            (Some(mirror), snapshot) => {
                let url = with_snapshot(mirror, snapshot.as_deref())?;
                Ok(base.suites.iter().map(|suite| line(&url, suite, &components)).collect())
            }
            (None, Some(snapshot)) => Err(ImageBuildRefusal::NoArchive(format!(
                "the recipe asks for the archive of {snapshot}: name one that keeps the past with `--mirror`, with `{{snapshot}}` in its place"
            ))),
            (None, None) => {
                let format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
                let arguments =
                    ["indextargets", "--format", format, "Created-By: Packages"].map(str::to_owned);
                let said =
                    self.programs.run("apt-get", &arguments, Reach::Network, "reading apt's sources")?;
                machine_sources(&said, base, &line)
            }
        }
    }
}

fn with_snapshot(mirror: &str, snapshot: Option<&str>) -> Result<String, ImageBuildRefusal> {
    match snapshot {
        Some(snapshot) if mirror.contains("{snapshot}") => Ok(mirror.replace("{snapshot}", snapshot)),
        None if !mirror.contains("{snapshot}") => Ok(mirror.to_owned()),
        Some(_) | None => Err(ImageBuildRefusal::NoArchive(format!(
            "`--mirror {mirror}` and the recipe's `snapshot` must go together: write `{{snapshot}}` where the moment stands, and only then"
        ))),
    }
}

fn machine_sources(
    said: &str,
    base: &PackageBase,
    line: &impl Fn(&str, &str, &str) -> String,
) -> Result<String, ImageBuildRefusal> {
    let words = said.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let mut lines = Vec::new();
    let mut found = Vec::new();
    for words in words {
        if let [url, suite, component] = words.as_slice() {
            let is_asked_for = base.suites.iter().any(|name| name == suite);
            if is_asked_for && base.components.iter().any(|name| name == component) {
                lines.push(line(url, suite, component));
                found.push((*suite).to_owned());
            }
        }
    }
    lines.dedup();
    match base.suites.iter().find(|suite| !found.contains(suite)) {
        Some(suite) => Err(ImageBuildRefusal::NoArchive(format!(
            "this machine's apt has no source for `{suite}`: name an archive with `--mirror`"
        ))),
        None => Ok(lines.concat()),
    }
}

/// Reads `libacl1_2.3.1-3_amd64.deb`; a colon of the version is written `%3a` there.
fn name_and_version(file_name: &str) -> Option<String> {
    let mut parts = file_name.split('_');
    let (name, version) = (parts.next()?, parts.next()?);
    Some(format!("{name}={}", version.replace("%3a", ":").replace("%3A", ":")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> PackageBase {
        PackageBase {
            distribution: "debian".to_owned(),
            suites: vec!["bookworm".to_owned(), "bookworm-security".to_owned()],
            components: vec!["main".to_owned()],
            snapshot: None,
            packages: Vec::new(),
        }
    }

    #[test]
    fn the_machines_sources_are_used_where_they_have_the_suites() {
        let line = |url: &str, suite: &str, component: &str| format!("{url}|{suite}|{component}\n");
        let said = "http://m/d/ bookworm main\nhttp://m/d/ bookworm contrib\nhttp://m/d/ sid main\nhttp://m/s/ bookworm-security main\n";
        let sources = machine_sources(said, &base(), &line).unwrap();
        assert_eq!(sources, "http://m/d/|bookworm|main\nhttp://m/s/|bookworm-security|main\n");
        let refusal = machine_sources("http://m/d/ bookworm main\n", &base(), &line).unwrap_err().to_string();
        assert!(refusal.contains("no source for `bookworm-security`"), "{refusal}");
    }

    #[test]
    fn a_snapshot_has_its_place_in_the_mirror() {
        let moment = Some("20261101T000000Z");
        assert_eq!(with_snapshot("http://m/{snapshot}", moment).unwrap(), "http://m/20261101T000000Z");
        assert_eq!(with_snapshot("http://m/d", None).unwrap(), "http://m/d");
        assert!(
            with_snapshot("http://m/d", moment).is_err()
                && with_snapshot("http://m/{snapshot}", None).is_err()
        );
    }

    #[test]
    fn versions_are_read_from_file_names() {
        assert_eq!(name_and_version("libattr1_1%3a2.5.1-4_amd64.deb").unwrap(), "libattr1=1:2.5.1-4");
        assert_eq!(name_and_version("no-version.deb"), None);
    }
}
