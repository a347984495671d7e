//! Chromium, headless, over its pipe (`--remote-debugging-pipe`): nothing to install but the browser, no port to agree
//! on, and it ends when the test does.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// Longer than a page under the slowest fault takes.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Browser {
    _process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    next: u64,
    /// What a page must not have: errors, dialogs, requests to elsewhere.
    problems: Vec<String>,
}

/// A page in the browser.
#[derive(Debug, Clone)]
pub(crate) struct Tab(String);

impl Browser {
    pub(crate) fn start(name: &str) -> Self {
        // What the last run has left: it may have been writing until its end.
        let profile = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chromium-{name}"));
        let _ = std::fs::remove_dir_all(&profile);
        let browser = std::env::var_os("CHROMIUM").unwrap_or_else(|| "chromium".into());
        // The pipe's ends are the third and fourth descriptors, which only a shell can move them to.
        let mut process = Command::new("sh")
            .args(["-c", r#"exec "$@" 3<&0 4>&1 </dev/null >&2"#, "sh"])
            .arg(browser)
            .args(["--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args([
                "--hide-scrollbars",
                "--force-color-profile=srgb",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (orders, answers) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { _process: process, orders, answers, next: 0, problems: Vec::new() }
    }

    async fn call(&mut self, tab: Option<&Tab>, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut order = json!({"id": self.next, "method": method, "params": params});
        if let Some(Tab(session)) = tab {
            order["sessionId"] = json!(session);
        }
        let answer = self.answer(&order).await;
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    async fn answer(&mut self, order: &Value) -> Value {
        self.orders.write_all(format!("{order}\0").as_bytes()).await.unwrap();
        loop {
            let mut bytes = Vec::new();
            let read = timeout(PATIENCE, self.answers.read_until(0, &mut bytes)).await;
            let length = read.unwrap_or_else(|_| panic!("the browser does not answer {order}")).unwrap();
            assert!(length > 0, "there is no browser (Debian's package `chromium`), or it has ended at {order}");
            let answer: Value = serde_json::from_slice(bytes.strip_suffix(b"\0").unwrap_or(&bytes)).unwrap();
            if answer["id"] == order["id"] {
                return answer;
            }
            self.hear(&answer);
        }
    }

    fn hear(&mut self, event: &Value) {
        let params = &event["params"];
        let problem = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => params["exceptionDetails"].to_string(),
            Some("Page.javascriptDialogOpening") => format!("a dialog: {params}"),
            Some("Log.entryAdded") if params["entry"]["level"] == "error" => params["entry"].to_string(),
            Some("Network.requestWillBeSent") => match params["request"]["url"].as_str() {
                Some(url) if url.starts_with("http://127.0.0.1:") || url.starts_with("data:") => return,
                url => format!("a request to {url:?}"),
            },
            _ => return,
        };
        self.problems.push(problem);
    }

    /// What went wrong on all pages since this was last asked.
    pub(crate) fn problems(&mut self) -> Vec<String> {
        std::mem::take(&mut self.problems)
    }

    pub(crate) async fn open(&mut self, url: &str) -> Tab {
        let target = self.call(None, "Target.createTarget", json!({"url": "about:blank"})).await;
        let attached = json!({"targetId": target["targetId"], "flatten": true});
        let session = self.call(None, "Target.attachToTarget", attached).await;
        let tab = Tab(session["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            self.call(Some(&tab), domain, json!({})).await;
        }
        self.size(&tab, 1440, 1000).await;
        self.call(Some(&tab), "Page.navigate", json!({ "url": url })).await;
        self.wait(&tab, "document.body?.dataset.version").await;
        tab
    }

    pub(crate) async fn reload(&mut self, tab: &Tab) {
        self.eval(tab, "document.body.dataset.old = true").await;
        self.call(Some(tab), "Page.reload", json!({})).await;
        self.wait(tab, "document.body && !document.body.dataset.old && document.body.dataset.version").await;
    }

    pub(crate) async fn size(&mut self, tab: &Tab, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call(Some(tab), "Emulation.setDeviceMetricsOverride", size).await;
    }

    pub(crate) async fn scheme(&mut self, tab: &Tab, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call(Some(tab), "Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// What a script in the page says; a promise is waited for.
    pub(crate) async fn eval(&mut self, tab: &Tab, script: &str) -> Value {
        let params = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let result = self.call(Some(tab), "Runtime.evaluate", params).await;
        assert!(result["exceptionDetails"].is_null(), "{script}: {result}");
        result["result"]["value"].clone()
    }

    /// Waits until a script says what is true, and gives it.
    pub(crate) async fn wait(&mut self, tab: &Tab, script: &str) -> Value {
        let waiting = format!(
            "new Promise(resolve => {{ const end = Date.now() + 20000; const look = () => {{
                let found; try {{ found = {script}; }} catch {{}}
                if (found || Date.now() > end) resolve(found || null); else setTimeout(look, 20); }}; look(); }})"
        );
        // A page that is being loaded takes its scripts with it.
        for _ in 0..50 {
            let params = json!({"expression": waiting, "awaitPromise": true, "returnByValue": true});
            let result = self.call_lost(tab, params).await;
            match result {
                Some(value) if !value.is_null() => return value,
                Some(_) => break,
                None => {}
            }
        }
        panic!("it never came: {script}\n{}", self.eval(tab, "document.body.innerText").await)
    }

    /// A script's value; nothing if its page has gone meanwhile.
    async fn call_lost(&mut self, tab: &Tab, params: Value) -> Option<Value> {
        self.next += 1;
        let order = json!({"id": self.next, "method": "Runtime.evaluate", "params": params, "sessionId": tab.0});
        self.answer(&order).await.get("result").map(|result| result["result"]["value"].clone())
    }

    /// Presses the mouse's button in the middle of an element.
    pub(crate) async fn click(&mut self, tab: &Tab, selector: &str) {
        let place = format!(
            "(() => {{ const e = document.querySelector({}); e.scrollIntoView({{block: 'center'}});
                const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()",
            json!(selector)
        );
        let place = self.wait(tab, &place).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let params = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call(Some(tab), "Input.dispatchMouseEvent", params).await;
        }
    }

    /// Types over what is in a field, as a keyboard does, and leaves it.
    pub(crate) async fn type_over(&mut self, tab: &Tab, selector: &str, text: &str) {
        self.click(tab, selector).await;
        self.eval(tab, "document.activeElement.select()").await;
        self.call(Some(tab), "Input.insertText", json!({ "text": text })).await;
        self.press(tab, "Tab").await;
    }

    pub(crate) async fn press(&mut self, tab: &Tab, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            " " => 32,
            _ => 0,
        };
        let text = match key {
            "Enter" => "\r",
            " " => " ",
            _ => "",
        };
        let down = json!({"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
        self.call(Some(tab), "Input.dispatchKeyEvent", down).await;
        let up = json!({"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code});
        self.call(Some(tab), "Input.dispatchKeyEvent", up).await;
    }

    /// Presses Tab until a field with this id, or a button for this, has the focus.
    pub(crate) async fn tab_to(&mut self, tab: &Tab, name: &str) {
        for _ in 0..200 {
            self.press(tab, "Tab").await;
            let focused = "[document.activeElement.id, document.activeElement.dataset.act]";
            if self.eval(tab, focused).await.as_array().unwrap().contains(&json!(name)) {
                return;
            }
        }
        panic!("Tab never comes to {name}");
    }

    pub(crate) async fn choose(&mut self, tab: &Tab, selector: &str, value: &str) {
        let script = format!(
            "(() => {{ const e = document.querySelector({}); e.value = {}; e.dispatchEvent(new Event('change')); }})()",
            json!(selector),
            json!(value)
        );
        self.eval(tab, &script).await;
    }

    /// A picture of an element, or of what the window shows.
    pub(crate) async fn picture(&mut self, tab: &Tab, selector: Option<&str>, path: &Path) {
        let mut params = json!({"format": "webp", "quality": 75});
        if let Some(selector) = selector {
            let place = format!(
                "(() => {{ const r = document.querySelector({}).getBoundingClientRect();
                    return [r.x + scrollX, r.y + scrollY, r.width, r.height]; }})()",
                json!(selector)
            );
            let place = self.eval(tab, &place).await;
            params["clip"] = json!({"x": place[0], "y": place[1], "width": place[2], "height": place[3], "scale": 1});
            params["captureBeyondViewport"] = json!(true);
        }
        let picture = self.call(Some(tab), "Page.captureScreenshot", params).await;
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()).unwrap();
    }
}
