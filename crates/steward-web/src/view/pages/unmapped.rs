//! Attributes that no rule used: what do agents send that nothing is made of?

use askama::Template;

use crate::view::components::badge::{Badge, Tone};
use crate::view::components::empty::Empty;
use crate::view::components::icon::Icon;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::samples::{Samples, Words};

/// The keys of all workflows, or of one.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/unmapped.html")]
pub struct UnmappedPage {
    /// The keys: key, runs, the workflow with the most of them, whether it is new.
    pub keys: Table,
    /// How many more keys there are; empty when these are all.
    pub left_out: String,
    /// A row for each workflow; `None` where the page is of one.
    pub workflows: Option<Table>,
    /// Where the keys of all workflows are; empty where they are here.
    pub all: String,
}

impl Samples for UnmappedPage {
    fn empty() -> Self {
        let empty = Empty::new(
            Icon::Completed,
            "Every attribute was used",
            "Nothing that came with the runs of this period was left over. What is left over stands here by its key.",
        );
        let columns = vec![Column::new("Attribute"), Column::number("Runs"), Column::new("First seen")];
        Self {
            keys: Table::new("Attributes that no rule used", columns, Vec::new()).or_empty(empty),
            left_out: String::new(),
            workflows: None,
            all: "/unmapped?period=30d".to_owned(),
        }
    }

    fn full(words: &Words) -> Self {
        let key = |key: &str, runs: &str, is_new: bool| {
            let new = Badge::new(Icon::Info, "in this period", Tone::Info);
            let place = words.say("Northwind Dental › Receptionist");
            let since = if is_new { Cell::Badge(new) } else { Cell::Blank };
            Row::opens("/runs", vec![Cell::name(words.say(key)), Cell::number(runs), Cell::text(place), since])
        };
        let columns =
            vec![Column::new("Attribute"), Column::number("Runs"), Column::new("Workflow"), Column::new("First seen")];
        let keys = vec![key("vendor.callId", "1,240", false), key("resource cloud.shard", "312", true)];
        let row = |name: &str, client: &str| {
            let name = Cell::Name(words.say(name), words.say(client));
            Row::opens("/unmapped?workflow=wf_1", vec![name, Cell::number("12"), Cell::number("4.1 %")])
        };
        let rows = vec![row("Receptionist", "Northwind Dental"), row("refund-agent-eu", "Unassigned")];
        let heads = vec![Column::new("Workflow"), Column::number("Attributes"), Column::number("Share")];
        Self {
            keys: Table::new("Attributes that no rule used", columns, keys),
            left_out: "1,204".to_owned(),
            workflows: Some(Table::new("Workflows with attributes that no rule used", heads, rows)),
            all: String::new(),
        }
    }
}
