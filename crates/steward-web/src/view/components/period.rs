//! The period of a page: presets as links, or two dates; kept in the address.

use askama::Template;

use super::html_safe;

/// The period picker.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "components/period.html")]
pub struct PeriodPicker {
    /// The period in words: "30 days", "October 2026".
    pub label: String,
    /// The period's bounds in words: "5 Oct – 3 Nov 2026".
    pub bounds: String,
    /// The presets.
    pub presets: Vec<Preset>,
    /// The page's path, to which the two dates are sent.
    pub path: String,
    /// The other parts of the page's query, which stay.
    pub keep: Vec<(String, String)>,
    /// The first day, as `2026-10-05`.
    pub from: String,
    /// The last day, as `2026-11-03`.
    pub to: String,
    /// Whose days these are: "Days of Europe/Berlin".
    pub zone: String,
}

/// A period with a name.
#[derive(Debug, Clone)]
pub struct Preset {
    /// The name: "7 days".
    pub name: String,
    /// The page's address with it.
    pub href: String,
    /// Whether it is the one shown.
    pub current: bool,
}

impl PeriodPicker {
    /// The names of the presets and their words in the address, `period=…`.
    pub const PRESETS: [(&'static str, &'static str); 6] = [
        ("today", "Today"),
        ("7d", "7 days"),
        ("30d", "30 days"),
        ("90d", "90 days"),
        ("this-month", "This month"),
        ("last-month", "Last month"),
    ];
}

html_safe!(PeriodPicker);
