//! The HTTP clients for calling out: one TLS configuration, no proxies, no redirects, no stale connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use lambda_http::tower::{Layer, Service};
use rustls::{ClientConfig, RootCertStore};

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
        Self { inner, connections }
    }

    /// Sends a request and reads the head of the answer, all within the time.
    ///
    /// # Errors
    /// Says whether the request may have been received.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, SendError> {
        let opened_before = self.connections.load(Ordering::Relaxed);
        request.send().await.map_err(|error| {
            let opened = self.connections.load(Ordering::Relaxed) - opened_before;
            if error.is_builder() {
                SendError::Invalid
            } else if error.is_connect() {
                SendError::Connect
            } else if error.is_timeout() {
                SendError::Timeout
            } else {
                SendError::Broken { reused_connection: opened == 0 }
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
