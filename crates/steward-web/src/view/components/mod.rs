//! The parts that pages are made of. Each is a structure with its template and is written into others as `{{ part }}`.

pub mod attention;
pub mod badge;
pub mod button;
pub mod chart;
pub mod confirm;
pub mod conversation;
pub mod empty;
pub mod facts;
pub mod figure;
pub mod filters;
pub mod form;
pub mod icon;
pub mod logo;
pub mod notice;
pub mod packet;
pub mod period;
pub mod snippet;
pub mod table;
pub mod tabs;
pub mod waiting;
pub mod waterfall;

/// Says of templates that what they write is safe: they escape what they are given.
macro_rules! html_safe {
    ($($name:ty),* $(,)?) => {$(impl askama::filters::HtmlSafe for $name {})*};
}
pub(crate) use html_safe;
