//! Image recipes built by `chartpack`, and the seed image of keepalived, which is built once for all stories.
//! Rule: everything is made in folders of the story; the machine lends its builders, its kernel and its apt's archive.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::binary;
use crate::command_line;
use crate::environment::{clean_command, repository_root};
use crate::process::{Outcome, run, run_within};
use crate::skip::skip_for_want_of;
use crate::tool::find_tool;

const TOOLS: [&str; 5] = ["buildah", "mmdebstrap", "unshare", "newuidmap", "setpriv"];

/// A build unpacks some 180 MB a few times; a loaded machine needs its time.
const LIMIT: Duration = Duration::from_secs(600);

/// What `chartpack` says when the network does not answer.
const NO_NETWORK: i32 = 3;

/// The user that builds without root, and the numbers it may give to others in its namespace.
const NOBODY: &str = "65534";
const SUBORDINATES: &str = "nobody:1000000:65536\n";

/// A folder with image recipes and a vault.
#[derive(Debug)]
pub struct ImageShop {
    folder: TempDir,
}

impl ImageShop {
    /// Makes an empty one; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When something is missing and `CI=true`.
    pub fn open() -> Result<Option<Self>> {
        for tool in TOOLS {
            if find_tool(tool)?.is_none() {
                return Ok(None);
            }
        }
        if fs::metadata("/proc/self")?.uid() != 0 {
            skip_for_want_of("the right to mount", "run the story as root")?;
            return Ok(None);
        }
        let folder = TempDir::with_prefix("chartroom-image-recipe-")?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        Ok(Some(Self { folder }))
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of a recipe.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.folder().join(path);
        fs::create_dir_all(path.parent().context("a file without a folder")?)?;
        Ok(fs::write(path, text)?)
    }

    /// Writes a recipe upon an image of a layout; the layout is linked beside it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_recipe(&self, name: &str, layout: &Path, digest: &str, containerfile: &str) -> Result<()> {
        let base = format!("base: {{path: ../base, digest: '{digest}'}}");
        let recipe = format!("name: site/{name}\ntag: v1\nplatforms: [linux/amd64]\n{base}\n");
        self.write(&format!("{name}/image.yaml"), &recipe)?;
        self.write(&format!("{name}/Containerfile"), containerfile)?;
        Ok(symlink(layout, self.folder().join("base"))?)
    }

    /// Runs `chartpack image` in the folder.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub fn image(&self, arguments: &[&str]) -> Result<Outcome> {
        let mut command = clean_command(binary::chartpack()?);
        run_within(command.current_dir(self.folder()).args(command_line::image(arguments)), LIMIT)
    }

    /// Starts `chartpack image` in the folder, with temporary files in `temporary`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_image(&self, arguments: &[&str], temporary: &Path) -> Result<Child> {
        let mut command = clean_command(binary::chartpack()?);
        command.current_dir(self.folder()).args(command_line::image(arguments)).env("TMPDIR", temporary);
        Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
    }

    /// Runs `chartpack image` in another folder as an ordinary user with another umask, time zone and locale.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub fn image_as_nobody(&self, folder: &Path, arguments: &[&str]) -> Result<Outcome> {
        // The program may lie where only its owner may look.
        let program = folder.join("chartpack");
        fs::copy(binary::chartpack()?, &program)?;
        fs::write(folder.join("subordinates"), SUBORDINATES)?;
        run(clean_command("chown").args(["-R", NOBODY]).arg(folder))?.success()?;
        let script = "mount --bind subordinates /etc/subuid && mount --bind subordinates /etc/subgid && umask 077 && \
                      exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\"";
        let mut command = clean_command("unshare");
        command
            .args(["--mount", "sh", "-c", script, "sh"])
            .arg(&program)
            .args(command_line::image(arguments));
        command.envs([
            ("TZ", "Asia/Seoul"),
            ("LC_ALL", "ko_KR.UTF-8"),
            ("http_proxy", "http://proxy.invalid:3128"),
        ]);
        run_within(command.current_dir(folder).env("TMPDIR", folder), LIMIT)
    }
}

/// Takes a shell and a few programs out of the seed image, so that what is built upon it is built in seconds.
const SMALL: &str = r#"FROM base AS full
RUN mkdir -p /small/usr/bin && ln -s usr/bin /small/bin && for program in sh cat date head mkdir touch; do \
      for file in /usr/bin/$program $(ldd /usr/bin/$program | grep -o '/[^ ]*'); do \
        mkdir -p /small$(dirname $file) && cp -L $file /small$file; \
      done; \
    done
FROM scratch
COPY --from=full /small /
"#;

/// An image with a shell and little else.
#[derive(Debug)]
pub struct SmallImage {
    shop: ImageShop,
    /// The digest of its index.
    pub digest: String,
}

