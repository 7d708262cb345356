//! The phases of the check: each run, timed and remembered, and a table at the end.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::child::Outcome;

/// What was run so far.
#[derive(Debug, Default)]
pub(crate) struct Phases {
    done: Vec<Phase>,
}

#[derive(Debug)]
struct Phase {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
    /// Why it failed, where it says.
    reason: Option<String>,
}

impl Phases {
    /// Runs one phase. A failure is remembered, and the next phase can run.
    pub(crate) fn run(&mut self, name: &'static str, work: impl FnOnce() -> Result<Outcome>) -> bool {
        println!("\n── {name} ──");
        let start = Instant::now();
        let (outcome, reason) = match work() {
            Ok(outcome) => (outcome, None),
            Err(error) => (Outcome::default(), Some(format!("{error:#}"))),
        };
        if let Some(reason) = &reason {
            println!("{name}: {reason}");
        }
        let success = outcome.success;
        self.done.push(Phase { name, took: start.elapsed(), outcome, reason });
        success
    }

    /// Prints the table.
    pub(crate) fn print_table(&self) {
        let width = self.done.iter().map(|phase| phase.name.chars().count()).max().unwrap_or(0);
        println!("\n{:width$}  {:>8}  result", "phase", "time");
        for phase in &self.done {
            let result = match (phase.outcome.success, &phase.reason) {
                (true, _) if phase.outcome.passed > 0 => format!("{} passed", phase.outcome.passed),
                (true, _) => "ok".to_owned(),
                (false, Some(reason)) => format!("FAILED: {}", reason.lines().next().unwrap_or_default()),
                (false, None) if phase.outcome.failed > 0 => format!("{} FAILED", phase.outcome.failed),
                (false, None) => "FAILED".to_owned(),
            };
            println!("{:width$}  {:>8}  {result}", phase.name, in_words(phase.took));
        }
        println!("{:width$}  {:>8}", "together", in_words(self.done.iter().map(|phase| phase.took).sum()));
    }

    /// What all came to. A phase that failed without naming a test counts as one failure.
    pub(crate) fn sum(&self) -> Outcome {
        self.done.iter().fold(Outcome::of(true), |sum, phase| {
            let unnamed = u64::from(!phase.outcome.success && phase.outcome.failed == 0);
            sum.and(Outcome { failed: phase.outcome.failed + unnamed, ..phase.outcome })
        })
    }
}

fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{}:{:02} min", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_never_summed_up_as_none() {
        let mut phases = Phases::default();
        phases.run("a", || Ok(Outcome { success: true, passed: 3, failed: 0 }));
        phases.run("b", || Ok(Outcome::of(false)));
        phases.run("c", || anyhow::bail!("it is missing"));
        phases.run("d", || Ok(Outcome { success: false, passed: 1, failed: 2 }));
        assert_eq!(phases.sum(), Outcome { success: false, passed: 4, failed: 4 });
    }
}
