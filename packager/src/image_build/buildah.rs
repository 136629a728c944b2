//! Runs a Containerfile with buildah: in a chroot, in a store of its own that goes with the build, without any network.

use std::path::{Path, PathBuf};

use super::program::{Programs, Reach};
use super::recipe::ImageRecipe;
use super::refusal::ImageBuildRefusal;

/// A store of images that belongs to one build.
#[derive(Debug)]
pub(super) struct Buildah<'run> {
    programs: &'run Programs,
    folder: PathBuf,
}

/// Where things of one build are.
#[derive(Debug)]
pub(super) struct BuildPaths<'build> {
    /// The folder `base` with a layout that holds the base, under the name `base`.
    pub(super) base: &'build Path,
    /// The folder with the files that may be copied.
    pub(super) context: &'build Path,
    /// The Containerfile.
    pub(super) containerfile: &'build Path,
    /// The layout to write, with the image under the name `image`.
    pub(super) result: &'build Path,
}

impl<'run> Buildah<'run> {
    /// Prepares a store in `folder`.
    ///
    /// # Errors
    /// [`ImageBuildRefusal::File`].
    pub(super) fn new(programs: &'run Programs, folder: &Path) -> Result<Self, ImageBuildRefusal> {
        std::fs::create_dir_all(folder).map_err(ImageBuildRefusal::file(folder))?;
        // The machine's own rules about images play no part: the base is known by its digest.
        for (name, text) in
            [("policy.json", r#"{"default":[{"type":"insecureAcceptAnything"}]}"#), ("registries.conf", "")]
        {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(ImageBuildRefusal::file(&path))?;
        }
        Ok(Self { programs, folder: folder.to_owned() })
    }

    /// Builds the image upon the base. Its layers are uncompressed and as buildah made them.
    ///
    /// # Errors
    /// [`ImageBuildRefusal::Failed`] with what a failing step said.
    pub(super) fn build(
        &self,
        recipe: &ImageRecipe,
        platform: &str,
        modified_seconds: u64,
        paths: &BuildPaths<'_>,
    ) -> Result<(), ImageBuildRefusal> {
        let policy = format!("--signature-policy={}", self.folder.join("policy.json").display());
        // By its relative path: buildah makes a name of the path, which may hold no capitals then.
        let folder = paths.base.parent().unwrap_or(paths.base);
        let id = self.run_in(folder, &["pull", "--quiet", &policy, "oci:base:base"], "reading the base")?;
        self.run(&["tag", id.trim(), "localhost/base:latest"], "naming the base")?;
        let timestamp = format!("--timestamp={modified_seconds}");
        let (file, context) =
            (paths.containerfile.display().to_string(), paths.context.display().to_string());
        let platform = format!("--platform={platform}");
        let labels: Vec<String> =
            recipe.labels.iter().map(|(name, value)| format!("--label={name}={value}")).collect();
        let mut arguments = vec![
            "build",
            "--quiet",
            &policy,
            "--isolation=chroot",
            "--pull=never",
            "--layers=false",
            "--no-cache",
            &timestamp,
            &platform,
            "--identity-label=false",
            "--omit-history",
            "--http-proxy=false",
            "--no-hosts",
            // By its whole name: an ordinary user's buildah finds no short ones in this store.
            "--build-context=base=container-image://localhost/base:latest",
            "--dns=none",
            "--file",
            &file,
            "--tag=localhost/image:latest",
        ];
        arguments.extend(labels.iter().map(String::as_str));
        arguments.push(&context);
        self.run(&arguments, "building")?;
        let result = format!("oci:{}:image", paths.result.display());
        let push = ["push", "--quiet", &policy, "--disable-compression", "localhost/image:latest", &result];
        self.run(&push, "writing the image").map(drop)
    }

    fn run(&self, arguments: &[&str], doing: &str) -> Result<String, ImageBuildRefusal> {
        self.run_in(&self.folder, arguments, doing)
    }

    fn run_in(&self, folder: &Path, arguments: &[&str], doing: &str) -> Result<String, ImageBuildRefusal> {
        let at = |name: &str| self.folder.join(name).display().to_string();
        let registries = format!("--registries-conf={}", at("registries.conf"));
        let store = ["--root", &at("store"), "--runroot", &at("run"), "--storage-driver", "vfs", &registries];
        let arguments: Vec<String> =
            store.iter().chain(arguments).map(|&argument| argument.to_owned()).collect();
        self.programs.run_in(folder, "buildah", &arguments, Reach::Files, doing)
    }
}
