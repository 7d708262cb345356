//! The report's words, drafted by rules from the figures, in the client's language. The operator edits them.
//!
//! A sentence stands here only when the figures bear it: a change is named when it is more than chance, and what
//! nobody knows is said to be unknown.

use std::collections::BTreeMap;

use jiff::civil::Date;
use steward_core::calendar::BusinessHours;
use steward_core::metrics::Sums;
use steward_core::outcome::Outcome;
use steward_core::tallies::Metric;
use steward_core::workflow::ValueBasis;

use super::figures::{Move, TOTAL_COST, View, count_of};
use super::material::{Material, WorkflowMaterial};
use super::words;
use crate::figures::results_of;

/// The most lines that a list drafts.
const MAX_LINES: usize = 12;
/// With a smaller share of known ends the client is asked how to know more.
const ENOUGH_KNOWN: f64 = 0.9;
/// The fewest runs of which something general is said.
const ENOUGH_RUNS: i64 = 10;

/// Drafts a report's words.
pub(super) struct Narrator<'a> {
    pub(super) material: &'a Material,
    pub(super) client: &'a View<'a>,
    /// Figures that the operator hides; words do not tell them either.
    pub(super) hidden: &'a [String],
}

impl Narrator<'_> {
    fn shows(&self, id: &str) -> bool {
        !self.hidden.iter().any(|hidden| hidden == id)
    }

    fn money(&self, units: f64) -> String {
        words::money(units, self.material.currency())
    }

    fn runs(&self) -> i64 {
        self.client.sums.runs()
    }

    /// The total cost, where it may be told.
    fn cost(&self) -> Option<f64> {
        self.client.total_cost().0.filter(|cost| *cost > 0.0 && self.shows(TOTAL_COST))
    }

    fn value(&self) -> Option<f64> {
        self.client.value("value_delivered").filter(|value| *value > 0.0 && self.shows("value_delivered"))
    }

    /// The sentence or two that a busy owner reads first.
    pub(super) fn headline(&self) -> String {
        let (month, before) = (self.material.month.in_words(), self.material.before_name());
        let (runs, runs_before) = (self.runs(), self.client.sums_before.runs());
        if runs <= 0 {
            let so_far = if self.material.is_over() { "" } else { " so far" };
            let mut words = format!("No case was recorded in {month}{so_far}.");
            if runs_before > 0 {
                words.push_str(&format!(" {before} had {}.", words::count(runs_before)));
            }
            return words;
        }
        let completed = self.client.sums.outcome(Outcome::Completed);
        let handled = words::counted(runs, "case", "cases");
        let mut sentences = vec![if self.client.sums.verified() <= 0 {
            format!("In {month} your agents handled {handled}; nothing tells yet how they ended.")
        } else if completed == runs {
            format!("In {month} your agents handled {handled} and completed all of them.")
        } else {
            format!("In {month} your agents handled {handled} and completed {}.", words::count(completed))
        }];
        let results: Vec<String> = results_of(self.client.sums).iter().take(2).map(spoken_result).collect();
        let results = words::list(&results);
        let value = self.value();
        let worth = match (value, self.cost()) {
            (Some(value), Some(cost)) if self.shows("return") => {
                let times = words::ratio(value / cost);
                Some(format!("worth {}, {} what it cost", self.money(value), times.replace('×', "times")))
            }
            (Some(value), _) => Some(format!("worth {}", self.money(value))),
            _ => None,
        };
        match (results.is_empty(), worth) {
            (false, Some(worth)) => sentences.push(format!("That brought {results}, and was {worth}.")),
            (false, None) => sentences.push(format!("That brought {results}.")),
            (true, Some(worth)) => sentences.push(format!("That was {worth}.")),
            (true, None) => {}
        }
        if let Some(direction) = self.client.moved("runs") {
            let by = words::relative(runs as f64, runs_before as f64);
            let more = if direction == Move::Up { "more" } else { "fewer" };
            sentences.push(format!("These are {by} {more} cases than in {before}."));
        } else if runs_before > 0 && self.material.is_over() {
            sentences.push(format!("{before} had {}.", words::count(runs_before)));
        }
        sentences.join(" ")
    }

    /// What it handled and what it was worth, in paragraphs.
    pub(super) fn paragraphs(&self) -> Vec<String> {
        if self.runs() <= 0 {
            return vec![
                "Nothing was recorded in this month, so there is nothing to say of how the agents did. Either no case came in, or what happened did not reach us."
                    .to_owned(),
            ];
        }
        let all = [self.volume(), self.by_hours(), self.speed(), self.people(), self.worth()];
        all.into_iter().flatten().collect()
    }

    fn volume(&self) -> Option<String> {
        let mut words = format!("{}.", capital(&ends(self.client.sums)));
        if self.material.workflows.len() > 1 {
            let mut of: Vec<_> = self.material.workflows.iter().filter(|w| w.sums.runs() > 0).collect();
            of.sort_by_key(|w| std::cmp::Reverse(w.sums.runs()));
            let shares: Vec<String> = of
                .iter()
                .take(6)
                .map(|w| format!("{} handled {}", words::name(&w.workflow.name), words::count(w.sums.runs())))
                .collect();
            if shares.len() > 1 {
                words.push_str(&format!(" {}.", words::list(&shares)));
            }
        }
        Some(words)
    }

    fn by_hours(&self) -> Option<String> {
        let outside = self.client.sums.of_key(Metric::Hours, "out").0;
        let all = self.client.sums.total(Metric::Hours).0;
        if outside <= 0 || all <= 0 {
            return None;
        }
        let mut words = format!(
            "{} of {} cases ({}) began outside your business hours.",
            words::count(outside),
            words::count(all),
            words::share(outside as f64 / all as f64)
        );
        let results = results_of(self.client.sums);
        let late: Vec<String> = results
            .iter()
            .filter(|result| result.out_of_hours > 0)
            .take(3)
            .map(|result| format!("{} of {}", words::count(result.out_of_hours), spoken_result(result)))
            .collect();
        if !late.is_empty() {
            words.push_str(&format!(" Of the results, {} came then.", words::list(&late)));
        }
        Some(words)
    }

    fn speed(&self) -> Option<String> {
        let (half, nine) = (self.client.value("cycle_time_p50")?, self.client.value("cycle_time_p90")?);
        if !self.shows("cycle_time_p50") {
            return None;
        }
        let mut words = format!(
            "Half of the cases were done within {}, nine of ten within {}",
            words::duration(half),
            words::duration(nine)
        );
        let before = self.client.get_before("cycle_time_p50").and_then(|figure| figure.value);
        if let (Some(direction), Some(was)) = (self.client.moved("cycle_time_p50"), before) {
            let quicker = if direction == Move::Down { "quicker" } else { "slower" };
            words.push_str(&format!(
                ": {quicker} than in {}, when half took {}",
                self.material.before_name(),
                words::duration(was)
            ));
        }
        Some(words + ".")
    }

    fn people(&self) -> Option<String> {
        let sums = self.client.sums;
        if sums.verified() <= 0 {
            return None;
        }
        let (escalated, failed) = (sums.outcome(Outcome::Escalated), sums.outcome(Outcome::Failed));
        Some(match (escalated, failed) {
            (0, 0) => "Your team had to take over none of the cases whose end is known.".to_owned(),
            (0, failed) => format!("None was passed to your team; {} could not be finished.", words::count(failed)),
            (escalated, failed) => {
                let share = words::share(escalated as f64 / sums.verified() as f64);
                let mut words = format!(
                    "Your team took over {}, {share} of those whose end is known",
                    words::counted(escalated, "case", "cases")
                );
                if failed > 0 {
                    words.push_str(&format!(", and {} could not be finished", words::count(failed)));
                }
                words + "."
            }
        })
    }

    fn worth(&self) -> Option<String> {
        let run_cost = self.client.value("run_cost");
        let cost = self.cost();
        let spent = cost.map(|cost| match (run_cost, self.client.retainer) {
            (Some(runs), Some(retainer)) if self.shows("run_cost") => {
                format!(
                    "cost {}: {} for the runs and {} for the retainer",
                    self.money(cost),
                    self.money(runs),
                    self.money(retainer)
                )
            }
            (_, Some(_)) => format!("cost {}, the retainer included", self.money(cost)),
            _ => format!("cost {}", self.money(cost)),
        });
        let Some(value) = self.value() else {
            return spent
                .map(|spent| {
                    format!(
                        "The month {spent}. What it was worth is not agreed for any of it yet, so it is not reckoned."
                    )
                })
                .filter(|_| self.client.value("value_delivered").is_none());
        };
        let mut words = format!("The month was worth {}, reckoned as {}", self.money(value), self.client.value_basis);
        let without: Vec<String> = self
            .material
            .workflows
            .iter()
            .filter(|w| w.sums.runs() > 0 && w.workflow.settings.value == ValueBasis::None)
            .map(|w| words::name(&w.workflow.name))
            .collect();
        if !without.is_empty() {
            words.push_str(&format!("; {} not in it, since no value is agreed", are(&without)));
        }
        words.push('.');
        if let Some(spent) = spent {
            words.push_str(&format!(" It {spent}."));
        }
        if let Some(cost) = cost.filter(|_| self.shows("return")) {
            words.push_str(&format!(
                " For each {} spent, {} came back.",
                self.money(1.0).trim_end_matches(".00"),
                self.money(value / cost)
            ));
        }
        if self.client.retainer.is_none() && cost.is_some() {
            words.push_str(" No price of a retainer is set, so the cost is that of the runs alone.");
        }
        Some(words)
    }

    /// What changed since the month before, a line each; only what is more than chance.
    pub(super) fn changes(&self) -> Vec<String> {
        let before = self.material.before_name();
        if self.client.sums_before.runs() <= 0 {
            return vec![format!("There is nothing to compare with: {before} has no runs on record.")];
        }
        let mut lines = Vec::new();
        for workflow in &self.material.workflows {
            self.changes_of(workflow, &mut lines);
        }
        if lines.is_empty() {
            lines.push(format!("Nothing changed since {before} by more than chance explains."));
        }
        lines.truncate(MAX_LINES);
        lines
    }

    fn changes_of(&self, workflow: &WorkflowMaterial, lines: &mut Vec<String>) {
        let (before, name) = (self.material.before_name(), words::name(&workflow.workflow.name));
        let (runs, runs_before) = (workflow.sums.runs(), workflow.sums_before.runs());
        if runs_before <= 0 {
            let first = workflow
                .days
                .iter()
                .find(|day| day.sums.runs() > 0)
                .map(|day| format!(", the first on {}", words::day(day.date)));
            lines.push(format!(
                "{name} is new: it handled {}{}.",
                words::counted(runs, "case", "cases"),
                first.unwrap_or_default()
            ));
            return;
        }
        if runs <= 0 {
            if self.material.is_over() {
                lines.push(format!(
                    "{name} handled nothing, after {} in {before}.",
                    words::counted(runs_before, "case", "cases")
                ));
            }
            return;
        }
        let view = View::of_workflow(self.material, workflow);
        if let Some(direction) = view.moved("runs") {
            let by = words::relative(runs as f64, runs_before as f64);
            let more = if direction == Move::Up { "more" } else { "fewer" };
            lines.push(format!(
                "{name} handled {by} {more} cases: {} after {}.",
                words::count(runs),
                words::count(runs_before)
            ));
        }
        let rates = [
            ("completion_rate", "were completed", [Move::Up, Move::Down].as_slice()),
            ("escalation_rate", "were passed to your team", [Move::Up, Move::Down].as_slice()),
            // Where more could not be finished, it stands among what went wrong.
            ("failure_rate", "could not be finished", [Move::Down].as_slice()),
        ];
        for (id, what, told) in rates {
            let (is, was) = (view.value(id), view.get_before(id).and_then(|f| f.value));
            let direction = view.moved(id).filter(|direction| self.shows(id) && told.contains(direction));
            if let (Some(_), Some(is), Some(was)) = (direction, is, was) {
                lines.push(format!(
                    "{name}: {} of the cases {what}, after {} in {before}.",
                    words::share(is),
                    words::share(was)
                ));
            }
        }
        for result in results_of(&workflow.sums).iter().take(4) {
            if view.result_moved(&result.name, result.count()).is_some() {
                let was = count_of(&workflow.sums_before, &result.name);
                lines.push(format!("{name}: {}, after {} in {before}.", spoken_result(result), words::count(was)));
            }
        }
        for (id, what) in [
            ("cycle_time_p50", "half of the cases were done within"),
            ("cost_per_completed_run", "a completed case cost"),
        ] {
            let show = |value| if id == "cycle_time_p50" { words::duration(value) } else { self.money(value) };
            let (is, was) = (view.value(id), view.get_before(id).and_then(|f| f.value));
            if let (Some(_), Some(is), Some(was)) = (view.moved(id).filter(|_| self.shows(id)), is, was) {
                lines.push(format!("{name}: {what} {}, after {} in {before}.", show(is), show(was)));
            }
        }
        for (release, date) in workflow.new_releases.iter().take(3) {
            lines.push(format!("{name}: version {} came into use on {}.", words::name(release), words::day(*date)));
        }
    }

    /// What went wrong. Never empty.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let before = self.material.before_name();
        for workflow in &self.material.workflows {
            let name = words::name(&workflow.workflow.name);
            let view = View::of_workflow(self.material, workflow);
            let (silent, usual) = &workflow.silent;
            if !silent.is_empty() {
                lines.push(format!(
                    "{name}: on {} no case came in, where about {usual:.0} a day are usual, and nothing reported an error.",
                    words::days(silent)
                ));
            }
            if let (Some(Move::Up), Some(is), Some(was)) = (
                view.moved("failure_rate"),
                view.value("failure_rate"),
                view.get_before("failure_rate").and_then(|f| f.value),
            ) {
                let (is, was) = (words::share(is), words::share(was));
                lines.push(format!("{name}: more cases could not be finished than in {before}: {is}, after {was}."));
            }
            lines.extend(worst(workflow).into_iter().take(4).map(|error| error.in_words(&name, &workflow.days)));
        }
        let failed = self.client.sums.outcome(Outcome::Failed);
        if failed > 0 {
            let count = words::counted(failed, "case", "cases");
            lines.push(format!(
                "In all, {count} of {} could not be finished; each is on record.",
                words::count(self.runs())
            ));
        }
        if lines.is_empty() {
            lines.push(if self.runs() <= 0 {
                "Nothing is on record: there was no case in which anything could go wrong.".to_owned()
            } else if self.client.sums.verified() < self.runs() {
                "No error is on record. What happened in the cases whose end is unknown cannot be said.".to_owned()
            } else {
                format!(
                    "Nothing went wrong that we know of: no error is on record in {}.",
                    words::counted(self.runs(), "case", "cases")
                )
            });
        }
        lines.truncate(MAX_LINES * 2);
        lines
    }

    /// What is needed of the client.
    pub(super) fn asks(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut speaks_of_hours = false;
        for workflow in self.material.workflows.iter().filter(|w| w.sums.runs() >= ENOUGH_RUNS) {
            let name = words::name(&workflow.workflow.name);
            let runs = workflow.sums.runs();
            let unknown = workflow.sums.outcome(Outcome::Unverified);
            if (unknown as f64) > (1.0 - ENOUGH_KNOWN) * runs as f64 {
                lines.push(format!(
                    "Tell us how to know that a case of {name} did its job: for {} of {} nothing says so.",
                    words::count(unknown),
                    words::count(runs)
                ));
            }
            let valueless = workflow.sums.total(Metric::ValuedResults).0 <= 0;
            match workflow.workflow.settings.value {
                ValueBasis::None => lines.push(format!("Agree with us what a completed case of {name} is worth, so that this report can say what it brought.")),
                ValueBasis::Results if valueless => lines.push(format!("Agree with us what each result of {name} is worth: none has a value yet.")),
                ValueBasis::TimeSaved { .. } if workflow.workflow.settings.baseline_minutes.is_none() => {
                    lines.push(format!("Tell us how many minutes a case of {name} took by hand, so that the time saved can be reckoned."));
                }
                _ => {}
            }
            speaks_of_hours = true;
        }
        let hours = &self.material.client.settings.business_hours;
        if speaks_of_hours && hours.weekdays.iter().all(Vec::is_empty) {
            lines.push("Tell us your business hours: without them every case counts as outside of them.".to_owned());
        } else if speaks_of_hours && *hours == BusinessHours::default() {
            lines.push(
                "Tell us your business hours where they are not Monday to Friday, 9:00 to 17:00: we reckon with these."
                    .to_owned(),
            );
        }
        lines.truncate(MAX_LINES);
        lines
    }

    /// Gaps in the data, said plainly.
    pub(super) fn gaps(&self) -> Vec<String> {
        let material = self.material;
        let (runs, sums) = (self.runs(), self.client.sums);
        let mut lines = Vec::new();
        if !material.is_over() {
            let local = material.now.to_jiff().to_zoned(material.zone.clone());
            lines.push(format!(
                "{} is not over: the figures reach up to {}, {:02}:{:02}, and stand beside the whole of {}.",
                material.month.in_words(),
                words::day(local.date()),
                local.hour(),
                local.minute(),
                material.before_name()
            ));
        }
        if runs <= 0 {
            lines.push("No run was recorded: there is no data for any rate, time or cost.".to_owned());
        }
        let unknown = sums.outcome(Outcome::Unverified);
        if unknown > 0 {
            let share = words::share(unknown as f64 / runs.max(1) as f64);
            lines.push(format!(
                "For {} of {} runs ({share}) nothing says whether they did their job. Rates leave them out.",
                words::count(unknown),
                words::count(runs)
            ));
        }
        let unpriced = sums.total(Metric::CostUnknown).0;
        if unpriced > 0 && self.shows("run_cost") {
            lines.push(format!(
                "For {} of {} runs the cost is not known in full, so the true cost is higher.",
                words::count(unpriced),
                words::count(runs)
            ));
        }
        let up_to = |n: u64| {
            let most = u64::from(crate::runs::COUNT_UP_TO);
            let count = words::counted(i64::try_from(n).unwrap_or(i64::MAX), "run", "runs");
            if n >= most { format!("At least {count}") } else { count }
        };
        if material.n_provisional > 0 {
            lines.push(format!(
                "{} ended so lately that late data may still change them.",
                up_to(material.n_provisional)
            ));
        }
        if material.n_unfinished > 0 {
            lines.push(format!(
                "{} had not ended when this was made, and are not counted.",
                up_to(material.n_unfinished)
            ));
        }
        let late = sums.total(Metric::Late).0;
        if late > 0 {
            lines.push(format!(
                "For {} some of the data arrived late; it is counted.",
                words::counted(late, "run", "runs")
            ));
        }
        for workflow in &material.workflows {
            let (silent, usual) = &workflow.silent;
            if !silent.is_empty() {
                let name = words::name(&workflow.workflow.name);
                let days = words::days(silent);
                lines.push(format!("{name}: nothing is on record for {days}, where about {usual:.0} runs a day are usual. Either nothing came in, or data is missing."));
            }
        }
        if material.counted != material.period {
            lines.push(format!(
                "Figures are kept by whole hours of UTC, so days of {} begin and end up to an hour earlier here.",
                material.agency.time_zone
            ));
        }
        lines
    }

    /// What came of a workflow, in a sentence or two.
    pub(super) fn summary_of(&self, workflow: &WorkflowMaterial) -> String {
        if workflow.sums.runs() <= 0 {
            let before = words::count(workflow.sums_before.runs());
            return format!(
                "It handled nothing in {}, after {before} in {}.",
                self.material.month_name(),
                self.material.before_name()
            );
        }
        let mut words = format!("Handled {}.", ends(&workflow.sums));
        let results: Vec<String> = results_of(&workflow.sums).iter().take(3).map(spoken_result).collect();
        if !results.is_empty() {
            words.push_str(&format!(" It brought {}.", words::list(&results)));
        }
        words
    }

    /// What failed most in a workflow, a line each.
    pub(super) fn failures_of(&self, workflow: &WorkflowMaterial) -> Vec<String> {
        worst(workflow)
            .into_iter()
            .take(8)
            .map(|error| {
                format!("{}: {}, {}", words::name(&error.of), error.class.replace('_', " "), words::often(error.n))
            })
            .collect()
    }
}

