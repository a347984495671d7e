//! The names of the log's events, in the order of the table in `docs/operations.md`: each line has one as its `event`.

/// Each name as a constant, and all of them as data.
macro_rules! events {
    ($($constant:ident = $name:literal,)+) => {
        $(pub(crate) const $constant: &str = $name;)+

        /// The names of all events of the log.
        pub const EVENTS: &[&str] = &[$($constant),+];
    };
}

events! {
    START = "start",
    STOPPED = "stopped",
    SETTINGS = "settings",
    DELIVERY = "delivery",
    UPDATE = "update",
    DUPLICATE = "duplicate",
    IN_PROGRESS = "in_progress",
    OUT_OF_TIME = "out_of_time",
    IGNORED = "ignored",
    UNREADABLE = "unreadable",
    UNAUTHENTICATED = "unauthenticated",
    UNAUTHENTICATED_WEBHOOK = "unauthenticated_webhook",
    PRESS = "press",
    INQUIRY = "inquiry",
    SECRETS = "secrets",
    NOT_FOUND = "not_found",
    METHOD_NOT_ALLOWED = "method_not_allowed",
    NOTICE = "notice",
    LEDGER = "ledger",
    ROSTER_UNREADABLE = "roster_unreadable",
    MEMBERS_UNREADABLE = "members_unreadable",
    CHECK = "check",
    HEARTBEAT = "heartbeat",
    ROSTER_ROW = "roster_row",
    ROSTER_UNSAVED = "roster_unsaved",
    HOLIDAYS = "holidays",
    REQUEST = "request",
    DAY_OFF = "day_off",
    EARLY = "early",
    OPEN_INCIDENTS = "open_incidents",
    WEEK = "week",
}
