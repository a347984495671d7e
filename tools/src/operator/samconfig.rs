//! `samconfig.toml`: which stack is meant, and the answers that `sam deploy` would else ask for.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, Item, Table, value};

/// The name of a stack that no file names.
const STACK: &str = "oncall-relay";

/// The file, with everything in it that isn't ours.
#[derive(Debug, Clone)]
pub struct SamConfig {
    path: PathBuf,
    document: DocumentMut,
}

impl SamConfig {
    /// Reads the file; without one there are defaults.
    ///
    /// # Errors
    /// If it can't be read, or is no TOML.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => "version = 0.1\n".to_owned(),
            Err(error) => return Err(format!("{} can't be read ({error}); check its rights", path.display())),
        };
        let document = text.parse().map_err(|error| format!("{} is no TOML: {error}", path.display()))?;
        Ok(Self { path: path.to_owned(), document })
    }

    /// `stack_name`, of `deploy` or of all commands.
    #[must_use]
    pub fn stack_name(&self) -> String {
        self.parameter("stack_name").unwrap_or_else(|| STACK.to_owned())
    }

    /// Whether it is this stack's, as far as somebody has named one.
    #[must_use]
    pub fn is_of(&self, stack: Option<&str>) -> bool {
        stack.is_none_or(|name| name == self.stack_name())
    }

    /// One of the template's parameters, if it is set.
    #[must_use]
    pub fn override_of(&self, name: &str) -> Option<String> {
        self.overrides().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// `region`, of `deploy` or of all commands.
    #[must_use]
    pub fn region(&self) -> Option<String> {
        self.parameter("region")
    }

    /// `profile`, of `deploy` or of all commands.
    #[must_use]
    pub fn profile(&self) -> Option<String> {
        self.parameter("profile")
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let of = |command: &str| self.document.get("default")?.get(command)?.get("parameters")?.get(name)?.as_str();
        of("deploy").or_else(|| of("global")).map(str::to_owned)
    }

    /// The template's parameters that are set, in the file's order.
    #[must_use]
    pub fn overrides(&self) -> Vec<(String, String)> {
        let parameters = self.document.get("default").and_then(|all| all.get("deploy")?.get("parameters"));
        match parameters.and_then(|parameters| parameters.get("parameter_overrides")) {
            Some(Item::Value(toml_edit::Value::Array(pairs))) => {
                pairs.iter().filter_map(|pair| pair.as_str()).flat_map(pairs_of).collect()
            }
            Some(Item::Value(toml_edit::Value::String(text))) => pairs_of(text.value()),
            _ => Vec::new(),
        }
    }

    /// Sets these of the template's parameters and leaves all others; an empty value goes back to the default.
    pub fn set(&mut self, answers: &[(&str, String)]) {
        let mut pairs = self.overrides();
        for (name, answer) in answers {
            pairs.retain(|(known, _)| known != name);
            if !answer.is_empty() {
                pairs.push(((*name).to_owned(), answer.clone()));
            }
        }
        let mut list: Array = pairs.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
        list.iter_mut().for_each(|pair| pair.decor_mut().set_prefix("\n    "));
        list.set_trailing("\n");
        list.set_trailing_comma(true);
        self.parameters("deploy").insert("parameter_overrides", value(list));
    }

    /// Sets where the stack is.
    pub fn set_place(&mut self, stack_name: &str, region: &str) {
        for (name, text) in [("stack_name", stack_name), ("region", region)] {
            self.parameters("global").insert(name, value(text));
            // What `sam deploy --guided` wrote would win.
            if self.parameters("deploy").contains_key(name) {
                self.parameters("deploy").insert(name, value(text));
            }
        }
    }

    fn parameters(&mut self, command: &str) -> &mut Table {
        let mut table = self.document.as_table_mut();
        for name in ["default", command, "parameters"] {
            let item = table.entry(name).or_insert_with(|| {
                let mut table = Table::new();
                table.set_implicit(name != "parameters");
                Item::Table(table)
            });
            if !item.is_table() {
                *item = Item::Table(Table::new());
            }
            table = item.as_table_mut().expect("it was just made one");
        }
        table
    }

    /// Writes the file: as a whole or not at all.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write(&self) -> Result<(), String> {
        let Self { path, document } = self;
        let draft = path.with_extension("toml.new");
        fs::write(&draft, document.to_string())
            .and_then(|()| fs::rename(&draft, path))
            .map_err(|error| format!("{} can't be written ({error})", path.display()))
    }
}

