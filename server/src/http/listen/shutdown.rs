//! The word to stop: once for "finish what you do", twice for "now".

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::ListenError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Running,
    Stopping,
    Hurrying,
}

/// Tells the parts of the program when to stop; every clone hears the same.
#[derive(Debug, Clone)]
pub(crate) struct Shutdown(watch::Receiver<Stage>);

/// Gives the word to stop.
#[derive(Debug)]
pub(crate) struct ShutdownTrigger(watch::Sender<Stage>);

impl Shutdown {
    /// Returns a shutdown and what triggers it.
    pub(crate) fn new() -> (ShutdownTrigger, Self) {
        let (sender, receiver) = watch::channel(Stage::Running);
        (ShutdownTrigger(sender), Self(receiver))
    }

    /// Returns a shutdown that begins with the first SIGTERM or SIGINT and hurries with the second. These signals no
    /// longer end the process by themselves, even before anyone waits for the shutdown.
    ///
    /// # Errors
    /// [`ListenError::Signals`] if the system does not let the process handle them.
    pub(crate) fn on_signals() -> Result<Self, ListenError> {
        let mut terminate = signal(SignalKind::terminate()).map_err(ListenError::Signals)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(ListenError::Signals)?;
        let (trigger, shutdown) = Self::new();
        tokio::spawn(async move {
            either(&mut terminate, &mut interrupt).await;
            trigger.begin();
            either(&mut terminate, &mut interrupt).await;
            trigger.hurry();
        });
        Ok(shutdown)
    }

    /// Waits for the word to stop.
    pub(crate) async fn begun(&mut self) {
        self.reached(Stage::Stopping).await;
    }

    /// Waits for the word to stop at once.
    pub(crate) async fn hurried(&mut self) {
        self.reached(Stage::Hurrying).await;
    }

    async fn reached(&mut self, stage: Stage) {
        if self.0.wait_for(|now| *now >= stage).await.is_err() {
            // Whoever could give the word is gone, so it will never come.
            std::future::pending::<()>().await;
        }
    }
}

impl ShutdownTrigger {
    /// Asks everyone to finish what they do and stop.
    pub(crate) fn begin(&self) {
        self.0.send_if_modified(|stage| advance(stage, Stage::Stopping));
    }

    /// Asks everyone to stop at once.
    pub(crate) fn hurry(&self) {
        self.0.send_if_modified(|stage| advance(stage, Stage::Hurrying));
    }
}

fn advance(stage: &mut Stage, to: Stage) -> bool {
    let advances = *stage < to;
    *stage = to.max(*stage);
    advances
}

async fn either(first: &mut Signal, second: &mut Signal) {
    tokio::select! {
        _ = first.recv() => {}
        _ = second.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_stages_come_in_order_and_stay() {
        let (trigger, mut shutdown) = Shutdown::new();
        let mut late = shutdown.clone();
        trigger.begin();
        shutdown.begun().await;
        trigger.hurry();
        trigger.begin();
        shutdown.hurried().await;
        late.begun().await;
        late.hurried().await;
    }
}
