//! Every limit on time, in one place, with a proof at compile time that the parts fit into the whole.

use std::time::Duration;

use chrono::TimeDelta;

/// `PagerDuty` waits this long for an answer, and then delivers the webhook again.
///
/// Source: <https://developer.pagerduty.com/docs/webhooks-overview>
pub const PAGERDUTY_WAITS: Duration = Duration::from_secs(5);
/// What API Gateway, TLS and the way there and back may take of that.
pub const NETWORK: Duration = Duration::from_secs(1);
/// `Timeout` of `WebhookFunction` in the template.
pub const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// `Timeout` of `ReminderFunction` in the template.
pub const REMINDER_TIMEOUT: Duration = Duration::from_secs(30);
/// Slack waits this long for an answer to what somebody does, from when they do it.
///
/// Source: <https://docs.slack.dev/interactivity/handling-user-interaction>
pub const SLACK_WAITS: Duration = Duration::from_secs(3);
/// What of that may be over when a function begins that has to be started first: Lambda's own part and ours.
pub const COLD_START: Duration = Duration::from_millis(400);
/// What API Gateway, TLS and the way there and back may take of that.
pub const SLACK_NETWORK: Duration = Duration::from_millis(200);
/// What Lambda's runtime may need before and after an invocation.
const RUNTIME: Duration = Duration::from_secs(2);

/// The time that one invocation may spend, and on what.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// The whole, from the arrival to the answer.
    pub answer: Duration,
    /// One reading of the roster, token included.
    pub roster: Duration,
    /// Asking the ledger for the right to post, which happens while the roster is read.
    pub claim: Duration,
    /// Writing down what became of a post.
    pub settle: Duration,
    /// Finding the last good roster in the ledger, which is part of reading the roster.
    pub saved_roster: Duration,
}

/// A webhook's, which `PagerDuty` waits for.
pub const WEBHOOK: Budget = Budget {
    answer: Duration::from_millis(3_800),
    roster: Duration::from_secs(2),
    claim: Duration::from_millis(200),
    settle: Duration::from_millis(100),
    saved_roster: Duration::from_millis(200),
};

/// A reminder's, which nobody waits for.
pub const REMINDER: Budget = Budget {
    answer: Duration::from_secs(25),
    roster: Duration::from_secs(10),
    claim: Duration::from_secs(2),
    settle: Duration::from_secs(2),
    saved_roster: Duration::from_secs(2),
};

/// What one request of Slack's may spend, and on what. Whatever hangs, the parts behind it have their time.
#[derive(Debug, Clone, Copy)]
pub struct InteractionBudget {
    /// The whole, from the arrival to the answer.
    pub answer: Duration,
    /// Reading the incident, and beside it who pressed; it has what is left, and this much in any case.
    pub look: Duration,
    /// Remembering who pressed.
    pub remember: Duration,
    /// Changing the incident; it has what is left, and this much in any case.
    pub act: Duration,
    /// Remembering how that ended.
    pub settle: Duration,
    /// Telling the presser, or putting the message right.
    pub tell: Duration,
}

impl InteractionBudget {
    /// Kept back for what comes after the look, whatever was left over before it.
    #[must_use]
    pub const fn behind_look(&self) -> Duration {
        sum(&[self.remember, self.act, self.settle, self.tell])
    }
}

/// A request of Slack's.
pub const INTERACTION: InteractionBudget = InteractionBudget {
    answer: Duration::from_millis(2_400),
    look: Duration::from_millis(800),
    remember: WEBHOOK.claim,
    act: Duration::from_millis(500),
    settle: WEBHOOK.settle,
    tell: Duration::from_millis(300),
};
/// A signature of Slack's proves nothing after this.
pub const SLACK_SIGNATURE_FOR: TimeDelta = TimeDelta::minutes(5);

/// The same request is carried out once as long as its signature may prove anything, were it signed ahead of our clock.
pub const PRESS_KNOWN_FOR: TimeDelta = TimeDelta::minutes(10);

// ---- a webhook's way in

/// A request that no secret admits has them read again if they are older than this: it bounds the reads that forgeries
/// cause, and the delay of a rotation.
pub const SECRETS_REFUSE_FOR: TimeDelta = TimeDelta::seconds(60);
/// A request that a secret admits has them read again if they are older than this: a revoked secret works no longer.
pub const SECRETS_ADMIT_FOR: TimeDelta = TimeDelta::minutes(5);
/// What a request that the old secrets admit waits for newer ones.
pub const WAIT_TO_ADMIT: Duration = Duration::from_millis(500);
/// What one that they don't admit waits.
pub const WAIT_TO_REFUSE: Duration = Duration::from_millis(750);
/// After a failure the secrets' store is left alone for this long.
pub const SECRETS_COOLDOWN: TimeDelta = TimeDelta::seconds(10);
/// One attempt to read the secrets' store, which answers within some 20 ms.
pub const SECRETS_ATTEMPT: Duration = Duration::from_millis(1_500);
/// The longest that the first pause between two attempts can be; each further one may be twice as long.
pub const SECRETS_PAUSE: Duration = Duration::from_millis(200);
/// The longest of those pauses.
pub const SECRETS_MAX_PAUSE: Duration = Duration::from_secs(2);
/// Reading the secrets at the start. It is long on purpose: Lambda restarts a function that gives up, which would ask the
/// throttled store again at once.
pub const SECRETS_AT_START: Duration = Duration::from_secs(8);
/// A store that is out of reach at the start, and not only busy, is given up sooner.
pub const SECRETS_OUT_OF_REACH: Duration = Duration::from_secs(4);
/// What Lambda gives a function to start.
pub const START: Duration = Duration::from_secs(10);

