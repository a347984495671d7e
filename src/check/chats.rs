//! The checks of the places where the relay posts, and of the people whom it mentions there.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Checker, Run};
use crate::budget::MIN_TRY;
use crate::config::{ChatConfig, Purpose, SlackConfig};
use crate::domain::chat::ChatName;
use crate::domain::check::slack::{self, People};
use crate::domain::check::{Finding, Status, Unseen, roster};
use crate::domain::message::{Message, Span};
use crate::edge::chat::slack_reads::SlackReader;
use crate::edge::chat::{self, Chat, Post};

impl Checker {
    /// A place where the relay posts.
    pub(super) async fn place(
        &self,
        run: Arc<Run<'_>>,
        name: &'static str,
        chat: ChatName,
        purpose: Purpose,
    ) -> Finding {
        let chats = match (purpose, &self.alert_chats) {
            (Purpose::OnCall, _) => &self.chats,
            (Purpose::Alerts, Ok(chats)) => chats,
            (Purpose::Alerts, Err(_)) if self.chats.iter().all(|known| known.name() != chat) => &self.chats,
            (Purpose::Alerts, Err(problems)) => {
                let remedy = "set the same variables for both functions, as the template does";
                return Finding::skipped(name, problems.to_string(), remedy);
            }
        };
        let Some(config) = chats.iter().find(|known| known.name() == chat) else {
            return Finding::skipped(name, format!("CHATS has no {}", chat.key()), "");
        };
        match config {
            ChatConfig::Slack(slack) => self.slack(&run, name, slack, config).await,
            ChatConfig::Typetalk(_) if run.around.post => self.posted(&run, name, config).await,
            ChatConfig::Typetalk(_) => Finding::skipped(
                name,
                "whether Typetalk takes messages for a topic can't be told without posting",
                r#"check with {"check":true,"post":true}, or oncall check --post"#,
            ),
        }
    }

    async fn slack(&self, run: &Run<'_>, name: &'static str, config: &SlackConfig, chat: &ChatConfig) -> Finding {
        let reader = SlackReader::new(config, self.http());
        let place = async {
            // A post proves more than all that can be read.
            if run.around.post {
                return self.posted(run, name, chat).await;
            }
            let token = async { run.token.get_or_init(|| reader.token()).await };
            let (token, channel) = tokio::join!(token, reader.channel(&config.channel));
            slack::place(name, config.purpose.slack_channel(), token, &channel)
        };
        let (finding, people) = tokio::join!(place, self.people(run, &reader));
        match people.and_then(|people| slack::people(name, people)) {
            // Nothing more can be told of people if the token itself is refused.
            Some(people) if finding.status != Status::Failed => finding.and(people),
            _ => finding,
        }
    }

    async fn people<'r>(&self, run: &'r Run<'_>, reader: &SlackReader) -> Option<&'r People> {
        let asked = run.people.get_or_init(|| async {
            let ids = async { run.diagnosis().await.state.snapshot.map(|snapshot| roster::slack_ids(&snapshot)) };
            let ids = timeout_at(run.part, ids).await.ok().flatten()?;
            let slow =
                |_| People { unseen: vec![Unseen::Unreachable("no answer in time".to_owned())], ..People::default() };
            Some(timeout_at(run.part, reader.people(&ids)).await.unwrap_or_else(slow))
        });
        asked.await.as_ref()
    }

    /// Posts one line that says what it is.
    async fn posted(&self, run: &Run<'_>, name: &'static str, config: &ChatConfig) -> Finding {
        let message = Message { lines: vec![vec![Span::Words(self.language.check_post(name))]] };
        let text = chat::render(config.name(), &message);
        let within: Duration = run.part.saturating_duration_since(Instant::now());
        if within < MIN_TRY {
            return Finding::unbegun(name);
        }
        let post = Post { text: &text, card: None, thread: None, broadcast: false, within };
        match Chat::new(config, self.http()).post(post).await {
            Ok(_) => Finding::ok(name, "a line was posted"),
            Err(error) => {
                let remedy = if error.remedy.is_empty() { "see the log's delivery lines" } else { &error.remedy };
                Finding::failed(name, format!("the line was not posted: {}", error.detail), remedy)
            }
        }
    }
}
