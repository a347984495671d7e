//! What the commands print: aligned, and in colours where the terminal has them and `NO_COLOR` is not set.

use std::io::{self, IsTerminal, Write};

/// The standard output.
pub(super) struct Output {
    out: io::Stdout,
    colour: bool,
    /// Whoever read it, such as `head`, has seen enough.
    is_closed: bool,
    /// Whether the work behind it takes minutes.
    is_long: bool,
}

/// How something is painted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Paint {
    Good,
    Bad,
    Doubtful,
    Quiet,
    Strong,
}

impl Output {
    pub(super) fn new() -> Self {
        let out = io::stdout();
        let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { out, colour, is_closed: false, is_long: false }
    }

    /// The same for work that takes minutes: whoever closed it is told why the command hasn't ended.
    pub(super) fn of_long_work() -> Self {
        Self { is_long: true, ..Self::new() }
    }

    /// Prints a line. If nobody reads any more, the work goes on without: how it ends is still to be told.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        if self.is_closed {
            return Ok(());
        }
        match writeln!(self.out, "{text}") {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                if self.is_long {
                    let _ = writeln!(io::stderr(), "The work goes on to its exit status; Ctrl-C stops it.");
                }
                Ok(())
            }
            written => written,
        }
    }

    pub(super) fn paint(&self, paint: Paint, text: &str) -> String {
        let code = match paint {
            Paint::Good => "32",
            Paint::Bad => "1;31",
            Paint::Doubtful => "33",
            Paint::Quiet => "2",
            Paint::Strong => "1",
        };
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// A text in a column of this width: a Japanese character takes two places.
pub(super) fn padded(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(places(text));
    format!("{text}{}", " ".repeat(blanks))
}

pub(super) fn places(text: &str) -> usize {
    // From Hangul on, what a terminal shows wide is nearly everything that a sheet in Japanese holds.
    text.chars().map(|c| if ('\u{1100}'..'\u{ffe7}').contains(&c) || c > '\u{1f000}' { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_in_japanese_too() {
        for text in ["田中", "tana", "田na", ""] {
            assert_eq!(places(&padded(text, 6)), 6, "{text}");
        }
        assert_eq!(padded("too long", 3), "too long");
    }
}
