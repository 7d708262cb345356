//! `steward patterns`: which lines of a text file say the same.
//!
//! Nothing of it needs a database or a configuration: it is how anyone checks what is said of the grouping.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use serde_json::json;
use steward_patterns::{Group, Groups, Miner, Overrides, ShapeId};

use crate::terminal;

/// Groups messages that say the same.
#[derive(Debug, Args)]
pub struct Patterns {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Groups the messages of a text file, one message a line: each line's group, then the groups with their counts.
    Mine(Mine),
}

#[derive(Debug, Args)]
struct Mine {
    /// The file; `-` is the standard input.
    file: PathBuf,
    /// Answers with JSON, an object a line: one for each message, one for each group, and one for the whole.
    #[arg(long)]
    json: bool,
    /// Leaves the lines out and shows the groups alone.
    #[arg(long)]
    groups_only: bool,
}

/// How much of a line is kept; more of it is not looked at.
const MAX_LINE_BYTES: usize = 64 * 1024;
/// Lines between two looks at how far the reading has come.
const LINES_A_TICK: u64 = 4_096;

impl Patterns {
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::Mine(mine) => mine.run(),
        }
    }
}

impl Mine {
    fn run(&self) -> Result<()> {
        let name = self.file.display().to_string();
        let (mut input, n_bytes) = open(&self.file)?;
        let mut read = self.read(&mut input, n_bytes, &name)?;
        let groups = read.miner.consolidate(&Overrides::default());
        match self.write(&mut read, &groups, &mut BufWriter::new(io::stdout().lock())) {
            // Whoever reads had enough.
            Err(error) if is_broken_pipe(&error) => Ok(()),
            other => other,
        }
    }

    /// Reads all lines. Which shape each of them has waits in a temporary file, so that memory does not grow with it.
    fn read(&self, input: &mut dyn BufRead, n_bytes: u64, name: &str) -> Result<Lines> {
        let bar = terminal::progress(n_bytes, name);
        let mut lines = Lines { miner: Miner::default(), shapes: None, n_lines: 0, n_not_utf8: 0 };
        let mut shapes = match self.groups_only {
            true => None,
            false => Some(BufWriter::new(tempfile::tempfile().context("no temporary file can be made")?)),
        };
        let mut line = Vec::new();
        let mut n_read = 0;
        loop {
            let n = read_line(input, &mut line).with_context(|| format!("{name} cannot be read"))?;
            if n == 0 {
                break;
            }
            n_read += n;
            lines.n_lines += 1;
            let text = String::from_utf8_lossy(&line);
            lines.n_not_utf8 += u64::from(matches!(text, std::borrow::Cow::Owned(_)));
            let shape = lines.miner.assign(&text);
            if let Some(shapes) = &mut shapes {
                shapes.write_all(&shape.number().to_le_bytes()).context("the temporary file cannot be written")?;
            }
            if lines.n_lines.is_multiple_of(LINES_A_TICK) {
                bar.set_position(n_read);
            }
        }
        bar.finish_and_clear();
        if let Some(shapes) = shapes {
            let file = shapes.into_inner().context("the temporary file cannot be written")?;
            lines.shapes = Some(file);
        }
        Ok(lines)
    }

    fn write(&self, lines: &mut Lines, groups: &Groups, out: &mut impl Write) -> Result<()> {
        if let Some(file) = &mut lines.shapes {
            file.seek(SeekFrom::Start(0)).context("the temporary file cannot be read")?;
            let mut shapes = BufReader::new(file);
            for number in 1..=lines.n_lines {
                let mut shape = [0; 4];
                shapes.read_exact(&mut shape).context("the temporary file cannot be read")?;
                let group = groups.of(ShapeId::from_number(u32::from_le_bytes(shape)));
                self.write_line(number, group, out)?;
            }
        }
        let mut n_groups = 0;
        for group in groups.all().iter().filter(|group| group.count > 0) {
            n_groups += 1;
            self.write_group(group, out)?;
        }
        self.write_whole(lines, n_groups, out)?;
        Ok(out.flush()?)
    }

    fn write_line(&self, number: u64, group: &Group, out: &mut impl Write) -> io::Result<()> {
        if self.json {
            let line = json!({ "line": number, "group": group.key, "template": group.template });
            writeln!(out, "{line}")
        } else {
            writeln!(out, "{number}\t{}\t{}", group.key, group.template)
        }
    }

    fn write_group(&self, group: &Group, out: &mut impl Write) -> io::Result<()> {
        if !self.json {
            writeln!(out, "{}\t{}\t{}", group.count, group.key, group.template)?;
            return writeln!(out, "\t{}", group.because());
        }
        let places: Vec<_> = group
            .places
            .iter()
            .map(|place| {
                let kinds: Vec<&str> = place.kinds.iter().map(|kind| kind.word()).collect();
                json!({ "kinds": kinds, "different": place.n_values, "words": place.words })
            })
            .collect();
        let group = json!({
            "group": group.key, "count": group.count, "template": group.template, "because": group.because(),
            "places": places, "examples": group.examples,
        });
        writeln!(out, "{group}")
    }

