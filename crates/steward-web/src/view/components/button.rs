//! Things to do: a link that looks like a button, or a form of one button.

use askama::Template;

use super::html_safe;
use super::icon::Icon;
use crate::view::html::Csrf;

/// One thing to do.
#[derive(Debug, Clone, Template)]
#[template(path = "components/action.html")]
pub struct Action {
    /// What it does: "Publish".
    pub label: String,
    /// Where it leads or posts to.
    pub href: String,
    /// Its icon.
    pub icon: Option<Icon>,
    /// How it is done.
    pub how: How,
    /// How it looks.
    pub look: Look,
    /// The key that does it on its page, or in its row of a list; empty has none.
    pub key: String,
}

/// How a thing is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// By going there.
    Open,
    /// By going there, in a tab of its own.
    OpenBeside,
    /// By fetching a file.
    Download,
    /// By going to a page that asks once; with a script the question comes as a dialog.
    Ask,
    /// By posting, with these hidden fields.
    Post(Csrf, Vec<(String, String)>),
    /// By posting the form in which it stands there: a form cannot stand inside another.
    Submit,
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// As others.
    #[default]
    Plain,
    /// The one thing to do here.
    Primary,
    /// Without a frame.
    Quiet,
    /// Something that cannot be taken back.
    Danger,
}

impl Look {
    /// The classes for it.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Plain => "button",
            Self::Primary => "button primary",
            Self::Quiet => "button quiet",
            Self::Danger => "button danger",
        }
    }
}

impl Action {
    /// A link.
    #[must_use]
    pub fn open(label: &str, href: impl Into<String>) -> Self {
        Self {
            label: label.to_owned(),
            href: href.into(),
            icon: None,
            how: How::Open,
            look: Look::Plain,
            key: String::new(),
        }
    }

    /// A file to fetch.
    #[must_use]
    pub fn download(label: &str, href: impl Into<String>) -> Self {
        Self { how: How::Download, icon: Some(Icon::Download), ..Self::open(label, href) }
    }

    /// A page that asks once.
    #[must_use]
    pub fn ask(label: &str, href: impl Into<String>) -> Self {
        Self { how: How::Ask, look: Look::Danger, ..Self::open(label, href) }
    }

    /// A form of one button.
    #[must_use]
    pub fn post(label: &str, href: impl Into<String>, csrf: Csrf) -> Self {
        Self { how: How::Post(csrf, Vec::new()), ..Self::open(label, href) }
    }

    /// A button of the form around it, which posts it elsewhere.
    #[must_use]
    pub fn submit(label: &str, href: impl Into<String>) -> Self {
        Self { how: How::Submit, ..Self::open(label, href) }
    }

    /// The same with a key.
    #[must_use]
    pub fn with_key(self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self }
    }

    /// The same with an icon.
    #[must_use]
    pub fn with_icon(self, icon: Icon) -> Self {
        Self { icon: Some(icon), ..self }
    }

    /// The same with a look.
    #[must_use]
    pub fn with_look(self, look: Look) -> Self {
        Self { look, ..self }
    }

    /// The same as the one thing to do here.
    #[must_use]
    pub fn primary(self) -> Self {
        self.with_look(Look::Primary)
    }
}

html_safe!(Action);
