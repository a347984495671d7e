//! At a scheduled time, the people of a day are reminded of their duty, or everybody is told of a week.

mod draft;
mod storms;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use tokio::time::{Instant, timeout, timeout_at};

use crate::budget::{CHECK, CHECK_WAIT, HEARTBEAT_LEFT, REMINDER};
use crate::check::{self, Around, Checker, Checks};
use crate::clock::Invocation;
use crate::config::ReminderConfig;
use crate::delivery::{Delivery, Dispatcher, NotPermitted};
use crate::domain::calendar::Calendar;
use crate::domain::check::{Report, acts};
use crate::domain::event::Link;
use crate::domain::reminder::{self, OpenIncidents, Outlook, Reminder, ReminderKind};
use crate::domain::week::{self, Period, Week};
use crate::edge::http::HttpClient;
use crate::edge::ledger::{IdempotencyKey, Storms};
use crate::edge::pagerduty::rest::RestClient;
use crate::edge::roster::{KeyError, RosterSource};
use crate::edge::secrets::Secrets;
use crate::log_events;
use draft::Draft;

/// Clocks differ by less than this.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::hours(1);

/// What the schedule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReminderRequest {
    /// Whose day to speak of.
    pub kind: ReminderKind,
    /// When it was due; a request that is carried out late still speaks of the right day.
    pub at: Option<DateTime<Utc>>,
    /// Only say what would be posted.
    pub dry_run: bool,
}

impl ReminderRequest {
    /// Whether it is for a time to come: carried out now, it would count as done when that time comes.
    fn is_early(self, now: DateTime<Utc>) -> bool {
        !self.dry_run && self.at.is_some_and(|at| at - now > CLOCKS_DIFFER)
    }

    /// Whether a schedule can have given the request, now or on a day whose retries are still coming.
    #[must_use]
    pub fn is_current(self, now: DateTime<Utc>) -> bool {
        let ago = now - self.at.unwrap_or(now);
        (-CLOCKS_DIFFER..=TimeDelta::hours(36)).contains(&ago)
    }
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderOutcome {
    /// A chat has the reminder, or would have it.
    Reminded {
        /// Whether it was posted, and not only tried out.
        posted: bool,
        /// The day it speaks of.
        date: NaiveDate,
        /// Who is on call then, as the sheet has them.
        on_call: Vec<String>,
        /// The text as the chat has it.
        text: String,
    },
    /// The same, but an earlier request of the same kind and day had been carried out already.
    RemindedBefore(Box<ReminderOutcome>),
    /// There was nothing to remind anybody of.
    DayOff {
        /// The day.
        date: NaiveDate,
    },
    /// The week is not over.
    WithinWeek {
        /// The day.
        date: NaiveDate,
    },
    /// No key tells what happened in the week.
    NoApiKey,
    /// It is for a time to come, and was not carried out.
    Early {
        /// When it is due.
        at: DateTime<Utc>,
    },
    /// Every chat refuses the reminder itself: trying again won't help.
    GivenUp,
}

impl ReminderOutcome {
    /// Whether nothing is left to be done, so that the watchdog may know.
    fn is_settled(&self) -> bool {
        match self {
            Self::Reminded { posted, .. } => *posted,
            Self::RemindedBefore(_) | Self::DayOff { .. } | Self::WithinWeek { .. } | Self::NoApiKey => true,
            Self::Early { .. } | Self::GivenUp => false,
        }
    }
}

/// What happened to a request, for the metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Every chat refused the reminder itself.
    pub given_up: u32,
    /// The sheet could not be read.
    pub roster_stale: u32,
    /// The members tab could not be read.
    pub members_unreadable: u32,
    /// A row of the day could not be read.
    pub row_unreadable: u32,
    /// The ledger's table could not be used.
    pub ledger_failed: u32,
    /// People on call who could not be mentioned on the chat that has the reminder.
    pub unmentionable: u32,
    /// Somebody should be mentioned, and nobody is on the chat that has the reminder.
    pub nobody_mentioned: u32,
    /// From the time that it was due to the post, if it was posted.
    pub seconds_to_post: Option<f64>,
}

/// No chat took the reminder; the schedule has to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no chat took the reminder; the log says why")]
pub struct NotPosted;

/// Everything that lasts from one reminder to the next.
#[derive(Debug)]
pub struct ReminderHandler {
    calendar: Calendar,
    fallback_mentions: Vec<String>,
    manual: Option<Link>,
    sheet: Option<Link>,
    roster: RosterSource,
    incidents: Option<RestClient>,
    dispatcher: Dispatcher,
    checker: Checker,
    storm_above: Option<u32>,
}

