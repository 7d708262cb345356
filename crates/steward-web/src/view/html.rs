//! Markup that is already safe, and the small attributes that templates write.

use std::fmt;

use askama::filters::HtmlSafe;

/// Markup made by the program itself: charts, sparklines. Written as it is.
///
/// Invariant: nothing from outside is in it unless it was escaped first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Html(String);

impl Html {
    /// Takes markup that the program itself made.
    #[must_use]
    pub fn trusted(markup: impl Into<String>) -> Self {
        Self(markup.into())
    }

    /// Renders a template into markup; an empty one where rendering fails, which is a template's bug.
    #[must_use]
    pub fn render(template: &impl askama::Template) -> Self {
        Self(template.render().unwrap_or_default())
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The markup.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Html {}

/// The token that every form that changes something carries; written as a hidden field named `csrf`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Csrf(pub String);

impl fmt::Display for Csrf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"<input type="hidden" name="csrf" value="{}">"#, Escaped(&self.0))
    }
}

impl HtmlSafe for Csrf {}

/// A text with the characters escaped that mean something in HTML.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => fmt::Write::write_char(f, c)?,
            }
        }
        Ok(())
    }
}

impl HtmlSafe for Escaped<'_> {}

/// A link in words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Link {
    /// The words.
    pub text: String,
    /// Where it leads.
    pub href: String,
}

impl Link {
    /// Makes a link.
    #[must_use]
    pub fn new(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self { text: text.into(), href: href.into() }
    }
}
