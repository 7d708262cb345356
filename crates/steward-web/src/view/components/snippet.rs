//! Text to copy: code, a command, an id.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;

use super::html_safe;
use super::icon::Icon;
use crate::view::html::Escaped;

/// Code with a copy button.
#[derive(Debug, Clone, Template)]
#[template(path = "components/snippet.html")]
pub struct Snippet {
    /// What it is: "Python, OpenTelemetry", ".env". Empty shows no head.
    pub title: String,
    /// The code.
    pub code: String,
}

impl Snippet {
    /// A command without a head.
    #[must_use]
    pub fn command(code: impl Into<String>) -> Self {
        Self { title: String::new(), code: code.into() }
    }

    /// Code with a head.
    #[must_use]
    pub fn titled(title: impl Into<String>, code: impl Into<String>) -> Self {
        Self { title: title.into(), code: code.into() }
    }
}

/// An id to copy, shown short.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdCopy(pub String);

impl IdCopy {
    /// The prefix and the last digits, which differ between ids of the same moment.
    fn short(&self) -> String {
        match self.0.split_once('_') {
            Some((prefix, digits)) if digits.len() > 12 && digits.is_ascii() => {
                format!("{prefix}_…{}", &digits[digits.len() - 8..])
            }
            _ => self.0.clone(),
        }
    }
}

impl fmt::Display for IdCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            concat!(
                r#"<span class="idcopy"><span class="cut" title="{0}">{1}</span>"#,
                r#"<button type="button" class="button quiet small square copy" data-copy="{0}" aria-label="Copy the id">{2}</button></span>"#
            ),
            Escaped(&self.0),
            Escaped(&self.short()),
            Icon::Copy
        )
    }
}

impl HtmlSafe for IdCopy {}
html_safe!(Snippet);
