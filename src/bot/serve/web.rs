//! The face to the network: one address for webhooks, one for health, one for metrics. Nothing of a body is looked at before its
//! signature is known to be right, and whoever is slow or sends too much is turned away.

use super::event::{self, Event, Malformed};
use super::metrics::{Delivered, Metrics};
use super::signature::Keys;
use super::store::{Accepted, Delivery, Forget, Store};
use crate::bot::http::Clock;
use crate::bot::log::Log;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::{BodyExt, Limited};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// GitHub sends no payload that is larger.
pub const MAX_BODY: usize = 25 * 1024 * 1024;
/// Bodies that are in memory at the same time, in these units.
const BODY_UNIT: usize = 64 * 1024;
const BODY_UNITS: usize = 2_048;
/// Connections that are open at the same time; others wait to be taken.
const MOST_CONNECTIONS: usize = 512;

/// How long others may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// To send the head of a request, or to begin the next one.
    pub head: Duration,
    /// To send its body.
    pub body: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { head: Duration::from_secs(10), body: Duration::from_secs(20) }
    }
}

/// What answering needs.
pub struct Site {
    /// The keys of webhooks.
    pub keys: Keys,
    /// Where deliveries go.
    pub store: Store,
    /// Called when an installation is gone.
    pub forget: Box<dyn Fn(u64) + Send + Sync>,
    /// The numbers.
    pub metrics: Arc<Metrics>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The log.
    pub log: Log,
    /// How long others may take.
    pub patience: Patience,
    /// Whether the process is about to end.
    pub stopping: AtomicBool,
    bodies: Arc<Semaphore>,
}

impl Site {
    /// Everything together.
    pub fn new(
        keys: Keys,
        store: Store,
        forget: Box<dyn Fn(u64) + Send + Sync>,
        metrics: Arc<Metrics>,
        clock: Arc<dyn Clock>,
        log: Log,
        patience: Patience,
    ) -> Site {
        let bodies = Arc::new(Semaphore::new(BODY_UNITS));
        Site { keys, store, forget, metrics, clock, log, patience, stopping: AtomicBool::new(false), bodies }
    }
}

/// Answers until `stop` is done, and then until open requests are answered, at most ten seconds.
pub async fn serve(listener: TcpListener, site: Arc<Site>, stop: impl Future<Output = ()>) {
    let router = Router::new()
        .route("/webhook", post(webhook))
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .with_state(site.clone());
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(site.patience.head).max_buf_size(64 * 1024);
    let mut stop = std::pin::pin!(stop);
    loop {
        let permit = tokio::select! {
            permit = room.clone().acquire_owned() => permit,
            () = &mut stop => break,
        };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of file descriptors, or the other side was gone already: neither ends the server.
                Err(error) => {
                    site.log.warn("a connection could not be taken", &[("error", &error.to_string())]);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // That the other side breaks off or is too slow is its business.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(Duration::from_secs(10)) => {}
    }
}

async fn healthz(State(site): State<Arc<Site>>) -> Response {
    // A process that ends takes no new work, and who balances load should know.
    if site.stopping.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    "ok\n".into_response()
}

async fn metrics(State(site): State<Arc<Site>>) -> Response {
    let text = site.metrics.render(site.store.depth());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// An answer that is not what the sender hoped for.
struct Turned {
    status: StatusCode,
    what: Delivered,
    words: &'static str,
}

fn turned(status: StatusCode, what: Delivered, words: &'static str) -> Turned {
    Turned { status, what, words }
}

async fn webhook(State(site): State<Arc<Site>>, request: Request) -> Response {
    match receive(&site, request).await {
        Ok(response) => response,
        Err(turned) => {
            site.metrics.delivered(turned.what);
            let mut response = (turned.status, format!("{}\n", turned.words)).into_response();
            let headers = response.headers_mut();
            if turned.what == Delivered::Full {
                headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("10"));
            }
            // The rest of a body that nobody reads must not be taken for the next request.
            if matches!(turned.what, Delivered::TooLarge | Delivered::TooSlow) {
                headers.insert(header::CONNECTION, header::HeaderValue::from_static("close"));
            }
            response
        }
    }
}

fn field<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim).filter(|v| !v.is_empty())
}