// ---- the roster

/// Google allows 60 reads a minute; an edit is seen after this time at the latest.
pub const ROSTER_FRESH: TimeDelta = TimeDelta::seconds(15);
/// The pause before reading again what couldn't be read.
pub const ROSTER_AGAIN: Duration = Duration::from_millis(100);
/// An unchanged roster is saved again after this time, so that its age is about right.
pub const ROSTER_SAVED_EVERY: TimeDelta = TimeDelta::minutes(10);

// ---- the ledger

/// How long a claim on an event holds; an attempt that has not settled it by then is dead.
pub const EVENT_LEASE: TimeDelta = TimeDelta::seconds(5);
/// The same for a press; whoever presses meanwhile waits.
pub const PRESS_LEASE: TimeDelta = TimeDelta::seconds(5);
/// The same for a reminder.
pub const REMINDER_LEASE: TimeDelta = TimeDelta::seconds(30);
/// `PagerDuty` tells of what was done through its API within this time.
pub const PRESSED_FOR: TimeDelta = TimeDelta::minutes(5);
/// `PagerDuty` sends an event again for 48 hours; a day more leaves no gap.
pub const POSTED_FOR: TimeDelta = TimeDelta::hours(72);
/// How long an incident is remembered, counted from its last event.
pub const RECORD_FOR: TimeDelta = TimeDelta::days(30);
/// How long to leave another process alone that is posting the same.
pub const CLAIM_AGAIN: Duration = Duration::from_millis(150);
/// A table that twice in a row gave no answer in time is left alone for this long, so that a batch of events doesn't wait for each.
pub const LEDGER_COOLDOWN: Duration = Duration::from_secs(1);
/// Opening the connection to the table at the start, while nobody waits for an answer yet.
pub const WARM_UP: Duration = Duration::from_millis(500);

// ---- the check

/// Every check has this long.
pub const CHECK: Duration = Duration::from_secs(5);
/// A part of a check is given up after this time, so that the rest of it is still told.
pub const CHECK_PART: Duration = Duration::from_millis(4_500);
/// The same for a part that begins when another one ends.
pub const CHECK_LATE_PART: Duration = Duration::from_millis(4_750);
/// What the morning's reminder waits for the checks once it has the sheet.
pub const CHECK_WAIT: Duration = Duration::from_secs(1);
/// Pinging the watchdog, after everything else.
pub const HEARTBEAT: Duration = Duration::from_secs(2);
/// Writing down what it answered.
pub const HEARTBEAT_LEFT: Duration = Duration::from_secs(1);
/// A process leaves for the check what it has seen no oftener than this.
pub const SIGHTED_EVERY: TimeDelta = TimeDelta::minutes(10);

// ---- the chats

/// Kept back for every backup behind the chat that is being tried.
pub const PER_BACKUP: Duration = Duration::from_millis(800);
/// The pause before the second try, if the chat sent no `Retry-After`.
pub const PAUSE: Duration = Duration::from_millis(200);
/// The longest try. Chats that answer at all are faster, and it leaves a reminder time for the backups.
pub const MAX_TRY: Duration = Duration::from_secs(8);
/// With less time than this a post is not worth trying.
pub const MIN_TRY: Duration = Duration::from_millis(150);

/// Bringing an incident's first message up to date, after all posts of a webhook and in time that none of them needs;
/// a chat that doesn't answer by then isn't waited for to the end.
pub const MAX_UPDATE: Duration = Duration::from_secs(1);

/// How often a process brings the number of a storm's incidents up to date: Slack allows some fifty changes a minute.
pub const STORM_SHOWN_EVERY: TimeDelta = TimeDelta::seconds(10);

/// How often a process that knows of a storm looks whether it is over, if no new incident says so.
pub const STORM_ASKED_EVERY: TimeDelta = TimeDelta::minutes(1);

// ---- everything that is called

