//! The scenes of the demo's story, and what is said in them.

use std::error::Error;

use chrono::{DateTime, FixedOffset};
use oncall_relay::lambda::{api_gateway, scheduler};
use serde_json::json;

use super::{Ending, Proof, Story, incident};
use crate::fakes::incidents::{ACTING_NAME, ACTING_USER};
use crate::fakes::people::{Button, Person, payload, slack_event};
use crate::fakes::server::Fault;
use crate::fakes::{ROSTER_TAB, SLACK_SIGNING_SECRET};

impl Story {
    pub(super) async fn one_incident(&mut self) -> Result<(), Box<dyn Error>> {
        let slow =
            incident("PINC33", 33, self.say("応答時間が 5 秒を超えています", "Response time is above 5 seconds"));
        self.scene("11:00: an incident is triggered. Today's people are mentioned.")?;
        self.v3(&slow, "incident.triggered", "2026-11-24T11:00:00+09:00", None).await?;

        self.scene("11:03: a note. PagerDuty's note carries no incident number; the relay remembers it.")?;
        let note = slow.v3_note(
            &self.event_spec("incident.annotated", "2026-11-24T11:03:00+09:00", Some("田中 太郎"))?,
            self.say("DB のスロークエリを調べています", "Looking into slow queries of the database"),
        );
        self.send(&note, "2026-11-24T11:03:00+09:00", &Proof::Signature).await?;

        self.scene("11:05: somebody takes it on.")?;
        self.v3(&slow, "incident.acknowledged", "2026-11-24T11:05:00+09:00", Some("田中 太郎")).await?;

        self.scene("11:20: a Jenkins job restarts a server, and says so under the incident's tag.")?;
        let text = self.say("app-01 を再起動しました", "app-01 restarted");
        self.notice(
            &json!({"text": text, "status": "succeeded", "incident": 33, "source": "Jenkins",
            "url": "https://ci.example.com/job/restart/7/"}),
            "2026-11-24T11:20:00+09:00",
        )
        .await?;

        self.scene("11:40: it is over. All under one hashtag.")?;
        self.v3(&slow, "incident.resolved", "2026-11-24T11:40:00+09:00", Some("田中 太郎")).await?;

        self.scene("20:00: after hours. The same message, and nobody is mentioned.")?;
        let night = incident("PINC34", 34, self.say("バッチが失敗しました", "The nightly batch failed"));
        self.v3(&night, "incident.triggered", "2026-11-24T20:00:00+09:00", None).await?;
        self.over(&night, "2026-11-24T23:10:00+09:00").await
    }

    pub(super) async fn a_list_of_incidents(&mut self) -> Result<(), Box<dyn Error>> {
        std::mem::swap(&mut self.relay, &mut self.on_slack);
        self.scene(
            "The same morning in a team that uses Slack: the channel is the list of incidents, and red is open.",
        )?;
        let slow =
            incident("PINC33", 33, self.say("応答時間が 5 秒を超えています", "Response time is above 5 seconds"));
        let disk =
            incident("PINC32", 32, self.say("ディスクの残りが少なくなっています", "Disk space is running short"));
        self.v3(&disk, "incident.triggered", "2026-11-24T10:50:00+09:00", None).await?;
        self.v3(&slow, "incident.triggered", "2026-11-24T11:00:00+09:00", None).await?;
        self.list("11:00")?;
        self.v3(&slow, "incident.acknowledged", "2026-11-24T11:05:00+09:00", Some("田中 太郎")).await?;
        self.list("11:05")?;
        let note = slow.v3_note(
            &self.event_spec("incident.annotated", "2026-11-24T11:20:00+09:00", Some("田中 太郎"))?,
            self.say("インデックスを追加しました", "Added an index"),
        );
        self.send(&note, "2026-11-24T11:20:00+09:00", &Proof::Signature).await?;
        self.v3(&slow, "incident.resolved", "2026-11-24T11:40:00+09:00", Some("田中 太郎")).await?;
        self.list("11:40")?;
        self.thread()?;
        self.over(&disk, "2026-11-24T12:10:00+09:00").await?;
        std::mem::swap(&mut self.relay, &mut self.on_slack);
        Ok(())
    }

    pub(super) async fn people_change(&mut self) -> Result<(), Box<dyn Error>> {
        self.scene(
            "Wednesday: 佐藤 falls ill. Somebody writes 鈴木 into the sheet, and the next alert mentions 鈴木.",
        )?;
        let before = incident("PINC35", 35, self.say("メモリ使用率が高くなっています", "Memory is running short"));
        self.v3(&before, "incident.triggered", "2026-11-25T10:10:00+09:00", None).await?;
        self.fakes.google.write(ROSTER_TAB, &[&["日付", "担当"], &["2026-11-25", "鈴木"]]);
        self.screen.aside("10:20: the sheet's row for 11/25 now says 鈴木")?;
        let after =
            incident("PINC36", 36, self.say("ディスクの残りが少なくなっています", "Disk space is running short"));
        self.v3(&after, "incident.triggered", "2026-11-25T10:30:00+09:00", None).await?;
        self.over(&before, "2026-11-25T10:40:00+09:00").await?;
        self.over(&after, "2026-11-25T11:15:00+09:00").await
    }

