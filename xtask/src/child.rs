//! Commands whose output is shown as it comes while results are counted in it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

/// What a command came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    /// It ended well.
    pub(crate) success: bool,
    /// Tests that passed, by its own count.
    pub(crate) passed: u64,
    /// Tests that failed, by its own count.
    pub(crate) failed: u64,
}

impl Outcome {
    /// Both, one after the other.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            success: self.success && other.success,
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }

    /// A step that counts no tests.
    pub(crate) fn of(success: bool) -> Self {
        Self { success, ..Self::default() }
    }
}

/// Runs a command, shows its output as it comes, and counts the results in it.
pub(crate) fn stream(command: &mut Command) -> Result<Outcome> {
    println!("$ {}", in_words(command));
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{program} did not start"))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let counts = Mutex::new(Outcome::default());
    std::thread::scope(|scope| {
        if let Some(err) = err {
            scope.spawn(|| copy_lines(err, &mut std::io::stderr(), |_| {}));
        }
        if let Some(out) = out {
            copy_lines(out, &mut std::io::stdout(), |line| {
                let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
                *counts = counts.and(count(line));
            });
        }
    });
    let success = child.wait().with_context(|| format!("{program} was lost"))?.success();
    let counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Outcome { success, ..counts })
}

/// Runs a command without showing it, and gives back what it wrote, or what it complained of.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{program} did not start"))?;
    if !output.status.success() {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        anyhow::bail!("{program} failed: {}", format!("{} {}", out.trim(), err.trim()).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn in_words(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Lines may hold any bytes, and the last may lack its end.
fn copy_lines(from: impl Read, to: &mut impl Write, mut see: impl FnMut(&str)) {
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line), Ok(n) if n > 0) {
        // A closed terminal must not stop the child.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        see(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
}

/// The results in one line of cargo's test runner or of Node's.
fn count(line: &str) -> Outcome {
    if let Some(rest) = line.strip_prefix("test result: ") {
        let number = |word: &str| {
            let part = rest.split(['.', ';']).find_map(|part| part.trim().strip_suffix(word));
            part.and_then(|n| n.trim().parse().ok()).unwrap_or(0)
        };
        return Outcome { success: true, passed: number("passed"), failed: number("failed") };
    }
    let node = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# ")).and_then(|rest| rest.split_once(' '));
    match node.and_then(|(word, n)| Some((word, n.parse().ok()?))) {
        Some(("pass", n)) => Outcome { success: true, passed: n, failed: 0 },
        Some(("fail" | "cancelled", n)) => Outcome { success: true, passed: 0, failed: n },
        _ => Outcome::of(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(line: &str) -> (u64, u64) {
        let found = count(line);
        (found.passed, found.failed)
    }

    #[test]
    fn results_of_both_runners_are_counted() {
        assert_eq!(
            counted("test result: ok. 20 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.24s"),
            (20, 0)
        );
        assert_eq!(counted("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out"), (3, 2));
        assert_eq!(counted("ℹ pass 12"), (12, 0));
        assert_eq!(counted("ℹ fail 3"), (0, 3));
        assert_eq!(counted("# pass 12"), (12, 0));
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in [
            "",
            "test a ... ok",
            "ℹ tests 12",
            "ℹ duration_ms 12.5",
            "ℹ pass many",
            "running 3 tests",
            "# Subtest: pass 3",
        ] {
            assert_eq!(counted(line), (0, 0), "{line}");
        }
    }

    #[test]
    fn a_command_that_fails_says_so() {
        let outcome = stream(Command::new("sh").args(["-c", "exit 3"])).expect("starts");
        assert_eq!(outcome, Outcome::of(false));
        assert!(stream(&mut Command::new("no-such-program-at-all")).is_err());
    }
}
