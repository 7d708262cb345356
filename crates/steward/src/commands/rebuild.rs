//! `steward rebuild`: reads all raw payloads again and makes runs and figures anew.

use clap::Args;

use crate::config::Config;
use crate::{open, terminal};

/// Reads all raw payloads again and makes runs and figures anew. Also known as `replay`.
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
        let done = app.rebuild(agency.id, &|done| bar.set_position(done.runs)).await?;
        bar.finish_and_clear();
        if self.json {
            let answer = serde_json::json!({ "runs": done.runs, "left": done.left, "payloads": done.payloads });
            terminal::say(answer.to_string());
        } else {
            terminal::say(format!("{} runs were read again from {} payloads", done.runs, done.payloads));
            if done.left > 0 {
                terminal::say(format!(
                    "{} runs were left as they are: their payloads are older than what is kept",
                    done.left
                ));
            }
        }
        Ok(())
    }
}
