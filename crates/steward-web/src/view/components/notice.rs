//! What is said in passing: a notice on the page, or what the last act came to.

use askama::Template;

use super::badge::Tone;
use super::button::Action;
use super::html_safe;
use crate::view::html::Link;

/// A notice in the flow of a page.
#[derive(Debug, Clone, Template)]
#[template(path = "components/notice.html")]
pub struct Notice {
    /// What it means.
    pub tone: Tone,
    /// What is the case, in a line.
    pub title: String,
    /// What is safe and what to do; may be empty.
    pub text: String,
    /// Where to do it.
    pub link: Option<Link>,
}

impl Notice {
    /// A notice of a line.
    #[must_use]
    pub fn new(tone: Tone, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { tone, title: title.into(), text: text.into(), link: None }
    }
}

/// What the last act came to; shown once, in a corner.
#[derive(Debug, Clone, Template)]
#[template(path = "components/flash.html")]
pub struct Flash {
    /// What it means.
    pub tone: Tone,
    /// What happened: "Rules saved. 1,204 runs are being read again."
    pub text: String,
    /// Where it can be seen.
    pub link: Option<Link>,
    /// What takes it back.
    pub undo: Option<Action>,
}

impl Flash {
    /// Something went well.
    #[must_use]
    pub fn good(text: impl Into<String>) -> Self {
        Self { tone: Tone::Good, text: text.into(), link: None, undo: None }
    }
}

html_safe!(Notice, Flash);
