//! Questions and answers: what will be done is said before it is done, and nothing that is secret is shown.

use std::error::Error;
use std::fmt::Display;
use std::future::Future;
use std::io::{self, BufRead, IsTerminal, Write};
use std::process::{Command, Stdio, exit};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// What every command ends with.
pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Work that takes longer than this says that it is at work.
const SILENCE: Duration = Duration::from_secs(1);
/// How often it says so.
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// What a process that was interrupted ends with.
const INTERRUPTED: i32 = 130;

/// Whoever is at the terminal, or the pipe in their place.
#[derive(Debug, Clone)]
pub struct Terminal {
    yes: bool,
    is_aside: bool,
    resume: Arc<Mutex<String>>,
}

impl Terminal {
    /// Begins to talk; `yes` answers every "go on?". From now on Ctrl-C ends the process with a word on how to go on.
    #[must_use]
    pub fn new(yes: bool) -> Self {
        let resume = Arc::new(Mutex::new("Nothing was changed.".to_owned()));
        let terminal = Self { yes, is_aside: false, resume };
        let at_ctrl_c = terminal.clone();
        let mut pressed = Box::pin(tokio::signal::ctrl_c());
        // It listens from when it is first asked, and the task below may begin late.
        let _ = pressed.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        tokio::spawn(async move {
            if pressed.await.is_ok() {
                echo(true);
                eprintln!("\noncall: stopped. {}", at_ctrl_c.how_to_go_on());
                exit(INTERRUPTED);
            }
        });
        terminal
    }

    /// The same, beside an output that a script reads: all that is said and asked goes to the standard error.
    #[must_use]
    pub fn aside(self) -> Self {
        Self { is_aside: true, ..self }
    }

    /// What is to be said if it ends here: by Ctrl-C or by a failure.
    pub fn if_stopped(&self, words: &str) {
        words.clone_into(&mut self.resume.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What [`Self::if_stopped`] was given last.
    #[must_use]
    pub fn how_to_go_on(&self) -> String {
        self.resume.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says a line.
    pub fn say(&self, line: impl Display) {
        self.write(&format!("{line}\n"));
    }

    fn write(&self, text: &str) {
        // Whoever closes the output has seen enough; the work goes on.
        let _ = if self.is_aside {
            io::stderr().write_all(text.as_bytes())
        } else {
            io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush())
        };
    }

    /// Says a line that is no part of what a script reads.
    pub fn remark(&self, line: impl Display) {
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// Says what will be done, and asks whether to do it.
    ///
    /// # Errors
    /// If the answer is no, or there is none.
    pub fn plan(&self, steps: &[String]) -> Outcome {
        self.say("This will:");
        for (index, step) in steps.iter().enumerate() {
            self.say(format!("  {}. {step}", index + 1));
        }
        if self.yes || self.agrees("Go on?", true)? { Ok(()) } else { Err("you said no; nothing was changed".into()) }
    }

    /// The same for what nobody may cause unseen: without `--yes` there must be somebody at a terminal.
    ///
    /// # Errors
    /// If the answer is no, or nobody is there to give one.
    pub fn plan_in_person(&self, steps: &[String]) -> Outcome {
        if !self.yes && !io::stdin().is_terminal() {
            let steps = steps.join("; ");
            return Err(format!("nobody is there to ask: run it in a terminal, or with --yes, to {steps}").into());
        }
        self.plan(steps)
    }

    /// Asks for a yes or a no; Enter is the default. `--yes` doesn't answer it.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn agrees(&self, question: &str, default: bool) -> Outcome<bool> {
        loop {
            let hint = if default { "Y/n, Enter is yes" } else { "y/N, Enter is no" };
            match self.line(&format!("{question} [{hint}] "))?.to_ascii_lowercase().as_str() {
                "" => return Ok(default),
                "y" | "yes" | "はい" => return Ok(true),
                "n" | "no" | "いいえ" => return Ok(false),
                _ => self.say("Please answer y or n."),
            }
        }
    }

    /// Whether `--yes` was given, so that nobody needs to be there.
    #[must_use]
    pub fn is_unattended(&self) -> bool {
        self.yes
    }

    /// Asks until the answer is good; Enter takes the default. What is wrong with an answer is said.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn ask<T>(&self, question: &str, default: &str, check: impl Fn(&str) -> Result<T, String>) -> Outcome<T> {
        loop {
            let prompt = if default.is_empty() { format!("{question}: ") } else { format!("{question} [{default}]: ") };
            let answer = self.line(&prompt)?;
            match check(if answer.is_empty() { default } else { &answer }) {
                Ok(answer) => return Ok(answer),
                Err(why) => self.say(format!("  That can't be used: {why}")),
            }
        }
    }

    /// Asks for a secret, which isn't shown while it is typed.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn ask_secret(&self, question: &str) -> Outcome<String> {
        echo(false);
        let answer = self.line(&format!("{question} (not shown): "));
        echo(true);
        if io::stdin().is_terminal() {
            self.say("");
        }
        answer
    }

    fn line(&self, prompt: &str) -> Outcome<String> {
        self.write(prompt);
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            self.say("");
            return Err(format!("there was no answer to “{}”; run it in a terminal", prompt.trim()).into());
        }
        if !io::stdin().is_terminal() {
            self.say("");
        }
        Ok(line.trim().to_owned())
    }

    /// Does something that may take a while, and says so if it does.
    pub async fn while_waiting<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        let started = Instant::now();
        tokio::pin!(work);
        let mut pause = SILENCE;
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = sleep(pause) => {
                    self.remark(format!("… {what} ({} s)", started.elapsed().as_secs()));
                    pause = REPORT_EVERY;
                }
            }
        }
    }
}

/// Shows or hides what is typed, if somebody types.
fn echo(on: bool) {
    if io::stdin().is_terminal() {
        let mode = if on { "echo" } else { "-echo" };
        let shown = Command::new("stty").arg(mode).stdin(Stdio::inherit()).status();
        if !on && !shown.is_ok_and(|status| status.success()) {
            eprintln!("oncall: what you type will be seen: `stty` can't hide it here");
        }
    }
}
