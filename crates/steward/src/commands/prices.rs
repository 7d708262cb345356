//! `steward prices`: what models cost, and reading past runs again when that was wrong.

use clap::{Args, Subcommand};
use steward_core::time::Month;

use crate::config::Config;
use crate::{open, terminal};

/// Lists, checks and recomputes prices of models.
#[derive(Debug, Args)]
pub struct Prices {
    /// Which agency, where there are several.
    #[arg(long, value_name = "NAME")]
    agency: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the prices that hold, the agency's own first.
    List {
        /// Only models whose name contains this.
        model: Option<String>,
        /// Answers with JSON.
        #[arg(long)]
        json: bool,
    },
    /// Looks for mistakes in the prices.
    Check,
    /// Reads the runs of a month again with the prices that hold now; `steward serve` does it in the background.
    Recompute {
        /// The month, as 2026-10.
        #[arg(long, value_name = "MONTH")]
        month: String,
    },
}

impl Prices {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let app = open::open(config).await?;
        let agency = open::agency(&app, self.agency.as_deref()).await?;
        let actor = open::owner(&app, &agency).await?;
        match self.command {
            Command::List { model, json } => {
                let mut prices = app.list_prices(&actor).await?;
                prices.retain(|p| model.as_deref().is_none_or(|part| p.price.model.contains(part)));
                for listed in prices {
                    if json {
                        terminal::say(serde_json::to_string(&listed.price)?);
                    } else {
                        let value = serde_json::to_value(&listed.price)?;
                        let text = |key: &str| value.get(key).and_then(|v| v.as_str()).unwrap_or("–").to_owned();
                        let own = if listed.own { "own" } else { "built in" };
                        terminal::say(format!(
                            "{:<44} from {}  input {:>8}  output {:>8}  cached {:>8}  {own}",
                            listed.price.model,
                            text("from"),
                            text("input"),
                            text("output"),
                            text("cache_read")
                        ));
                    }
                }
                if !json {
                    terminal::note("US dollars per million tokens");
                }
            }
            Command::Check => {
                let problems = app.check_prices(actor.agency_id).await?;
                problems.iter().for_each(terminal::say);
                if !problems.is_empty() {
                    anyhow::bail!("{} prices need mending", problems.len());
                }
                terminal::say("nothing is wrong with the prices");
            }
            Command::Recompute { month } => {
                let month =
                    Month::parse(&month).ok_or_else(|| anyhow::anyhow!("“{month}” is not a month like 2026-10"))?;
                let period = month
                    .period(&agency.zone())
                    .ok_or_else(|| anyhow::anyhow!("{month} is out of the calendar's range"))?;
                let n = app.recompute_prices(&actor, None, Some(period)).await?;
                let bar = terminal::progress(n as u64, "reading runs again, workflows");
                while app.do_next_job().await? {
                    bar.inc(1);
                }
                bar.finish_and_clear();
                terminal::say(format!("the runs of {} in {n} workflows were read again", month.in_words()));
            }
        }
        Ok(())
    }
}
