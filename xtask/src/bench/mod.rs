//! The bars of this project, measured on the program as it is shipped and, in the same call, on its peers.
//!
//! Nothing is measured here: `steward-bench` and `benches/peers/measure.py` do that in processes of their own. What
//! could not be measured stands in the table with its reason, and counts as missed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::postgres::{self, Installation, Postgres};
use crate::{child, tools};

mod machine;
mod peers;
mod table;

use peers::{Peer, Peers};
use table::{Bar, Table, Unit, grouped};

const INTAKE_BAR: Bar = Bar::AtLeast(40_000.0);
const LAG_BAR: Bar = Bar::AtMost(2.0);
const INTAKE_MEMORY_BAR: Bar = Bar::AtMost(300.0);
/// PostgreSQL takes in at least half of what SQLite takes in.
const POSTGRES_INTAKE_BAR: Bar = Bar::AtLeast(20_000.0);
const PAGE_BAR: Bar = Bar::AtMost(50.0);
/// Pages on PostgreSQL take at most three times as long.
const POSTGRES_PAGE_BAR: Bar = Bar::AtMost(150.0);
const REPORT_BAR: Bar = Bar::AtMost(200.0);
const POSTGRES_REPORT_BAR: Bar = Bar::AtMost(600.0);
const PDF_BAR: Bar = Bar::AtMost(1_000.0);
const QUEUE_PAGE_BAR: Bar = Bar::AtMost(60.0);
const BULK_BAR: Bar = Bar::AtMost(3_000.0);
const READY_BAR: Bar = Bar::AtMost(500.0);
const SQLITE: &str = "SQLite";
const POSTGRES: &str = "PostgreSQL";
const DATABASES: [&str; 2] = [SQLITE, POSTGRES];
const PROGRAM_SIZE: &str = "the program's size";
const PROGRAM_BAR: Bar = Bar::AtMost(60.0);

/// Runs in the smaller of the two folders.
const SMALL: u64 = 10_000;
/// A folder of runs spans 90 days up to when it was filled. After this the days that pages show begin to be empty.
const FOLDER_LIFE: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// How much is measured.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    rounds: u32,
    /// For how long intake is under load.
    seconds: u32,
    /// Runs in the larger folder.
    runs: u64,
    /// How often each page is asked for.
    times: u32,
    /// Batches of a hundred spans that each peer is timed with. None when peers are left out.
    peer_batches: Option<u32>,
    /// Where the figures go as JSON.
    json: Option<PathBuf>,
}

impl Plan {
    fn of(options: &[&str]) -> Result<Self> {
        let quick = options.contains(&"--quick");
        let mut plan = if quick {
            Self { rounds: 1, seconds: 5, runs: 100_000, times: 50, peer_batches: Some(20), json: None }
        } else {
            Self { rounds: 3, seconds: 15, runs: 1_000_000, times: 200, peer_batches: Some(60), json: None }
        };
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let mut value = || options.next().with_context(|| format!("{option} lacks its value"));
            match *option {
                "--quick" => {}
                "--no-peers" => plan.peer_batches = None,
                "--rounds" => plan.rounds = whole(option, value()?, 1, 100)?,
                "--runs" => plan.runs = whole(option, value()?, SMALL, 100_000_000)?,
                "--json" => plan.json = Some(PathBuf::from(value()?)),
                _ => bail!("bench has no option “{option}”: see `cargo xtask help`"),
            }
        }
        Ok(plan)
    }
}

fn whole<T: std::str::FromStr + PartialOrd + std::fmt::Display>(
    option: &str,
    value: &str,
    least: T,
    most: T,
) -> Result<T> {
    match value.parse::<T>() {
        Ok(number) if number >= least && number <= most => Ok(number),
        _ => bail!("{option} takes a whole number from {least} to {most}, and not “{value}”"),
    }
}

