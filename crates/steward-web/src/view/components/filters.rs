//! Filters of a list: a text, a sheet of fields, and what is set as chips that can be taken off.

use askama::Template;

use super::form::Field;
use super::html_safe;
use super::icon::Icon;

/// The filter bar.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "components/filters.html")]
pub struct FilterBar {
    /// The page's path, to which the forms are sent.
    pub path: String,
    /// The name of the text field in the address; empty shows none.
    pub text_name: String,
    /// Its value.
    pub text: String,
    /// What stands in it while it is empty: "Search in what was said".
    pub text_placeholder: String,
    /// What is set besides the filters, which stays: period and sort.
    pub keep: Vec<(String, String)>,
    /// The filters that are set, sent along with the text field.
    pub set: Vec<(String, String)>,
    /// The fields of the sheet.
    pub fields: Vec<Field>,
    /// What is set.
    pub chips: Vec<Chip>,
    /// The address without any filter.
    pub clear: String,
}

/// A filter that is set.
#[derive(Debug, Clone)]
pub struct Chip {
    /// Its name: "outcome".
    pub name: String,
    /// Its value: "failed".
    pub value: String,
    /// The address without it.
    pub remove: String,
}

html_safe!(FilterBar);
