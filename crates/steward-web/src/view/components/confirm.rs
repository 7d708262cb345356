//! A question before something that cannot be taken back: a page of its own, or a dialog with a script.

use askama::Template;

use super::html_safe;
use crate::view::html::Csrf;

/// The question.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "components/confirm.html")]
pub struct Confirm {
    /// What will be done, with the name of what will be lost: "Revoke the key “production”?"
    pub title: String,
    /// What that means.
    pub text: String,
    /// What will be lost and what stays, a line each.
    pub lines: Vec<String>,
    /// What the button says: "Revoke the key".
    pub button: String,
    /// Where it posts to.
    pub action: String,
    /// Hidden fields that it posts.
    pub fields: Vec<(String, String)>,
    /// The token.
    pub csrf: Csrf,
    /// Where to go back to.
    pub back: String,
    /// Whether something is lost, rather than merely changed.
    pub is_danger: bool,
}

html_safe!(Confirm);
