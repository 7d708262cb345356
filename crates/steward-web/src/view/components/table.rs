//! Tables: the thing's name first, numbers at the right, sorting in the head, paging by cursor.

use askama::Template;

use super::badge::{Badge, Tone};
use super::button::Action;
use super::empty::Empty;
use super::figure::Comparison;
use super::html_safe;
use super::icon::Icon;
use super::snippet::IdCopy;
use crate::view::format::Time;
use crate::view::html::{Csrf, Html};

/// A table.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "components/table.html")]
pub struct Table {
    /// Its id on the page: for live refreshing and for links to it.
    pub id: String,
    /// What it lists, for screen readers.
    pub caption: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows; each has as many cells as there are columns.
    pub rows: Vec<Row>,
    /// What stands there when it has no rows.
    pub empty: Option<Empty>,
    /// Where one is in a long list.
    pub pager: Option<Pager>,
    /// Which columns are shown.
    pub picker: Option<ColumnPicker>,
    /// What can be done to selected rows.
    pub bulk: Option<Bulk>,
    /// A last row with sums; empty shows none.
    pub sums: Vec<Cell>,
}

/// A column.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// Its head.
    pub head: String,
    /// What it means, on hover.
    pub title: String,
    /// Whether it holds numbers.
    pub is_number: bool,
    /// How it sorts; `None` does not.
    pub sort: Option<Sort>,
}

/// A column's sorting.
#[derive(Debug, Clone)]
pub struct Sort {
    /// The address sorted by it, the other way round when it is sorted by it already.
    pub href: String,
    /// Whether and how the table is sorted by it.
    pub now: Sorted,
}

/// Whether and how a table is sorted by a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sorted {
    /// Not by this column.
    #[default]
    Not,
    /// The least first.
    Ascending,
    /// The most first.
    Descending,
}

impl Column {
    /// A column of words.
    #[must_use]
    pub fn new(head: &str) -> Self {
        Self { head: head.to_owned(), ..Self::default() }
    }

    /// A column of numbers.
    #[must_use]
    pub fn number(head: &str) -> Self {
        Self { is_number: true, ..Self::new(head) }
    }

    /// The same, sortable.
    #[must_use]
    pub fn sorted(self, href: impl Into<String>, now: Sorted) -> Self {
        Self { sort: Some(Sort { href: href.into(), now }), ..self }
    }

    /// The same with its meaning on hover.
    #[must_use]
    pub fn titled(self, title: &str) -> Self {
        Self { title: title.to_owned(), ..self }
    }
}

/// A row.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// What its name opens; empty opens nothing.
    pub href: String,
    /// What is sent when it is selected, with [`Bulk`].
    pub key: String,
    /// Its cells.
    pub cells: Vec<Cell>,
    /// Shown fainter: archived, revoked.
    pub is_off: bool,
}

impl Row {
    /// A row that opens something.
    #[must_use]
    pub fn opens(href: impl Into<String>, cells: Vec<Cell>) -> Self {
        Self { href: href.into(), cells, ..Self::default() }
    }

    /// A row that opens nothing.
    #[must_use]
    pub fn plain(cells: Vec<Cell>) -> Self {
        Self { cells, ..Self::default() }
    }
}

/// A cell.
#[derive(Debug, Clone, Default)]
pub enum Cell {
    /// The thing's name, which opens the row, and a line under it.
    Name(String, String),
    /// Words.
    Text(String),
    /// Why, in words, and how urgent that is.
    Reason(String, Tone),
    /// Words that open something else than the row.
    Link(String, String),
    /// A number, and in full on hover.
    Number(String, String),
    /// A number that opens something: its receipts.
    NumberLink(String, String),
    /// A share as a bar, from 0 to 1, with its number.
    Bar(f64, String, &'static str),
    /// A badge.
    Badge(Badge),
    /// Several badges.
    Badges(Vec<Badge>),
    /// A number and its change.
    Change(String, Comparison),
    /// A time.
    Time(Time),
    /// An id to copy.
    Id(IdCopy),
    /// Markup: a sparkline.
    Html(Html),
    /// Things to do.
    Actions(Vec<Action>),
    /// Not known, with why on hover: never shown as zero.
    Unknown(String),
    /// Nothing.
    #[default]
    Blank,
}

impl Cell {
    /// A name without a line under it.
    #[must_use]
    pub fn name(name: impl Into<String>) -> Self {
        Self::Name(name.into(), String::new())
    }

    /// Words.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number shown in full.
    #[must_use]
    pub fn number(text: impl Into<String>) -> Self {
        Self::Number(text.into(), String::new())
    }

    fn class(&self, column: &Column) -> &'static str {
        match self {
            Self::Name(..) => "name",
            Self::Blank => "blank",
            Self::Bar(..) => "barcell",
            _ if column.is_number => "n",
            Self::Text(_) | Self::Link(..) | Self::Reason(..) => "text",
            _ => "",
        }
    }
}

/// Where one is in a long list.
#[derive(Debug, Clone, Default)]
pub struct Pager {
    /// In words: "1–50 of about 12,400".
    pub words: String,
    /// The page before; empty on the first.
    pub previous: String,
    /// The page after; empty on the last.
    pub next: String,
}

/// Which columns are shown: a form of check boxes named `col`.
#[derive(Debug, Clone, Default)]
pub struct ColumnPicker {
    /// The page's path.
    pub path: String,
    /// The other parts of the query, which stay.
    pub keep: Vec<(String, String)>,
    /// The columns: what is sent, the head, whether it is shown.
    pub columns: Vec<(String, String, bool)>,
}

/// What can be done to selected rows: a form that posts `key` for each of them and `do` for the button.
#[derive(Debug, Clone, Default)]
pub struct Bulk {
    /// Where it posts to: a page that says what it will do before it does it.
    pub href: String,
    /// The token.
    pub csrf: Csrf,
    /// What is counted: "runs".
    pub what: String,
    /// The buttons: what is sent as `do`, and the label.
    pub buttons: Vec<(String, String)>,
}

impl Table {
    /// A table without paging, picking or selecting.
    #[must_use]
    pub fn new(caption: &str, columns: Vec<Column>, rows: Vec<Row>) -> Self {
        Self { caption: caption.to_owned(), columns, rows, ..Self::default() }
    }

    /// The same with what stands there when it has no rows.
    #[must_use]
    pub fn or_empty(self, empty: Empty) -> Self {
        Self { empty: Some(empty), ..self }
    }

    fn cells<'a>(&'a self, cells: &'a [Cell]) -> impl Iterator<Item = (&'a Cell, &'a Column)> {
        cells.iter().zip(&self.columns)
    }
}

/// The width of a bar out of 100, never outside.
fn width(share: &f64) -> String {
    format!("{:.1}", if share.is_finite() { share.clamp(0.0, 1.0) * 100.0 } else { 0.0 })
}

html_safe!(Table);
