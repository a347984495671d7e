//! A small HTTP server on loopback that can be told to fail in every way a service fails.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

/// A request whose body has been read.
pub type Received = Request<Bytes>;
type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A way to fail a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Answers with this status, these headers and this body; nothing is taken.
    Answer(u16, Vec<(&'static str, String)>, &'static str),
    /// Closes the connection after the request has arrived, without an answer.
    HangUp,
    /// Never answers.
    Hang,
    /// Answers the request as it should be, so long after it has arrived.
    Delay(Duration),
    /// Takes the request, then answers with this status and this body.
    TakeAndAnswer(u16, &'static str),
    /// Takes the request, then answers later than anybody waits.
    TakeAndHang,
    /// Takes the request, then closes the connection without an answer.
    TakeAndHangUp,
    /// Takes the request and sends the answer one byte at a time, with this pause.
    Drip(Duration),
}

impl Fault {
    /// A bare status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), "")
    }

    /// 429, to be tried again after so many seconds.
    #[must_use]
    pub fn too_many(seconds: u64) -> Self {
        Self::Answer(429, vec![("retry-after", seconds.to_string())], "")
    }
}

/// How far away a service is, and how long it works on a request.
#[derive(Debug, Clone, Copy)]
pub struct Distance {
    /// One round trip. A new connection takes three before its first request arrives: TCP, and TLS without resumption.
    pub round_trip: Duration,
    /// How long it works on a request with this path.
    pub works: fn(&str) -> Duration,
}

impl Default for Distance {
    fn default() -> Self {
        Self { round_trip: Duration::ZERO, works: |_| Duration::ZERO }
    }
}

impl Distance {
    /// The round trips of a new connection.
    const TO_CONNECT: u32 = 3;
}

/// What a service does with a request when no fault is due.
pub trait Service: Send + Sync + 'static {
    /// The answer to a request.
    fn answer(&self, request: &Received) -> Reply;
}

/// An answer of a service.
#[derive(Debug)]
pub struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn json(status: StatusCode, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.to_string() }
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }
}

/// A running stand-in.
pub struct Server {
    address: SocketAddr,
    script: Arc<Script>,
    service: Arc<dyn Service>,
    running: Mutex<Option<AbortHandle>>,
}

