//! Runs as files for other programs: CSV, JSON lines and Parquet, made page by page so that an export of any size
//! takes little memory.
//!
//! Every format has the same columns with the same names, units in the name, times as UTC. Who sees no money gets no
//! column of it, rather than an empty one.

mod columns;
mod parquet;

use std::collections::HashMap;

use steward_core::ids::{AgencyId, WorkflowId};
use steward_core::time::Timestamp;
use steward_store::AgencyStore;
use steward_store::tenant::{RunCursor, RunFilter, RunRow, RunSort};

use crate::{Actor, App, AppError};
use columns::{Cell, Column};

/// Runs that are read at once.
const PAGE: u32 = 2_000;

/// A format of exported runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Comma-separated values with a header, as RFC 4180 has it.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// Parquet, compressed with zstd.
    Parquet,
}

impl ExportFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Jsonl, Self::Parquet];

    /// The word for it, which is also how its files end.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
        }
    }

    /// Reads the word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// The media type of its files.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/jsonl",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// Runs on their way into a file. Ask for chunks until there are no more.
#[derive(Debug)]
pub struct RunExport {
    store: AgencyStore,
    filter: RunFilter,
    names: Names,
    behind: Option<RunCursor>,
    writer: Writer,
    state: State,
    n_runs: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Begins,
    GoesOn,
    Over,
}

/// What a row needs besides the run.
#[derive(Debug)]
pub(crate) struct Names {
    /// Workflow and client, by name.
    by_workflow: HashMap<WorkflowId, (String, String)>,
    now: Timestamp,
}

#[derive(Debug)]
enum Writer {
    Csv(Vec<&'static Column>),
    Jsonl(Vec<&'static Column>),
    Parquet(Box<parquet::ParquetFile>),
}

impl App {
    /// Begins an export of the runs that a filter finds, as far as the actor may see them: the latest first.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn export_runs(
        &self,
        actor: &Actor,
        filter: &RunFilter,
        format: ExportFormat,
    ) -> Result<RunExport, AppError> {
        let filter = self.visible_filter(actor, filter).await?;
        let names = self.names_for_export(actor.agency_id).await?;
        let columns: Vec<&'static Column> =
            columns::ALL.iter().filter(|c| actor.role.sees_money() || !c.is_money).collect();
        let writer = match format {
            ExportFormat::Csv => Writer::Csv(columns),
            ExportFormat::Jsonl => Writer::Jsonl(columns),
            ExportFormat::Parquet => Writer::Parquet(Box::new(parquet::ParquetFile::begin(columns)?)),
        };
        let store = self.store_of(actor);
        Ok(RunExport { store, filter, names, behind: None, writer, state: State::Begins, n_runs: 0 })
    }

    async fn names_for_export(&self, agency_id: AgencyId) -> Result<Names, AppError> {
        let store = self.agency(agency_id);
        let clients: HashMap<_, _> = store.list_clients().await?.into_iter().map(|c| (c.id, c.name)).collect();
        let workflows = store.list_workflows().await?.into_iter();
        let by_workflow = workflows
            .map(|w| (w.id, (w.name, w.client_id.and_then(|id| clients.get(&id)).cloned().unwrap_or_default())))
            .collect();
        Ok(Names { by_workflow, now: self.clock().now() })
    }
}

impl RunExport {
    /// The next part of the file. `None` at its end.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer; the file is not whole then.
    pub async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, AppError> {
        let mut out = Vec::new();
        // A chunk of nothing would look like the end to whoever streams it, so the loop goes on until there is some.
        while out.is_empty() {
            match self.state {
                State::Over => return Ok(None),
                State::Begins => {
                    self.writer.begin(&mut out);
                    self.state = State::GoesOn;
                }
                State::GoesOn => {}
            }
            let rows = self.store.list_runs(&self.filter, RunSort::Ended, self.behind, PAGE).await?;
            self.behind = rows.last().map(|row| RunCursor::at(row, RunSort::Ended));
            self.n_runs += rows.len() as u64;
            self.writer.rows(&rows, &self.names, &mut out)?;
            if rows.len() < PAGE as usize {
                self.writer.end(&mut out)?;
                self.state = State::Over;
                return Ok((!out.is_empty()).then_some(out));
            }
        }
        Ok(Some(out))
    }

    /// How many runs were written so far.
    #[must_use]
    pub fn n_runs(&self) -> u64 {
        self.n_runs
    }
}

impl Writer {
    fn begin(&self, out: &mut Vec<u8>) {
        if let Self::Csv(columns) = self {
            write_csv_line(columns.iter().map(|c| Cell::Text(c.name.to_owned())), out);
        }
    }

    fn rows(&mut self, rows: &[RunRow], names: &Names, out: &mut Vec<u8>) -> Result<(), AppError> {
        match self {
            Self::Csv(columns) => {
                rows.iter().for_each(|row| write_csv_line(columns.iter().map(|c| (c.cell)(row, names)), out));
            }
            Self::Jsonl(columns) => rows.iter().for_each(|row| write_json_line(columns, row, names, out)),
            Self::Parquet(file) => file.rows(rows, names, out)?,
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), AppError> {
        match self {
            Self::Csv(_) | Self::Jsonl(_) => Ok(()),
            Self::Parquet(file) => file.end(out),
        }
    }
}

fn write_csv_line(cells: impl Iterator<Item = Cell>, out: &mut Vec<u8>) {
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        match cell {
            Cell::Text(text) => write_csv_text(&text, out),
            Cell::Names(names) => write_csv_text(&names.join("; "), out),
            other => out.extend_from_slice(other.plain().as_bytes()),
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes a text. One that a spreadsheet would take for a formula gets a quotation mark in front: what users say of
/// themselves stands in these cells.
fn write_csv_text(text: &str, out: &mut Vec<u8>) {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let needs_quotes = is_formula || text.contains(['"', ',', '\n', '\r', ';', '\t']);
    if !needs_quotes {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    if is_formula {
        out.push(b'\'');
    }
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

fn write_json_line(columns: &[&'static Column], row: &RunRow, names: &Names, out: &mut Vec<u8>) {
    use std::io::Write as _;
    out.push(b'{');
    for (place, column) in columns.iter().enumerate() {
        let value = (column.cell)(row, names).json();
        // Writing into memory does not fail.
        let _ = write!(out, "{}\"{}\":{value}", if place > 0 { "," } else { "" }, column.name);
    }
    out.extend_from_slice(b"}\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &str) -> String {
        let mut out = Vec::new();
        write_csv_text(text, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(csv("=HYPERLINK(\"https://example.com\")"), "\"'=HYPERLINK(\"\"https://example.com\"\")\"");
        for text in ["+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert!(csv(text).starts_with("\"'"), "{text}");
        }
        assert_eq!(csv("refund for order 7"), "refund for order 7");
        assert_eq!(csv("a,b"), "\"a,b\"");
    }
}
