//! What each figure means: where the names of figures lead.

use steward_core::metrics::{DEFINITIONS, Good, Unit};

use crate::Routes;
use crate::problem::PageError;
use crate::view::page::Page;
use crate::view::pages::definitions::{Definition, Definitions};

use super::around::Visit;

/// The definitions.
pub(crate) fn routes() -> Routes {
    Routes::new().get("/definitions", show)
}

async fn show(visit: Visit) -> Result<Page<Definitions>, PageError> {
    let shell = visit.shell("Definitions", "What does each figure mean?", "");
    let definitions = DEFINITIONS.iter().map(|metric| Definition {
        id: metric.id.to_owned(),
        name: metric.name.to_owned(),
        formula: metric.definition.to_owned(),
        unit: unit_in_words(metric.unit).to_owned(),
        note: match metric.good {
            Good::Up => "More is better.".to_owned(),
            Good::Down => "Less is better.".to_owned(),
            Good::Neither => String::new(),
        },
    });
    let notes = [
        "Rates carry a 95 % Wilson interval. A rate of nothing is no data, never 0 % or 100 %.",
        "A run counts in the hour in which it ended. Test and shadow runs are left out of every figure.",
        "A run that merely ended says nothing of whether it did its job: it is unverified until the sender, a score, a rule or a person says so.",
        "A cost that is not known is unknown, never zero; figures say how many runs that are.",
        "Days are days of the agency's zone; business hours are the client's.",
    ];
    let page = Definitions { definitions: definitions.collect(), notes: notes.map(str::to_owned).into() };
    Ok(Page::new(visit.wanted, shell, page))
}

/// In what a figure is measured, in words.
const fn unit_in_words(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Share => "share, in per cent",
        Unit::Seconds => "time",
        Unit::Hours => "hours",
        Unit::MinutesPerRun => "minutes a run",
        Unit::Money => "money",
        Unit::MoneyPerRun => "money a run",
        Unit::Ratio => "ratio",
        Unit::RunsPerHour => "runs an hour",
        Unit::RunsPerDay => "runs a working day",
        Unit::TokensPerRun => "tokens a run",
    }
}
