//! `steward import`: files of recorded runs, a line each.
//!
//! Runs are known by their own ids, so importing a file twice changes nothing. An import that was cut off goes on
//! where it stopped: the data folder keeps a mark for each file until it is done.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use steward_app::App;
use steward_app::import::ImportPlan;
use steward_core::ids::{AgencyId, WorkflowId};
use steward_wire::import::Format;

use crate::config::Config;
use crate::{open, terminal};

/// Imports runs from files: JSON lines of runs, chat transcripts, tau-bench and tau2-bench results.
#[derive(Debug, Args)]
pub struct Import {
    /// The files, plain or compressed as .zst or .gz; `-` is the standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What the lines are: native, transcript, tau_bench or tau2_bench. Found out where it is not said.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// The workflow that the runs belong to; without it each line names its own.
    #[arg(long, value_name = "NAME")]
    workflow: Option<String>,
    /// Which agency, where there are several.
    #[arg(long, value_name = "NAME")]
    agency: Option<String>,
    /// Begins at the first line even where an earlier import was cut off.
    #[arg(long)]
    from_start: bool,
    /// Answers with JSON, a line for each file.
    #[arg(long)]
    json: bool,
}

/// Bad lines that are shown for each file; the rest are only counted.
const BAD_SHOWN: usize = 20;

impl Import {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        open::start_log(config)?;
        let app = open::open(config).await?;
        let agency = open::agency(&app, self.agency.as_deref()).await?;
        let actor = open::owner(&app, &agency).await?;
        let workflow = match &self.workflow {
            Some(name) => Some(open::workflow(&app, &actor, name).await?.id),
            None => None,
        };
        let format = match self.format.as_deref() {
            Some(word) => Some(Format::parse(word).with_context(|| format!("“{word}” is not a format"))?),
            None => None,
        };
        let mut n_bad = 0;
        for file in &self.files {
            let mark = Mark::of(config, file);
            let skip = if self.from_start { 0 } else { mark.read() };
            if skip > 0 {
                terminal::note(format!(
                    "{}: going on behind line {skip}, where the last import stopped",
                    file.display()
                ));
            }
            let plan = ImportPlan::of(file, format, skip)?;
            n_bad += self.file(&app, agency.id, workflow, &plan, &mark).await?;
        }
        if n_bad > 0 {
            bail!("{n_bad} lines could not be read; all others were imported");
        }
        Ok(())
    }

    async fn file(
        &self,
        app: &App,
        agency: AgencyId,
        workflow: Option<WorkflowId>,
        plan: &ImportPlan,
        mark: &Mark,
    ) -> anyhow::Result<u64> {
        let name = plan.path.display().to_string();
        let bar = terminal::progress(plan.n_bytes, &name);
        let (mut imported, mut n_bad, mut n_lines) = (0, 0_u64, 0);
        for batch in plan.read()? {
            let batch =
                batch.with_context(|| format!("{name} cannot be read further; run the same command to go on"))?;
            let (lines, bytes, entries) = (batch.n_lines, batch.n_bytes, batch.entries.len() as u64);
            let bad = app.import_batch(agency, workflow, batch).await?;
            app.assemble_waiting().await?;
            mark.write(lines)?;
            imported += entries.saturating_sub(bad.len() as u64);
            for (line, reason) in bad {
                n_bad += 1;
                if n_bad <= BAD_SHOWN as u64 {
                    bar.suspend(|| terminal::note(format!("{name}, line {line}: {reason}")));
                }
            }
            n_lines = lines;
            bar.set_position(bytes);
        }
        bar.finish_and_clear();
        mark.clear();
        if self.json {
            let answer = serde_json::json!({ "file": name, "lines": n_lines, "imported": imported, "bad": n_bad });
            terminal::say(answer.to_string());
        } else {
            terminal::say(format!("{name}: {imported} runs imported from {n_lines} lines, {n_bad} bad"));
        }
        Ok(n_bad)
    }
}

/// How far the import of a file has come.
struct Mark {
    path: PathBuf,
}

impl Mark {
    fn of(config: &Config, file: &Path) -> Self {
        let full = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        let name: String =
            full.display().to_string().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let name = &name[name.len().saturating_sub(150)..];
        Self { path: config.data.join("imports").join(name) }
    }

    fn read(&self) -> u64 {
        std::fs::read_to_string(&self.path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    fn write(&self, lines: u64) -> anyhow::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&self.path, lines.to_string())
            .with_context(|| format!("{} cannot be written", self.path.display()))
    }

    fn clear(&self) {
        // A mark that stays only makes the next import skip lines that it has already.
        let _ = std::fs::remove_file(&self.path);
    }
}
