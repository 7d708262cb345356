//! Of what figures are asked: a period, and a part of the agency.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use steward_app::figures::{Scope, last_days};
use steward_app::run_query::RunQuery;
use steward_app::{Actor, App};
use steward_core::ids::{ClientId, WorkflowId};
use steward_core::tallies::Slice;
use steward_core::time::Period;
use utoipa::{IntoParams, ToSchema};

use crate::Problem;

/// Days that are shown when nothing is said.
const DAYS: i32 = 30;

/// Of what figures are asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ScopeQuery {
    /// Only this client's workflows.
    #[param(pattern = "^cl_[0-9a-f]{32}$", example = "cl_01930000000070008000000000000001")]
    pub(crate) client: Option<String>,
    /// Only this workflow.
    #[param(pattern = "^wf_[0-9a-f]{32}$", example = "wf_01930000000070008000000000000001")]
    pub(crate) workflow: Option<String>,
    /// Only runs that called this model. Not together with `tool`.
    #[param(max_length = 200)]
    pub(crate) model: Option<String>,
    /// Only runs that called this tool.
    #[param(max_length = 200)]
    pub(crate) tool: Option<String>,
    /// Only runs of this release.
    #[param(max_length = 200)]
    pub(crate) release: Option<String>,
    /// The first day, or the first instant; 30 days ago when nothing is said.
    #[param(example = "2026-10-01")]
    pub(crate) from: Option<String>,
    /// The last day, which is in it, or the first instant behind it; today when nothing is said.
    #[param(example = "2026-10-31")]
    pub(crate) to: Option<String>,
}

/// A scope and a period that were asked for, with the zone whose days they are.
pub(crate) struct Asked {
    pub(crate) scope: Scope,
    pub(crate) period: Period,
}

impl ScopeQuery {
    /// What is asked for, as the agency's days have it.
    pub(crate) async fn read(&self, app: &App, actor: &Actor) -> Result<Asked, Problem> {
        let zone = app.get_agency(actor).await?.zone();
        Ok(Asked { scope: self.scope(app, &zone)?, period: self.period(app, &zone)? })
    }

    fn period(&self, app: &App, zone: &TimeZone) -> Result<Period, Problem> {
        let now = app.clock().now();
        let said = [("from", self.from.as_deref()), ("to", self.to.as_deref())];
        let said = said.into_iter().filter_map(|(key, value)| value.map(|value| (key, value)));
        let usual = last_days(now, DAYS, zone);
        let Some(said) = RunQuery::read(said, now, zone)?.filter.period else { return Ok(usual) };
        // A side that is open ends with today, and begins 30 days before its end.
        let end = if self.to.is_some() { said.end } else { usual.end.max(said.start.plus_ms(1)) };
        let start = if self.from.is_some() { said.start } else { end.plus_ms(-86_400_000 * i64::from(DAYS)) };
        Ok(Period { start, end })
    }

    /// Names and ids are checked as the filters of runs are.
    fn scope(&self, app: &App, zone: &TimeZone) -> Result<Scope, Problem> {
        let said = [
            ("client", &self.client),
            ("workflow", &self.workflow),
            ("model", &self.model),
            ("tool", &self.tool),
            ("release", &self.release),
        ];
        let said = said.into_iter().filter_map(|(key, value)| value.as_deref().map(|value| (key, value)));
        let RunQuery { client, filter } = RunQuery::read(said, app.clock().now(), zone)?;
        let slice = match (filter.model, filter.tool) {
            (None, None) => Slice::All,
            (Some(model), None) => Slice::Model(model),
            (None, Some(tool)) => Slice::Tool(tool),
            (Some(_), Some(_)) => return Err(Problem::invalid("ask for a model or for a tool, not for both")),
        };
        let client: Option<ClientId> = client;
        let workflow: Option<WorkflowId> = filter.workflows.and_then(|ids| ids.into_iter().next());
        Ok(Scope { client, workflow, slice, release: filter.release })
    }
}

/// A stretch of time, its end not in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Period)]
pub(crate) struct PeriodJson {
    /// The first instant.
    #[schema(format = DateTime)]
    from: String,
    /// The first instant behind it.
    #[schema(format = DateTime)]
    to: String,
}

impl From<Period> for PeriodJson {
    fn from(period: Period) -> Self {
        Self { from: period.start.rfc3339(), to: period.end.rfc3339() }
    }
}