/// Opening a connection.
pub const CONNECT: Duration = Duration::from_secs(1);
/// An exchange from a person's machine, by the operator's tool.
pub const OPERATORS_PATIENCE: Duration = Duration::from_secs(30);
/// Lambda freezes the process between invocations; a connection that was idle for longer may be dead by now.
pub const IDLE_CONNECTION: Duration = Duration::from_secs(10);
/// Listing the open incidents for a reminder.
pub const OPEN_INCIDENTS: Duration = Duration::from_secs(6);

/// Listing a week's incidents, up to PagerDuty's last page.
pub const WEEK_INCIDENTS: Duration = Duration::from_secs(12);

const fn sum(parts: &[Duration]) -> Duration {
    let (mut sum, mut index) = (Duration::ZERO, 0);
    while index < parts.len() {
        sum = sum.saturating_add(parts[index]);
        index += 1;
    }
    sum
}

const fn fits(parts: &[Duration], whole: Duration) -> bool {
    sum(parts).as_millis() <= whole.as_millis()
}

const fn is_longer(lease: TimeDelta, than: Duration) -> bool {
    lease.num_milliseconds() > 0 && lease.num_milliseconds().unsigned_abs() as u128 > than.as_millis()
}

/// An event of a batch for which less time is left is not begun: its claim alone could outlast the answer.
pub const MIN_EVENT: Duration = sum(&[WEBHOOK.claim, WEBHOOK.settle, MIN_TRY]);

/// What the table may cost a webhook: it saves duplicates, and a post is worth more.
const LEDGER_SHARE: Duration = Duration::from_millis(300);
/// The post itself, and a backup after it.
const POST: Duration = sum(&[MIN_TRY, PER_BACKUP]);

const _: () = {
    assert!(fits(&[WEBHOOK.answer, NETWORK], PAGERDUTY_WAITS), "PagerDuty would give up on us");
    assert!(fits(&[WEBHOOK.answer, RUNTIME], WEBHOOK_TIMEOUT), "Lambda would stop the webhook function");
    assert!(fits(&[REMINDER.answer, RUNTIME], REMINDER_TIMEOUT), "Lambda would stop the reminder function");
    assert!(
        fits(&[WAIT_TO_REFUSE, WEBHOOK.roster, POST, WEBHOOK.settle], WEBHOOK.answer),
        "slow secrets and a slow sheet would cost the post"
    );
    assert!(fits(&[INTERACTION.answer, COLD_START, SLACK_NETWORK], SLACK_WAITS), "Slack would show a warning");
    let InteractionBudget { answer, look, .. } = INTERACTION;
    assert!(fits(&[WAIT_TO_ADMIT, look, INTERACTION.behind_look()], answer), "a press would have no answer");
    assert!(WAIT_TO_REFUSE.as_millis() <= answer.as_millis(), "a forgery would have no answer");
    assert!(fits(&[MIN_TRY], MAX_UPDATE), "an update would never be tried");
    assert!(
        fits(&[WEBHOOK.roster, MIN_TRY, WEBHOOK.settle, MAX_UPDATE], WEBHOOK.answer),
        "a slow sheet would cost the update"
    );
    assert!(WAIT_TO_ADMIT.as_millis() <= WAIT_TO_REFUSE.as_millis(), "an authentic webhook waits longer than another");
    assert!(fits(&[SECRETS_AT_START, WARM_UP], START), "Lambda would stop the start");
    assert!(fits(&[WEBHOOK.claim, WEBHOOK.settle], LEDGER_SHARE), "the ledger takes more than its share");
    assert!(
        fits(&[REMINDER.roster, CHECK_WAIT, MAX_TRY, POST, REMINDER.claim, REMINDER.settle], REMINDER.answer),
        "a slow sheet, slow checks and a chat that hangs would cost the reminder"
    );
    assert!(CHECK_PART.as_millis() < CHECK_LATE_PART.as_millis() && CHECK_LATE_PART.as_millis() < CHECK.as_millis());
    assert!(CHECK.as_millis() <= 5_000, "a check has 5 s at most");
    assert!(
        fits(&[REMINDER.answer, HEARTBEAT, HEARTBEAT_LEFT, RUNTIME], REMINDER_TIMEOUT),
        "Lambda would stop the function over the ping"
    );
    assert!(fits(&[OPEN_INCIDENTS], REMINDER.roster), "the list of open incidents would hold up the reminder");
    assert!(
        fits(&[WEEK_INCIDENTS, MAX_TRY, POST, REMINDER.claim, REMINDER.settle], REMINDER.answer),
        "listing the week's incidents would cost its message"
    );
    assert!(is_longer(EVENT_LEASE, WEBHOOK.answer), "a claim would end before its attempt");
    assert!(
        PRESS_KNOWN_FOR.num_seconds() >= 2 * SLACK_SIGNATURE_FOR.num_seconds(),
        "the same request could be carried out twice"
    );
    assert!(is_longer(PRESS_LEASE, INTERACTION.answer), "a turn would end before its press");
    assert!(is_longer(REMINDER_LEASE, REMINDER.answer), "a claim would end before its attempt");
};
