//! Reads variables one by one and collects what is wrong with them.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;

use super::settings::{OF_AWS, SETTINGS};

type Variable = dyn Fn(&str) -> Option<String> + Send + Sync;
type File = dyn Fn(&Path) -> io::Result<String> + Send + Sync;

/// Where settings come from: the process's environment and files, or a test's tables.
#[derive(Clone)]
pub struct Environment {
    variable: Arc<Variable>,
    file: Arc<File>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

impl Environment {
    /// Those in which `variable` tells a variable's value, and `file` a file's content.
    pub fn new(
        variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        file: impl Fn(&Path) -> io::Result<String> + Send + Sync + 'static,
    ) -> Self {
        Self { variable: Arc::new(variable), file: Arc::new(file) }
    }

    /// Those of this process.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment and its files")]
    pub fn of_process() -> Self {
        Self::new(|name| std::env::var(name).ok(), |path| std::fs::read_to_string(path))
    }

    /// These, and for every variable that is not set or empty here, what is among `secrets`.
    #[must_use]
    pub fn with_secrets(&self, secrets: HashMap<String, String>) -> Self {
        let here = self.clone();
        let variable = move |name: &str| here.variable(name).or_else(|| secrets.get(name).cloned());
        Self { variable: Arc::new(variable), file: Arc::clone(&self.file) }
    }

    /// The secrets that `read` looks for and doesn't find here: what this function, set up like this, needs.
    pub fn missing_secrets<T>(&self, read: impl FnOnce(&Self) -> T) -> Vec<&'static str> {
        let missing = Arc::new(Mutex::new(BTreeSet::new()));
        let (here, noted) = (self.clone(), Arc::clone(&missing));
        let variable = move |name: &str| {
            let value = here.variable(name);
            if value.is_none() {
                noted.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
            }
            value
        };
        read(&Self { variable: Arc::new(variable), file: Arc::clone(&self.file) });
        let missing = missing.lock().unwrap_or_else(PoisonError::into_inner);
        let secrets = SETTINGS.iter().filter(|setting| setting.secret && missing.contains(setting.name));
        secrets.map(|setting| setting.name).collect()
    }

    /// A value; an empty one counts as absent.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        let value = (self.variable)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }
}

/// One thing that is wrong with the settings. It never holds a secret's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// The variable.
    pub variable: &'static str,
    what: What,
    remedy: String,
}

/// Everything that is wrong with the settings, reported together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(problems) = self;
        write!(f, "{} of the settings must be put right:", problems.len())?;
        problems.iter().try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Absent,
    Malformed,
    HalfSet,
}

impl Problem {
    /// Whether the value itself is at fault, and not that it or another one is missing.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        self.what == What::Malformed
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, what, remedy } = self;
        match what {
            What::Absent => write!(f, "{variable} is not set: give it {remedy}"),
            What::Malformed => write!(f, "{variable} can't be used: {remedy}"),
            What::HalfSet => write!(f, "{variable} needs {remedy}"),
        }
    }
}

