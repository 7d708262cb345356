//! The words of the API, each list of them closed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident of $core:ty { $($word:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name { $($word),* }

        impl From<$core> for $name {
            fn from(value: $core) -> Self {
                match value { $(<$core>::$word => Self::$word),* }
            }
        }

        impl From<$name> for $core {
            fn from(value: $name) -> Self {
                match value { $($name::$word => <$core>::$word),* }
            }
        }
    )*};
}

words! {
    /// What came of a finished run. `unverified`: it ended, and nothing says whether it did its job.
    OutcomeWord of steward_core::outcome::Outcome { Completed, Escalated, Failed, Abandoned, Unverified }
    /// What an outcome rests on, strongest first.
    EvidenceWord of steward_core::outcome::EvidenceKind { Verdict, Explicit, Score, Rule, Status, Nothing }
    /// Whether a run may still change.
    StateWord of steward_core::run::RunState { Open, Provisional, Final }
    /// How a run's cost is known.
    CostSourceWord of steward_core::run::CostSource { Reported, Priced, Mixed, Unknown }
    /// What a step does.
    StepKindWord of steward_core::step::StepKind { Model, Tool, Embedding, Retrieval, Agent, Chain, Guardrail, Other }
    /// How a step ended, as its sender says.
    StepStatusWord of steward_core::step::StepStatus { Unset, Ok, Error }
    /// What kind of mend an error needs.
    ErrorClassWord of steward_core::step::ErrorClass { Auth, RateLimit, Timeout, Server, BadRequest, Validation, Money, Other }
    /// What sort of exception it is.
    ExceptionKindWord of steward_core::exceptions::ExceptionKind {
        Error, Validation, Limit, Refusal, Empty, Flag, Expectation, Escalation, Failure,
    }
    /// What people make of a pattern.
    PatternStateWord of steward_core::patterns::PatternState { New, Regressed, Known, Muted, Resolved }
    /// What a draft is to become.
    DraftKindWord of steward_app::tenant::DraftKind { Request, Scenario, Rule }
    /// What waits in the queue: an exception, or a completed run that is looked at for its quality.
    ItemKindWord of steward_core::queue::ItemKind { Exception, Sample }
    /// What completed runs are divided by before some of each part are taken: nothing, the release, what says that they
    /// completed, the models that they called.
    StrataWord of steward_core::sampling::Strata { None, Release, Evidence, Model }
    /// Why an item no longer waits.
    ClosedByWord of steward_core::queue::ClosedBy { Review, Muted, Gone }
    /// Whether the agent did right.
    AgentWasWord of steward_core::reviews::AgentWas { Right, Wrong }
    /// Where an exception came from.
    CauseWord of steward_core::reviews::Cause { BusinessRule, Prompt, Routing, Tool, Data, Model, User, Platform }
    /// What would have prevented it.
    PreventedByWord of steward_core::reviews::PreventedBy { Prompt, Rule, Schema, Routing, Knowledge, Tool }
    /// How far a bulk review is.
    BulkStateWord of steward_app::tenant::BulkState { Running, Done, Undoing, Undone }
    /// Who said something.
    SpeakerWord of steward_core::step::Role { System, User, Assistant, Tool }
    /// In what a figure is measured.
    UnitWord of steward_core::metrics::Unit {
        Count, Share, Seconds, Hours, MinutesPerRun, Money, MoneyPerRun, Ratio, RunsPerHour, RunsPerDay, TokensPerRun,
    }
    /// Which direction of change is good.
    GoodWord of steward_core::metrics::Good { Up, Down, Neither }
    /// Whether a report can still be edited.
    ReportStateWord of steward_app::tenant::ReportState { Draft, Published }
    /// What sort of thing is missing so that somebody's work can be done.
    MissingWord of steward_core::handoff::MissingKind {
        Argument, Permission, Approval, Answer, Record, Payment, Service, Person,
    }
    /// How somebody is reached.
    ContactWord of steward_core::handoff::ContactKind { Email, Phone }
    /// By what handoff packets are sent: to e-mail addresses, to a Slack channel by its incoming webhook, to a program.
    ChannelKindWord of steward_app::handoff::ChannelKind { Email, Slack, Webhook }
}
