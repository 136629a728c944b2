//! A folder to work in, and the program to run there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use chart::archive::{ChartArchive, Limits};
use chart::testing::ChartBuilder;

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
            "CHARTPACK_VAULT",
            "HOME",
            "CHARTPACK_HELM",
            "CHARTPACK_CACHE",
            "CHARTPACK_SIGNING_PASSPHRASE",
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

    /// Runs `chartpack`, which must succeed and may say how far it is.
    pub(crate) fn succeed_quietly(&self, arguments: &[&str]) {
        let answer = self.run(arguments);
        assert_eq!(answer.code, 0, "{arguments:?}: {}", answer.err);
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

/// A catalogue of two recipes that need no server: `web`, an archive with every kind of edit, and `own`, a folder whose
/// dependency lies beside it.
pub(crate) fn delivery() -> Workplace {
    let place = Workplace::new();
    place.write(
        "playcekube.yaml",
        "target: {registry: 'registry.local.cloud:5000', repository: playcekube}\n\
         recipes: [recipes/web, recipes/own]\ngroups: {cicd: [own]}\n",
    );
    let template = "a: 1\nb: 2\nc: 3\nimage: upstream\nd: 4\ne: 5\nf: 6\n";
    let upstream = ChartBuilder::new("web", "1.2.3")
        .file("values.yaml", "image: # of the site\n  tag: '1'\n")
        .file("templates/pod.yaml", template)
        .file("ci/test-values.yaml", "x: 1\n");
    place.write("recipes/web/web-1.2.3.tgz", upstream.build());
    place.write(
        "recipes/web/recipe.yaml",
        "upstream: {path: web-1.2.3.tgz}\nrevision: 1\nmetadata: {keywordsFirst: [networking]}\n\
         values: {image.tag: '2'}\npatches: [fix.patch]\noverlay: overlay\nexclude: [ci/]\nicon: {path: web.svg}\n",
    );
    place.write(
        "recipes/web/fix.patch",
        "--- a/templates/pod.yaml\n+++ b/templates/pod.yaml\n@@ -3,3 +3,3 @@\n c: 3\n-image: upstream\n+image: ours\n d: 4\n",
    );
    place.write("recipes/web/overlay/templates/extra.yaml", "extra: 1\n");
    place.write("recipes/web/web.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>\n");
    let dependency = "dependencies:\n- {name: part, version: 1.x, repository: 'file://../part', alias: left, condition: left.enabled}\n\
                      - {name: part, version: 1.x, repository: 'file://../part', alias: right}\n";
    place.write("recipes/own/Chart.yaml", format!("apiVersion: v2\nname: own\nversion: 0.1.0\n{dependency}"));
    place.write("recipes/own/values.yaml", "left: {enabled: false}\n");
    place.write("recipes/own/recipe.yaml", "chart: .\n");
    place.write("recipes/part/Chart.yaml", "apiVersion: v2\nname: part\nversion: 1.4.0\n");
    place.write("recipes/part/templates/x.yaml", "x: 1\n");
    place
}

impl Workplace {
    /// Locks the delivery; its vault is `vault`.
    pub(crate) fn lock(&self) -> String {
        let answer = self.run(&["lock", "--vault", "vault", "--images", "none"]);
        assert_eq!(answer.code, 0, "{}", answer.err);
        answer.out
    }

    /// Builds the delivery into `folder`; its templates make no resources, so it would not pass the gate.
    pub(crate) fn build(&self, folder: &str) -> Answer {
        self.run(&["build", "--no-gate", "--vault", "vault", "-o", folder])
    }

    /// Returns the names and bytes of the files in a folder; none when it is not there.
    pub(crate) fn files_in(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return BTreeMap::new() };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.map(|name| (name.clone(), self.read(&format!("{folder}/{name}")))).collect()
    }
}