pub(super) struct Reader<'a> {
    environment: &'a Environment,
    problems: Vec<Problem>,
    warnings: Vec<String>,
    /// The settings that were looked for and found.
    found: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a Environment) -> Self {
        Self { environment, problems: Vec::new(), warnings: Vec::new(), found: RefCell::default() }
    }

    pub(super) fn environment(&self) -> &'a Environment {
        self.environment
    }

    /// What was read and the warnings, or else all problems.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<(T, Vec<String>), Problems> {
        if !self.problems.is_empty() {
            return Err(Problems(self.problems));
        }
        let read = read.expect("a part is missing only where a problem was reported");
        Ok((read, self.warnings))
    }

    pub(super) fn absent(&mut self, variable: &'static str, remedy: impl Into<String>) {
        self.problems.push(Problem { variable, what: What::Absent, remedy: remedy.into() });
    }

    pub(super) fn malformed(&mut self, variable: &'static str, remedy: impl Into<String>) {
        let problem = Problem { variable, what: What::Malformed, remedy: remedy.into() };
        // A setting that two parts read has its problem once.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// A variable that says nothing without another one; `what` is what that other one is.
    pub(super) fn half_set(&mut self, variable: &'static str, other: &str, what: &str) {
        self.problems.push(Problem { variable, what: What::HalfSet, remedy: format!("{other} beside it: {what}") });
    }

    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// A value; an empty one counts as absent.
    pub(super) fn optional(&self, variable: &str) -> Option<String> {
        let setting = SETTINGS.iter().find(|setting| setting.name == variable);
        debug_assert!(setting.is_some() || OF_AWS.contains(&variable), "{variable} is not in the list of settings");
        let value = self.environment.variable(variable);
        self.found.borrow_mut().extend(setting.filter(|_| value.is_some()).map(|setting| setting.name));
        value
    }

    /// The names of the settings that were found so far.
    pub(super) fn found(&self) -> Vec<&'static str> {
        self.found.borrow().iter().copied().collect()
    }

    pub(super) fn is_set(&self, variable: &str) -> bool {
        self.optional(variable).is_some()
    }

    pub(super) fn required(&mut self, variable: &'static str, remedy: &str) -> Option<String> {
        let value = self.optional(variable);
        if value.is_none() {
            self.absent(variable, remedy);
        }
        value
    }

    pub(super) fn begins_with(&self, variable: &str, prefix: &str) -> Option<bool> {
        self.optional(variable).map(|value| value.starts_with(prefix))
    }

    /// A value with a default, parsed; the parser says what is wrong.
    pub(super) fn parsed<T>(
        &mut self,
        variable: &'static str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.optional(variable);
        parse(value.as_deref().unwrap_or(default)).map_err(|why| self.malformed(variable, why)).ok()
    }

    /// A secret that goes into an HTTP header.
    pub(super) fn secret(&mut self, variable: &'static str, remedy: &str) -> Option<SecretString> {
        let value = self.required(variable, remedy)?;
        if !value.bytes().all(|b| b.is_ascii_graphic()) {
            self.malformed(variable, format!("it has characters that no token has; give it {remedy}"));
        } else if is_plainly_none(&value) {
            self.malformed(variable, format!("it is not a secret ({NO_SECRETS}); give it {remedy}"));
        } else {
            return Some(value.into());
        }
        None
    }

    /// A list of names; empty entries are nothing.
    pub(super) fn list(&self, variable: &str) -> Vec<String> {
        let value = self.optional(variable).unwrap_or_default();
        value.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
    }

    /// A list of secrets, without those that would be an open door.
    pub(super) fn secrets(&mut self, variable: &'static str) -> Vec<SecretString> {
        let Some(value) = self.optional(variable) else { return Vec::new() };
        let entries: Vec<_> = value.split(',').map(str::trim).collect();
        if entries.contains(&"") {
            self.malformed(variable, "the list has an empty entry; remove the comma too many");
        }
        if !entries.iter().all(|entry| entry.bytes().all(|b| b.is_ascii_graphic())) {
            self.malformed(variable, "a secret has spaces or other characters that none has; give it the bare secrets");
        }
        if entries.iter().any(|entry| !entry.is_empty() && is_plainly_none(entry)) {
            self.malformed(variable, format!("an entry is not a secret ({NO_SECRETS}); give it the real ones"));
        }
        let usable = |entry: &&str| !is_plainly_none(entry) && entry.bytes().all(|b| b.is_ascii_graphic());
        entries.into_iter().filter(usable).map(Into::into).collect()
    }

    /// The address of a service, without a slash at the end.
    pub(super) fn base_url(&mut self, variable: &'static str, default: &str) -> Option<String> {
        self.parsed(variable, default, |text| {
            let url = url::Url::parse(text).ok().filter(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.has_host()
                    && url.username().is_empty()
                    && url.password().is_none()
                    && url.query().is_none()
                    && url.fragment().is_none()
            });
            let url = url.ok_or("it must be an address such as `https://example.com`")?;
            Ok(url.as_str().trim_end_matches('/').to_owned())
        })
    }

    /// The address of a service that has no default.
    pub(super) fn optional_url(&mut self, variable: &'static str) -> Option<String> {
        self.is_set(variable).then(|| self.base_url(variable, ""))?
    }

    /// The content of the file that a variable names.
    pub(super) fn file(&mut self, variable: &'static str) -> Option<String> {
        let path = PathBuf::from(self.optional(variable)?);
        (self.environment.file)(&path)
            .map_err(|error| {
                self.malformed(variable, format!("its file can't be read ({}); check the path", error.kind()));
            })
            .ok()
    }

    /// The path in a variable, if its file can be read.
    pub(super) fn readable_file(&mut self, variable: &'static str) -> Option<PathBuf> {
        self.file(variable)?;
        self.optional(variable).map(PathBuf::from)
    }
}

const MIN_SECRET: usize = 8;
const NO_SECRETS: &str = "`null`, `undefined` or shorter than 8 characters";

/// Whether anybody could guess it: what a script stores that failed to get the real one.
fn is_plainly_none(secret: &str) -> bool {
    secret.len() < MIN_SECRET || secret.eq_ignore_ascii_case("undefined")
}