/// "1,004 cases: 842 were completed, 96 passed to your team and 41 could not be finished".
fn ends(sums: &Sums) -> String {
    let cases = words::counted(sums.runs(), "case", "cases");
    let of = |outcome, what: &str| {
        let n = sums.outcome(outcome);
        (n > 0).then(|| format!("{} {what}", words::count(n)))
    };
    let known: Vec<String> = [
        of(Outcome::Completed, "completed"),
        of(Outcome::Escalated, "passed to your team"),
        of(Outcome::Failed, "not finished"),
        of(Outcome::Abandoned, "left by the other side"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let unknown = sums.outcome(Outcome::Unverified);
    match (known.is_empty(), unknown) {
        (true, _) => format!("{cases}; nothing says how they ended"),
        (false, 0) => format!("{cases}: {}", words::list(&known)),
        (false, n) => format!("{cases}: {}; for {} nothing says how they ended", words::list(&known), words::count(n)),
    }
}

fn spoken_result(result: &crate::figures::ResultCount) -> String {
    format!("{} × {}", words::count(result.count()), words::spoken(&result.name))
}

fn are(names: &[String]) -> String {
    format!("{} {}", words::list(names), if names.len() == 1 { "is" } else { "are" })
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

/// Failed calls of one tool or model, of one class.
struct Failures {
    of: String,
    of_model: bool,
    class: String,
    n: i64,
}

impl Failures {
    fn in_words(&self, workflow: &str, days: &[crate::figures::Day]) -> String {
        let name = words::spoken(&self.of);
        let subject = if self.of_model { format!("the language model “{name}”") } else { format!("“{name}”") };
        let often = words::often(self.n);
        let what = match self.class.as_str() {
            "auth" => format!("{subject} refused our sign-in {often}"),
            "rate_limit" => format!("{subject} was asked more often than it allows, {often}"),
            "timeout" => format!("{subject} did not answer in time {often}"),
            "server" => format!("{subject} was out of order {often}"),
            "bad_request" => format!("{subject} refused what it was asked {often}"),
            "validation" => format!("data did not fit at {subject} {often}"),
            "money" => format!("{subject} had no credits or quota left {often}"),
            _ => format!("{subject} failed {often}"),
        };
        let on = self.days(days);
        let when = match on.as_slice() {
            [] => String::new(),
            // Spread over the month, single days say nothing.
            dates if dates.len() > 10 => format!(", on {} days", dates.len()),
            dates => format!(", on {}", words::days(dates)),
        };
        let since = match (on.last(), days.last()) {
            (Some(last), Some(end))
                if end.date.day() - last.day() >= 3 && days.iter().any(|d| d.date > *last && d.sums.runs() > 0) =>
            {
                "; not since then"
            }
            _ => "",
        };
        format!("{workflow}: {what}{when}{since}.")
    }

    fn days(&self, days: &[crate::figures::Day]) -> Vec<Date> {
        let metric = if self.of_model { Metric::ModelErrors } else { Metric::ToolErrors };
        let has = |sums: &Sums| {
            sums.pairs(metric).iter().any(|(of, class, n, _)| *of == self.of && *class == self.class && *n > 0)
        };
        days.iter().filter(|day| has(&day.sums)).map(|day| day.date).collect()
    }
}

/// What failed in a workflow, most first.
fn worst(workflow: &WorkflowMaterial) -> Vec<Failures> {
    let mut by: BTreeMap<(bool, &str, &str), i64> = BTreeMap::new();
    for (metric, of_model) in [(Metric::ToolErrors, false), (Metric::ModelErrors, true)] {
        for (of, class, n, _) in workflow.sums.pairs(metric) {
            *by.entry((of_model, of, class)).or_default() += n;
        }
    }
    let mut all: Vec<Failures> = by
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|((of_model, of, class), n)| Failures { of: of.to_owned(), of_model, class: class.to_owned(), n })
        .collect();
    all.sort_by_key(|error| std::cmp::Reverse(error.n));
    all
}
