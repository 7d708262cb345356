//! What stands around every page: the rail of rooms, the path, the period, search, theme, who is signed in.

use std::fmt;

use super::components::button::Action;
use super::components::icon::Icon;
use super::components::notice::Flash;
use super::components::period::PeriodPicker;
use super::html::{Csrf, Link};

/// What stands around a page.
#[derive(Debug, Clone, Default)]
pub struct Shell {
    /// The page's title: its heading and its document's title.
    pub title: String,
    /// The question that the page answers: "What needs me now?"
    pub question: String,
    /// The agency's name, in the rail.
    pub agency: String,
    /// The rooms that this person may enter.
    pub rooms: Vec<Room>,
    /// Where the page is: client › workflow › run.
    pub path: Vec<Crumb>,
    /// The period, on pages that have one.
    pub period: Option<PeriodPicker>,
    /// What the page's head offers to do; also in the command palette.
    pub actions: Vec<Action>,
    /// Who is signed in.
    pub person: Option<SignedIn>,
    /// Light, dark, or as the system says.
    pub theme: Theme,
    /// What the last act came to.
    pub flash: Option<Flash>,
    /// The token for the shell's own forms.
    pub csrf: Csrf,
    /// What stands in the search field.
    pub search: String,
    /// The page's own path and query, to come back to after switching the theme without a script.
    pub here: String,
    /// Whether the content may take the whole width: wide tables.
    pub wide: bool,
}

impl Shell {
    /// The name of the thing that the page is about, for the document's title.
    #[must_use]
    pub fn document_title(&self) -> String {
        let mut parts = vec![self.title.as_str()];
        let above = self.path.iter().rev().skip(1).map(|crumb| crumb.text.as_str());
        parts.extend(above.filter(|text| *text != self.title).take(1));
        parts.push("Steward");
        parts.join(" · ")
    }

    /// Makes a room the current one. Does nothing when the person may not enter it.
    pub fn enter(&mut self, href: &str) {
        for room in &mut self.rooms {
            room.current = room.href == href;
        }
    }
}

/// A room in the rail.
#[derive(Debug, Clone)]
pub struct Room {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub href: String,
    /// Its icon.
    pub icon: Icon,
    /// The letter after `g` that goes there; empty is none.
    pub key: String,
    /// Whether the page is in it.
    pub current: bool,
    /// How many things wait in it; `None` shows nothing.
    pub count: Option<String>,
}

impl Room {
    /// Makes a room that is not the current one and in which nothing waits.
    #[must_use]
    pub fn new(name: &str, href: &str, icon: Icon, key: &str) -> Self {
        Self { name: name.to_owned(), href: href.to_owned(), icon, key: key.to_owned(), current: false, count: None }
    }
}

/// A part of the path.
#[derive(Debug, Clone, Default)]
pub struct Crumb {
    /// Its name.
    pub text: String,
    /// Where it leads; empty for where one is.
    pub href: String,
    /// Its siblings, to switch to without going up.
    pub siblings: Vec<Link>,
}

impl Crumb {
    /// A part of the path that can be gone to.
    #[must_use]
    pub fn new(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self { text: text.into(), href: href.into(), siblings: Vec::new() }
    }

    /// The same, with siblings to switch to.
    #[must_use]
    pub fn switchable(text: impl Into<String>, href: impl Into<String>, siblings: Vec<Link>) -> Self {
        Self { text: text.into(), href: href.into(), siblings }
    }
}

/// Who is signed in.
#[derive(Debug, Clone, Default)]
pub struct SignedIn {
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their role, in a word.
    pub role: String,
}

/// Light, dark, or as the system says; kept in the cookie `theme`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system says.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// Reads the cookie's word; anything unknown is [`Theme::Auto`].
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }

    /// Reads the theme out of a whole `Cookie` header.
    #[must_use]
    pub fn of_cookies(header: &str) -> Self {
        let theme = header.split(';').find_map(|part| part.trim().strip_prefix("theme="));
        theme.map_or(Self::Auto, Self::parse)
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The attribute of `<html>` for it, which is nothing for [`Theme::Auto`].
    #[must_use]
    pub(crate) const fn attribute(self) -> ThemeAttribute {
        ThemeAttribute(self)
    }
}

/// ` data-theme="dark"`, or nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ThemeAttribute(Theme);

impl fmt::Display for ThemeAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Theme::Auto => Ok(()),
            theme => write!(f, " data-theme=\"{}\"", theme.as_str()),
        }
    }
}

impl askama::filters::HtmlSafe for ThemeAttribute {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_theme_is_read_among_other_cookies() {
        assert_eq!(Theme::of_cookies("session=abc; theme=dark"), Theme::Dark);
        assert_eq!(Theme::of_cookies("nottheme=dark"), Theme::Auto);
        assert_eq!(Theme::of_cookies("theme=\"><script>"), Theme::Auto);
    }
}
