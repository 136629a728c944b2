//! The server's image, built and smoke-tested by the scripts of `docker/`, and read as the files it consists of.
//! Rule: the scripts are run as operators run them; nothing of an image is made here.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::binary;
use crate::environment::{clean_command, repository_root};
use crate::process::run;
use crate::skip::skip_for_want_of;
use crate::tool::find_tool;

const TOOLS: [&str; 4] = ["buildah", "mmdebstrap", "crun", "jq"];

/// An image as an OCI layout in a folder.
#[derive(Debug)]
pub struct Image {
    layout: PathBuf,
}

impl Image {
    /// Returns whether everything is there that building and running an image takes, after saying what is not.
    ///
    /// # Errors
    /// When something is missing and `CI=true`.
    pub fn can_be_built() -> Result<bool> {
        for tool in TOOLS {
            if find_tool(tool)?.is_none() {
                return Ok(false);
            }
        }
        if fs::metadata("/proc/self")?.uid() != 0 {
            skip_for_want_of("the right to mount", "run the story as root")?;
            return Ok(false);
        }
        Ok(true)
    }

    /// Builds the image of the program under test into a folder that is not there yet.
    ///
    /// # Errors
    /// When the script fails.
    pub fn build(layout: &Path) -> Result<Self> {
        let script = repository_root().join("docker/build-image");
        run(clean_command(script).arg(binary::chartroom()?).arg(layout))?.success()?;
        Ok(Self { layout: layout.to_path_buf() })
    }

    /// Runs the image through its smoke test and returns what that said.
    ///
    /// # Errors
    /// When it fails.
    pub fn smoke_test(&self) -> Result<String> {
        let script = repository_root().join("docker/smoke-test");
        run(clean_command(script).arg(&self.layout).arg(binary::chartpack()?))?.success()
    }

    /// Returns the digest of the image's manifest.
    ///
    /// # Errors
    /// When the layout cannot be read.
    pub fn digest(&self) -> Result<String> {
        let index: Value = serde_json::from_slice(&fs::read(self.layout.join("index.json"))?)?;
        digest_in(&index["manifests"][0])
    }

    /// Returns what the image says about how it is run.
    ///
    /// # Errors
    /// When the layout cannot be read.
    pub fn config(&self) -> Result<Value> {
        let config: Value = serde_json::from_slice(&self.blob(&digest_in(&self.manifest()?["config"])?)?)?;
        Ok(config["config"].clone())
    }

    /// Returns the size of all layers in bytes, compressed.
    ///
    /// # Errors
    /// When the layout cannot be read.
    pub fn layer_bytes(&self) -> Result<u64> {
        let manifest = self.manifest()?;
        let layers = manifest["layers"].as_array().context("no layers")?;
        Ok(layers.iter().filter_map(|layer| layer["size"].as_u64()).sum())
    }

    fn manifest(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&self.blob(&self.digest()?)?)?)
    }

    fn blob(&self, digest: &str) -> Result<Vec<u8>> {
        let path = self.layout.join("blobs").join(digest.replace(':', "/"));
        fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))
    }
}

fn digest_in(descriptor: &Value) -> Result<String> {
    Ok(descriptor["digest"].as_str().context("a descriptor without a digest")?.to_owned())
}