    fn write_whole(&self, lines: &Lines, n_groups: usize, out: &mut impl Write) -> io::Result<()> {
        let (n, not_utf8, was_full) = (lines.n_lines, lines.n_not_utf8, lines.miner.was_full());
        if self.json {
            let whole = json!({ "lines": n, "groups": n_groups, "not_utf8": not_utf8, "was_full": was_full });
            return writeln!(out, "{whole}");
        }
        writeln!(out, "{n} lines in {n_groups} groups")?;
        if not_utf8 > 0 {
            writeln!(out, "{not_utf8} lines are not UTF-8; what could not be read in them was replaced")?;
        }
        if was_full {
            writeln!(
                out,
                "there were more shapes than are told apart; rare ones may stand in a group that is too wide"
            )?;
        }
        Ok(())
    }
}

/// What was read.
struct Lines {
    miner: Miner,
    /// The number of each line's shape, one after the other; nothing where only the groups are asked for.
    shapes: Option<File>,
    n_lines: u64,
    n_not_utf8: u64,
}

/// The input, and how many bytes it has; 0 where nobody knows.
fn open(path: &Path) -> Result<(Box<dyn BufRead>, u64)> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::new(io::stdin())), 0));
    }
    let cannot = || format!("{} cannot be read", path.display());
    let file = File::open(path).with_context(cannot)?;
    let n_bytes = file.metadata().with_context(cannot)?.len();
    Ok((Box::new(BufReader::with_capacity(1 << 16, file)), n_bytes))
}

/// Reads a line without its end; gives how many bytes it had in the input, 0 at the end.
///
/// Of a line that never ends only the beginning is kept.
fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<u64> {
    line.clear();
    let mut n_read = 0;
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let n = end.unwrap_or(buffer.len());
        let kept = n.min(MAX_LINE_BYTES - line.len());
        line.extend_from_slice(&buffer[..kept]);
        let n_consumed = n + usize::from(end.is_some());
        input.consume(n_consumed);
        n_read += n_consumed as u64;
        if end.is_some() || n_consumed == 0 {
            break;
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(n_read)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(mut text: &[u8]) -> Vec<String> {
        let mut line = Vec::new();
        let mut lines = Vec::new();
        while read_line(&mut text, &mut line).expect("memory can be read") > 0 {
            lines.push(String::from_utf8_lossy(&line).into_owned());
        }
        lines
    }

    #[test]
    fn lines_end_as_on_any_system_and_the_last_needs_no_end() {
        assert_eq!(lines_of(b"a\nb\r\n\nc"), ["a", "b", "", "c"]);
        assert_eq!(lines_of(b""), Vec::<String>::new());
        assert_eq!(lines_of(b"\n"), [""]);
    }

    #[test]
    fn a_line_that_never_ends_is_cut() {
        let mut text = vec![b'x'; MAX_LINE_BYTES + 1_000];
        text.extend_from_slice(b"\ny");
        let lines = lines_of(&text);
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [MAX_LINE_BYTES, 1]);
    }

    fn mined(text: &[u8], json: bool) -> String {
        let mine = Mine { file: PathBuf::from("-"), json, groups_only: false };
        let mut input = text;
        let mut lines = mine.read(&mut input, 0, "test").expect("it is read");
        let groups = lines.miner.consolidate(&Overrides::default());
        let mut out = Vec::new();
        mine.write(&mut lines, &groups, &mut out).expect("it is written");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn each_line_has_its_group_and_the_groups_follow() {
        let answer = mined(b"order 1 not found\norder 22 not found\nuser gone\n", true);
        let rows: Vec<serde_json::Value> =
            answer.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(rows.len(), 3 + 2 + 1);
        assert_eq!(rows[0]["template"], "order <*> not found");
        assert_eq!(rows[0]["group"], rows[1]["group"]);
        assert_ne!(rows[0]["group"], rows[2]["group"]);
        assert_eq!((&rows[3]["group"], &rows[3]["count"]), (&rows[0]["group"], &json!(2)));
        assert_eq!(rows[5], json!({ "lines": 3, "groups": 2, "not_utf8": 0, "was_full": false }));
    }

    #[test]
    fn lines_that_are_not_utf8_are_read_and_counted() {
        let answer = mined(b"caf\xe9 closed\nopen\n", false);
        assert!(answer.contains("caf\u{fffd} closed"), "{answer}");
        assert!(answer.ends_with("1 lines are not UTF-8; what could not be read in them was replaced\n"), "{answer}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = open(Path::new("no/such/file")).err().expect("an error");
        assert_eq!(error.to_string(), "no/such/file cannot be read");
    }
}
