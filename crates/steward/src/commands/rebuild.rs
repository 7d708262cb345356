//! `steward rebuild`, or `replay`: reads all raw payloads again, makes runs and figures anew, and says what changed.

use clap::Args;
use steward_app::replay::{Brief, ChangedRun, Changes};
use steward_core::outcome::Outcome;

use crate::config::Config;
use crate::{open, terminal};

/// Reads all raw payloads again, makes runs and figures anew, and says what changed. Also known as `replay`.
#[derive(Debug, Args)]
pub struct Rebuild {
    /// Which agency, where there are several.
    #[arg(long, value_name = "NAME")]
    agency: Option<String>,
    /// Answers with JSON.
    #[arg(long)]
    json: bool,
}

impl Rebuild {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        open::start_log(config)?;
        let app = open::open(config).await?;
        let agency = open::agency(&app, self.agency.as_deref()).await?;
        let bar = terminal::progress(0, "emptying runs");
        let (done, changes) = app.replay(agency.id, &|done| bar.set_position(done.runs)).await?;
        bar.finish_and_clear();
        if self.json {
            let answer = serde_json::json!({ "runs": done.runs, "left": done.left, "payloads": done.payloads, "changes": changes });
            terminal::say(answer.to_string());
        } else {
            terminal::say(format!("{} runs were read again from {} payloads", done.runs, done.payloads));
            if done.left > 0 {
                terminal::say(format!(
                    "{} runs were left as they are: their payloads are older than what is kept",
                    done.left
                ));
            }
            tell(&changes);
        }
        Ok(())
    }
}

/// Runs that are named on the terminal; JSON names more.
const MAX_NAMED: usize = 20;

/// Says what changed, figure by figure.
fn tell(changes: &Changes) {
    if changes.is_empty() {
        return terminal::say("nothing changed: every run came to what it was before");
    }
    terminal::say(format!(
        "changed: outcome of {} runs, cost of {}, tokens of {}, steps of {}; {} runs are new, {} became part of others",
        changes.outcome, changes.cost, changes.tokens, changes.steps, changes.added, changes.removed
    ));
    let Changes { before, after, .. } = changes;
    let rows = [
        ("runs", before.runs, after.runs),
        ("open", before.open, after.open),
        ("completed", before.completed, after.completed),
        ("escalated", before.escalated, after.escalated),
        ("failed", before.failed, after.failed),
        ("abandoned", before.abandoned, after.abandoned),
        ("unverified", before.unverified, after.unverified),
        ("cost unknown", before.without_cost, after.without_cost),
        ("tokens", before.tokens, after.tokens),
        ("steps", before.steps, after.steps),
    ];
    terminal::say(format!("{:<14}{:>18}{:>18}", "", "before", "after"));
    for (name, before, after) in rows {
        terminal::say(format!("{name:<14}{before:>18}{after:>18}"));
    }
    let (before, after) = (dollars(before.cost_nanos), dollars(after.cost_nanos));
    terminal::say(format!("{:<14}{before:>18}{after:>18}", "known cost"));
    for run in changes.runs.iter().take(MAX_NAMED) {
        terminal::say(format!("{}  {}", run.id, in_words(run)));
    }
    if changes.runs.len() > MAX_NAMED {
        terminal::say("and more: --json names up to a hundred, with their figures");
    }
    if changes.cut {
        terminal::note("there are more runs than are compared; the oldest were");
    }
}

/// What changed of one run: "outcome failed → completed, tokens 0 → 250".
fn in_words(run: &ChangedRun) -> String {
    let (before, after) = match (run.before, run.after) {
        (Some(before), Some(after)) => (before, after),
        (None, _) => return "is new".to_owned(),
        (Some(_), None) => return "became part of another".to_owned(),
    };
    let outcome = |brief: Brief| brief.outcome.map_or("open", Outcome::as_str).to_owned();
    let cost = |brief: Brief| brief.cost_nanos.map_or_else(|| "unknown".to_owned(), dollars_in_full);
    let figures: [(&str, String, String); 4] = [
        ("outcome", outcome(before), outcome(after)),
        ("cost", cost(before), cost(after)),
        ("tokens", before.tokens.to_string(), after.tokens.to_string()),
        ("steps", before.steps.to_string(), after.steps.to_string()),
    ];
    let changed = figures.into_iter().filter(|(_, before, after)| before != after);
    changed.map(|(name, before, after)| format!("{name} {before} → {after}")).collect::<Vec<_>>().join(", ")
}

/// Billionths of a US dollar, as dollars.
fn dollars(nanos: i64) -> String {
    let cents = (i128::from(nanos) + 5_000_000 * i128::from(nanos.signum())) / 10_000_000;
    format!("{}${}.{:02}", if cents < 0 { "-" } else { "" }, (cents / 100).abs(), (cents % 100).abs())
}

/// The same with every place that is not zero, and at least two: what one run costs is often less than a cent.
fn dollars_in_full(nanos: i64) -> String {
    let (sign, nanos) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
    let places = format!("{:09}", nanos % 1_000_000_000);
    let (cents, rest) = places.split_at(2);
    format!("{sign}${}.{cents}{}", nanos / 1_000_000_000, rest.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use steward_core::ids::RunId;

    use super::*;

    #[test]
    fn amounts_are_rounded_in_sums_and_told_in_full_for_one_run() {
        let cases = [(0, "$0.00", "$0.00"), (625_000, "$0.00", "$0.000625"), (-1_995_000_000, "-$2.00", "-$1.995")];
        for (nanos, rounded, full) in cases {
            assert_eq!((dollars(nanos).as_str(), dollars_in_full(nanos).as_str()), (rounded, full));
        }
        assert_eq!(
            (dollars(i64::MIN), dollars_in_full(i64::MAX)),
            ("-$9223372036.85".to_owned(), "$9223372036.854775807".to_owned())
        );
    }

    #[test]
    fn of_a_changed_run_only_what_changed_is_told() {
        let brief = Brief { outcome: Some(Outcome::Failed), cost_nanos: None, tokens: 0, steps: 2 };
        let better = Brief { outcome: Some(Outcome::Completed), cost_nanos: Some(625_000), tokens: 250, ..brief };
        let run = |before, after| ChangedRun {
            id: "run_00000000000000000000000000000001".parse::<RunId>().expect("an id"),
            before,
            after,
        };
        let words = in_words(&run(Some(brief), Some(better)));
        assert_eq!(words, "outcome failed → completed, cost unknown → $0.000625, tokens 0 → 250");
        assert_eq!(in_words(&run(None, Some(brief))), "is new");
        assert_eq!(in_words(&run(Some(brief), None)), "became part of another");
    }
}