    pub(super) async fn things_fail(&mut self) -> Result<(), Box<dyn Error>> {
        let down = || Some(Fault::status(503));

        self.scene("13:00: Google is down. The alert goes by the last copy of the sheet, and says so.")?;
        self.fakes.google.fail_always(down());
        let no_sheet = incident("PINC37", 37, self.say("キューが溜まっています", "The queue is growing"));
        self.v3(&no_sheet, "incident.triggered", "2026-11-25T13:00:00+09:00", None).await?;
        self.fakes.google.fail_always(None);
        self.over(&no_sheet, "2026-11-25T13:20:00+09:00").await?;

        self.scene("14:00: Typetalk is down. Slack takes over, mentions by Slack's own ids, and says why.")?;
        self.fakes.typetalk.fail_always(down());
        let outage = incident("PINC38", 38, self.say("5xx が増えています", "More and more 5xx"));
        self.v3(&outage, "incident.triggered", "2026-11-25T14:00:00+09:00", None).await?;
        self.over(&outage, "2026-11-25T14:25:00+09:00").await?;

        self.scene("15:00: both are down. PagerDuty is asked to send the webhook again; at 15:20 it is posted.")?;
        self.fakes.slack.fail_always(down());
        let kept = incident("PINC39", 39, self.say("ログインできません", "Nobody can log in"));
        self.happened(&kept, "incident.triggered", "2026-11-25T15:00:00+09:00");
        let event = kept.v3(&self.event_spec("incident.triggered", "2026-11-25T15:00:00+09:00", None)?);
        self.deliver(&event, "2026-11-25T15:00:00+09:00", &Proof::Signature, &Ending::SentAgain).await?;
        self.fakes.typetalk.fail_always(None);
        self.fakes.slack.fail_always(None);
        self.send(&event, "2026-11-25T15:20:00+09:00", &Proof::Signature).await?;
        self.over(&kept, "2026-11-25T15:50:00+09:00").await
    }

    pub(super) async fn press(&mut self) -> Result<(), Box<dyn Error>> {
        self.scene("17:30, on Slack: 佐藤, who has no seat in PagerDuty, presses a button under an incident.")?;
        std::mem::swap(&mut self.relay, &mut self.on_slack);
        let title = self.say("キャッシュが応答しません", "The cache doesn't answer");
        self.fakes.incidents.open(41, title, "triggered", "2026-11-25T08:30:00Z");
        let cache = incident("PINC41", 41, title);
        self.v3(&cache, "incident.triggered", "2026-11-25T17:30:00+09:00", None).await?;

        let Some(shown) = self.fakes.slack.shown().pop() else { return Err("the incident is not shown".into()) };
        self.screen.aside(&format!("buttons: {}", shown.buttons.join(", ")))?;
        let at: DateTime<FixedOffset> = "2026-11-25T17:32:00+09:00".parse()?;
        let button = Button {
            action: "acknowledge",
            value: "PINC41",
            channel: &shown.channel,
            ts: &shown.ts,
            text: &shown.text,
        };
        let person = Person { id: "U0SATO001", name: "sato" };
        let body = payload(&person.press(&button, 1, &self.fakes.slack.url()));
        let event = slack_event(SLACK_SIGNING_SECRET, at, &body);
        let request = lambda_http::request::from_str(&event.to_string())?;
        let (response, _) = api_gateway::answer(&self.relay, request, at.to_utc()).await;
        let (status, state) = (response.status().as_u16(), self.fakes.incidents.status("PINC41"));
        self.screen
            .aside(&format!("17:32: 佐藤 presses `acknowledge`. Answer to Slack: {status}. In PagerDuty: {state}"))?;
        if (status, state.as_str()) != (200, "acknowledged") {
            return Err("the press had no effect".into());
        }

        self.scene(
            "17:32: PagerDuty's webhook follows. It names the user as whom the relay acts; the relay knows better.",
        )?;
        let acknowledged = self.event_spec("incident.acknowledged", "2026-11-25T17:32:00+09:00", Some(ACTING_NAME))?;
        let mut event = cache.v3(&acknowledged);
        event["event"]["agent"]["id"] = json!(ACTING_USER);
        self.send(&event, "2026-11-25T17:32:00+09:00", &Proof::Signature).await?;
        let shown = self.fakes.slack.shown().into_iter().rfind(|message| message.thread.is_none());
        let headline = shown.map(|message| message.head.join(" / ")).unwrap_or_default();
        self.screen.aside(&format!("the first message says now: {headline}"))
    }

    pub(super) async fn the_week(&mut self) -> Result<(), Box<dyn Error>> {
        self.scene("Friday, 17:00: what happened in the week: the incidents of this story, #pd32 to #pd41.")?;
        let at: DateTime<FixedOffset> = "2026-11-27T17:00:00+09:00".parse()?;
        let request = json!({"reminder": "week", "at": at.to_rfc3339()});
        let (posted, _, _) = scheduler::answer(&self.reminders, &request, at.to_utc()).await;
        posted?;
        self.show(at)
    }
}