/// Which requests fail.
#[derive(Debug, Default, Clone, Copy)]
enum Paths {
    #[default]
    All,
    Below(&'static str),
    One(&'static str),
}

/// The faults to come, and how many requests were heard.
#[derive(Debug, Default)]
struct Script {
    next: Mutex<VecDeque<Fault>>,
    always: Mutex<Option<Fault>>,
    later: Mutex<Option<(usize, Fault)>>,
    only: Mutex<Paths>,
    heard: Mutex<usize>,
    heard_at: Mutex<HashMap<String, usize>>,
    connections: Mutex<usize>,
    distance: Mutex<Distance>,
    answered: Mutex<Option<Instant>>,
}

impl Script {
    /// What is to befall the request that was heard last.
    fn fault(&self, path: &str) -> Option<Fault> {
        let is_meant = match *lock(&self.only) {
            Paths::All => true,
            Paths::Below(beginning) => path.starts_with(beginning),
            Paths::One(whole) => path == whole,
        };
        if !is_meant {
            return None;
        }
        let later = || {
            let heard = *lock(&self.heard);
            lock(&self.later).clone().filter(|(requests, _)| heard > *requests).map(|(_, fault)| fault)
        };
        lock(&self.next).pop_front().or_else(|| lock(&self.always).clone()).or_else(later)
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// Serves on a loopback port; port 0 is any free one.
    pub(super) async fn start(port: u16, service: Arc<dyn Service>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let script = Arc::new(Script::default());
        let server = Self { address, script, service, running: Mutex::default() };
        server.serve(listener);
        Ok(server)
    }

    fn serve(&self, listener: TcpListener) {
        let serving = accept(listener, Arc::clone(&self.service), Arc::clone(&self.script));
        *lock(&self.running) = Some(tokio::spawn(serving).abort_handle());
    }

    /// `http://127.0.0.1:port`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Fails the next request in this way; several queue up.
    pub fn fail_once(&self, fault: Fault) {
        lock(&self.script.next).push_back(fault);
    }

    /// Fails every request in this way from now on; `None` puts the service right.
    pub fn fail_always(&self, fault: Option<Fault>) {
        *lock(&self.script.always) = fault;
    }

    /// Answers so many requests, and fails all that come after them in this way.
    pub fn fail_after(&self, requests: usize, fault: Fault) {
        *lock(&self.script.later) = Some((self.requests() + requests, fault));
    }

    /// Closes the port and every connection: from now on connections are refused.
    pub fn shut_down(&self) {
        if let Some(running) = lock(&self.running).take() {
            running.abort();
        }
    }

    /// Opens the port again that was shut down.
    ///
    /// # Errors
    /// If somebody else has taken it.
    pub async fn start_again(&self) -> io::Result<()> {
        // The connections that were just closed may hold the port for a moment.
        for _ in 0..50 {
            if let Ok(listener) = TcpListener::bind(self.address).await {
                self.serve(listener);
                return Ok(());
            }
            sleep(Duration::from_millis(20)).await;
        }
        self.serve(TcpListener::bind(self.address).await?);
        Ok(())
    }

    /// Fails only requests whose path begins so.
    pub fn fail_only(&self, path: &'static str) {
        *lock(&self.script.only) = Paths::Below(path);
    }

    /// Fails only requests with this path.
    pub fn fail_at(&self, path: &'static str) {
        *lock(&self.script.only) = Paths::One(path);
    }

    /// Moves the service away from here.
    pub fn move_away(&self, distance: Distance) {
        *lock(&self.script.distance) = distance;
    }

    /// When it gave its last answer.
    #[must_use]
    pub fn answered_at(&self) -> Option<Instant> {
        *lock(&self.script.answered)
    }

    /// How many requests have arrived.
    #[must_use]
    pub fn requests(&self) -> usize {
        *lock(&self.script.heard)
    }

    /// How many requests have arrived at this path.
    #[must_use]
    pub fn requests_to(&self, path: &str) -> usize {
        lock(&self.script.heard_at).get(path).copied().unwrap_or_default()
    }

    /// How many connections were opened.
    #[must_use]
    pub fn connections(&self) -> usize {
        *lock(&self.script.connections)
    }
}

/// A running fake: what a service keeps, behind a [`Server`] that can be told to fail.
#[derive(Debug)]
pub struct Fake<S> {
    server: Server,
    pub(super) state: Arc<S>,
}

impl<S: Service> Fake<S> {
    /// Serves on a loopback port; port 0 is any free one.
    pub(super) async fn serve(port: u16, state: S) -> io::Result<Self> {
        let state = Arc::new(state);
        let service: Arc<dyn Service> = state.clone();
        Ok(Self { server: Server::start(port, service).await?, state })
    }
}

impl<S> Deref for Fake<S> {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shut_down();
    }
}

async fn accept(listener: TcpListener, service: Arc<dyn Service>, script: Arc<Script>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        *lock(&script.connections) += 1;
        let (service, script) = (Arc::clone(&service), Arc::clone(&script));
        connections.spawn(async move {
            let way = lock(&script.distance).round_trip * Distance::TO_CONNECT;
            if !way.is_zero() {
                sleep(way).await;
            }
            let handle = service_fn(move |request| handle(request, Arc::clone(&service), Arc::clone(&script)));
            // A connection that ends badly is the peer's business, or a fault of ours that was asked for.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), handle).await;
        });
    }
}

async fn handle(
    request: Request<Incoming>,
    service: Arc<dyn Service>,
    script: Arc<Script>,
) -> Result<Response<Body>, io::Error> {
    let hung_up = || io::Error::from(io::ErrorKind::ConnectionAborted);
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let request = Request::from_parts(parts, body);
    if request.method() == Method::HEAD {
        // It only opens the connection: no request, and nothing for a fault to befall.
        let Distance { round_trip, .. } = *lock(&script.distance);
        sleep(round_trip).await;
        return Ok(whole(Reply::empty(StatusCode::METHOD_NOT_ALLOWED)));
    }
    *lock(&script.heard) += 1;
    *lock(&script.heard_at).entry(request.uri().path().to_owned()).or_default() += 1;
    let fault = script.fault(request.uri().path());
    match fault {
        None => {
            let Distance { round_trip, works } = *lock(&script.distance);
            let time = round_trip + works(request.uri().path());
            if !time.is_zero() {
                sleep(time).await;
            }
            let answer = whole(service.answer(&request));
            *lock(&script.answered) = Some(Instant::now());
            Ok(answer)
        }
        Some(Fault::Answer(status, headers, body)) => {
            let status = StatusCode::from_u16(status).map_err(io::Error::other)?;
            Ok(whole(Reply { status, headers, body: body.to_owned() }))
        }
        Some(Fault::HangUp) => Err(hung_up()),
        Some(Fault::Hang) => pending().await,
        Some(Fault::Delay(delay)) => {
            sleep(delay).await;
            Ok(whole(service.answer(&request)))
        }
        Some(Fault::TakeAndAnswer(status, body)) => {
            service.answer(&request);
            let status = StatusCode::from_u16(status).map_err(io::Error::other)?;
            Ok(whole(Reply { status, headers: Vec::new(), body: body.to_owned() }))
        }
        Some(Fault::TakeAndHang) => {
            service.answer(&request);
            pending().await
        }
        Some(Fault::TakeAndHangUp) => {
            service.answer(&request);
            Err(hung_up())
        }
        Some(Fault::Drip(pause)) => Ok(dripping(service.answer(&request), pause)),
    }
}

fn response(status: StatusCode, headers: &[(&'static str, String)], body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().append(*name, value);
        }
    }
    response
}

fn whole(Reply { status, headers, body }: Reply) -> Response<Body> {
    response(status, &headers, Full::new(Bytes::from(body)).boxed_unsync())
}

fn dripping(Reply { status, mut headers, body }: Reply, pause: Duration) -> Response<Body> {
    headers.push((header::CONTENT_LENGTH.as_str(), body.len().to_string()));
    let bytes = body.into_bytes().into_iter();
    let drops = futures_util::stream::unfold(bytes, move |mut bytes| async move {
        let byte = bytes.next()?;
        sleep(pause).await;
        Some((Ok(Frame::data(Bytes::from(vec![byte]))), bytes))
    });
    response(status, &headers, StreamBody::new(drops).boxed_unsync())
}