/// `SlackAlertChannel` is `SLACK_ALERT_CHANNEL`, and `PagerDutyServices` is `PAGERDUTY_SERVICES`.
#[must_use]
pub fn variable(parameter: &str) -> String {
    let mut name = String::new();
    for c in parameter.replace("PagerDuty", "Pagerduty").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}

/// As SAM reads it: a value with blanks stands in double quotes, in which a quote has a backslash.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('"', "\\\""))
}

/// `Name=value Other="a value"`
fn pairs_of(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while let Some((name, after)) = rest.split_once('=') {
        let (mut value, mut in_quotes, mut chars) = (String::new(), false, after.char_indices().peekable());
        let mut end = after.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => in_quotes = !in_quotes,
                '\\' if chars.next_if(|(_, c)| *c == '"').is_some() => value.push('"'),
                c if c.is_whitespace() && !in_quotes => {
                    end = at;
                    break;
                }
                c => value.push(c),
            }
        }
        pairs.push((name.trim().to_owned(), value));
        rest = after[end..].trim_start();
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> SamConfig {
        SamConfig { path: PathBuf::new(), document: text.parse().unwrap() }
    }

    #[test]
    fn both_ways_of_writing_parameters_are_read() {
        let expected = [("Chats", "slack"), ("RosterRange", "当番 表!A:Z"), ("ManualUrl", ""), ("Quote", "a\"b")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        for list in [
            r#"'Chats=slack RosterRange="当番 表!A:Z" ManualUrl="" Quote="a\"b"'"#,
            r#"['Chats="slack"', 'RosterRange="当番 表!A:Z"', 'ManualUrl=""', 'Quote="a\"b"']"#,
        ] {
            let config = config(&format!("[default.deploy.parameters]\nparameter_overrides = {list}\n"));
            assert_eq!(config.overrides(), expected, "{list}");
        }
    }

    #[test]
    fn answers_replace_only_their_own_parameters_and_comments_stay() {
        let before = "# mine\nversion = 0.1\n[default.global.parameters]\nstack_name = \"relay\" # ours\n\
                      [default.deploy.parameters]\ncapabilities = \"CAPABILITY_IAM\"\n\
                      parameter_overrides = \"Chats=typetalk LogRetentionDays=30\"\n";
        let mut config = config(before);
        config.set(&[
            ("Chats", "slack".to_owned()),
            ("ManualUrl", String::new()),
            ("Holidays", "jp, 12-29".to_owned()),
        ]);
        let after = config.document.to_string();
        assert!(
            after.starts_with("# mine\n") && after.contains("# ours") && after.contains("CAPABILITY_IAM"),
            "{after}"
        );
        let expected = [("LogRetentionDays", "30"), ("Chats", "slack"), ("Holidays", "jp, 12-29")];
        assert_eq!(config.overrides(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(config.stack_name(), "relay");
    }

    #[test]
    fn a_file_that_is_not_there_becomes_one_that_sam_reads() {
        let mut config = config("version = 0.1\n");
        assert_eq!((config.stack_name().as_str(), config.region()), ("oncall-relay", None));
        config.set_place("relay", "eu-west-1");
        config.set(&[("Chats", "slack".to_owned())]);
        let text = config.document.to_string();
        assert!(text.contains("[default.global.parameters]\nstack_name = \"relay\"\nregion = \"eu-west-1\""), "{text}");
        assert!(text.contains("[default.deploy.parameters]\nparameter_overrides = [\n"), "{text}");
    }
}
