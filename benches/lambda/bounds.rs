//! The bounds that the figures are held against, and which of them are exceeded.

/// A figure that has a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    /// Cold start of `pagerduty2typetalk`, in times of the empty function's.
    Webhook,
    /// The same with the ledger's connection.
    WebhookWithLedger,
    /// Cold start of `oncall-reminder`, in times of the empty function's.
    Reminder,
    /// The same with secrets from SSM, its request included.
    ReminderWithSecrets,
    /// Webhook to post of a function that starts cold, in times of what the calls that wait for each other take.
    ColdPath,
    /// The same with secrets from SSM and the ledger.
    ColdPathOnAws,
    /// From a press to its answer when the function starts cold, in milliseconds.
    ColdPress,
    /// Processor time of a warm invocation with one post, in times of the empty function's.
    Warm,
    /// Resident memory at most, in MiB.
    Memory,
}

impl Figure {
    /// What the figure is meant to be at most.
    pub(crate) fn bound(self) -> f64 {
        match self {
            Self::Webhook | Self::Reminder => 1.5,
            Self::WebhookWithLedger => 2.5,
            Self::ReminderWithSecrets => 2.2,
            Self::ColdPath | Self::ColdPathOnAws => 1.06,
            Self::ColdPress => 1_500.0,
            Self::Warm => 3.0,
            Self::Memory => 16.0,
        }
    }

    /// Machines are noisy: what is not beyond its bound by this is taken for noise. Whoever presses waits for as long as
    /// it takes.
    fn room(self) -> f64 {
        if self == Self::ColdPress { 1.0 } else { 1.5 }
    }
}

/// The figures of one run.
#[derive(Debug, Default)]
pub(crate) struct Figures(Vec<(Figure, f64)>);

impl Figures {
    /// One more, if it has a bound.
    pub(crate) fn add(&mut self, figure: Option<Figure>, value: f64) {
        self.0.extend(figure.map(|figure| (figure, value)));
    }

    /// Those that are beyond their bounds, with all the room they have.
    pub(crate) fn beyond(&self) -> Vec<String> {
        let beyond = self.0.iter().filter(|(figure, value)| *value > figure.bound() * figure.room());
        beyond.map(|(figure, value)| format!("{figure:?} {value:.2}, bound {:.2}", figure.bound())).collect()
    }
}
