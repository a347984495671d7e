//! Connections on which no answer is longer than allowed: Google's library would read any answer into memory whole.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use http::Uri;
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use lambda_http::tower::Service;

/// Opens connections that break off an answer beyond the limit, and tells that they did.
#[derive(Clone)]
pub(super) struct Bounded<C> {
    inner: C,
    limit: usize,
    exceeded: Arc<AtomicBool>,
}

impl<C> Bounded<C> {
    pub(super) fn new(inner: C, limit: usize, exceeded: Arc<AtomicBool>) -> Self {
        Self { inner, limit, exceeded }
    }
}

impl<C> Service<Uri> for Bounded<C>
where
    C: Service<Uri>,
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
        Box::pin(async move { Ok(BoundedStream { inner: connecting.await?, limit, read: 0, exceeded }) })
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
