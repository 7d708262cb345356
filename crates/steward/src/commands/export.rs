//! `steward export`: runs as CSV, JSON lines or Parquet.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use steward_app::export::ExportFormat;
use steward_core::time::Month;
use steward_store::tenant::RunFilter;

use crate::config::Config;
use crate::{open, terminal};

/// Exports runs as CSV, JSON lines or Parquet.
#[derive(Debug, Args)]
pub struct Export {
    /// The file to write; without it the standard output.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// csv, jsonl or parquet.
    #[arg(long, default_value = "csv", value_name = "FORMAT")]
    format: String,
    /// Only runs of this workflow.
    #[arg(long, value_name = "NAME")]
    workflow: Option<String>,
    /// Only runs of this month, as 2026-10.
    #[arg(long, value_name = "MONTH")]
    month: Option<String>,
    /// Which agency, where there are several.
    #[arg(long, value_name = "NAME")]
    agency: Option<String>,
}

impl Export {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let format = ExportFormat::parse(&self.format)
            .with_context(|| format!("“{}” is not csv, jsonl or parquet", self.format))?;
        let app = open::open(config).await?;
        let agency = open::agency(&app, self.agency.as_deref()).await?;
        let actor = open::owner(&app, &agency).await?;
        let workflows = match &self.workflow {
            Some(name) => Some(vec![open::workflow(&app, &actor, name).await?.id]),
            None => None,
        };
        let period = match &self.month {
            Some(text) => {
                let month = Month::parse(text).with_context(|| format!("“{text}” is not a month like 2026-10"))?;
                month.period(&agency.zone())
            }
            None => None,
        };
        let filter = RunFilter { workflows, period, ..RunFilter::default() };
        let mut export = app.export_runs(&actor, &filter, format).await?;
        let mut out: Box<dyn std::io::Write> = match &self.out {
            Some(path) => {
                Box::new(std::fs::File::create(path).with_context(|| format!("{} cannot be written", path.display()))?)
            }
            None => Box::new(std::io::stdout()),
        };
        while let Some(chunk) = export.next_chunk().await? {
            out.write_all(&chunk)?;
        }
        out.flush()?;
        terminal::note(format!("{} runs exported", export.n_runs()));
        Ok(())
    }
}
