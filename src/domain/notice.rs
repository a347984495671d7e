//! Notices: what automation says that it does about an incident, and how many of them a minute are posted.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use super::event::{Incident, IncidentId, Link};

/// What somebody's job, pipeline or runbook says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How far it has come.
    pub status: NoticeStatus,
    /// What it says, as it was sent.
    pub text: String,
    /// The incident that it acts on, by number or id.
    pub incident: Incident,
    /// Where more is to be seen, such as the job's page.
    pub link: Option<Link>,
    /// Who says it, such as `Jenkins`.
    pub source: Option<String>,
    /// Whether an earlier attempt may have posted it already.
    pub in_doubt: bool,
}

/// How far automation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeStatus {
    /// It has begun.
    Started,
    /// It is done.
    Succeeded,
    /// It is over, and didn't do what it should.
    Failed,
    /// Something to know.
    Info,
}

impl NoticeStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Started, Self::Succeeded, Self::Failed, Self::Info];

    /// The name in requests.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Info => "info",
        }
    }

    /// The status of this name.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.key() == key)
    }

    /// The picture that it stands behind.
    #[must_use]
    pub fn icon(self) -> &'static str {
        match self {
            Self::Started => "▶️",
            Self::Succeeded => "✅",
            Self::Failed => "❌",
            Self::Info => "ℹ️",
        }
    }
}

impl Incident {
    /// An incident that people or their scripts name: by number (`33`, `#pd33`), or by id (`PGR0VU2`, `#pdPGR0VU2`).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim();
        let tag = name.strip_prefix('#').unwrap_or(name);
        let bare = tag.strip_prefix("pd").unwrap_or(tag);
        if !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit()) {
            let number = bare.parse().ok().filter(|number| *number > 0)?;
            return Some(Self { number: Some(number), ..Self::default() });
        }
        // Without its `#`, what begins with `pd` may be an id that somebody wrote in small letters.
        let id = IncidentId::parse(if name.starts_with('#') { bare } else { name })?;
        Some(Self { id: Some(id), ..Self::default() })
    }
}

/// How many notices may be posted: a job that runs wild must not bury the alerts.
#[derive(Debug, Default)]
pub struct Pace {
    /// When the last ones were posted, the oldest first.
    posted_at: VecDeque<DateTime<Utc>>,
}

impl Pace {
    /// As many as this in a minute.
    pub const MAX: usize = 20;
    const WINDOW: TimeDelta = TimeDelta::seconds(60);

    /// Counts one more.
    ///
    /// # Errors
    /// In how many seconds there is room again, if there is none now.
    pub fn take(&mut self, now: DateTime<Utc>) -> Result<(), u32> {
        // A clock that was put back must not keep the door shut until it is where it was.
        self.posted_at.retain(|at| (now - at).abs() < Self::WINDOW);
        if self.posted_at.len() < Self::MAX {
            self.posted_at.push_back(now);
            return Ok(());
        }
        let oldest = self.posted_at.front().copied().unwrap_or(now);
        let left = (oldest + Self::WINDOW - now).as_seconds_f64().ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 1 and 60")]
        Err(left.clamp(1.0, 60.0) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds)
    }

    #[test]
    fn twenty_a_minute_are_posted_and_the_next_is_told_when_there_is_room() {
        let mut pace = Pace::default();
        for n in 0..20 {
            assert_eq!(pace.take(at(n * 100)), Ok(()), "{n}");
        }
        for (now, answer) in
            [(2_000, Err(58)), (2_001, Err(58)), (59_000, Err(1)), (59_999, Err(1)), (60_000, Ok(())), (60_000, Err(1))]
        {
            assert_eq!(pace.take(at(now)), answer, "{now}");
        }
        assert_eq!(pace.take(at(60_100)), Ok(()), "one leaves, one may come");
    }

    #[test]
    fn a_clock_that_is_put_back_shuts_nobody_out_for_longer_than_a_minute() {
        let mut pace = Pace::default();
        let took = |pace: &mut Pace, now| (0..30).filter(|_| pace.take(at(now)).is_ok()).count();
        assert_eq!(took(&mut pace, 3_600_000), 20);
        assert_eq!(took(&mut pace, 0), 20, "an hour back");
        assert_eq!(pace.take(at(-30_000)), Err(60));
    }

    #[test]
    fn an_incident_is_named_by_its_number_its_id_or_its_tag() {
        for (name, tag) in [
            ("33", Some("pd33")),
            (" #pd33 ", Some("pd33")),
            ("pd33", Some("pd33")),
            ("#33", Some("pd33")),
            ("PGR0VU2", Some("pdPGR0VU2")),
            ("#pdPGR0VU2", Some("pdPGR0VU2")),
            ("Q2CKYRLH85UNN4", Some("pdQ2CKYRLH85UNN4")),
            ("", None),
            ("0", None),
            ("-1", None),
            ("33.5", None),
            ("18446744073709551616", None),
            ("#pd", None),
            ("#pd33 @all", None),
            ("<!channel>", None),
            ("３３", None),
        ] {
            let named = Incident::named(name).and_then(|incident| incident.tag());
            assert_eq!(named.map(|tag| tag.to_string()).as_deref(), tag, "{name:?}");
        }
    }
}
