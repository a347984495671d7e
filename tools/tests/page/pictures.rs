//! The documents' pictures: a story told in the page, and what the browser shows of it.

use std::path::{Path, PathBuf};

use oncall::page::{Language, Page};

use crate::browser::{Browser, Tab};
use crate::settled;

/// Where the pictures go: into the documents if they are made anew (`just pictures`).
fn pictures() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join(std::env::var_os("PICTURES").unwrap_or_else(|| "target/pictures".into()))
}

/// What the pictures show: an incident that is over, one that somebody has, one of which Slack knows nothing, a new one.
/// And whether no message says that it may be a repetition.
async fn story(browser: &mut Browser, page: &Page, titles: [&str; 2]) -> (Tab, bool) {
    let tab = browser.open(&page.url()).await;
    browser.choose(&tab, "#chats", "slack,typetalk").await;
    for (steps, press) in ["trigger", "note", "acknowledge"].into_iter().enumerate() {
        settled(browser, &tab, "#steps", steps).await;
        browser.click(&tab, &format!("[data-act={press}]")).await;
    }
    settled(browser, &tab, "#steps", 3).await;
    for _ in 0..4 {
        let before = browser.eval(&tab, "document.querySelector('#clock').value").await;
        browser.click(&tab, "[data-minutes='10']").await;
        browser.wait(&tab, &format!("document.querySelector('#clock').value !== {before}")).await;
    }
    browser.click(&tab, "[data-act=resolve]").await;
    settled(browser, &tab, "#steps", 4).await;
    browser.type_over(&tab, "#title", titles[0]).await;
    browser.click(&tab, "[data-act=trigger]").await;
    settled(browser, &tab, "#steps", 5).await;
    browser.click(&tab, "#slack-alert [data-action=acknowledge]").await;
    settled(browser, &tab, "#steps", 7).await;
    browser.choose(&tab, "[data-service=slack]", "down").await;
    browser.click(&tab, "[data-act=hostile]").await;
    settled(browser, &tab, "#steps", 8).await;
    browser.choose(&tab, "[data-service=slack]", "well").await;
    browser.type_over(&tab, "#title", titles[1]).await;
    browser.click(&tab, "[data-act=trigger]").await;
    settled(browser, &tab, "#steps", 9).await;
    browser.click(&tab, "[data-act=next]").await;
    let channel = settled(browser, &tab, "#slack-alert", 10).await;
    (tab, !channel.contains('🔁'))
}

#[tokio::test]
#[ignore = "needs Chromium; .ci/run brings it"]
async fn the_documents_pictures_can_be_made() {
    let folder = pictures();
    for (language, code, titles) in [
        (Language::En, "en", ["Disk space is running short", "Nobody can log in"]),
        (Language::Ja, "ja", ["ディスクの残りが少なくなっています", "ログインできません"]),
    ] {
        let mut browser = Browser::start(code);
        let mut tries = 0;
        // A machine that is busy lets the ledger's time run out, and the messages say so.
        let (_page, tab) = loop {
            let page = Page::start(0, language).await.unwrap();
            let (tab, is_calm) = story(&mut browser, &page, titles).await;
            tries += 1;
            if is_calm || folder.ends_with("target/pictures") {
                break (page, tab);
            }
            assert!(tries < 10, "this machine is too busy for pictures");
        };
        browser.eval(&tab, "document.querySelectorAll('.thread').forEach(one => one.open = false)").await;
        browser.eval(&tab, "document.activeElement.blur(), scrollTo(0, 0)").await;
        let list = "(() => { for (const one of document.querySelectorAll('.behind')) one.hidden = true;
            document.querySelector('#slack-alert').style.maxHeight = 'none'; })()";
        for (what, selector) in [("page", None), ("slack", Some("#slack-alert"))] {
            browser.eval(&tab, if selector.is_some() { list } else { "1" }).await;
            for scheme in ["light", "dark"] {
                browser.scheme(&tab, scheme).await;
                let path = folder.join(format!("{what}-{code}-{scheme}.webp"));
                browser.picture(&tab, selector, &path).await;
                let size = std::fs::metadata(&path).unwrap().len();
                assert!((2_000..150_000).contains(&size), "{}: {size} bytes", path.display());
            }
        }
        assert_eq!(browser.problems(), [""; 0]);
    }
}
