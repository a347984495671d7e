//! The page to play with: what its server lets in, and, in a real browser, what people see and do there.
#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

#[path = "page/browser.rs"]
mod browser;
#[path = "page/pictures.rs"]
mod pictures;

use browser::{Browser, Tab};
use oncall::page::{Language, Page};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The status, the head and the body of an answer.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

async fn request(page: &Page, head: &str, body: &str) -> Answer {
    let address = page.url().replace("http://", "").replace('/', "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = head.replace("{url}", page.url().trim_end_matches('/'));
    let host = if head.contains("host:") {
        ""
    } else {
        &format!("host: {}\r\n", page.url().replace("http://", "").replace('/', ""))
    };
    let request = format!("{head}{host}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    // What is too large is answered before it is read.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

const ASKED: &str = "POST /do HTTP/1.1\r\ncontent-type: application/json\r\norigin: {url}\r\n";

async fn ask(page: &Page, order: &Value) -> Answer {
    request(page, ASKED, &order.to_string()).await
}

async fn scene(page: &Page) -> Value {
    serde_json::from_str(&request(page, "GET /scene HTTP/1.1\r\n", "").await.body).unwrap()
}

async fn page() -> Page {
    Page::start(0, Language::En).await.unwrap()
}

fn trigger(title: &str) -> Value {
    json!({"do": "trigger", "title": title, "version": "v3"})
}

fn texts(scene: &Value, chat: &str) -> Vec<String> {
    let posts = scene["posts"].as_array().unwrap().iter().filter(|post| post["chat"] == chat);
    posts.map(|post| post["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_press_is_posted_by_the_real_relay_with_the_answer_and_the_log_behind_it() {
    let page = page().await;
    assert_eq!(ask(&page, &trigger("slow")).await.status, 200);
    let scene = scene(&page).await;
    assert_eq!(texts(&scene, "typetalk").len(), 1, "{scene:#}");
    assert!(texts(&scene, "typetalk")[0].starts_with("@tanaka @suzuki-k\n"), "{scene:#}");
    let step = &scene["steps"][0];
    assert_eq!((&step["status"], &step["body"]), (&json!(200), &json!(r#"{"posted":1,"ignored":0}"#)));
    let line: Value = serde_json::from_str(step["log"][0].as_str().unwrap()).unwrap();
    assert_eq!(line["event"], "delivery", "{line}");
    assert_eq!(scene["posts"][0]["step"], step["number"]);
}

#[tokio::test]
async fn a_job_tells_what_it_does_in_the_incidents_thread_and_the_week_ends_with_a_summary() {
    let page = page().await;
    ask(&page, &json!({"do": "settings", "language": "en", "chats": "slack"})).await;
    ask(&page, &trigger("slow")).await;
    let notice = json!({"do": "notice", "incident": 33, "text": "app-01 restarts", "status": "started"});
    assert_eq!(ask(&page, &notice).await.status, 200);
    assert_eq!(ask(&page, &json!({"do": "remind", "reminder": "week"})).await.status, 200);
    let scene = scene(&page).await;
    let [first, told, week] = scene["posts"].as_array().unwrap().as_slice() else { panic!("{scene:#}") };
    assert_eq!(told["thread"], first["ts"], "{told:#}");
    assert!(told["text"].as_str().unwrap().contains("app-01 restarts"), "{told:#}");
    assert_eq!((&week["is_alert"], &scene["steps"][2]["at"]), (&json!(false), &json!("2026-11-27T17:00")), "{week:#}");
    assert!(week["text"].as_str().unwrap().contains("Backlog"), "{week:#}");
}

#[tokio::test]
async fn only_the_page_itself_can_ask_for_anything() {
    let page = page().await;
    let order = trigger("forged").to_string();
    for (head, status) in [
        (ASKED, 200),
        ("POST /do HTTP/1.1\r\ncontent-type: application/json\r\norigin: https://evil.example\r\n", 403),
        ("POST /do HTTP/1.1\r\ncontent-type: application/json\r\norigin: http://127.0.0.1:1\r\n", 403),
        ("POST /do HTTP/1.1\r\ncontent-type: application/json\r\norigin: null\r\n", 403),
        ("POST /do HTTP/1.1\r\ncontent-type: application/json\r\n", 403),
        ("POST /do HTTP/1.1\r\ncontent-type: text/plain\r\norigin: {url}\r\n", 403),
        ("POST /do HTTP/1.1\r\nhost: evil.example\r\ncontent-type: application/json\r\norigin: {url}\r\n", 421),
        ("GET /scene HTTP/1.1\r\nhost: evil.example\r\n", 421),
        ("GET /scene HTTP/1.1\r\nhost: 127.0.0.1:1\r\n", 421),
        ("GET / HTTP/1.1\r\n", 200),
        ("GET /../Cargo.toml HTTP/1.1\r\n", 404),
        ("PUT /do HTTP/1.1\r\n", 405),
    ] {
        let answer = request(&page, head, &order).await;
        assert_eq!(answer.status, status, "{head}");
        for header in ["content-security-policy: default-src 'none'; script-src 'self'", "nosniff", "no-referrer"] {
            assert!(answer.head.contains(header), "{head}: {}", answer.head);
        }
    }
    assert_eq!(scene(&page).await["steps"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_can_not_be_done_is_refused_by_name() {
    let page = page().await;
    ask(&page, &trigger("slow")).await;
    let happen = |what: &str, incident: u64, into: Option<u64>| json!({"do": "happen", "what": what, "incident": incident, "text": "", "into": into, "version": "v3"});
    for (order, status, error) in [
        (happen("acknowledge", 33, None), 200, None),
        (happen("reopen", 33, None), 409, Some("not_in_this_state")),
        (happen("merge", 33, None), 409, Some("not_in_this_state")),
        (happen("merge", 33, Some(33)), 409, Some("not_in_this_state")),
        (happen("merge", 33, Some(99)), 409, Some("gone")),
        (happen("resolve", 99, None), 409, Some("gone")),
        (json!({"do": "again", "step": 99}), 409, Some("gone")),
        (json!({"do": "clock", "at": "9999-99-99"}), 409, Some("no_time")),
        (json!({"do": "write", "tab": "roster", "rows": vec![[""]; 501]}), 409, Some("sheet_too_large")),
        (json!({"do": "write", "tab": "roster", "rows": [vec![""; 21]]}), 409, Some("sheet_too_large")),
        (json!({"do": "write", "tab": "secrets", "rows": []}), 400, Some("not_understood")),
        (json!({"do": "anything"}), 400, Some("not_understood")),
        (json!([]), 400, Some("not_understood")),
        (trigger(&"x".repeat(1024 * 1024)), 413, Some("too_large")),
    ] {
        let answer = ask(&page, &order).await;
        assert_eq!(answer.status, status, "{} {}", &order.to_string()[..order.to_string().len().min(99)], answer.body);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["error"].as_str(), error, "{body}");
    }
}

#[tokio::test]
async fn of_many_posts_the_page_has_the_latest_and_counts_the_others() {
    let page = page().await;
    // Out of hours, so that Google's quota is no matter.
    ask(&page, &json!({"do": "clock", "at": "2026-11-24T20:00"})).await;
    ask(&page, &trigger("slow")).await;
    let note = json!({"do": "happen", "what": "note", "incident": 33, "text": "n", "into": null, "version": "v3"});
    for _ in 1..500 {
        assert_eq!(ask(&page, &note).await.status, 200);
    }
    let scene = scene(&page).await;
    let lengths = ["posts", "steps"].map(|list| scene[list].as_array().unwrap().len());
    assert_eq!((lengths, &scene["left_out"]), ([200, 100], &json!(300)));
}

#[tokio::test]
async fn a_port_that_is_taken_is_said() {
    let page = page().await;
    let port = page.url().trim_matches('/').rsplit(':').next().unwrap().to_owned();
    let oncall = tokio::process::Command::new(env!("CARGO_BIN_EXE_oncall"))
        .args(["lab", "page", "--no-browser", "--port", &port])
        .output()
        .await
        .unwrap();
    let error = String::from_utf8(oncall.stderr).unwrap();
    assert!(!oncall.status.success());
    assert!(error.contains(&format!("port {port} of 127.0.0.1 is taken")) && error.contains("--port 0"), "{error}");
}

#[tokio::test]
async fn without_a_browser_the_address_is_printed_and_the_page_is_there() {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let mut oncall = tokio::process::Command::new(env!("CARGO_BIN_EXE_oncall"))
        .args(["demo", "--page", "--port", "0"])
        .env("PATH", "/nowhere")
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(oncall.stdout.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().unwrap();
    let second = lines.next_line().await.unwrap().unwrap();
    assert!(second.starts_with("No browser could be opened"), "{second}");
    let address = first.split("http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    assert!(TcpStream::connect(address).await.is_ok(), "{first}");
}

/// Waits until all that was pressed is done, and gives the text of a place.
async fn settled(browser: &mut Browser, tab: &Tab, place: &str, steps: usize) -> String {
    let done = format!(
        "[...document.querySelectorAll('#steps li[value]')].length === {steps}
         && document.querySelectorAll('#steps li > i').length === 0"
    );
    browser.wait(tab, &done).await;
    browser.eval(tab, &format!("document.querySelector('{place}').innerText")).await.as_str().unwrap().to_owned()
}

#[tokio::test]
#[ignore = "needs Chromium; .ci/run brings it"]
async fn the_next_alert_mentions_whom_the_sheet_now_names() {
    let (page, mut browser) = (page().await, Browser::start("sheet"));
    let tab = browser.open(&page.url()).await;
    browser.click(&tab, "[data-act=trigger]").await;
    settled(&mut browser, &tab, "#typetalk-alert", 1).await;
    browser.type_over(&tab, "#roster [data-cell='1-1']", "Hanako Sato").await;
    browser.click(&tab, "[data-act=trigger]").await;
    settled(&mut browser, &tab, "#typetalk-alert", 2).await;
    let lit = "[...document.querySelectorAll('#typetalk-alert .mention')].map(one => one.textContent).join()";
    assert_eq!(browser.eval(&tab, lit).await, "@tanaka,@suzuki-k,@sato");
    assert_eq!(browser.problems(), [""; 0]);
}

#[tokio::test]
#[ignore = "needs Chromium; .ci/run brings it"]
async fn what_typetalk_does_not_take_is_seen_in_slack_and_what_nobody_takes_comes_again() {
    let (page, mut browser) = (page().await, Browser::start("faults"));
    let tab = browser.open(&page.url()).await;
    browser.choose(&tab, "[data-service=typetalk]", "down").await;
    browser.click(&tab, "[data-act=trigger]").await;
    let channel = settled(&mut browser, &tab, "#slack-alert", 1).await;
    assert!(channel.contains("@Tanaka") && channel.contains("Typetalk"), "{channel}");
    browser.choose(&tab, "[data-service=slack]", "down").await;
    browser.click(&tab, "[data-act=trigger]").await;
    let steps = settled(&mut browser, &tab, "#steps", 2).await;
    assert!(steps.contains("503") && steps.contains("nothing posted"), "{steps}");
    browser.choose(&tab, "[data-service=slack]", "well").await;
    browser.click(&tab, "[data-again]").await;
    let channel = settled(&mut browser, &tab, "#slack-alert", 3).await;
    assert!(channel.contains("#pd34"), "{channel}");
    assert!(browser.problems().iter().all(|problem| problem.contains("409")), "only what is refused is an error");
}

#[tokio::test]
#[ignore = "needs Chromium; .ci/run brings it"]
async fn a_press_in_slack_acknowledges_notes_are_written_there_and_resolving_asks_first() {
    let (page, mut browser) = (page().await, Browser::start("press"));
    let tab = browser.open(&page.url()).await;
    browser.choose(&tab, "#chats", "slack").await;
    browser.click(&tab, "[data-act=trigger]").await;
    settled(&mut browser, &tab, "#slack-alert", 1).await;
    let colour = "document.querySelector('#slack-alert .attachment').style.borderLeftColor";
    let red = browser.eval(&tab, colour).await;
    browser.choose(&tab, "#me", "U0SUZUKI1|Suzuki").await;
    // The press, and PagerDuty's webhook that follows it.
    browser.click(&tab, "#slack-alert [data-action=acknowledge]").await;
    let channel = settled(&mut browser, &tab, "#slack-alert", 3).await;
    assert!(channel.contains("🟡 acknowledged #pd33") && channel.contains("Suzuki 11:02"), "{channel}");
    assert_ne!(browser.eval(&tab, colour).await, red);
    assert_eq!(browser.eval(&tab, "document.querySelectorAll('[data-action=acknowledge]').length").await, 0);
    browser.click(&tab, "#slack-alert [data-action=note]").await;
    browser.type_over(&tab, "dialog textarea", "<b>looking</b> into it").await;
    browser.click(&tab, "dialog [value=yes]").await;
    let channel = settled(&mut browser, &tab, "#slack-alert", 6).await;
    assert!(channel.contains("<b>looking</b> into it"), "{channel}");
    browser.click(&tab, "#slack-alert [data-action=resolve]").await;
    browser.click(&tab, "dialog [value='']").await;
    browser.click(&tab, "#slack-alert [data-action=resolve]").await;
    browser.click(&tab, "dialog [value=yes]").await;
    let channel = settled(&mut browser, &tab, "#slack-alert", 8).await;
    assert!(channel.contains("🟢 resolved #pd33"), "{channel}");
    assert_eq!(browser.eval(&tab, "document.querySelectorAll('#slack-alert [data-action]').length").await, 0);
    browser.click(&tab, "[data-act=ask]").await;
    let channel = settled(&mut browser, &tab, "#slack-alert", 9).await;
    assert!(channel.contains("Only visible to you") && channel.contains("Hanako Sato"), "{channel}");
    assert_eq!(browser.problems(), [""; 0]);
}

#[tokio::test]
#[ignore = "needs Chromium; .ci/run brings it"]
async fn markup_in_every_field_stays_text() {
    const MARKUP: &str = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'`";
    let (page, mut browser) = (page().await, Browser::start("markup"));
    let tab = browser.open(&page.url()).await;
    browser.choose(&tab, "#chats", "slack,typetalk").await;
    for field in
        ["#title", "#text", "#roster [data-cell='0-1']", "#roster [data-cell='1-1']", "#members [data-cell='1-0']"]
    {
        browser.type_over(&tab, field, MARKUP).await;
    }
    browser.click(&tab, "[data-act=trigger]").await;
    settled(&mut browser, &tab, "#slack-alert", 1).await;
    browser.click(&tab, "[data-act=note]").await;
    browser.choose(&tab, "[data-service=slack]", "down").await;
    for (steps, press) in [(2, "trigger"), (3, "hostile"), (4, "next")] {
        settled(&mut browser, &tab, "#slack-alert", steps).await;
        browser.click(&tab, &format!("[data-act={press}]")).await;
    }
    settled(&mut browser, &tab, "#steps", 5).await;
    for place in ["#slack-alert", "#typetalk-alert", "#incident"] {
        let text = browser.eval(&tab, &format!("document.querySelector('{place}').textContent")).await;
        assert!(text.as_str().unwrap().contains("<img src=x onerror="), "{place}: {text}");
    }
    let strangers = "document.querySelectorAll('body script, img, iframe, [onerror]').length";
    assert_eq!(browser.eval(&tab, strangers).await, 0);
    let lit = "[...document.querySelectorAll('.posts .mention')].filter(one => /all|here|channel/.test(one.textContent)).length";
    assert_eq!(browser.eval(&tab, lit).await, 0);
    assert_eq!(browser.problems(), [""; 0]);
}

#[tokio::test]
#[ignore = "needs Chromium; .ci/run brings it"]
async fn two_pages_show_the_same_and_a_reload_in_the_middle_loses_nothing() {
    let (page, mut browser) = (page().await, Browser::start("two"));
    let (one, two) = (browser.open(&page.url()).await, browser.open(&page.url()).await);
    browser.choose(&one, "[data-service=typetalk]", "hangs").await;
    browser.click(&one, "[data-act=trigger]").await;
    // It takes seconds, so that the page comes again before it is done; on a machine that is slower still, after it.
    browser.wait(&one, "document.querySelector('#steps li[value]')").await;
    browser.reload(&one).await;
    for tab in [&one, &two] {
        settled(&mut browser, tab, "#slack-alert", 1).await;
        assert_eq!(browser.eval(tab, "document.querySelectorAll('#slack-alert .post').length").await, 1);
        assert_eq!(browser.eval(tab, "document.querySelector('[data-service=typetalk]').value").await, "hangs");
    }
    browser.choose(&two, "#language", "ja").await;
    browser
        .wait(
            &one,
            "document.documentElement.lang === 'ja' && document.querySelector('#team h2').textContent === '当番表'",
        )
        .await;
    assert_eq!(browser.problems(), [""; 0]);
}

/// The resident memory of this process, in which the page's server is, in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test]
#[ignore = "needs Chromium and some minutes; .ci/run brings them"]
async fn after_ten_thousand_posts_the_page_is_as_quick_as_ever_and_its_server_no_larger() {
    let page = page().await;
    ask(&page, &json!({"do": "settings", "language": "en", "chats": "slack"})).await;
    // Out of hours, so that Google's quota is no matter.
    ask(&page, &json!({"do": "clock", "at": "2026-11-24T20:00"})).await;
    let notice = json!({"do": "notice", "incident": null, "text": "app-01 restarts", "status": "started"});
    let mut settled = 0;
    for number in 1..=10_000 {
        let order = if number % 4 == 0 { trigger(&format!("slow {number}")) } else { notice.clone() };
        assert_eq!(ask(&page, &order).await.status, 200);
        if number == 4_000 {
            settled = resident();
        }
    }
    let grown = resident().saturating_sub(settled);
    assert!(grown < 64, "{grown} MiB more than {settled} MiB");
    let mut answers = Vec::new();
    for _ in 0..20 {
        let before = std::time::Instant::now();
        assert_eq!(request(&page, "GET /scene HTTP/1.1\r\n", "").await.status, 200);
        answers.push(before.elapsed());
    }
    answers.sort_unstable();
    assert!(answers[10].as_millis() < 100, "{answers:?}");
    println!("{settled} MiB after 4,000 posts, {grown} more after 10,000; an answer in {:?}", answers[10]);

    let mut browser = Browser::start("many");
    let tab = browser.open(&page.url()).await;
    browser.wait(&tab, "document.querySelectorAll('#slack-alert .post').length > 0").await;
    let left_out = "document.querySelector('#slack-alert .hint').textContent";
    assert!(browser.eval(&tab, left_out).await.as_str().unwrap().contains("9800"), "what is left out is counted");
    let shown = browser.eval(&tab, "document.querySelectorAll('#slack-alert .post').length").await;
    assert!(shown.as_u64().unwrap() <= 200, "{shown}");
    browser.type_over(&tab, "#title", "the last one").await;
    let pressed = std::time::Instant::now();
    browser.click(&tab, "[data-act=trigger]").await;
    browser.wait(&tab, "document.querySelector('#slack-alert').innerText.includes('the last one')").await;
    println!("a press is shown after {:?}", pressed.elapsed());
    assert!(pressed.elapsed().as_secs() < 5, "{:?}", pressed.elapsed());
    assert_eq!(browser.problems(), [""; 0]);
}

#[tokio::test]
#[ignore = "needs Chromium; .ci/run brings it"]
async fn the_keyboard_alone_will_do() {
    let (page, mut browser) = (page().await, Browser::start("keyboard"));
    let tab = browser.open(&page.url()).await;
    browser.tab_to(&tab, "title").await;
    browser.press(&tab, "Enter").await;
    settled(&mut browser, &tab, "#steps", 1).await;
    browser.tab_to(&tab, "acknowledge").await;
    browser.press(&tab, " ").await;
    let topic = settled(&mut browser, &tab, "#typetalk-alert", 2).await;
    assert!(topic.contains("acknowledged #pd33"), "{topic}");
    let unnamed = "[...document.querySelectorAll('input, select, button')].filter(one =>
        !(one.labels?.[0]?.innerText.trim() || one.ariaLabel || one.textContent.trim())).map(one => one.outerHTML)";
    assert_eq!(browser.eval(&tab, unnamed).await, json!([]));
}
