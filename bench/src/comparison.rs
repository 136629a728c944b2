//! The same load on several servers in turns.

use anyhow::Result;

use crate::bench::Effort;
use crate::figures::{rate, seconds};
use crate::load::{Load, Throughput};
use crate::report::{Bar, Line};
use crate::server::Server;
use crate::statistics::{median, median_ratio};

/// Servers with the same content.
#[derive(Debug)]
pub(crate) struct Contest {
    /// Chartroom.
    pub(crate) ours: Server,
    /// nginx.
    pub(crate) nginx: Server,
    /// ChartMuseum, where it is on the machine.
    pub(crate) chartmuseum: Option<Server>,
}

/// What the ratios to nginx have to reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bars {
    /// Of the rates.
    pub(crate) rate: f64,
    /// Of the processor time for an answer; none where only the rate counts.
    pub(crate) processor: Option<f64>,
}

#[derive(Default)]
struct Samples {
    rates: Vec<f64>,
    processor: Vec<f64>,
}

impl Samples {
    fn add(&mut self, throughput: Throughput) {
        self.rates.push(throughput.requests_per_second);
        self.processor.push(throughput.processor_seconds);
    }
}

impl Contest {
    /// Puts a load on each server in turns and returns a line for the rates and one for the processor time.
    ///
    /// # Errors
    /// When a request fails.
    pub(crate) async fn measure(
        &self,
        what: &str,
        load: &Load<'_>,
        effort: &Effort,
        bars: Bars,
    ) -> Result<[Line; 2]> {
        let (mut ours, mut nginx, mut chartmuseum) = <(Samples, Samples, Samples)>::default();
        for round in 0..effort.rounds {
            // Who goes first changes, so that neither always meets what the other left in caches and buffers.
            if round % 2 == 0 {
                ours.add(load.put_on(&self.ours).await?);
                nginx.add(load.put_on(&self.nginx).await?);
            } else {
                nginx.add(load.put_on(&self.nginx).await?);
                ours.add(load.put_on(&self.ours).await?);
            }
            if let Some(server) = &self.chartmuseum {
                chartmuseum.add(load.put_on(server).await?);
            }
        }
        let was_run = self.chartmuseum.is_some();
        let rates = Line::new(format!("{what}: rate"), rate(median(&ours.rates)))
            .beside(rate(median(&nginx.rates)))
            .chartmuseum(was_run.then(|| rate(median(&chartmuseum.rates))))
            .judged(median_ratio(&ours.rates, &nginx.rates), Bar::AtLeast(bars.rate));
        let processor =
            Line::new(format!("{what}: server CPU per request"), seconds(median(&ours.processor)))
                .beside(seconds(median(&nginx.processor)))
                .chartmuseum(was_run.then(|| seconds(median(&chartmuseum.processor))));
        let ratio = median_ratio(&ours.processor, &nginx.processor);
        Ok([rates, processor.judged(ratio, bars.processor.map_or(Bar::None, Bar::AtMost))])
    }
}
