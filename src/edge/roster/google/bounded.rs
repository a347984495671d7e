//! Connections on which no answer is longer than allowed: Google's library would read any answer into memory whole. They
//! can be opened ahead of the requests that need them.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use http::Uri;
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use lambda_http::tower::Service;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::budget::{CONNECT, IDLE_CONNECTION};

/// Opens connections that break off an answer beyond the limit, and tells that they did.
pub(super) struct Bounded<C>
where
    C: Service<Uri>,
{
    inner: C,
    limit: usize,
    exceeded: Arc<AtomicBool>,
    ahead: Arc<Mutex<Vec<Ahead<C::Response>>>>,
}

impl<C> Clone for Bounded<C>
where
    C: Service<Uri> + Clone,
{
    fn clone(&self) -> Self {
        let Self { inner, limit, exceeded, ahead } = self;
        Self { inner: inner.clone(), limit: *limit, exceeded: Arc::clone(exceeded), ahead: Arc::clone(ahead) }
    }
}

/// A connection that is being opened, or is open, for a request that is to come.
struct Ahead<S> {
    begun_at: Instant,
    /// None if it didn't succeed.
    opening: JoinHandle<Option<S>>,
}

impl<C> Bounded<C>
where
    C: Service<Uri> + Clone + Send + 'static,
    C::Response: Send + 'static,
    C::Future: Send,
{
    pub(super) fn new(inner: C, limit: usize, exceeded: Arc<AtomicBool>) -> Self {
        Self { inner, limit, exceeded, ahead: Arc::default() }
    }

    /// Begins so many connections, which the next requests take over in whatever state they are by then. Nothing comes
    /// of those that fail.
    pub(super) fn open_ahead(&self, uri: &Uri, connections: usize) {
        let begun = (0..connections).map(|_| {
            let (mut connector, uri) = (self.inner.clone(), uri.clone());
            let opening = async move {
                poll_fn(|context| connector.poll_ready(context)).await.ok()?;
                connector.call(uri).await.ok()
            };
            let opening = tokio::spawn(async move { timeout(CONNECT, opening).await.ok().flatten() });
            Ahead { begun_at: Instant::now(), opening }
        });
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = begun.collect();
    }
}

impl<C> Service<Uri> for Bounded<C>
where
    C: Service<Uri>,
    C::Response: Send + 'static,
    C::Future: Send + 'static,
{
    type Response = BoundedStream<C::Response>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, limit, exceeded) = (self.inner.call(uri), self.limit, Arc::clone(&self.exceeded));
        let ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let ahead = ahead.filter(|ahead| ahead.begun_at.elapsed() < IDLE_CONNECTION);
        Box::pin(async move {
            let opened = match ahead {
                Some(ahead) => ahead.opening.await.ok().flatten(),
                None => None,
            };
            let inner = match opened {
                Some(opened) => opened,
                None => connecting.await?,
            };
            Ok(BoundedStream { inner, limit, read: 0, exceeded })
        })
    }
}

/// One of them. Requests follow each other on it, so what is read since the last write is one answer.
pub(super) struct BoundedStream<S> {
    inner: S,
    limit: usize,
    read: usize,
    exceeded: Arc<AtomicBool>,
}

impl<S: Read + Unpin> Read for BoundedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut bytes = [0; 8 * 1024];
        let most = bytes.len().min(into.remaining());
        let mut buffer = ReadBuf::new(&mut bytes[..most]);
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer.unfilled()))?;
        self.read += buffer.filled().len();
        if self.read > self.limit {
            self.exceeded.store(true, Ordering::Relaxed);
            return Poll::Ready(Err(io::Error::other("the answer is too large")));
        }
        into.put_slice(buffer.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: Write + Unpin> Write for BoundedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.read = 0;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl<S: Connection> Connection for BoundedStream<S> {
    fn connected(&self) -> Connected {
        self.inner.connected()
    }
}