async fn receive(site: &Site, request: Request) -> Result<Response, Turned> {
    let (head, body) = request.into_parts();
    let headers = head.headers;
    let Some(length) = field(&headers, "content-length").and_then(|l| l.parse::<usize>().ok()) else {
        return Err(turned(StatusCode::LENGTH_REQUIRED, Delivered::Malformed, "say how long the body is"));
    };
    if length > MAX_BODY {
        return Err(turned(StatusCode::PAYLOAD_TOO_LARGE, Delivered::TooLarge, "the body is larger than any payload"));
    }
    let Some(signature) = field(&headers, "x-hub-signature-256") else {
        return Err(turned(StatusCode::UNAUTHORIZED, Delivered::Unsigned, "the delivery is not signed"));
    };
    let (Some(event), Some(id)) = (field(&headers, "x-github-event"), field(&headers, "x-github-delivery")) else {
        return Err(turned(StatusCode::BAD_REQUEST, Delivered::Malformed, "the headers of a delivery are missing"));
    };
    let plain = |text: &str, most: usize| {
        text.len() <= most && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if !plain(event, 64) || !plain(id, 64) {
        return Err(turned(StatusCode::BAD_REQUEST, Delivered::Malformed, "the headers of a delivery make no sense"));
    }
    let json = field(&headers, "content-type").is_some_and(|t| t.split(';').next() == Some("application/json"));
    if !json {
        return Err(turned(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Delivered::Malformed,
            "set the webhook's content type to application/json",
        ));
    }
    let body = read(site, body, length).await?;
    if !site.keys.verify(signature, &body) {
        site.log.warn("a delivery has the wrong signature", &[("event", event), ("delivery", id)]);
        return Err(turned(StatusCode::UNAUTHORIZED, Delivered::Unsigned, "the signature is wrong"));
    }
    let parsed = match event::parse(event, &body) {
        Ok(parsed) => parsed,
        Err(Malformed(why)) => {
            site.log.warn("a delivery makes no sense", &[("event", event), ("delivery", id), ("error", &why)]);
            return Err(turned(
                StatusCode::BAD_REQUEST,
                Delivered::Malformed,
                "the body is not what the event's name promises",
            ));
        }
    };
    // The id is not signed: who has once seen a delivery could send it again under another. Its body cannot be changed, and no two
    // events have the same one, but for the wish to run a check again.
    let mut identities = vec![format!("d:{id}")];
    if !matches!(event, "check_suite" | "check_run") {
        let digest = ring::digest::digest(&ring::digest::SHA256, &body);
        identities.push(format!("b:{event}:{}", data_encoding::HEXLOWER.encode(digest.as_ref())));
    }
    drop(body);
    accept(site, event, id, parsed, identities).await
}

async fn accept(
    site: &Site,
    event: &str,
    id: &str,
    parsed: Event,
    identities: Vec<String>,
) -> Result<Response, Turned> {
    let (review, forget) = match parsed {
        Event::Ignore(why) => {
            site.metrics.delivered(Delivered::Ignored);
            return Ok((StatusCode::OK, format!("ignored: {why}\n")).into_response());
        }
        Event::Review(subjects) => (subjects, Forget::Nothing),
        Event::Close(subject) => (Vec::new(), Forget::Subject(subject)),
        Event::Forget(installation) => {
            (site.forget)(installation);
            (Vec::new(), Forget::Installation(installation))
        }
    };
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let delivery = Delivery { identities, review, forget, now: site.clock.now() };
    site.store.accept(delivery, Box::new(move |accepted| drop(sender.send(accepted))));
    match receiver.await.unwrap_or(Accepted::Full) {
        Accepted::Queued { new, coalesced } => {
            site.metrics.delivered(Delivered::Accepted);
            let (new, coalesced) = (new.to_string(), coalesced.to_string());
            site.log.info("accepted", &[("event", event), ("delivery", id), ("new", &new), ("coalesced", &coalesced)]);
            Ok((StatusCode::ACCEPTED, "accepted\n").into_response())
        }
        Accepted::Duplicate => {
            site.metrics.delivered(Delivered::Duplicate);
            Ok((StatusCode::OK, "this delivery was here before\n").into_response())
        }
        Accepted::Full => {
            Err(turned(StatusCode::SERVICE_UNAVAILABLE, Delivered::Full, "the queue is full; send it again later"))
        }
        Accepted::Failed(error) => {
            site.log.error("a delivery could not be stored", &[("delivery", id), ("error", &error)]);
            Err(turned(StatusCode::INTERNAL_SERVER_ERROR, Delivered::Failed, "the delivery could not be stored"))
        }
    }
}

/// Reads a body within the limits of time, of its own size, and of what all bodies together may take.
async fn read(site: &Site, body: Body, length: usize) -> Result<Bytes, Turned> {
    let units = u32::try_from(length / BODY_UNIT + 1).unwrap_or(u32::MAX);
    let slow = || turned(StatusCode::REQUEST_TIMEOUT, Delivered::TooSlow, "the body came too slowly");
    let reading = async {
        let _room = site.bodies.acquire_many(units).await;
        Limited::new(body, length.max(1)).collect().await
    };
    match tokio::time::timeout(site.patience.body, reading).await {
        Err(_) => Err(slow()),
        Ok(Err(_)) => Err(turned(StatusCode::BAD_REQUEST, Delivered::Malformed, "the body broke off")),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}
