//! Which completed runs of a workflow go to review for their quality.

pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod update;

use serde::{Deserialize, Serialize};
use steward_app::sampling::Sampling;
use steward_core::sampling::SamplingRule;
use utoipa::ToSchema;

use super::words::StrataWord;

/// Which completed runs of a workflow go to review.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = SamplingRule)]
#[serde(deny_unknown_fields)]
pub(crate) struct SamplingRuleJson {
    /// The share of the runs that are claimed completed: 0.05 is one in twenty.
    #[schema(minimum = 0.001, maximum = 1, example = 0.05)]
    share: f64,
    /// What they are divided by first. `none` if not named.
    strata: Option<StrataWord>,
    /// How many of each part and day at least, where there are so many. 0 if not named.
    #[schema(maximum = 500)]
    at_least: Option<u32>,
    /// How many of the workflow and a day at most.
    #[schema(minimum = 1, maximum = 500)]
    at_most: u32,
}

impl From<SamplingRuleJson> for SamplingRule {
    fn from(rule: SamplingRuleJson) -> Self {
        Self {
            share: rule.share,
            strata: rule.strata.map(Into::into).unwrap_or_default(),
            at_least: rule.at_least.unwrap_or_default(),
            at_most: rule.at_most,
        }
    }
}

/// How a workflow is sampled.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sampling)]
pub(crate) struct SamplingJson {
    /// The rule; null when nothing is sampled.
    rule: Option<SamplingRuleJson>,
    /// Runs that ended before are left out.
    #[schema(format = DateTime)]
    since: Option<String>,
    /// When the rule was last changed.
    #[schema(format = DateTime)]
    changed_at: Option<String>,
    /// Who changed it, by name.
    changed_by: Option<String>,
}

impl From<Option<Sampling>> for SamplingJson {
    fn from(sampling: Option<Sampling>) -> Self {
        let rule = sampling.as_ref().map(|sampling| SamplingRuleJson {
            share: sampling.rule.share,
            strata: Some(sampling.rule.strata.into()),
            at_least: Some(sampling.rule.at_least),
            at_most: sampling.rule.at_most,
        });
        Self {
            rule,
            since: sampling.as_ref().map(|sampling| sampling.since.rfc3339()),
            changed_at: sampling.as_ref().map(|sampling| sampling.changed_at.rfc3339()),
            changed_by: sampling.map(|sampling| sampling.changed_by),
        }
    }
}