impl SmallImage {
    /// Returns the image, which the first story that asks builds; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn built() -> Result<Option<&'static Self>> {
        static BUILT: OnceLock<Result<Option<SmallImage>, String>> = OnceLock::new();
        match BUILT.get_or_init(|| Self::build().map_err(|error| format!("{error:#}"))) {
            Ok(image) => Ok(image.as_ref()),
            Err(text) => Err(anyhow!("{text}")),
        }
    }

    fn build() -> Result<Option<Self>> {
        let (Some(layout), Some(image)) = (KeepalivedImage::built_by_nobody()?, KeepalivedImage::built()?)
        else {
            return Ok(None);
        };
        let Some(shop) = ImageShop::open()? else { return Ok(None) };
        shop.write_recipe("small", &layout.join("images"), &image.digest, SMALL)?;
        shop.image(&["lock", "small", "--vault", "vault"])?.success()?;
        let said = shop
            .image(&["build", "small", "--vault", "vault", "-o", "images", "--output", "json"])?
            .success()?;
        let report: Value = serde_json::from_str(&said)?;
        let digest = report["digest"].as_str().context("no digest")?.to_owned();
        Ok(Some(Self { shop, digest }))
    }

    /// Returns the layout that holds it, under the tag `v1`.
    pub fn layout(&self) -> PathBuf {
        self.shop.folder().join("images")
    }
}

/// The seed image of keepalived, locked and built as root.
#[derive(Debug)]
pub struct KeepalivedImage {
    /// Where it was made, with its recipe in `image` and its vault in `vault`.
    pub shop: ImageShop,
    /// The digest of its index.
    pub digest: String,
}

impl KeepalivedImage {
    /// Returns the image, which the first story that asks builds; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When it cannot be built, or something is missing and `CI=true`.
    pub fn built() -> Result<Option<&'static Self>> {
        static BUILT: OnceLock<Result<Option<KeepalivedImage>, String>> = OnceLock::new();
        match BUILT.get_or_init(|| Self::build().map_err(|error| format!("{error:#}"))) {
            Ok(Some(image)) => Ok(Some(image)),
            Ok(None) => {
                skip_for_want_of("the image of keepalived", "look at the first line of this kind")?;
                Ok(None)
            }
            Err(text) => Err(anyhow!("{text}")),
        }
    }

    fn build() -> Result<Option<Self>> {
        let Some(shop) = ImageShop::open()? else { return Ok(None) };
        for name in ["image.yaml", "Containerfile", "run.sh"] {
            let source = repository_root().join("seed-charts/keepalived/image").join(name);
            let target = shop.folder().join("image").join(name);
            fs::create_dir_all(shop.folder().join("image"))?;
            fs::copy(source, target)?;
        }
        // What the archive has today: the packages of the checked-in lock leave it one day.
        let locked = shop.image(&["lock", "image", "--vault", "vault", "--output", "json"])?;
        if locked.status.code() == Some(NO_NETWORK) {
            skip_for_want_of("the distribution's archive", "run the story where apt reaches its mirror")?;
            return Ok(None);
        }
        let report: Value = serde_json::from_str(&locked.success()?)?;
        let digest = report["digest"].as_str().context("no digest")?.to_owned();
        Ok(Some(Self { shop, digest }))
    }

    /// Builds the image again as an ordinary user, in a folder of its own with a copy of recipe and vault; returns the
    /// folder, where the image is in the layout `images`.
    ///
    /// # Errors
    /// When it cannot be built, or comes out otherwise than it was locked.
    pub fn built_by_nobody() -> Result<Option<PathBuf>> {
        static BUILT: OnceLock<Result<Option<TempDir>, String>> = OnceLock::new();
        let built = BUILT.get_or_init(|| Self::build_by_nobody().map_err(|error| format!("{error:#}")));
        match built {
            Ok(folder) => Ok(folder.as_ref().map(|folder| folder.path().to_path_buf())),
            Err(text) => Err(anyhow!("{text}")),
        }
    }

    fn build_by_nobody() -> Result<Option<TempDir>> {
        let Some(image) = Self::built()? else { return Ok(None) };
        let folder = TempDir::with_prefix("chartroom-Image-elsewhere-")?;
        for name in ["image", "vault"] {
            run(clean_command("cp").arg("-R").arg(image.shop.folder().join(name)).arg(folder.path()))?
                .success()?;
        }
        let arguments = ["build", "image", "--vault", "vault", "-o", "images", "--output", "json"];
        let said = image.shop.image_as_nobody(folder.path(), &arguments)?.success()?;
        let report: Value = serde_json::from_str(&said)?;
        ensure!(report["digest"] == image.digest.as_str(), "another image: {report}, not {}", image.digest);
        Ok(Some(folder))
    }
}
