//! `stacklint bot serve`: a GitHub App's webhooks in, reviews out. Deliveries are verified, written down and answered; workers take
//! what was written down.

pub mod app;
pub mod event;
pub mod metrics;
pub mod queue;
pub mod signature;
pub mod store;
pub mod web;
pub mod worker;

use super::http::{Client, Clock, SystemClock};
use super::log::Log;
use super::secret::Secret;
use crate::load::{self, Scratch};
use app::App;
use metrics::Metrics;
use signature::Keys;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::Store;
use web::{Patience, Site};
use worker::Workshop;

/// How a server is set up.
pub struct Setup {
    /// Where it listens, such as `127.0.0.1:8080`.
    pub listen: String,
    /// The folder of its store and of its jobs' folders.
    pub state: PathBuf,
    /// The App's id or client id.
    pub app_id: String,
    /// The App's private key, in PEM.
    pub private_key: Secret,
    /// The webhook's secret; several, one a line, while it is replaced.
    pub webhook_secret: Secret,
    /// The API.
    pub api_url: String,
    /// Arguments for `bot review` that name the platform and the limits.
    pub platform: Vec<String>,
    /// The certificates of authorities to trust instead of the public ones, in PEM.
    pub authorities: Option<String>,
    /// How many jobs run at the same time.
    pub workers: usize,
    /// How many jobs may wait.
    pub most_waiting: usize,
    /// How long a job may take.
    pub time: Duration,
    /// How long running jobs have when the server is told to stop.
    pub grace: Duration,
    /// How long senders may take.
    pub patience: Patience,
}

/// Runs until it is told to stop.
///
/// # Errors
/// A sentence: what is wrong with the setup.
pub fn run(setup: Setup, log: &Log) -> Result<(), String> {
    log.hide(&setup.private_key);
    for line in setup.webhook_secret.expose().lines() {
        log.hide(&Secret::new(line.trim()));
    }
    log.take_panics();
    let keys = Keys::new(&setup.webhook_secret);
    if keys.is_empty() {
        return Err("the webhook's secret is empty: everybody could send work".to_owned());
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let agent = super::http::agent(setup.authorities.as_deref())?;
    let api = Client::new(agent, &setup.api_url, clock.clone(), Duration::from_secs(30), log.clone());
    let app = App::new(&setup.app_id, &setup.private_key, api, log.clone())?;
    load::make_folder(&setup.state)
        .map_err(|e| format!("cannot make the state folder `{}`: {e}", setup.state.display()))?;
    let store = Store::open(&setup.state.join("jobs.redb"), setup.most_waiting)?;
    // The store is ours alone from here on, so what lies in the folder of jobs is nobody's.
    let scratch = setup.state.join("jobs");
    load::make_folder(&scratch).map_err(|e| format!("cannot make `{}`: {e}", scratch.display()))?;
    // Reviews of a server that was killed end by themselves, and until then their folders and comments are theirs.
    load::wait_for_holders(&lock_file(&scratch))
        .map_err(|e| format!("cannot use the lock in `{}`: {e}", scratch.display()))?;
    let swept = Scratch::sweep(&scratch);
    let metrics = Arc::new(Metrics::default());
    let workshop = Arc::new(Workshop {
        app,
        store: store.clone(),
        program: std::env::current_exe().map_err(|e| format!("the program does not know its own place: {e}"))?,
        platform: setup.platform,
        scratch,
        time: setup.time,
        metrics: metrics.clone(),
        clock: clock.clone(),
        log: log.clone(),
        abandon: AtomicBool::new(false),
        login: std::sync::OnceLock::new(),
    });
    let forgetful = workshop.clone();
    let forget = Box::new(move |installation| forgetful.app.forget(installation));
    let site = Arc::new(Site::new(keys, store.clone(), forget, metrics, clock, log.clone(), setup.patience));

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| format!("the server cannot start: {e}"))?;
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind(&setup.listen))
        .map_err(|e| format!("cannot listen on `{}`: {e}", setup.listen))?;
    let address = listener.local_addr().map_or_else(|_| setup.listen.clone(), |a| a.to_string());
    let (waiting, _) = store.depth();
    log.info("listening", &[("address", &address), ("waiting", &waiting.to_string()), ("swept", &swept.to_string())]);

    let workers: Vec<_> = (0..setup.workers.max(1))
        .filter_map(|n| {
            let workshop = workshop.clone();
            std::thread::Builder::new().name(format!("worker {n}")).spawn(move || workshop.work()).ok()
        })
        .collect();
    if workers.is_empty() {
        return Err("no thread could be started".to_owned());
    }
    runtime.block_on(async {
        let told = site.clone();
        let stop = async move {
            told_to_stop().await;
            told.stopping.store(true, Ordering::Relaxed);
            told.log.info("stopping", &[]);
            told.store.stop();
        };
        web::serve(listener, site, stop).await;
    });
    let end = std::time::Instant::now() + setup.grace;
    while workers.iter().any(|w| !w.is_finished()) {
        if std::time::Instant::now() > end {
            workshop.abandon.store(true, Ordering::Relaxed);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    // What the workers said last is on its way to the disk.
    store.settle();
    log.info("stopped", &[]);
    Ok(())
}

/// What reviews hold as long as they run, in the folder of their folders.
pub fn lock_file(scratch: &Path) -> PathBuf {
    scratch.join("lock")
}

#[cfg(unix)]
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

#[cfg(not(unix))]
async fn told_to_stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
