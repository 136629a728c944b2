//! Publish until listed, at every size of the repository, beside the disk's own floor.

use anyhow::Result;

use crate::bench::Bench;
use crate::corpus::newer;
use crate::disk::Disk;
use crate::figures::{float, rate, versions as shown};
use crate::publish::publish_all;
use crate::report::{Bar, Line, Section};
use crate::server::Server;
use crate::statistics::{largest, median, median_ratio, smallest};

const AT_ONCE: usize = 8;
/// Publishes of one turn: so few that the smallest repository stays small.
const ONE_BY_ONE_COUNT: usize = 40;
const AT_ONCE_COUNT: usize = 80;
/// Parts of a turn, in each of which every size has its share: what the disk does changes twofold within seconds.
const PARTS: usize = 5;
const FLATNESS: f64 = 0.8;
const SHARE_OF_FLOOR: f64 = 0.6;
/// What ChartMuseum's JSON mode did a second at a size, and how many times that is asked for.
const CHARTMUSEUM: [(usize, f64, f64); 2] = [(10_000, 18.0, 20.0), (50_000, 3.9, 100.0)];

/// Publishes to repositories of all sizes in turns.
pub(super) async fn measure(bench: &Bench) -> Result<Section> {
    let mut contenders = Vec::new();
    for versions in bench.effort.publish_sizes {
        contenders.push(Contender::new(*versions, bench.chartroom(*versions)?));
    }
    let mut disk = Disk::new()?;
    let mut together = Vec::new();
    for round in 0..bench.effort.rounds {
        bench.progress.say(&format!("publish: turn {} of {}", round + 1, bench.effort.rounds));
        together.push(take_turn(&mut contenders, &mut disk).await?);
    }
    let mut chartmuseum = Vec::new();
    for versions in bench.effort.publish_sizes {
        chartmuseum.push(measure_chartmuseum(bench, *versions).await?);
    }
    let mut lines = one_by_one(&contenders, &chartmuseum);
    lines.extend(at_once(&contenders, &chartmuseum, &together));
    lines.extend(flatness(&contenders));
    Ok(Section {
        title: "Publish until listed",
        method: format!(
            "`POST /api/charts` of archives of about 1 kB to repositories of every size in turns, {} turns of \
             {ONE_BY_ONE_COUNT} one by one and {AT_ONCE_COUNT} over {AT_ONCE} connections, each in {PARTS} parts among \
             those of the others; the answer comes once the version is listed (next table). The disk's floor writes the same archives beside: file synced, renamed, \
             folder synced, entry appended to a log, log synced.",
            bench.effort.rounds
        ),
        published: "ChartMuseum, which syncs nothing, per second: 5.5 / 0.7 / 0.13 (YAML), 206 / 18 / 3.9 (JSON) at \
                    1k / 10k / 50k; where it was not run, 8 at once is judged against its JSON figure",
        peer: "disk's floor",
        lines,
    })
}

struct Contender {
    versions: usize,
    server: Server,
    published: usize,
    alone: Vec<f64>,
    together: Vec<f64>,
    floors: Vec<f64>,
}

impl Contender {
    fn new(versions: usize, server: Server) -> Self {
        let (alone, together, floors) = <_>::default();
        Self { versions, server, published: 0, alone, together, floors }
    }

    /// Publishes a part of a turn one by one and then several at once, and has the disk write the same archives.
    async fn take_part(&mut self, turn: &mut Turn, disk: &mut Disk) -> Result<()> {
        let archives = newer(self.versions, self.published, (ONE_BY_ONE_COUNT + AT_ONCE_COUNT) / PARTS);
        let archives: Vec<Vec<u8>> = archives.into_iter().map(|sample| sample.archive).collect();
        self.published += archives.len();
        let (first, rest) = archives.split_at(ONE_BY_ONE_COUNT / PARTS);
        turn.alone += publish_all(&self.server, first, 1).await?;
        turn.together += publish_all(&self.server, rest, AT_ONCE).await?;
        turn.floor_alone += disk.seconds(first, 1)?;
        turn.floor_together += disk.seconds(rest, AT_ONCE)?;
        Ok(())
    }

    fn note(&mut self, turn: &Turn) {
        self.alone.push(float(ONE_BY_ONE_COUNT as u64) / turn.alone);
        self.together.push(float(AT_ONCE_COUNT as u64) / turn.together);
        self.floors.push(float(ONE_BY_ONE_COUNT as u64) / turn.floor_alone);
    }
}

