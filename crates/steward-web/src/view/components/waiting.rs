//! "Waiting for your first run… received": refreshed live.

use askama::Template;

use super::html_safe;
use super::icon::Icon;
use crate::view::format::Time;

/// A check whether something has come in.
#[derive(Debug, Clone, Template)]
#[template(path = "components/waiting.html")]
pub struct Waiting {
    /// Its id on the page, by which it is refreshed.
    pub id: String,
    /// The stream that says when to look again: `/live?…`. Empty looks no more.
    pub live: String,
    /// The page from which it is refreshed; empty is the page on which it stands.
    pub from: String,
    /// What has come in.
    pub received: Option<Received>,
}

/// What has come in.
#[derive(Debug, Clone)]
pub struct Received {
    /// In words: "Received: 3 runs of “support-bot”".
    pub text: String,
    /// When the first came.
    pub at: Time,
    /// Where it is.
    pub href: String,
}

html_safe!(Waiting);
