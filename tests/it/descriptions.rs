//! What we send, held against what the vendors publish: PagerDuty's `OpenAPI` description, served by Prism, and Slack's
//! descriptions of its methods. They run where `.ci/run` has put them.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use oncall::fakes::incidents::reads;
use oncall_relay::clock::Invocation;
use oncall_relay::config::ReminderConfig;
use oncall_relay::domain::reminder::OpenIncidents;
use oncall_relay::edge::chat::slack_errors;
use oncall_relay::edge::http::HttpClient;
use oncall_relay::edge::pagerduty::rest::RestClient;
use serde_json::Value;

use crate::emulator::path_in;
use crate::world::{DAYTIME, World, instant};

/// A running Prism before our stand-in, which refuses what the description doesn't allow, of either side.
struct Prism {
    child: Child,
    url: String,
}

impl Prism {
    async fn start(program: &Path, description: &Path, upstream: &str) -> Self {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let child = Command::new(program)
            .args(["proxy", "--errors", "--host", "127.0.0.1", "--port", &port.to_string()])
            .arg(description)
            .arg(upstream)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let prism = Self { child, url: format!("http://127.0.0.1:{port}") };
        let http = HttpClient::new();
        for _ in 0..600 {
            if http.send(http.get(&prism.url).timeout(Duration::from_secs(5))).await.is_ok() {
                return prism;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("Prism doesn't start");
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
#[ignore = "needs Prism and PagerDuty's description"]
async fn every_read_of_pagerduty_is_one_that_its_own_description_allows() {
    let description = path_in("API_DESCRIPTIONS").join("pagerduty-rest.openapi.json");
    let mut world = World::new().await;
    world.incidents.set_up(|account| {
        account.subscriptions.push(reads::subscription("PSUB", "https://relay.example.com/pagerduty"));
        account.extensions.push(reads::extension("PEXT", "https://relay.example.com/pagerduty", &["PSERVICE"]));
        // The description says in words that these may be null, and in its schema that they may not.
        let (start, end) = (Some("2026-11-24T00:00:00Z"), Some("2026-12-02T00:00:00Z"));
        account.oncalls = vec![reads::oncall("PPOLICY", 1, start, end)];
    });
    world.incidents.open(31, "バックアップが終わっていません", "triggered", "2026-11-23T20:15:00Z");
    let prism = Prism::start(&path_in("PRISM"), &description, &world.incidents.url()).await;
    world.set("PAGERDUTY_BASE_URL", &prism.url);
    let config = ReminderConfig::read(&world.environment()).unwrap().incidents.unwrap();
    let rest = RestClient::new(config, HttpClient::new());
    let now = instant(DAYTIME).to_utc();
    rest.accepts_the_key().await.unwrap();
    assert_eq!(rest.subscriptions().await.unwrap().len(), 1);
    assert_eq!(rest.extensions().await.unwrap().len(), 1);
    for (id, service) in rest.seen_services().await {
        assert!(service.is_ok(), "{id}: {service:?}");
    }
    let shifts = rest.shifts(&["PPOLICY".to_owned()], now, now + chrono::TimeDelta::days(7)).await;
    assert_eq!(shifts.unwrap().len(), 1);
    let open = rest.open_incidents(Invocation::begin(now, Duration::from_secs(20))).await;
    assert!(matches!(open, OpenIncidents::Known { .. }), "{open:?}");
}

/// What is no fault of the set-up, but an answer: there is no such person, or one may not see them; no user groups.
const ANSWERS: [&str; 4] = ["user_not_found", "user_not_visible", "plan_upgrade_required", "users_not_found"];

/// About arguments that we don't send, or send as they should be.
const ARGUMENTS: [&str; 5] = ["too_many_users", "invalid_cursor", "limit_required", "missing_argument", "invalid_team"];

#[test]
#[ignore = "needs Slack's descriptions"]
fn every_error_that_slack_documents_for_what_the_check_asks_has_a_remedy() {
    let folder = path_in("API_DESCRIPTIONS").join("slack");
    for method in ["auth.test", "conversations.info", "users.info", "users.list", "usergroups.list"] {
        let text = std::fs::read_to_string(folder.join(format!("{method}.json"))).unwrap();
        let described: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(described["http_method"] == "POST", method == "auth.test", "{method}");
        assert!(described["json_input_supported"] != true || method == "auth.test", "{method}");
        for code in described["errors"].as_object().unwrap().keys() {
            let known = slack_errors::lookup(code).is_some();
            assert!(known || ANSWERS.contains(&&**code) || ARGUMENTS.contains(&&**code), "{method}: {code}");
        }
    }
}
