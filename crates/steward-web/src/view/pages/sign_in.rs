//! Signing in, and taking up an invitation.

use askama::Template;

use crate::view::components::badge::Tone;
use crate::view::components::form::{Field, Form};
use crate::view::components::notice::Notice;
use crate::view::samples::{Samples, Words, csrf};

/// A form before the rooms: sign-in, an invitation, a forgotten password.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/sign_in.html")]
pub struct SignIn {
    /// The heading: "Sign in".
    pub title: String,
    /// What it is about; may be empty.
    pub text: String,
    /// What is to be known first: the session ended, too many tries.
    pub notice: Option<Notice>,
    /// The form.
    pub form: Form,
    /// What to do when one cannot: "Ask the owner of your agency for a new invitation."
    pub help: String,
}

impl Samples for SignIn {
    fn empty() -> Self {
        Self {
            title: "Sign in".to_owned(),
            text: String::new(),
            notice: None,
            form: Form {
                hidden: vec![("next".to_owned(), "/".to_owned())],
                ..Form::new(
                    "/sign-in",
                    csrf(),
                    "Sign in",
                    vec![
                        Field::line("email", "email", "Address", "").with_autocomplete("username").focused(),
                        Field::line("password", "password", "Password", "").with_autocomplete("current-password"),
                    ],
                )
            },
            help: "Forgotten? An owner of your agency can make you a new link; on the machine itself, “steward user link” does.".to_owned(),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let plain = Self::empty();
        let mut fields = plain.form.fields.clone();
        fields[0].value = words.say("ada@meridian.example");
        Self {
            text: words.say("Meridian Automation"),
            notice: Some(Notice::new(Tone::Info, "You were signed out", "Nobody used this session for 14 days.")),
            form: Form { fields, error: "Address and password do not belong together.".to_owned(), ..plain.form },
            ..Self::empty()
        }
    }
}