/// Measures everything, prints the table, and says whether every bar is met.
pub(crate) fn run(root: &Path, options: &[&str]) -> Result<bool> {
    let plan = Plan::of(options)?;
    if let Some(file) = &plan.json {
        // Found out now, and not after an hour.
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    // Before the build, whose own load is none of others.
    let mut machine = machine::describe();
    println!("\n── release build ──");
    let mut build = tools::cargo();
    build.args(["build", "--release", "-p", "steward", "-p", "steward-bench"]).current_dir(root);
    if !child::stream(&mut build)?.success {
        bail!("the release build failed, so there is nothing to measure");
    }
    let bench = Bench::new(root, &plan)?;
    let mut table = bench.outline();
    bench.measure(&mut table, &mut machine);
    println!("\n{}\n", machine::in_words(&machine));
    println!("{}", table.markdown());
    if let Some(file) = &plan.json {
        let figures = json!({ "machine": machine, "rounds": plan.rounds, "rows": table.json() });
        std::fs::write(file, format!("{figures:#}\n"))
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(table.all_met())
}

/// What the rounds need, as far as it could be had.
struct Prepared {
    peers: Option<Peers>,
    postgres: Option<Installation>,
    /// Runs, and the folder that holds so many.
    folders: Vec<(u64, PathBuf)>,
}

/// What is needed to measure.
struct Bench<'a> {
    root: &'a Path,
    plan: &'a Plan,
    /// `steward` and `steward-bench`, as they were built.
    programs: PathBuf,
    /// What is thrown away afterwards: batches, and figures on their way to the table.
    folder: TempDir,
    /// When the spans of this call end: with it, all are fed the same bytes.
    now_nanos: u64,
}

impl<'a> Bench<'a> {
    fn new(root: &'a Path, plan: &'a Plan) -> Result<Self> {
        let now = SystemTime::UNIX_EPOCH.elapsed().context("the clock is before 1970")?;
        Ok(Self {
            root,
            plan,
            programs: tools::target_folder(root).join("release"),
            folder: tempfile::Builder::new().prefix("steward-bench-").tempdir()?,
            now_nanos: u64::try_from(now.as_nanos()).context("the clock is after 2554")?,
        })
    }

    /// All rows in their order, so that what fails before its first figure is missed and not merely absent.
    fn outline(&self) -> Table {
        let mut table = Table::default();
        for (database, rate, lag, memory) in
            [(SQLITE, INTAKE_BAR, Some(LAG_BAR), Some(INTAKE_MEMORY_BAR)), (POSTGRES, POSTGRES_INTAKE_BAR, None, None)]
        {
            let what = intake(database);
            table.row(&what, Unit::SpansPerSecond, Some(rate));
            table.row(&format!("{what}: lag after the load"), Unit::Seconds, lag);
            table.row(&format!("{what}: peak memory"), Unit::Megabytes, memory);
        }
        if self.plan.peer_batches.is_some() {
            for peer in Peer::ALL {
                table.row(&stored_by(peer), Unit::SpansPerSecond, None);
                table.row(&against(peer), Unit::Times, Some(peer.bar()));
            }
        }
        for (over, page, report) in self.overs() {
            for name in PAGES {
                table.row(&page_row(name, &over), Unit::Milliseconds, Some(page));
            }
            let bars = [Some(report), Some(PDF_BAR), Some(READY_BAR), None];
            for ((what, unit, _), bar) in OVER_RUNS.into_iter().zip(bars) {
                table.row(&over_runs(what, &over), unit, bar);
            }
        }
        for database in DATABASES {
            table.row(&queue_row("its page", database), Unit::Milliseconds, Some(QUEUE_PAGE_BAR));
            table.row(&queue_row("its slowest list", database), Unit::Milliseconds, Some(QUEUE_PAGE_BAR));
            table.row(&queue_row("its summary alone", database), Unit::Milliseconds, None);
            table.row(&bulk_row(database), Unit::Milliseconds, Some(BULK_BAR));
        }
        table.row(PROGRAM_SIZE, Unit::Megabytes, Some(PROGRAM_BAR));
        table
    }

    /// What pages are measured over, with the bars of a page and of a report's figures.
    fn overs(&self) -> Vec<(String, Bar, Bar)> {
        let sqlite = self.sizes().into_iter().map(|runs| (over(runs), PAGE_BAR, REPORT_BAR));
        sqlite.chain([(over_postgres(self.plan.runs), POSTGRES_PAGE_BAR, POSTGRES_REPORT_BAR)]).collect()
    }

    fn sizes(&self) -> Vec<u64> {
        let mut sizes = vec![self.plan.runs, SMALL];
        sizes.dedup();
        sizes
    }

    /// Finds, installs and fills what the rounds need. What cannot be had is told in the table.
    fn prepare(&self, table: &mut Table) -> Prepared {
        let peers = self.plan.peer_batches.and_then(|batches| {
            println!("\n── peers ──");
            Peers::prepare(self.root, &self.programs, self.folder.path(), batches, self.now_nanos)
                .inspect_err(|error| Peer::ALL.iter().for_each(|peer| table.fail(&against(*peer), error)))
                .ok()
        });
        let postgres = postgres::find_or_install().inspect_err(|error| table.fail(&intake(POSTGRES), error)).ok();
        let mut folders = Vec::new();
        for runs in self.sizes() {
            match self.filled_folder(runs) {
                Ok(folder) => folders.push((runs, folder)),
                Err(error) => table.fail(&pages_row(&over(runs)), &error),
            }
        }
        Prepared { peers, postgres, folders }
    }

    /// Takes every figure, round by round, so that what else the machine does falls on all alike.
    fn measure(&self, table: &mut Table, machine: &mut BTreeMap<&'static str, String>) {
        match std::fs::metadata(self.programs.join("steward")) {
            Ok(program) => table.add(PROGRAM_SIZE, Unit::Megabytes, program.len() as f64 / 1e6),
            Err(error) => table.fail(PROGRAM_SIZE, &error.into()),
        }
        let prepared = self.prepare(table);
        if let Some(installation) = &prepared.postgres {
            machine.insert(POSTGRES, installation.version.clone());
        }
        for round in 1..=self.plan.rounds {
            println!("\n── round {round} of {} ──", self.plan.rounds);
            self.round(&prepared, table, machine);
        }
        if let Some(installation) = &prepared.postgres {
            println!("\n── pages on PostgreSQL ──");
            let over = over_postgres(self.plan.runs);
            let measured = Postgres::start_durable(installation).and_then(|server| {
                let mut command = self.pages_command(self.plan.runs, self.folder.path());
                command.args(["--postgres", server.url()]);
                self.pages(table, self.plan.runs, &over, command)
            });
            if let Err(error) = measured {
                table.fail(&pages_row(&over), &error);
            }
        }
        println!("\n── the queue ──");
        if let Err(error) = self.queue(table, SQLITE, None) {
            table.fail(&bulk_row(SQLITE), &error);
        }
        if let Some(installation) = &prepared.postgres {
            let measured = Postgres::start_durable(installation)
                .and_then(|server| self.queue(table, POSTGRES, Some(server.url())));
            if let Err(error) = measured {
                table.fail(&bulk_row(POSTGRES), &error);
            }
        }
    }

    /// Measures the queue's pages and bulk reviews once, over a folder or a database that is filled for it.
    fn queue(&self, table: &mut Table, database: &str, url: Option<&str>) -> Result<()> {
        let mut command = self.steward_bench();
        command.args(["queue", "--times", &self.plan.times.to_string()]);
        command.arg("--folder").arg(self.folder.path().join("queue"));
        if let Some(url) = url {
            command.args(["--postgres", url]);
        }
        let figures = self.figures_of(command)?;
        let mut slowest = 0.0_f64;
        for page in figures["pages"].as_array().context("the figures name no pages")? {
            let p95_ms = number(page, "p95_ms")?;
            match page["page"].as_str().context("a page has no name")? {
                "queue page" => table.add(&queue_row("its page", database), Unit::Milliseconds, p95_ms),
                "queue summary" => table.add(&queue_row("its summary alone", database), Unit::Milliseconds, p95_ms),
                _ => slowest = slowest.max(p95_ms),
            }
        }
        table.add(&queue_row("its slowest list", database), Unit::Milliseconds, slowest);
        table.add(&bulk_row(database), Unit::Milliseconds, number(&figures, "bulk_ms")?);
        Ok(())
    }

    fn round(&self, prepared: &Prepared, table: &mut Table, machine: &mut BTreeMap<&'static str, String>) {
        let stored = self.intake(table, SQLITE, None);
        if let Err(error) = &stored {
            table.fail(&intake(SQLITE), error);
        }
        if let Some(installation) = &prepared.postgres {
            // Each round has a server of its own: the database must be empty.
            let measured = Postgres::start_durable(installation)
                .and_then(|server| self.intake(table, POSTGRES, Some(server.url())));
            if let Err(error) = measured {
                table.fail(&intake(POSTGRES), &error);
            }
        }
        if let Some(peers) = &prepared.peers {
            for peer in Peer::ALL {
                if let Err(error) = measure_peer(table, machine, peers, peer, stored.as_ref().ok().copied()) {
                    table.fail(&against(peer), &error);
                }
            }
        }
        for (runs, folder) in &prepared.folders {
            let over = over(*runs);
            if let Err(error) = self.pages(table, *runs, &over, self.pages_command(*runs, folder)) {
                table.fail(&pages_row(&over), &error);
            }
        }
    }

    /// Measures intake once. Gives back how many spans a second were stored and could be asked for.
    fn intake(&self, table: &mut Table, database: &str, url: Option<&str>) -> Result<f64> {
        let mut command = self.steward_bench();
        command.args(["ingest", "--seconds", &self.plan.seconds.to_string()]);
        command.args(["--now-nanos", &self.now_nanos.to_string()]);
        if let Some(url) = url {
            command.args(["--postgres", url]);
        }
        let figures = self.figures_of(command)?;
        let what = intake(database);
        let stored = number(&figures, "stored_per_second")?;
        table.add(&what, Unit::SpansPerSecond, number(&figures, "spans_per_second")?);
        table.add(&format!("{what}: lag after the load"), Unit::Seconds, number(&figures, "lag_seconds")?);
        table.add(&format!("{what}: peak memory"), Unit::Megabytes, number(&figures, "peak_megabytes")?);
        Ok(stored)
    }

    fn pages_command(&self, runs: u64, folder: &Path) -> Command {
        let mut command = self.steward_bench();
        command.args(["pages", "--runs", &runs.to_string(), "--times", &self.plan.times.to_string()]);
        command.arg("--folder").arg(folder);
        command
    }

    /// Measures pages, a report and readiness once.
    fn pages(&self, table: &mut Table, runs: u64, over: &str, command: Command) -> Result<()> {
        let figures = self.figures_of(command)?;
        let found = number(&figures, "runs")?;
        if found < runs as f64 * 0.99 {
            bail!("there are {found} runs and not {runs}: delete the folder target/bench and run this again");
        }
        for page in figures["pages"].as_array().context("the figures name no pages")? {
            let name = page["page"].as_str().context("a page has no name")?;
            table.add(&page_row(name, over), Unit::Milliseconds, number(page, "p95_ms")?);
        }
        for (what, unit, key) in OVER_RUNS {
            table.add(&over_runs(what, over), unit, number(&figures, key)?);
        }
        Ok(())
    }

    /// A folder of so many runs: the one of last time, or a new one. One that was left half filled is never used.
    fn filled_folder(&self, runs: u64) -> Result<PathBuf> {
        let all = tools::target_folder(self.root).join("bench");
        let (folder, new) = (all.join(format!("runs-{runs}")), all.join(format!("runs-{runs}.new")));
        if is_fresh(&folder.join("filled")) {
            return Ok(folder);
        }
        println!("\n── filling a folder with {} runs ──", grouped(runs));
        for old in [&folder, &new] {
            if old.exists() {
                std::fs::remove_dir_all(old).with_context(|| format!("{} cannot be removed", old.display()))?;
            }
        }
        let mut command = self.steward_bench();
        command.args(["pages", "--runs", &runs.to_string(), "--times", "1", "--folder"]).arg(&new);
        if !child::stream(&mut command)?.success {
            bail!("the folder {} could not be filled", new.display());
        }
        std::fs::write(new.join("filled"), "")?;
        std::fs::rename(&new, &folder)?;
        Ok(folder)
    }

    fn steward_bench(&self) -> Command {
        Command::new(self.programs.join("steward-bench"))
    }

    /// Runs a measurement, shows what it says, and reads the figures that it writes.
    fn figures_of(&self, mut command: Command) -> Result<Value> {
        let file = self.folder.path().join("figures.json");
        // What an earlier one left must not pass for this one's.
        if file.exists() {
            std::fs::remove_file(&file)?;
        }
        command.arg("--json").arg(&file);
        let what = command.get_args().next().unwrap_or_default().to_string_lossy().into_owned();
        if !child::stream(&mut command)?.success {
            bail!("steward-bench {what} failed; its message is above");
        }
        let text = std::fs::read_to_string(&file).context("steward-bench wrote no figures")?;
        serde_json::from_str(&text).context("the figures of steward-bench are not JSON")
    }
}

/// The pages that `steward-bench pages` asks for.
const PAGES: [&str; 4] = ["Today", "workflow", "runs", "runs, failed ones"];

/// What else `steward-bench pages` measures, and under which name.
const OVER_RUNS: [(&str, Unit, &str); 4] = [
    ("monthly report, figures", Unit::Milliseconds, "report_figures_ms"),
    ("monthly report, PDF", Unit::Milliseconds, "report_pdf_ms"),
    ("ready after its start", Unit::Milliseconds, "ready_ms"),
    ("peak memory of pages", Unit::Megabytes, "peak_megabytes"),
];

fn over(runs: u64) -> String {
    format!("{} runs", grouped(runs))
}

fn over_postgres(runs: u64) -> String {
    format!("{}, PostgreSQL", over(runs))
}

fn over_runs(what: &str, over: &str) -> String {
    format!("{what}, {over}")
}

/// Where it stands that pages could not be measured at all.
fn pages_row(over: &str) -> String {
    format!("pages over {over}")
}

fn page_row(name: &str, over: &str) -> String {
    format!("page “{name}”, {over}, 95 % within")
}

fn intake(database: &str) -> String {
    format!("intake, {database}")
}

/// The load is that of `steward-bench queue`, unless it is told otherwise.
fn queue_row(what: &str, database: &str) -> String {
    format!("queue of 100,000 open exceptions in 5,000 patterns, {database}: {what}, 95 % within")
}

fn bulk_row(database: &str) -> String {
    format!("bulk review of 10,000 of them, {database}")
}

fn stored_by(peer: Peer) -> String {
    format!("{}, stored", peer.name())
}

fn against(peer: Peer) -> String {
    format!("intake, SQLite, against {}", peer.name())
}

/// Measures a peer once, and Steward in the same round against it.
fn measure_peer(
    table: &mut Table,
    machine: &mut BTreeMap<&'static str, String>,
    peers: &Peers,
    peer: Peer,
    steward: Option<f64>,
) -> Result<()> {
    let figures = peers.measure(peer)?;
    let version = figures["version"].as_str().context("the peer's version is not told")?;
    machine.insert(peer.name(), format!("{} {version}", peer.name()));
    let stored = number(&figures, "spans_per_second")?;
    table.add(&stored_by(peer), Unit::SpansPerSecond, stored);
    let steward = steward.context("Steward itself was not measured in this round")?;
    table.add(&against(peer), Unit::Times, steward / stored);
    Ok(())
}

/// Whether a folder was filled, and lately.
fn is_fresh(mark: &Path) -> bool {
    let filled = std::fs::metadata(mark).and_then(|mark| mark.modified());
    filled.is_ok_and(|at| at.elapsed().is_ok_and(|age| age < FOLDER_LIFE))
}

/// A figure by its name. One that is no number, or nothing at all, is an error and never a zero.
fn number(figures: &Value, key: &str) -> Result<f64> {
    let number = figures[key].as_f64().filter(|number| number.is_finite() && *number >= 0.0);
    number.with_context(|| format!("the figures have no “{key}”"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_taken_in_any_order() {
        let plan = Plan::of(&["--rounds", "5", "--no-peers", "--json", "out.json", "--quick", "--runs", "20000"]);
        let plan = plan.expect("all of these are options");
        assert_eq!((plan.rounds, plan.runs, plan.seconds), (5, 20_000, 5));
        assert_eq!((plan.peer_batches, plan.json), (None, Some(PathBuf::from("out.json"))));
        let plan = Plan::of(&[]).expect("nothing is asked for");
        assert_eq!((plan.rounds, plan.runs, plan.peer_batches), (3, 1_000_000, Some(60)));
    }

    #[test]
    fn options_that_make_no_sense_are_refused() {
        for options in [
            &["--rounds"][..],
            &["--rounds", "0"],
            &["--rounds", "-1"],
            &["--rounds", "--quick"],
            &["--runs", "9999"],
            &["--runs", "1e6"],
            &["--runs", "18446744073709551616"],
            &["--json"],
            &["--fast"],
            &["quick"],
            &[""],
        ] {
            assert!(Plan::of(options).is_err(), "{options:?}");
        }
    }

    #[test]
    fn a_figure_that_is_missing_is_no_zero() {
        let figures = json!({ "a": 1.5, "b": null, "c": "3", "d": -1 });
        assert_eq!(number(&figures, "a").expect("is there"), 1.5);
        for key in ["b", "c", "d", "e"] {
            assert!(number(&figures, key).is_err(), "{key}");
        }
        assert!(number(&Value::Null, "a").is_err());
    }

    #[test]
    fn every_bar_is_missed_where_nothing_was_measured() {
        let plan = Plan::of(&["--quick"]).expect("an option");
        let bench = Bench::new(Path::new("."), &plan).expect("a temporary folder");
        let table = bench.outline();
        assert!(!table.all_met());
        let markdown = table.markdown();
        for what in ["intake, SQLite, against MLflow", "page “Today”, 100,000 runs", "the program's size"] {
            let row = markdown.lines().find(|line| line.contains(what)).expect("stands in the table");
            assert!(row.ends_with("| not measured | no |"), "{row}");
        }
    }
}
