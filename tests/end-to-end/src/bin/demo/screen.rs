//! What the demo writes: steps, lines, tables with aligned columns; in colour where somebody looks.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};

use anyhow::Context as _;

/// A colour or weight of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Bold,
    Dim,
    Green,
    Yellow,
    Blue,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "0",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Blue => "36",
        }
    }
}

/// One cell of a table.
pub(crate) type Cell = (String, Style);

/// The standard output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    coloured: bool,
    terminal: bool,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let wanted = std::env::var_os("NO_COLOR").is_none();
        let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|force| force != "0");
        Self { coloured: (terminal && wanted) || forced, terminal }
    }

    pub(crate) fn styled(&self, text: &str, style: Style) -> String {
        if self.coloured && style != Style::Plain {
            format!("\u{1b}[{}m{text}\u{1b}[0m", style.code())
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn step(&self, title: &str) -> anyhow::Result<()> {
        self.say(&format!("\n{}", self.styled(&format!("▸ {title}"), Style::Bold)))
    }

    pub(crate) fn say(&self, text: &str) -> anyhow::Result<()> {
        writeln!(std::io::stdout(), "{text}").context("standard output")
    }

    /// A line that the next one replaces, where that can be seen; elsewhere nothing.
    pub(crate) fn progress(&self, line: &str) -> anyhow::Result<()> {
        if !self.terminal {
            return Ok(());
        }
        let mut out = std::io::stdout();
        write!(out, "\r\u{1b}[2K{line}").and_then(|()| out.flush()).context("standard output")
    }

    /// Takes the last such line away.
    pub(crate) fn end_progress(&self) -> anyhow::Result<()> {
        self.progress("")?;
        if self.terminal { write!(std::io::stdout(), "\r").context("standard output") } else { Ok(()) }
    }

    /// Rows under a heading, every column as wide as its widest cell.
    pub(crate) fn table(&self, heading: &[&str], rows: &[Vec<Cell>]) -> anyhow::Result<()> {
        let widths: Vec<usize> = heading
            .iter()
            .enumerate()
            .map(|(i, title)| {
                let cells = rows.iter().filter_map(|row| row.get(i)).map(|(text, _)| text.chars().count());
                cells.chain([title.chars().count()]).max().unwrap_or_default()
            })
            .collect();
        let heading: Vec<Cell> = heading.iter().map(|title| ((*title).to_owned(), Style::Dim)).collect();
        for row in std::iter::once(&heading).chain(rows) {
            self.say(&self.row(row, &widths))?;
        }
        Ok(())
    }

    fn row(&self, row: &[Cell], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((text, style), width) in row.iter().zip(widths) {
            let padding = width.saturating_sub(text.chars().count());
            // Writing to a string does not fail.
            let _ = write!(line, "  {}{}", self.styled(text, *style), " ".repeat(padding));
        }
        line.trim_end().to_owned()
    }
}
