//! A folder to work in, and the program to run there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use chart::archive::{ChartArchive, Limits};

/// A temporary folder in which commands run.
pub(crate) struct Workplace(tempfile::TempDir);

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Workplace {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.0.path().join(relative)
    }

    pub(crate) fn write(&self, relative: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    pub(crate) fn read(&self, relative: &str) -> Vec<u8> {
        fs::read(self.path(relative)).unwrap()
    }

    pub(crate) fn exists(&self, relative: &str) -> bool {
        self.path(relative).exists()
    }

    /// Runs `chartpack` with `arguments`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        self.run_with(arguments, &[])
    }

    /// Runs `chartpack` with `arguments` and these variables; nothing else of the tester's environment
    /// that it reads.
    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Answer {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chartpack"));
        command.current_dir(self.0.path()).args(arguments);
        for name in [
            "CHARTPACK_TOKEN",
            "CHARTPACK_HELM",
            "CHARTPACK_CACHE",
            "SOURCE_DATE_EPOCH",
            "HTTP_PROXY",
            "http_proxy",
            "ALL_PROXY",
            "all_proxy",
        ] {
            command.env_remove(name);
        }
        let Output { status, stdout, stderr } = command.envs(variables.iter().copied()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Answer { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
    }

    /// Runs `chartpack` and returns what it says; it must succeed.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let answer = self.run(arguments);
        assert_eq!((answer.code, answer.err.as_str()), (0, ""), "{arguments:?}");
        answer.out
    }

    /// Reads an archive as Helm would.
    pub(crate) fn archive(&self, relative: &str) -> ChartArchive {
        ChartArchive::read(self.read(relative).as_slice(), &Limits::default()).unwrap()
    }
}

/// Returns the text of a file of an archive.
pub(crate) fn text_of<'archive>(archive: &'archive ChartArchive, path: &str) -> &'archive str {
    str::from_utf8(archive.file(path).unwrap()).unwrap()
}

/// Returns the values of an archive as Helm reads them.
pub(crate) fn values_of(archive: &ChartArchive) -> serde_json::Value {
    chart::yaml::parse(archive.values().unwrap(), &chart::yaml::Budget::default()).unwrap().to_json()
}

/// Returns the folder of the seed charts.
pub(crate) fn seed_charts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../seed-charts")
}
