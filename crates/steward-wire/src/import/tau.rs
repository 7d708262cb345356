//! Runs of tau-bench and tau2-bench: an agent of a shop or an airline, a simulated customer, and a reward.
//!
//! Only the agent's own calls cost the run anything: what the simulated customer used is not the agent's. tau-bench
//! records no times: a run starts as many minutes after [`INVENTED_TIMES_FROM`] as it has a place in the order of
//! starts, and its messages are a second apart. Nothing should be claimed from such times, and the notes say so.

use serde_json::Value;
use steward_core::step::{Score, Step, StepKind, StepStatus};
use steward_core::time::Timestamp;

use super::transcript::{ends, run_error, turns_of};
use super::{INVENTED_TIMES_FROM, INVENTED_TIMES_NOTE, Imported};
use crate::conversation::{self, ROOT, Shared, Turn};
use crate::fields::{Fields, number};
use crate::native::trace_id;
use crate::text::sha256;

/// Facts of the experiment that are kept as attributes.
const KEPT: [&str; 11] = [
    "termination_reason",
    "task_id",
    "trial",
    "domain",
    "strategy",
    "agent_impl",
    "user_model",
    "seed",
    "source",
    "provenance",
    "success",
];

pub(super) fn read_tau(value: Value, line: &str) -> Result<Imported, String> {
    let Value::Object(object) = value else { return Err("a run of tau-bench is an object".to_owned()) };
    let mut fields = Fields::new(object);
    // Two hundred years of minutes still lie before 2100 with this bound, as plausible times must.
    let order = fields.take(&["start_order"]).and_then(|order| order.as_i64()).unwrap_or(0).clamp(0, 10_000_000);
    let started_at = INVENTED_TIMES_FROM.plus_micros(order * 60_000_000);
    read(fields, line, "tau", started_at, None, true)
}

pub(super) fn read_tau2(value: Value, line: &str) -> Result<Imported, String> {
    let Value::Object(object) = value else { return Err("a run of tau2-bench is an object".to_owned()) };
    let mut fields = Fields::new(object);
    let Some(started_at) = fields.instant(&["start_time", "started_at", "timestamp"])? else {
        return Err("the run has no start_time".to_owned());
    };
    let ended_at = fields.instant(&["end_time", "ended_at"])?;
    read(fields, line, "tau2", started_at, ended_at, false)
}

fn read(
    mut fields: Fields,
    line: &str,
    dialect: &str,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    invented: bool,
) -> Result<Imported, String> {
    let key = fields.key(&["run_id", "id"]).unwrap_or_else(|| sha256(line));
    let mut said = fields.list("messages");
    if said.is_empty() {
        said = fields.list("traj");
    }
    let mut turns: Vec<Turn> = said.into_iter().flat_map(turns_of).collect();
    if turns.is_empty() {
        return Err("the run has no messages".to_owned());
    }
    if invented {
        for turn in &mut turns {
            turn.at = None;
        }
    }
    let trace_id = trace_id("import", &key);
    let model = fields.name(&["agent_model"]);
    let mut root = Step {
        trace_id: trace_id.clone(),
        span_id: ROOT.to_owned(),
        kind: StepKind::Agent,
        started_at,
        model: model.clone(),
        ..Step::default()
    };
    root.reading.dialect = dialect.to_owned();
    let title = conversation::title(turns.iter().map(|turn| &turn.message));
    let (asked, answered) = ends(&turns);
    root.input.extend(asked);
    root.output.extend(answered);
    let shared = Shared { trace_id: &trace_id, dialect, model: model.as_deref(), provider: None, started_at };
    let mut steps = conversation::steps(turns, &shared);
    let last = steps.iter().map(|step| step.ended_at).max().unwrap_or(started_at);
    root.ended_at = ended_at.unwrap_or(last).max(started_at);

    if let Some(reward) = fields.take(&["reward"]).as_ref().and_then(number).or_else(|| reward_inside(&mut fields)) {
        root.scores.push(Score {
            name: "reward".to_owned(),
            value: Some(reward),
            label: None,
            explanation: None,
            by_human: false,
        });
    }
    root.error = fields.error("run_error");
    for key in KEPT {
        if let Some(value) = fields.take(&[key]) {
            Fields::attribute(&mut root, key.to_owned(), value);
        }
    }
    if let Some(reason) = root.attributes.get("termination_reason").filter(|reason| reason.contains("error")).cloned() {
        root.error = root.error.or_else(|| Some(run_error(&reason)));
    }
    if root.error.is_some() {
        root.status = StepStatus::Error;
    }
    let domain = root.attributes.get("domain").cloned();
    let declared = root.declare();
    declared.ended = true;
    declared.title = title;
    declared.workflow = Some(match (domain, &model) {
        (Some(domain), Some(model)) => format!("{domain}-agent ({model})"),
        (Some(domain), None) => format!("{domain}-agent"),
        (None, Some(model)) => format!("agent ({model})"),
        (None, None) => "agent".to_owned(),
    });
    declared.conversation_id = fields.name(&["conversation_id", "session_id"]);
    declared.user_id = fields.name(&["user_id"]);
    declared.cost_nanos = fields.money(&["agent_cost_usd", "agent_cost"]);
    root.name = declared.workflow.clone().unwrap_or_default();
    if invented {
        fields.note(INVENTED_TIMES_NOTE);
        for step in &mut steps {
            step.reading.notes.push(INVENTED_TIMES_NOTE.to_owned());
        }
    }
    fields.close(&mut root);
    steps.insert(0, root);
    Ok(Imported { key, steps })
}

/// The reward as the benchmark's own result files hold it.
fn reward_inside(fields: &mut Fields) -> Option<f64> {
    fields.object("reward_info").get("reward").and_then(number)
}
