//! Files of recorded runs, line by line: found out what they are, read in bounded memory, and handed to intake.
//!
//! Importing a file again changes nothing: a run is known by its source's id, or by a hash of its line. So an import
//! that was broken off may simply begin anew; to spare the time, whoever drives it remembers [`Batch::n_lines`] of the
//! last batch that was taken in, and gives it back as `skip_lines`.
//!
//! A bad line is told by its number and reason and does not stop the rest. Lines are counted from 1, blank ones too.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use steward_core::ids::{AgencyId, WorkflowId};
use steward_store::system::InboxKind;
use steward_wire::import::{Format, detect};

use crate::{App, AppError};

/// The most bytes of one line.
pub const MAX_LINE_BYTES: usize = 32 * 1024 * 1024;
/// A batch is full with so many lines, or so many bytes.
const BATCH_LINES: usize = 500;
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Lines that are looked at to find out the format.
const DETECT_LINES: usize = 20;
/// What the standard input is called.
const STANDARD_INPUT: &str = "-";

/// Why a file cannot be imported at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be opened.
    #[error("{} cannot be opened", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It cannot be read further, or is not compressed as it seems. What came before is good.
    #[error("{} cannot be read beyond line {line}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The last line that could be read.
        line: u64,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// None of its first lines is a run of any known format.
    #[error(
        "{} is of no known format: none of its first lines is a run, a chat transcript, or a tau-bench result; one JSON object a line is expected",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// It has no lines.
    #[error("{} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// A file to import, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportPlan {
    /// The file; `-` is the standard input.
    pub path: PathBuf,
    /// What its lines are.
    pub format: Format,
    /// Its size in bytes as it lies on disk, compressed or not; 0 when that is unknown.
    pub n_bytes: u64,
    /// How many lines to pass over, because they were imported before.
    pub skip_lines: u64,
}

/// Lines of a file that belong together into one commit.
#[derive(Debug, Default)]
pub struct Batch {
    /// The lines to import: number, kind and bytes.
    pub entries: Vec<(u64, InboxKind, Vec<u8>)>,
    /// Lines that are none, by number and reason.
    pub bad: Vec<(u64, String)>,
    /// Lines of the file that have been read up to here, this batch included.
    pub n_lines: u64,
    /// Bytes of the file that have been read up to here, as they lie on disk.
    pub n_bytes: u64,
}

impl ImportPlan {
    /// Plans the import of a file, and finds out its format where it is not said.
    ///
    /// The standard input can be read only once, so its format must be said; without a word it is native runs.
    ///
    /// # Errors
    ///
    /// [`ImportError`] when it cannot be read or is of no known format.
    pub fn of(path: &Path, format: Option<Format>, skip_lines: u64) -> Result<Self, ImportError> {
        let plan = |format, n_bytes| Self { path: path.to_owned(), format, n_bytes, skip_lines };
        if path.as_os_str() == STANDARD_INPUT {
            return Ok(plan(format.unwrap_or(Format::Native), 0));
        }
        let open = |source| ImportError::Open { path: path.to_owned(), source };
        let metadata = std::fs::metadata(path).map_err(open)?;
        if metadata.is_dir() {
            return Err(open(std::io::ErrorKind::IsADirectory.into()));
        }
        let n_bytes = metadata.len();
        match format {
            Some(format) => Ok(plan(format, n_bytes)),
            None => Ok(plan(detect_file(path)?, n_bytes)),
        }
    }

    /// Counts the lines of the file, for a progress bar. A second pass over it, so only worth it for files on disk.
    ///
    /// # Errors
    ///
    /// [`ImportError`] when it cannot be read.
    pub fn count_lines(&self) -> Result<u64, ImportError> {
        let mut lines = Lines::open(&self.path)?;
        while lines.next_line()?.is_some() {}
        Ok(lines.n_lines)
    }

    /// Begins to read the file.
    ///
    /// # Errors
    ///
    /// [`ImportError`] when it cannot be opened.
    pub fn read(&self) -> Result<Batches, ImportError> {
        let mut lines = Lines::open(&self.path)?;
        while lines.n_lines < self.skip_lines && lines.next_line()?.is_some() {}
        Ok(Batches { lines, kind: kind_of(self.format), failure: None, over: false })
    }
}

impl App {
    /// Takes in a batch, for one workflow or for what its lines name. When this returns, it is on disk. Gives the bad
    /// lines by number and reason: those of the batch, and those that turned out to be no runs.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer; nothing of the batch is kept then.
    pub async fn import_batch(
        &self,
        agency_id: AgencyId,
        workflow: Option<WorkflowId>,
        batch: Batch,
    ) -> Result<Vec<(u64, String)>, AppError> {
        let Batch { entries, mut bad, .. } = batch;
        let numbers: Vec<u64> = entries.iter().map(|(number, _, _)| *number).collect();
        let lines = entries.into_iter().map(|(_, kind, bytes)| (kind, bytes)).collect();
        for (index, reason) in self.accept_import(agency_id, workflow, lines).await? {
            bad.push((numbers.get(index).copied().unwrap_or_default(), reason));
        }
        bad.sort_by_key(|(number, _)| *number);
        Ok(bad)
    }
}

/// The batches of a file, in order. A failure to read comes after the batches before it, and is the last.
#[derive(Debug)]
pub struct Batches {
    lines: Lines,
    kind: InboxKind,
    failure: Option<ImportError>,
    over: bool,
}