impl ReminderHandler {
    /// Sets up what the settings describe; nothing is called yet.
    ///
    /// # Errors
    /// If the service account's key can't be used.
    pub async fn new(config: ReminderConfig) -> Result<Self, KeyError> {
        let http = HttpClient::new();
        let checker = Checker::new(&config);
        let ReminderConfig { team, manual, incidents, storm_above, .. } = config;
        team.log_warnings();
        Ok(Self {
            sheet: team.roster.link(),
            roster: RosterSource::new(&team, REMINDER).await?,
            dispatcher: Dispatcher::new(&team, REMINDER, &http),
            incidents: incidents.map(|config| RestClient::new(config, http)),
            calendar: team.calendar,
            fallback_mentions: team.fallback_mentions,
            manual,
            checker,
            storm_above,
        })
    }

    /// Where the check can read secrets again.
    #[must_use]
    pub fn with_secrets(self, secrets: Option<Secrets>) -> Self {
        Self { checker: self.checker.with_secrets(secrets), ..self }
    }

    /// Checks everything; `post` also posts a line wherever the relay posts.
    pub async fn check(&self, post: bool, invocation: Invocation) -> Report {
        let mut checks = self.checks(post, invocation);
        checks.all().await;
        let report = Report::new(checks.into_ended());
        check::log(&report.findings);
        report
    }

