//! Workflows, and how their runs are read.

pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod preview;
pub(crate) mod update;

use serde::Serialize;
use serde_json::Value;
use steward_app::Actor;
use steward_app::workflows::without_money;
use steward_core::workflow::{Workflow, WorkflowSettings};
use utoipa::ToSchema;

use crate::Problem;

/// An agent attached to one business process of one client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Workflow)]
pub(crate) struct WorkflowJson {
    /// Its id.
    #[schema(example = "wf_01930000000070008000000000000001")]
    id: String,
    /// The client; null while it is unassigned: it was named by telemetry only.
    client_id: Option<String>,
    /// Its name.
    name: String,
    /// The name that telemetry gives it (`steward.workflow`, `service.name`).
    source_name: String,
    /// How its runs are read. What it is worth is left out for who sees no money.
    #[schema(value_type = Object)]
    settings: WorkflowSettings,
    /// Counts up with each change of the settings.
    settings_version: i32,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was put away.
    #[schema(format = DateTime)]
    archived_at: Option<String>,
}

impl WorkflowJson {
    fn of(workflow: Workflow, actor: &Actor) -> Self {
        let workflow = if actor.role.sees_money() { workflow } else { without_money(workflow) };
        Self {
            id: workflow.id.to_string(),
            client_id: workflow.client_id.map(|id| id.to_string()),
            name: workflow.name,
            source_name: workflow.source_name,
            settings: workflow.settings,
            settings_version: workflow.settings_version,
            created_at: workflow.created_at.rfc3339(),
            archived_at: workflow.archived_at.map(|at| at.rfc3339()),
        }
    }
}

/// Settings with some of them changed: what is named takes the new value, and null takes the usual one.
///
/// # Errors
///
/// 422 for a name that is no setting, or a value that does not fit.
fn patched(settings: &WorkflowSettings, patch: &Value) -> Result<WorkflowSettings, Problem> {
    let Value::Object(patch) = patch else { return Err(Problem::invalid("“settings” is an object")) };
    let to_value = |settings: &WorkflowSettings| {
        serde_json::to_value(settings).map_err(|error| Problem::invalid(error.to_string()))
    };
    let (mut merged, usual) = (to_value(settings)?, to_value(&WorkflowSettings::default())?);
    for (key, value) in patch {
        let known = usual.get(key).ok_or_else(|| Problem::invalid(format!("there is no setting “{key}”")))?;
        merged[key.as_str()] = if value.is_null() { known.clone() } else { value.clone() };
    }
    serde_json::from_value(merged).map_err(|error| Problem::invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_named_changes() {
        let before = WorkflowSettings { quiet_ms: 1_000, pass_at_least: 0.5, ..WorkflowSettings::default() };
        let after = patched(&before, &json!({"quiet_ms": 2_000, "pass_at_least": null})).expect("settings");
        assert_eq!(after, WorkflowSettings { quiet_ms: 2_000, pass_at_least: 1.0, ..before.clone() });
        for bad in [
            json!([]),
            json!({"quiet": 1}),
            json!({"quiet_ms": "long"}),
            json!({"outcome_rules": [{"outcome": "great", "when": []}]}),
        ] {
            assert!(patched(&before, &bad).is_err(), "{bad}");
        }
    }
}
