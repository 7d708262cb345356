//! `steward report`: a client's monthly report.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use steward_core::time::Month;

use crate::config::Config;
use crate::{open, terminal};

/// Makes a client's monthly report: the published one where there is one, else a draft.
#[derive(Debug, Args)]
pub struct Report {
    /// The client, by name or id.
    client: String,
    /// The month, as 2026-10.
    #[arg(long, value_name = "MONTH")]
    month: String,
    /// Writes the report as PDF.
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
    /// Writes the figures as JSON to the standard output.
    #[arg(long)]
    json: bool,
    /// Which agency, where there are several.
    #[arg(long, value_name = "NAME")]
    agency: Option<String>,
}

impl Report {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let month =
            Month::parse(&self.month).with_context(|| format!("“{}” is not a month like 2026-10", self.month))?;
        let app = open::open(config).await?;
        let agency = open::agency(&app, self.agency.as_deref()).await?;
        let actor = open::owner(&app, &agency).await?;
        let client = open::client(&app, &actor, &self.client).await?;
        if self.json {
            let figures = app.report_json(&actor, client.id, month).await?;
            terminal::say(serde_json::to_string_pretty(&figures)?);
        }
        if self.json && self.pdf.is_none() {
            return Ok(());
        }
        let reports = app.list_reports(&actor, Some(client.id)).await?;
        // Newest revision first: the published one that holds, else the draft.
        let of_month = || reports.iter().filter(|r| r.month == self.month);
        let known = of_month().find(|r| r.published_at.is_some()).or_else(|| of_month().next());
        let id = match known {
            Some(report) => report.id,
            None => app.draft_report(&actor, client.id, month).await?,
        };
        match &self.pdf {
            Some(path) => {
                let pdf = app.report_pdf(&actor, id).await?;
                std::fs::write(path, &pdf).with_context(|| format!("{} cannot be written", path.display()))?;
                terminal::note(format!(
                    "{} written; the report is at {}/reports/{id}",
                    path.display(),
                    config.public_url()
                ));
            }
            None => terminal::say(format!("the report is at {}/reports/{id}", config.public_url())),
        }
        Ok(())
    }
}
