//! The queue: what waits for a person and what first; one case with its review; many at once.

mod asking;
mod bulk;
mod item;
mod list;
pub(super) mod pattern;
pub(super) mod rules;
pub(super) mod today;
pub(super) mod words;

use steward_app::run_query::{RunQuery, write_pairs};
use steward_app::tenant::{QueueFilter, Whose};
use steward_core::exceptions::ExceptionKind;
use steward_core::ids::{ClientId, ItemId, PatternId};
use steward_core::money::Nanos;
use steward_core::queue::ItemKind;

use crate::{Problem, Routes};

use super::around::Visit;

/// Every page of the queue, and what its forms post to.
pub(crate) fn routes() -> Routes {
    Routes::new().merge(list::routes()).merge(item::routes()).merge(bulk::routes())
}

/// Where an item's page is.
pub(super) fn item_path(id: ItemId) -> String {
    format!("/queue/{id}")
}

/// The filters of the queue, as they stand in the address.
const FILTERS: [&str; 9] = ["client", "workflow", "pattern", "kind", "class", "tool", "age", "value", "assignee"];
/// What stands beside them: overdue only.
const DUE: &str = "due";

/// What an address asks of the queue.
#[derive(Debug, Clone, Default)]
struct Asked {
    /// The filters that are set, as they stand in the address.
    pairs: Vec<(String, String)>,
    /// The same for the store.
    filter: QueueFilter,
    /// Only of this client.
    client: Option<ClientId>,
}

impl Asked {
    /// Reads an address.
    fn read(query: &[(String, String)], visit: &Visit) -> Result<Self, Problem> {
        let is_filter = |key: &str| FILTERS.contains(&key) || key == DUE;
        let pairs: Vec<(String, String)> =
            query.iter().filter(|(key, value)| is_filter(key) && !value.is_empty()).cloned().collect();
        let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        let said = ["client", "workflow", "tool"];
        let said = pairs.iter().filter(|(key, _)| said.contains(&key.as_str())).map(|(key, value)| (key, value));
        let RunQuery { client, filter } =
            RunQuery::read(said, visit.now, &visit.zone).map_err(|error| Problem::invalid(error.to_string()))?;
        let mut asked = QueueFilter { workflows: filter.workflows, tool: filter.tool, ..QueueFilter::default() };
        match value("kind") {
            "" => {}
            "sample" => asked.kind = Some(ItemKind::Sample),
            word => {
                let kind = ExceptionKind::parse(word);
                asked.exception_kind = Some(kind.ok_or_else(|| Problem::invalid("kind= takes a sort of exceptions"))?);
            }
        }
        if !value("class").is_empty() {
            asked.class = Some(value("class").to_owned());
        }
        if !value("pattern").is_empty() {
            let id = value("pattern").parse::<PatternId>();
            asked.pattern = Some(id.map_err(|_| Problem::invalid("pattern= takes a pattern's id"))?);
        }
        if !value("age").is_empty() {
            let hours = value("age").parse::<i64>().ok().filter(|hours| (0..=100_000).contains(hours));
            let hours = hours.ok_or_else(|| Problem::invalid("age= takes a number of hours"))?;
            asked.arrived_before = Some(visit.now.plus_ms(-hours * 3_600_000));
        }
        if !value("value").is_empty() && visit.sees_money() {
            let least = value("value").parse::<f64>().ok().filter(|least| *least >= 0.0).and_then(Nanos::from_units);
            asked.least_value_nanos = Some(least.ok_or_else(|| Problem::invalid("value= takes an amount"))?);
        }
        if value(DUE) == "over" {
            asked.due_before = Some(visit.now);
        }
        let me = visit.who.actor.person_id;
        match value("assignee") {
            "" => {}
            "nobody" => asked.assignee = Some(Whose::Nobody),
            "me" => asked.assignee = Some(Whose::Of(me)),
            id => {
                let id = id.parse().map_err(|_| Problem::invalid("assignee= takes me, nobody or a person's id"))?;
                asked.assignee = Some(Whose::Of(id));
            }
        }
        Ok(Self { pairs, filter: asked, client })
    }

    /// The value of a filter; empty when it is not set.
    fn value(&self, name: &str) -> &str {
        self.pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// The part of an address that says the same: `?client=…`; empty when nothing is set.
    fn query(&self) -> String {
        let text = write_pairs(self.pairs.iter().cloned());
        if text.is_empty() { text } else { format!("?{text}") }
    }
}
