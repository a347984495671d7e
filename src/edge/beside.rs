//! Work that goes on side by side in one task, and beside whatever else the task waits for.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

/// A piece of such work.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Several pieces of work, and the results of those that have ended.
pub struct Beside<'a, T> {
    running: Vec<Work<'a, T>>,
    ended: Vec<T>,
}

impl<T> std::fmt::Debug for Beside<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Beside").field("running", &self.running.len()).finish_non_exhaustive()
    }
}

impl<'a, T> Beside<'a, T> {
    /// Nothing is begun yet.
    #[must_use]
    pub fn new(work: Vec<Work<'a, T>>) -> Self {
        Self { running: work, ended: Vec::new() }
    }

    /// What has ended so far.
    #[must_use]
    pub fn ended(&self) -> &[T] {
        &self.ended
    }

    /// Waits for something else, which comes first whenever there is something to do; the work goes on meanwhile.
    pub async fn during<O>(&mut self, other: impl Future<Output = O>) -> O {
        let mut other = pin!(other);
        poll_fn(|context| {
            if let Poll::Ready(output) = other.as_mut().poll(context) {
                return Poll::Ready(output);
            }
            self.go_on(context);
            Poll::Pending
        })
        .await
    }

    /// Waits for all of it.
    pub async fn all(&mut self) {
        poll_fn(|context| {
            self.go_on(context);
            if self.running.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// The results of what has ended, in the order in which it ended.
    #[must_use]
    pub fn into_ended(self) -> Vec<T> {
        self.ended
    }

    fn go_on(&mut self, context: &mut Context<'_>) {
        let ended = &mut self.ended;
        self.running.retain_mut(|work| match work.as_mut().poll(context) {
            Poll::Ready(result) => {
                ended.push(result);
                false
            }
            Poll::Pending => true,
        });
    }
}

/// Waits for something, and if it isn't there at once, does another thing at the beginning.
pub async fn while_waiting<O>(other: impl Future<Output = O>, begin: impl FnOnce()) -> O {
    let mut other = pin!(other);
    tokio::select! {
        biased;
        output = &mut other => output,
        () = std::future::ready(()) => {
            begin();
            other.await
        }
    }
}

/// Does all of it, so many pieces at a time.
pub async fn side_by_side<'a, T>(at_once: usize, work: impl Iterator<Item = Work<'a, T>>) -> Vec<T> {
    let mut work = work.peekable();
    let mut ended = Vec::new();
    while work.peek().is_some() {
        let mut some = Beside::new(work.by_ref().take(at_once.max(1)).collect());
        some.all().await;
        ended.extend(some.into_ended());
    }
    ended
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{sleep, timeout};

    use super::*;

    fn after(milliseconds: u64) -> Work<'static, u64> {
        Box::pin(async move {
            sleep(Duration::from_millis(milliseconds)).await;
            milliseconds
        })
    }

    fn never() -> Work<'static, u64> {
        Box::pin(std::future::pending())
    }

    #[tokio::test]
    async fn work_goes_on_beside_something_else_and_its_results_are_kept() {
        let mut work = Beside::new(vec![after(5), never(), after(1)]);
        assert_eq!(work.during(async { "first" }).await, "first");
        assert_eq!(work.ended(), [0_u64; 0], "something else comes first");
        work.during(sleep(Duration::from_millis(200))).await;
        assert_eq!(work.ended(), [1, 5]);
        assert!(timeout(Duration::from_millis(1), work.all()).await.is_err());
        assert_eq!(work.into_ended(), [1, 5], "what ended before the time was up is not lost");
    }

    #[tokio::test]
    async fn something_is_begun_only_where_there_is_something_to_wait_for() {
        for (work, begins) in [(after(1), true), (Box::pin(async { 0_u64 }) as Work<'_, u64>, false)] {
            let mut has_begun = false;
            while_waiting(work, || has_begun = true).await;
            assert_eq!(has_begun, begins);
        }
    }

    #[tokio::test]
    async fn everything_is_done_some_at_a_time() {
        let mut done = side_by_side(2, [3, 1, 2, 0, 4].into_iter().map(after)).await;
        done.sort_unstable();
        assert_eq!(done, [0, 1, 2, 3, 4]);
        assert_eq!(side_by_side(2, std::iter::empty::<Work<'_, u64>>()).await, [0_u64; 0]);
    }
}