/// How many seconds the parts of one turn took.
#[derive(Default)]
struct Turn {
    alone: f64,
    together: f64,
    floor_alone: f64,
    floor_together: f64,
}

/// Has every contender take one turn; returns how many files a second the disk took from several writers.
async fn take_turn(contenders: &mut [Contender], disk: &mut Disk) -> Result<f64> {
    let mut turns: Vec<Turn> = contenders.iter().map(|_| Turn::default()).collect();
    for part in 0..PARTS {
        // Another one begins each part: what the one before left to be written falls on each in the same way.
        let mut order: Vec<_> = contenders.iter_mut().zip(&mut turns).collect();
        let first = part % order.len().max(1);
        order.rotate_left(first);
        for (contender, turn) in order {
            contender.take_part(turn, disk).await?;
        }
    }
    for (contender, turn) in contenders.iter_mut().zip(&turns) {
        contender.note(turn);
    }
    let seconds: f64 = turns.iter().map(|turn| turn.floor_together).sum();
    Ok(float((AT_ONCE_COUNT * turns.len()) as u64) / seconds)
}

/// Returns ChartMuseum's publishes a second, one by one and several at once.
async fn measure_chartmuseum(bench: &Bench, versions: usize) -> Result<Option<(f64, f64)>> {
    let Some(server) = bench.chartmuseum(versions)? else { return Ok(None) };
    let mut contender = Contender::new(versions, server);
    take_turn(std::slice::from_mut(&mut contender), &mut Disk::new()?).await?;
    Ok(Some((median(&contender.alone), median(&contender.together))))
}

type Measured = [Option<(f64, f64)>];

fn one_by_one(contenders: &[Contender], chartmuseum: &Measured) -> Vec<Line> {
    let line = |(contender, chartmuseum): (&Contender, &Option<(f64, f64)>)| {
        let what = format!("{}, one by one", shown(contender.versions));
        Line::new(what, rate(median(&contender.alone)))
            .beside(rate(median(&contender.floors)))
            .chartmuseum(chartmuseum.map(|(alone, _)| rate(alone)))
            .judged(median_ratio(&contender.alone, &contender.floors), Bar::AtLeast(SHARE_OF_FLOOR))
    };
    contenders.iter().zip(chartmuseum).map(line).collect()
}

fn at_once(contenders: &[Contender], chartmuseum: &Measured, floor: &[f64]) -> Vec<Line> {
    let line = |(contender, chartmuseum): (&Contender, &Option<(f64, f64)>)| {
        let ours = median(&contender.together);
        let known = CHARTMUSEUM.iter().find(|(versions, ..)| *versions == contender.versions);
        let judged = match (known, chartmuseum) {
            (Some((_, published, factor)), measured) => {
                let theirs = measured.map_or(*published, |(_, together)| together);
                Some((ours / theirs, Bar::AtLeast(*factor)))
            }
            (None, Some((_, together))) => Some((ours / together, Bar::None)),
            (None, None) => None,
        };
        let what = format!("{}, {AT_ONCE} at once (ratio to ChartMuseum)", shown(contender.versions));
        let line = Line::new(what, rate(ours))
            .beside(rate(median(floor)))
            .chartmuseum(chartmuseum.map(|(_, together)| rate(together)));
        match judged {
            Some((ratio, bar)) => line.judged(ratio, bar),
            None => line,
        }
    };
    contenders.iter().zip(chartmuseum).map(line).collect()
}

fn flatness(contenders: &[Contender]) -> Vec<Line> {
    let sizes: Vec<String> = contenders.iter().map(|contender| shown(contender.versions)).collect();
    let line = |name: &str, of: fn(&Contender) -> &[f64]| {
        // The medians of the turns: within one turn the sizes were measured right after each other.
        let rates: Vec<f64> = contenders.iter().map(|contender| median(of(contender))).collect();
        let what = format!("{name}, slowest of {} to fastest", sizes.join(", "));
        let shown = format!("{} to {}", rate(smallest(&rates)), rate(largest(&rates)));
        Line::new(what, shown).judged(smallest(&rates) / largest(&rates), Bar::AtLeast(FLATNESS))
    };
    vec![
        line("one by one", |contender| &contender.alone),
        line(&format!("{AT_ONCE} at once"), |contender| &contender.together),
    ]
}
