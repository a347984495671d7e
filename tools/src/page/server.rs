//! The page's HTTP: its files, its scene and what it asks for, on loopback and for itself alone.
//!
//! Other pages in the same browser can reach loopback, too. So only requests for the page's own host are answered
//! (which ends DNS rebinding), and orders only from the page's own origin, as JSON (which ends forged forms).

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use super::request::Language;
use super::world::World;

/// The files of the page, as they are.
const FILES: [(&str, &str, &str); 5] = [
    ("/", "text/html; charset=utf-8", include_str!("index.html")),
    ("/page.css", "text/css; charset=utf-8", include_str!("page.css")),
    ("/page.js", "text/javascript; charset=utf-8", include_str!("page.js")),
    ("/chats.js", "text/javascript; charset=utf-8", include_str!("chats.js")),
    ("/words.js", "text/javascript; charset=utf-8", include_str!("words.js")),
];

/// Nothing from elsewhere, no script but the page's own, and in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const MAX_BODY: usize = 1024 * 1024;
/// How long a request for the next scene waits for one.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running page.
pub struct Page {
    address: SocketAddr,
    running: AbortHandle,
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Page {
    /// Starts the relay, its fakes and the page; port 0 is any free one.
    ///
    /// # Errors
    /// If the port is taken, or the relay doesn't start.
    pub async fn start(port: u16, language: Language) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let site = Arc::new(Site { world: Arc::new(World::begin(language).await?), port: address.port() });
        Ok(Self { address, running: tokio::spawn(accept(listener, site)).abort_handle() })
    }

    /// `http://127.0.0.1:port/`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

async fn accept(listener: TcpListener, site: Arc<Site>) {
    let mut connections = JoinSet::new();
    loop {
        // A connection that can't be taken is the browser's to try again.
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        let site = Arc::clone(&site);
        connections.spawn(async move {
            let handle = service_fn(move |request| {
                let site = Arc::clone(&site);
                async move { Ok::<_, Infallible>(site.answer(request).await) }
            });
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), handle).await;
        });
    }
}

struct Site {
    world: Arc<World>,
    port: u16,
}

impl Site {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if !self.is_ours(header_of(request.headers(), header::HOST), "") {
            return refusal(StatusCode::MISDIRECTED_REQUEST, "not_this_host");
        }
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/scene") => {
                let seen = request.uri().query().and_then(|query| query.strip_prefix("after="));
                if let Some(seen) = seen.and_then(|version| version.parse().ok()) {
                    // The same scene again does no harm.
                    let _ = timeout(PATIENCE, self.world.change_after(seen)).await;
                }
                respond(StatusCode::OK, "application/json", self.world.scene())
            }
            (&Method::POST, "/do") => self.carry_out(request).await,
            (&Method::GET, path) => FILES.iter().find(|(name, ..)| *name == path).map_or_else(
                || refusal(StatusCode::NOT_FOUND, "not_found"),
                |(_, kind, text)| respond(StatusCode::OK, kind, *text),
            ),
            _ => refusal(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        }
    }

    async fn carry_out(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let headers = request.headers();
        let is_json = header_of(headers, header::CONTENT_TYPE) == Some("application/json");
        if !is_json || !self.is_ours(header_of(headers, header::ORIGIN), "http://") {
            return refusal(StatusCode::FORBIDDEN, "not_this_page");
        }
        let body = match Limited::new(request.into_body(), MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return refusal(StatusCode::PAYLOAD_TOO_LARGE, "too_large");
            }
            Err(_) => return refusal(StatusCode::BAD_REQUEST, "not_understood"),
        };
        let Ok(order) = serde_json::from_slice(&body) else {
            return refusal(StatusCode::BAD_REQUEST, "not_understood");
        };
        // On a task of its own: a page that is closed or loaded again leaves no invocation half done.
        let world = Arc::clone(&self.world);
        match tokio::spawn(async move { Box::pin(world.carry_out(order)).await }).await {
            Ok(Ok(answer)) => respond(StatusCode::OK, "application/json", answer.to_string()),
            Ok(Err(refused)) => respond(StatusCode::CONFLICT, "application/json", json!(refused).to_string()),
            Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "broken"),
        }
    }

    fn is_ours(&self, value: Option<&str>, scheme: &str) -> bool {
        let host = value.and_then(|value| value.strip_prefix(scheme));
        host.is_some_and(|host| ["127.0.0.1", "localhost"].iter().any(|name| host == format!("{name}:{}", self.port)))
    }
}

fn header_of(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn refusal(status: StatusCode, code: &str) -> Response<Full<Bytes>> {
    respond(status, "application/json", json!({ "error": code }).to_string())
}

fn respond(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    response
}
