//! What people at a terminal see: errors in words, and progress of long work.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

/// Prints what went wrong, and what it comes from, a line each.
#[expect(clippy::print_stderr, reason = "this is where the command line speaks")]
pub fn complain(error: &anyhow::Error) {
    eprintln!("steward: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because {cause}");
    }
}

/// Prints a line of the command's answer.
#[expect(clippy::print_stdout, reason = "this is where the command line speaks")]
pub fn say(text: impl AsRef<str>) {
    println!("{}", text.as_ref());
}

/// Prints a line beside the answer, which a program that reads the answer does not want.
#[expect(clippy::print_stderr, reason = "this is where the command line speaks")]
pub fn note(text: impl AsRef<str>) {
    eprintln!("{}", text.as_ref());
}

/// A progress bar; hidden when nobody watches.
pub fn progress(total: u64, what: &str) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(total) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:32} {human_pos} of {human_len} ({eta})") {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_owned());
    bar
}
