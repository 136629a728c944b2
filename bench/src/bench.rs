//! What every row has at hand: how much to do, and servers on copies of the filled corpora.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::corpus::{Corpora, nth};
use crate::environment;
use crate::figures;
use crate::place::Place;
use crate::progress::Progress;
use crate::report::Bar;
use crate::server::{INDEX, Server};
use crate::site::{Production, Site};
use crate::stores::Stores;

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Sizes of the index in versions, ascending.
    pub(crate) index_sizes: &'static [usize],
    /// Sizes of the repository that is published to, ascending.
    pub(crate) publish_sizes: &'static [usize],
    /// The size where only one is measured.
    pub(crate) large: usize,
    /// How long one load on one server is counted.
    pub(crate) window: Duration,
    /// How often the servers take turns: many short turns, since what else the machine does comes in bursts.
    pub(crate) rounds: usize,
}

impl Effort {
    /// Returns the bar at the size it was set for; at a smaller one what a server needs for itself would decide.
    pub(crate) fn at_full_size(&self, bar: Bar) -> Bar {
        if self.large == Self::FULL.large { bar } else { Bar::None }
    }

    /// Returns what a reader has to know of how much was done.
    pub(crate) fn coverage(&self) -> String {
        let (sizes, rounds) = (figures::versions(self.large), self.rounds);
        let judged = match self.large == Self::FULL.large {
            true => "every bar is judged",
            false => "bars that were set for 50k are judged only where the size does not matter",
        };
        format!("The large repository has {sizes} versions, servers take {rounds} turns, {judged}.")
    }

    /// Returns the effort of a report: under 20 minutes on two cores; filling Postgres and MinIO takes as long again.
    pub(crate) const FULL: Self = Self {
        index_sizes: &[1_000, 10_000, 50_000],
        publish_sizes: &[100, 1_000, 10_000, 50_000, 100_000],
        large: 50_000,
        window: Duration::from_millis(700),
        rounds: 9,
    };
    /// Returns the effort of a look in between: under 5 minutes for each pair of stores.
    pub(crate) const QUICK: Self = Self {
        index_sizes: &[1_000, 10_000],
        publish_sizes: &[100, 1_000, 10_000],
        large: 10_000,
        window: Duration::from_millis(400),
        rounds: 3,
    };
}

/// The size at which helm is measured: at ten times as many it mostly measures helm.
pub(crate) const MEDIUM: usize = 10_000;

/// A run of the benchmark.
#[derive(Debug)]
pub(crate) struct Bench {
    /// How much is done.
    pub(crate) effort: Effort,
    /// Says what goes on.
    pub(crate) progress: Progress,
    corpora: Corpora,
    production: Option<Production>,
}

impl Bench {
    /// Prepares a run on such stores.
    ///
    /// # Errors
    /// When the corpora cannot be found, or the servers of the stores do not come up.
    pub(crate) fn new(effort: Effort, stores: Stores) -> Result<Self> {
        let production = match stores {
            Stores::Embedded => None,
            Stores::Production => Some(Production::start()?),
        };
        Ok(Self { effort, progress: Progress::new(), corpora: Corpora::find()?, production })
    }

    /// Returns the servers of the stores.
    ///
    /// # Errors
    /// When everything is in the data folder.
    pub(crate) fn production(&self) -> Result<&Production> {
        self.production.as_ref().context("this row needs Postgres and MinIO: add `--stores production`")
    }

    /// Fills the corpora that the rows need and that no former run left.
    ///
    /// # Errors
    /// When the server refuses an archive.
    pub(crate) async fn prepare(&self) -> Result<()> {
        self.corpora.fill(self.effort.publish_sizes, &self.progress).await
    }

    /// Returns a site with a copy of a corpus.
    ///
    /// # Errors
    /// When there is no corpus of that size, no room, or a store refuses.
    pub(crate) fn site(&self, versions: usize) -> Result<Site> {
        if let Some(production) = &self.production {
            return production.filled_site(&self.corpora, versions, &self.progress);
        }
        let place = Place::new()?;
        self.corpora.copy_to(&place, versions)?;
        Ok(Site::embedded(place))
    }

    /// Returns a site with nothing in it.
    ///
    /// # Errors
    /// When there is no room, or a store refuses.
    pub(crate) fn empty_site(&self) -> Result<Site> {
        match &self.production {
            Some(production) => production.empty_site(),
            None => Ok(Site::embedded(Place::new()?)),
        }
    }

    /// Starts Chartroom on a copy of a corpus.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn chartroom(&self, versions: usize) -> Result<Server> {
        Server::chartroom(&self.site(versions)?)
    }

    /// Starts ChartMuseum, if it is on the machine, on the archives of a corpus.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn chartmuseum(&self, versions: usize) -> Result<Option<Server>> {
        let Some(program) = environment::chartmuseum() else { return Ok(None) };
        self.progress.say(&format!("starting ChartMuseum on {versions} versions"));
        Server::chartmuseum(&program, &archives(versions)?).map(Some)
    }
}

/// Returns a place with the archives of a corpus as files.
///
/// # Errors
/// When there is no room.
pub(crate) fn archives(versions: usize) -> Result<Place> {
    let place = Place::new()?;
    for position in 0..versions {
        let sample = nth(position);
        place.put(&sample.file_name(), &sample.archive)?;
    }
    Ok(place)
}

/// Returns the index of a server, which has to list that many versions.
///
/// # Errors
/// When it lists another number.
pub(crate) async fn whole_index(server: &Server, versions: usize) -> Result<Vec<u8>> {
    let index = server.fetch(INDEX).await?.body;
    let listed = String::from_utf8_lossy(&index).matches("\"urls\":[").count();
    if listed != versions {
        bail!("the index lists {listed} versions in place of {versions}");
    }
    Ok(index)
}
