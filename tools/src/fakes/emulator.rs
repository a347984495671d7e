//! AWS's own Lambda Runtime Interface Emulator around a built function, as a child process.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::server::lock;
use oncall_relay::edge::http::{HttpClient, read_body};

const INVOKE_WITHIN: Duration = Duration::from_secs(30);
const MAX_ANSWER: usize = 8 << 20;

/// A function that runs as it would on Lambda.
#[derive(Debug)]
pub struct Emulator {
    child: Child,
    url: String,
    http: HttpClient,
    log: Arc<Mutex<Vec<String>>>,
}

impl Emulator {
    /// Starts the function `bootstrap` under the emulator `rie`, with these variables and no others.
    ///
    /// # Errors
    /// If the emulator can't be started, or doesn't listen within seconds.
    pub async fn start(rie: &Path, bootstrap: &Path, variables: &HashMap<String, String>) -> io::Result<Self> {
        let mut attempts = 5;
        loop {
            attempts -= 1;
            match Self::try_to_start(rie, bootstrap, variables).await {
                // Somebody else may take a port between our looking for a free one and the emulator's using it.
                Err(error) if attempts > 0 && error.kind() == io::ErrorKind::AddrInUse => {}
                started => return started,
            }
        }
    }

    async fn try_to_start(rie: &Path, bootstrap: &Path, variables: &HashMap<String, String>) -> io::Result<Self> {
        let (invocations, runtime) = (free_address()?, free_address()?);
        let mut child = Command::new(rie)
            .arg("--runtime-interface-emulator-address")
            .arg(invocations.to_string())
            .arg("--runtime-api-address")
            .arg(runtime.to_string())
            .arg(bootstrap)
            .env_clear()
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", "30")
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let log = Arc::default();
        keep(child.stdout.take(), &log);
        keep(child.stderr.take(), &log);
        let url = format!("http://{invocations}/2015-03-31/functions/function/invocations");
        let mut emulator = Self { child, url, http: HttpClient::new(), log };
        for _ in 0..500 {
            // The port of the runtime's own API is taken a moment after the other.
            if tokio::net::TcpStream::connect(invocations).await.is_ok() && emulator.child.try_wait()?.is_none() {
                sleep(Duration::from_millis(10)).await;
                if emulator.child.try_wait()?.is_none() {
                    return Ok(emulator);
                }
            }
            if emulator.child.try_wait()?.is_some() {
                sleep(Duration::from_millis(10)).await;
                let taken = emulator.log().contains("address already in use");
                let kind = if taken { io::ErrorKind::AddrInUse } else { io::ErrorKind::Other };
                return Err(io::Error::new(kind, format!("the emulator has ended: {}", emulator.log())));
            }
            sleep(Duration::from_millis(10)).await;
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("the emulator doesn't listen: {}", emulator.log())))
    }

    /// Invokes the function and returns its answer; an error of the invocation is an answer with `errorType`.
    ///
    /// # Errors
    /// If the emulator gives no answer, or one that is no JSON.
    pub async fn invoke(&self, event: &Value) -> io::Result<Value> {
        let request = self.http.post(&self.url).timeout(INVOKE_WITHIN).body(event.to_string());
        let failed = |what: &str| io::Error::other(format!("{what}; the function's log: {}", self.log()));
        let mut response = self.http.send(request).await.map_err(|error| failed(&format!("{error:?}")))?;
        let body = read_body(&mut response, MAX_ANSWER).await.map_err(|_| failed("the answer broke off"))?;
        serde_json::from_slice(&body).map_err(|_| failed(&String::from_utf8_lossy(&body)))
    }

    /// Everything that the function and the emulator have printed.
    #[must_use]
    pub fn log(&self) -> String {
        lock(&self.log).join("\n")
    }

    /// How long the function took to start, in milliseconds, once it was invoked.
    #[must_use]
    pub fn init_milliseconds(&self) -> Option<f64> {
        let log = self.log();
        let (_, report) = log.split_once("INIT REPORT(durationMs: ")?;
        report.split(')').next()?.parse().ok()
    }

    /// Memory of the function that is resident at most so far, in KiB.
    #[must_use]
    pub fn peak_resident_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.function_process()?)).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        peak.trim().strip_suffix(" kB")?.parse().ok()
    }

    /// Processor time that the function has used so far.
    #[must_use]
    pub fn processor_time(&self) -> Option<Duration> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.function_process()?)).ok()?;
        let nanoseconds = threads.filter_map(Result::ok).filter_map(|thread| {
            let statistics = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            statistics.split_whitespace().next()?.parse::<u64>().ok()
        });
        Some(Duration::from_nanos(nanoseconds.sum()))
    }

    /// The function is a child of whichever thread of the emulator started it.
    fn function_process(&self) -> Option<u32> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        threads.filter_map(Result::ok).find_map(|thread| {
            let children = std::fs::read_to_string(thread.path().join("children")).ok()?;
            children.split_whitespace().next()?.parse().ok()
        })
    }

    /// Kills the function at once, wherever it is.
    pub fn kill(&mut self) {
        // The emulator gives the function a group of its own, in which it would live on.
        let groups = [Some(self.child.id()), self.function_process()];
        let groups = groups.into_iter().flatten().map(|group| format!("-{group}"));
        let _ = Command::new("kill").args(["-KILL", "--"]).args(groups).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A free port below those that the system gives to outgoing connections; none is given out twice.
///
/// Two emulators on one port would not only fail: one would take the other's events.
fn free_address() -> io::Result<SocketAddr> {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    // Processes at the same time begin in different places.
    let offset = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap_or_default();
    for _ in 0..COUNT {
        let step = GIVEN.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (offset + step) % COUNT;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr();
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no free port"))
}

fn keep(output: Option<impl io::Read + Send + 'static>, log: &Arc<Mutex<Vec<String>>>) {
    let (Some(output), log) = (output, Arc::clone(log)) else { return };
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            lock(&log).push(line);
        }
    });
}
