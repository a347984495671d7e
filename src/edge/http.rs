//! The HTTP clients for calling out: one TLS configuration, no proxies, no redirects, no stale connections.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use lambda_http::tower::{Layer, Service};
use reqwest::Url;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::Instant;

use crate::budget::{self, OPERATORS_PATIENCE};

/// TLS with roots that are compiled in: reading the system's would cost more than the rest of a cold start.
pub(crate) fn tls() -> ClientConfig {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// A client for everything but Google, which can tell whether a request went out on a connection used before.
#[derive(Debug, Clone)]
pub struct HttpClient {
    inner: reqwest::Client,
    connections: Arc<AtomicU64>,
    hosts: Arc<Mutex<HashMap<String, Host>>>,
}

/// A host that was called.
#[derive(Debug)]
struct Host {
    /// When it was called the last time.
    called_at: Instant,
    /// Whether a connection was opened ahead that no request of ours has used yet.
    is_untried: bool,
}

impl HttpClient {
    /// Builds the client.
    #[must_use]
    pub fn new() -> Self {
        Self::with(reqwest::Client::builder().no_proxy().connect_timeout(budget::CONNECT))
    }

    /// A client for a person's machine: through the proxies that `HTTPS_PROXY` and `NO_PROXY` name, and patient.
    #[must_use]
    pub fn for_operators() -> Self {
        Self::with(reqwest::Client::builder().timeout(OPERATORS_PATIENCE))
    }

    fn with(settings: reqwest::ClientBuilder) -> Self {
        let connections = Arc::new(AtomicU64::new(0));
        let inner = settings
            .tls_backend_preconfigured(tls())
            .connector_layer(CountConnections { connections: Arc::clone(&connections) })
            .user_agent(concat!("oncall-relay/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(budget::IDLE_CONNECTION)
            .build()
            .expect("the client's settings are constant");
        Self { inner, connections, hosts: Arc::default() }
    }

    /// Opens a connection for a request that is to come while something else is waited for. Nobody waits for it, and
    /// nothing comes of it if it fails, or if there is a connection already.
    pub fn open_ahead(&self, url: &str) {
        let Ok(url) = Url::parse(url) else { return };
        let (host, now) = (url.authority().to_owned(), Instant::now());
        {
            let mut hosts = self.hosts();
            if hosts.get(&host).is_some_and(|host| now < host.called_at + budget::IDLE_CONNECTION) {
                return;
            }
            hosts.insert(host.clone(), Host { called_at: now, is_untried: false });
        }
        let opening = self.inner.head(url).timeout(budget::CONNECT).send();
        let client = self.clone();
        tokio::spawn(async move {
            if opening.await.is_ok()
                && let Some(host) = client.hosts().get_mut(&host).filter(|host| host.called_at == now)
            {
                host.is_untried = true;
            }
        });
    }

    /// Notes that a host is called, and says whether that uses a connection that was opened ahead.
    fn calls(&self, url: &Url) -> bool {
        let host = Host { called_at: Instant::now(), is_untried: false };
        self.hosts().insert(url.authority().to_owned(), host).is_some_and(|before| before.is_untried)
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request and reads the head of the answer, all within the time.
    ///
    /// # Errors
    /// Says whether the request may have been received.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, SendError> {
        let request = request.build().map_err(|_| SendError::Invalid)?;
        let is_first = self.calls(request.url());
        let opened_before = self.connections.load(Ordering::Relaxed);
        self.inner.execute(request).await.map_err(|error| {
            let opened = self.connections.load(Ordering::Relaxed) - opened_before;
            if error.is_builder() {
                SendError::Invalid
            } else if error.is_connect() {
                SendError::Connect
            } else if error.is_timeout() {
                SendError::Timeout
            } else {
                SendError::Broken { reused_connection: opened == 0 && !is_first }
            }
        })
    }

    /// A POST to be sent.
    pub fn post(&self, url: &str) -> reqwest::RequestBuilder {
        self.request(http::Method::POST, url)
    }

    /// A GET to be sent.
    pub fn get(&self, url: &str) -> reqwest::RequestBuilder {
        self.request(http::Method::GET, url)
    }

    /// A request to be sent.
    pub fn request(&self, method: http::Method, url: &str) -> reqwest::RequestBuilder {
        self.inner.request(method, url)
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

/// Why no answer came, by what it means for the request's fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The request can't be made at all.
    #[error("the request can't be made")]
    Invalid,
    /// Nothing was sent.
    #[error("can't connect")]
    Connect,
    /// It may have been received.
    #[error("no answer in time")]
    Timeout,
    /// It may have been received; on a connection used before, more likely not.
    #[error("the connection broke")]
    Broken {
        /// Whether the connection had been used before.
        reused_connection: bool,
    },
}

/// Reads a body up to `limit` bytes; what comes after is not looked at.
///
/// # Errors
/// If the body breaks off.
pub async fn read_body(response: &mut reqwest::Response, limit: usize) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while body.len() < limit {
        let Some(chunk) = response.chunk().await? else { break };
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Counts connections as they are opened; see [`HttpClient::send`].
#[derive(Debug, Clone)]
struct CountConnections {
    connections: Arc<AtomicU64>,
}

impl<S> Layer<S> for CountConnections {
    type Service = CountingConnector<S>;

    fn layer(&self, connector: S) -> Self::Service {
        CountingConnector { connector, connections: Arc::clone(&self.connections) }
    }
}

#[derive(Debug, Clone)]
struct CountingConnector<S> {
    connector: S,
    connections: Arc<AtomicU64>,
}

impl<S, R> Service<R> for CountingConnector<S>
where
    S: Service<R>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.connector.call(request)
    }
}
