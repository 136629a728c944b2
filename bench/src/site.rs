//! Where Chartroom works: a data folder, in production with a database and a bucket beside it.
//! Rule: every command on a site sees the site's variables and none of this program's.

mod production;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::environment;
use crate::place::Place;

pub(crate) use production::Production;

/// What a server is started on; servers on clones of it share everything.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    place: Place,
    data: PathBuf,
    admin_token: PathBuf,
    variables: Vec<(String, String)>,
}

impl Site {
    /// Returns a site that keeps everything in the data folder of a place.
    pub(crate) fn embedded(place: Place) -> Self {
        let data = place.data();
        Self { admin_token: data.join("admin-token"), data, place, variables: Vec::new() }
    }

    /// Returns the place that the site's folders are in.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Returns the data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Returns the admin token, which goes with any user name.
    ///
    /// # Errors
    /// When no server or command has made one yet.
    pub(crate) fn admin_token(&self) -> Result<String> {
        let path = &self.admin_token;
        let token = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        Ok(token.trim().to_owned())
    }

    /// Returns the same stores with a data folder of another replica.
    pub(crate) fn replica(&self, number: usize) -> Self {
        Self { data: self.place.folder().join(format!("replica-{number}")), ..self.clone() }
    }

    /// Returns the same stores, with the one at an address reached through a proxy at another.
    pub(crate) fn through(&self, proxy: &str, address: &str) -> Self {
        let moved = |(name, value): &(String, String)| (name.clone(), value.replace(address, proxy));
        Self { variables: self.variables.iter().map(moved).collect(), ..self.clone() }
    }

    /// Returns the start of a command line of the server's program.
    ///
    /// # Errors
    /// When the program is not built.
    pub(crate) fn command(&self) -> Result<Command> {
        let mut command = Command::new(environment::chartroom()?);
        command.env_clear().envs(environment::search_path().map(|path| ("PATH", path)));
        // No line for each request: nginx, where it is the peer, writes none either.
        command.env("CHARTROOM_LOG_LEVEL", "warn").env("CHARTROOM_DATA", &self.data);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// Runs a command of the server's program to its end.
    ///
    /// # Errors
    /// When it refuses; the text is what it said.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<()> {
        let output = self.command()?.args(arguments).output().context("cannot start `chartroom`")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`chartroom {}` ended with {}: {said}", arguments.join(" "), output.status);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_share_stores_and_token_but_no_folder() {
        let mut site = Site::embedded(Place::new().unwrap());
        site.variables.push(("CHARTROOM_S3_ENDPOINT".to_owned(), "http://127.0.0.1:1".to_owned()));
        let (first, second) = (site.replica(0), site.replica(1));
        assert_ne!(first.data, second.data);
        assert_eq!((&first.variables, &first.admin_token), (&second.variables, &second.admin_token));
    }

    #[test]
    fn a_store_behind_a_proxy_is_reached_there_and_the_rest_where_it_was() {
        let mut site = Site::embedded(Place::new().unwrap());
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        site.variables =
            vec![variable("A", "postgres://u:p@127.0.0.1:7/d"), variable("B", "http://127.0.0.1:8")];
        let moved = site.through("127.0.0.1:9", "127.0.0.1:7").variables;
        assert_eq!(
            moved,
            [variable("A", "postgres://u:p@127.0.0.1:9/d"), variable("B", "http://127.0.0.1:8")]
        );
    }
}