impl Iterator for Batches {
    type Item = Result<Batch, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(failure) = self.failure.take() {
            return Some(Err(failure));
        }
        if self.over {
            return None;
        }
        let mut batch = Batch::default();
        let mut n_bytes = 0;
        while batch.entries.len() + batch.bad.len() < BATCH_LINES && n_bytes < BATCH_BYTES {
            match self.lines.next_line() {
                Ok(Some(line)) => {
                    let number = self.lines.n_lines;
                    match line {
                        Line::Blank => {}
                        Line::Bad(reason) => batch.bad.push((number, reason)),
                        Line::Text(bytes) => {
                            n_bytes += bytes.len();
                            batch.entries.push((number, self.kind, bytes));
                        }
                    }
                }
                Ok(None) => {
                    self.over = true;
                    break;
                }
                Err(error) => {
                    self.over = true;
                    self.failure = Some(error);
                    break;
                }
            }
        }
        batch.n_lines = self.lines.n_lines;
        batch.n_bytes = self.lines.n_bytes();
        if batch.entries.is_empty() && batch.bad.is_empty() {
            return self.failure.take().map(Err);
        }
        Some(Ok(batch))
    }
}

const fn kind_of(format: Format) -> InboxKind {
    match format {
        Format::Native => InboxKind::Native,
        Format::Transcript => InboxKind::Transcript,
        Format::TauBench => InboxKind::TauBench,
        Format::Tau2Bench => InboxKind::Tau2Bench,
    }
}

fn detect_file(path: &Path) -> Result<Format, ImportError> {
    let mut lines = Lines::open(path)?;
    let mut n_looked_at = 0;
    while n_looked_at < DETECT_LINES {
        match lines.next_line()? {
            None => break,
            Some(Line::Blank) => continue,
            Some(Line::Bad(_)) => {}
            Some(Line::Text(bytes)) => {
                if let Some(format) = std::str::from_utf8(&bytes).ok().and_then(detect) {
                    return Ok(format);
                }
            }
        }
        n_looked_at += 1;
    }
    let path = path.to_owned();
    Err(if n_looked_at == 0 { ImportError::Empty { path } } else { ImportError::UnknownFormat { path } })
}

/// A line of a file.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// Nothing but spaces.
    Blank,
    /// UTF-8 text without spaces around it.
    Text(Vec<u8>),
    /// Something that is no text, or too long.
    Bad(String),
}

/// The lines of a file, decompressed where it is compressed.
struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    n_lines: u64,
    n_bytes: Arc<AtomicU64>,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("path", &self.path).field("n_lines", &self.n_lines).finish_non_exhaustive()
    }
}

impl Lines {
    fn open(path: &Path) -> Result<Self, ImportError> {
        let open = |source| ImportError::Open { path: path.to_owned(), source };
        let n_bytes = Arc::new(AtomicU64::new(0));
        let bytes: Box<dyn Read + Send> = if path.as_os_str() == STANDARD_INPUT {
            Box::new(std::io::stdin())
        } else {
            Box::new(File::open(path).map_err(open)?)
        };
        let mut counted = BufReader::new(Counted { inside: bytes, n_bytes: Arc::clone(&n_bytes) });
        // By its first bytes rather than by its name, which says nothing of the standard input.
        let first = counted.fill_buf().map_err(open)?;
        let reader: Box<dyn BufRead + Send> = if first.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Box::new(BufReader::new(zstd::Decoder::with_buffer(counted).map_err(open)?))
        } else if first.starts_with(&[0x1f, 0x8b]) {
            Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(counted)))
        } else {
            Box::new(counted)
        };
        Ok(Self { path: path.to_owned(), reader, n_lines: 0, n_bytes })
    }

    fn n_bytes(&self) -> u64 {
        self.n_bytes.load(Ordering::Relaxed)
    }

    /// Reads a line. `None` at the end of the file.
    fn next_line(&mut self) -> Result<Option<Line>, ImportError> {
        let mut line = Vec::new();
        let mut n_bytes = 0_usize;
        let mut ended = false;
        while !ended {
            let line_before = self.n_lines;
            let failed = |source| ImportError::Read { path: self.path.clone(), line: line_before, source };
            let part = match self.reader.fill_buf() {
                Ok(part) => part,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            };
            if part.is_empty() {
                if n_bytes == 0 {
                    return Ok(None);
                }
                break;
            }
            let taken = match part.iter().position(|byte| *byte == b'\n') {
                Some(at) => {
                    ended = true;
                    at + 1
                }
                None => part.len(),
            };
            n_bytes = n_bytes.saturating_add(taken);
            // What is too long is read to its end and not kept.
            if n_bytes <= MAX_LINE_BYTES {
                line.extend_from_slice(part.get(..taken).unwrap_or_default());
            } else {
                line = Vec::new();
            }
            self.reader.consume(taken);
        }
        self.n_lines += 1;
        Ok(Some(line_of(line, n_bytes, self.n_lines)))
    }
}

fn line_of(mut line: Vec<u8>, n_bytes: usize, number: u64) -> Line {
    if n_bytes > MAX_LINE_BYTES {
        return Line::Bad(format!("the line is longer than {} MB", MAX_LINE_BYTES / 1024 / 1024));
    }
    if number == 1 && line.starts_with(b"\xef\xbb\xbf") {
        line.drain(..3);
    }
    let n_before = line.len() - line.trim_ascii_start().len();
    line.drain(..n_before);
    line.truncate(line.trim_ascii_end().len());
    if line.is_empty() {
        return Line::Blank;
    }
    match std::str::from_utf8(&line) {
        Ok(_) => Line::Text(line),
        Err(error) => {
            Line::Bad(format!("the line is not UTF-8 text, from its byte {} on", n_before + error.valid_up_to() + 1))
        }
    }
}

/// Counts the bytes that were read.
struct Counted {
    inside: Box<dyn Read + Send>,
    n_bytes: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inside.read(buffer)?;
        self.n_bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}