    fn checks(&self, post: bool, invocation: Invocation) -> Checks<'_> {
        let (roster, ledger, rest) = (&self.roster, self.dispatcher.ledger(), self.incidents.as_ref());
        self.checker.begin(Around { roster, ledger, rest, post, invocation })
    }

    /// Does what is asked for, within the function's time.
    ///
    /// The outcome is an error if no chat took the reminder.
    pub async fn remind(
        &self,
        request: ReminderRequest,
        now: DateTime<Utc>,
    ) -> (Result<ReminderOutcome, NotPosted>, Tally) {
        let invocation = Invocation::begin(now, REMINDER.answer);
        let (mut tally, failures) = (Tally::default(), self.dispatcher.ledger().failures());
        // In the morning they begin beside the reading of the sheet.
        let mut checks = (request.kind == ReminderKind::Today).then(|| self.checks(false, invocation));
        let outcome = self.carry_out(request, invocation, checks.as_mut(), &mut tally).await;
        tally.ledger_failed = u32::from(self.dispatcher.ledger().failures() > failures);
        if !request.dry_run && outcome.as_ref().is_ok_and(ReminderOutcome::is_settled) {
            // Without a watchdog only a message has use for them.
            let checks = checks.filter(|checks| !checks.ended().is_empty());
            self.finish(request, checks, invocation).await;
        }
        (outcome, tally)
    }

    /// Waits for what is left of the checks, and tells the watchdog.
    async fn finish(&self, request: ReminderRequest, checks: Option<Checks<'_>>, invocation: Invocation) {
        let heartbeat = self.checker.heartbeat().filter(|_| request.is_current(invocation.now()));
        let mut checks = match (checks, &heartbeat) {
            (Some(checks), _) => checks,
            (None, Some(_)) if invocation.has_more_than(CHECK) => self.checks(false, invocation),
            // For want of time nothing is looked at, which says nothing against anything.
            (None, Some(_)) => Checks::new(Vec::new()),
            (None, None) => return,
        };
        checks.all().await;
        let report = Report::new(checks.into_ended());
        check::log(&report.findings);
        let Some(heartbeat) = heartbeat else { return };
        // That the watchdog didn't hear the last ping is nothing to tell the watchdog.
        let failed: Vec<_> = report.failed().filter(|name| *name != "heartbeat").collect();
        let answer = heartbeat.ping(&failed).await;
        // That a ping's answer isn't kept costs one line of the next check.
        let _ = timeout(HEARTBEAT_LEFT, self.dispatcher.ledger().leave_heartbeat(&answer, invocation.now())).await;
    }

    async fn carry_out(
        &self,
        request: ReminderRequest,
        invocation: Invocation,
        mut checks: Option<&mut Checks<'_>>,
        tally: &mut Tally,
    ) -> Result<ReminderOutcome, NotPosted> {
        let now = invocation.arrived_at();
        if let Some(at) = request.at.filter(|_| request.is_early(now)) {
            return Ok(ReminderOutcome::Early { at });
        }
        let today = self.calendar.today(request.at.unwrap_or(now));
        let Some(first) = reminder::due(request.kind, today, &self.calendar) else {
            return Ok(match request.kind {
                ReminderKind::Week => ReminderOutcome::WithinWeek { date: today },
                ReminderKind::Today | ReminderKind::Next => ReminderOutcome::DayOff { date: today },
            });
        };
        let mut draft = match (request.kind, &self.incidents) {
            (ReminderKind::Today | ReminderKind::Next, _) => {
                let checks = checks.as_deref_mut();
                let (reminder, storms) = self.reminder(request, today, first, invocation, checks, tally).await;
                Draft::Day(Box::new(reminder), storms)
            }
            (ReminderKind::Week, Some(incidents)) => {
                let period = Period::until(request.at.unwrap_or(now), &self.calendar);
                let past = incidents.past_incidents(&period, invocation).await;
                let report = week::Report::of(past, &period, &self.calendar);
                Draft::Week(today, Box::new(Week { period, report, in_doubt: false }))
            }
            (ReminderKind::Week, None) => return Ok(ReminderOutcome::NoApiKey),
        };
        if request.dry_run {
            return Ok(self.as_if_posted(&draft, false));
        }
        let delivered = async {
            let key = IdempotencyKey::of_reminder(request.kind, today);
            let permit = match self.dispatcher.claim(Some(key), None, invocation).await {
                Ok(permit) => permit,
                Err(NotPermitted::AlreadyPosted(_)) => {
                    return Ok(ReminderOutcome::RemindedBefore(Box::new(self.as_if_posted(&draft, true))));
                }
                // The invocation that holds the claim has probably died. Lambda tries again when the claim has ended.
                Err(NotPermitted::InProgress) => return Err(NotPosted),
            };
            draft.set_in_doubt(permit.is_in_doubt());
            match self.dispatcher.post(permit, draft.subject(), invocation).await {
                Delivery::Posted { chat, text, .. } => {
                    let now = invocation.now();
                    draft.count(chat, tally);
                    tally.seconds_to_post =
                        request.at.filter(|_| request.is_current(now)).map(|at| (now - at).as_seconds_f64());
                    self.roster.save(self.dispatcher.ledger(), now).await;
                    self.end(&draft, invocation).await;
                    Ok(draft.reminded(true, text))
                }
                Delivery::GivenUp { .. } => {
                    tally.given_up = 1;
                    Ok(ReminderOutcome::GivenUp)
                }
                Delivery::Failed { .. } => Err(NotPosted),
            }
        };
        let delivered = Box::pin(delivered);
        match checks {
            // Their time is running; a slow chat must not look like a slow service.
            Some(checks) => checks.during(delivered).await,
            None => delivered.await,
        }
    }

    async fn reminder(
        &self,
        request: ReminderRequest,
        today: NaiveDate,
        first: NaiveDate,
        invocation: Invocation,
        checks: Option<&mut Checks<'_>>,
        tally: &mut Tally,
    ) -> (Reminder, Vec<Storms>) {
        let (kind, now) = (request.kind, invocation.arrived_at());
        if !self.calendar.knows_year_of(first) {
            tracing::warn!(
                event = log_events::HOLIDAYS,
                "the public holidays of {first}'s year are not known: update the relay"
            );
        }
        let read = async {
            let roster = self.roster.reading(self.dispatcher.ledger(), today, invocation).await;
            (roster, Instant::now())
        };
        let all = async {
            tokio::join!(read, self.open_incidents(kind, invocation), self.storms_that_are_over(today, invocation))
        };
        let mut acts_found = Vec::new();
        let ((roster, _), open, storms) = match checks {
            None => all.await,
            Some(checks) => {
                let read = checks.during(all).await;
                // What isn't found by then is not in the message.
                let _ = timeout_at(read.0.1 + CHECK_WAIT, checks.all()).await;
                acts_found = acts(checks.ended());
                read
            }
        };
        tally.roster_stale = u32::from(roster.failure.is_some() && !request.dry_run);
        let day = reminder::on_call(kind, first, &self.calendar, &roster, &self.fallback_mentions, now);
        tally.members_unreadable = u32::from(roster.lacks_members && !request.dry_run);
        tally.row_unreadable = u32::from(day.has_unread_row() && !request.dry_run);
        let outlook = match kind {
            ReminderKind::Today | ReminderKind::Week => Outlook::default(),
            ReminderKind::Next => Outlook::of(today, day.date, &self.calendar, &roster, &self.fallback_mentions, now),
        };
        let (manual, sheet) = (self.manual.clone(), self.sheet.clone());
        let past = self.past(&storms);
        let reminder =
            Reminder { kind, now, day, manual, open, storms: past, in_doubt: false, sheet, outlook, acts: acts_found };
        (reminder, storms)
    }

    async fn open_incidents(&self, kind: ReminderKind, invocation: Invocation) -> OpenIncidents {
        match (&self.incidents, kind) {
            (Some(incidents), ReminderKind::Today) => incidents.open_incidents(invocation).await,
            _ => OpenIncidents::NotRequested,
        }
    }

    fn as_if_posted(&self, draft: &Draft, posted: bool) -> ReminderOutcome {
        draft.reminded(posted, self.dispatcher.preview(draft.subject()))
    }
}
