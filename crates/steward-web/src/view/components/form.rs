//! Fields of forms: a label, a control, a hint, and what is wrong with it.

use askama::Template;

use super::html_safe;
use super::icon::Icon;
use crate::view::html::Csrf;

/// A field.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "components/field.html")]
pub struct Field {
    /// The control.
    pub control: Control,
    /// The name under which it is sent.
    pub name: String,
    /// Its id on the page; empty takes its name. Two forms of one page need ids of their own.
    pub id: String,
    /// Its label.
    pub label: String,
    /// Its value as text.
    pub value: String,
    /// What helps to fill it in.
    pub hint: String,
    /// What is wrong with it; empty when nothing is.
    pub error: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// What stands in it while it is empty.
    pub placeholder: String,
    /// What browsers may fill in: `email`, `current-password`, `off`.
    pub autocomplete: String,
    /// The unit after it: "minutes", "USD".
    pub unit: String,
    /// Takes the focus when the page opens.
    pub autofocus: bool,
    /// Takes the whole width of a form of two columns.
    pub wide: bool,
}

/// A control.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Control {
    /// A line of text.
    #[default]
    Text,
    /// Another kind of line: `email`, `password`, `date`, `month`, `url`, `search`, `color`.
    Line(&'static str),
    /// A number, with its step (`any`, `1`, `0.01`) and its least value.
    Number(&'static str, Option<&'static str>),
    /// Several lines, with how many are shown.
    Lines(u8),
    /// Several lines of code, with how many are shown.
    Code(u8),
    /// One of some.
    Select(Vec<Choice>),
    /// One of some, all seen.
    Radios(Vec<Choice>),
    /// Yes or no; `value` is what is sent for yes, and this says whether it is ticked.
    Check(bool),
    /// A file, with what is accepted.
    File(&'static str),
}

/// One of some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub label: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

impl Choice {
    /// Choices of pairs of value and label, one of them chosen by its value.
    #[must_use]
    pub fn list<V: AsRef<str>, L: AsRef<str>>(pairs: &[(V, L)], chosen: &str) -> Vec<Self> {
        pairs
            .iter()
            .map(|(value, label)| Self {
                value: value.as_ref().to_owned(),
                label: label.as_ref().to_owned(),
                chosen: value.as_ref() == chosen,
            })
            .collect()
    }
}

impl Field {
    /// A required line of text.
    #[must_use]
    pub fn text(name: &str, label: &str, value: impl Into<String>) -> Self {
        Self { name: name.to_owned(), label: label.to_owned(), value: value.into(), required: true, ..Self::default() }
    }

    /// A required line of another kind.
    #[must_use]
    pub fn line(kind: &'static str, name: &str, label: &str, value: impl Into<String>) -> Self {
        Self { control: Control::Line(kind), ..Self::text(name, label, value) }
    }

    /// A required number.
    #[must_use]
    pub fn number(name: &str, label: &str, value: impl Into<String>) -> Self {
        Self { control: Control::Number("any", None), ..Self::text(name, label, value) }
    }

    /// Several lines, which may stay empty.
    #[must_use]
    pub fn lines(name: &str, label: &str, value: impl Into<String>, rows: u8) -> Self {
        Self { control: Control::Lines(rows), required: false, wide: true, ..Self::text(name, label, value) }
    }

    /// One of some.
    #[must_use]
    pub fn select(name: &str, label: &str, choices: Vec<Choice>) -> Self {
        Self { control: Control::Select(choices), required: false, ..Self::text(name, label, "") }
    }

    /// Yes or no.
    #[must_use]
    pub fn check(name: &str, label: &str, ticked: bool) -> Self {
        Self { control: Control::Check(ticked), required: false, ..Self::text(name, label, "on") }
    }

    /// The same, not required.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// The same with what is wrong with it.
    #[must_use]
    pub fn with_error(self, error: impl Into<String>) -> Self {
        Self { error: error.into(), ..self }
    }

    /// The same with a unit after it.
    #[must_use]
    pub fn with_unit(self, unit: impl Into<String>) -> Self {
        Self { unit: unit.into(), ..self }
    }

    /// The same with a placeholder.
    #[must_use]
    pub fn with_placeholder(self, placeholder: impl Into<String>) -> Self {
        Self { placeholder: placeholder.into(), ..self }
    }

    /// The same with what browsers may fill in.
    #[must_use]
    pub fn with_autocomplete(self, autocomplete: &str) -> Self {
        Self { autocomplete: autocomplete.to_owned(), ..self }
    }

    /// The same, taking the focus when the page opens.
    #[must_use]
    pub fn focused(self) -> Self {
        Self { autofocus: true, ..self }
    }

    fn page_id(&self) -> &str {
        if self.id.is_empty() { &self.name } else { &self.id }
    }

    fn line_kind(&self) -> &'static str {
        match self.control {
            Control::Line(kind) => kind,
            _ => "text",
        }
    }

    fn has_optional_mark(&self) -> bool {
        !self.required && !matches!(self.control, Control::Select(_) | Control::Radios(_) | Control::Check(_))
    }

    fn described_by(&self) -> String {
        let mut ids = Vec::new();
        if !self.hint.is_empty() {
            ids.push(format!("{}-hint", self.page_id()));
        }
        if !self.error.is_empty() {
            ids.push(format!("{}-error", self.page_id()));
        }
        ids.join(" ")
    }
}

html_safe!(Field);

/// A whole form: fields, what is wrong with all of it, and its buttons.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "components/form.html")]
pub struct Form {
    /// Where it posts to.
    pub action: String,
    /// The token.
    pub csrf: Csrf,
    /// Hidden fields.
    pub hidden: Vec<(String, String)>,
    /// The fields.
    pub fields: Vec<Field>,
    /// What is wrong with all of it: what happened, what is safe, what to do. Empty when nothing is.
    pub error: String,
    /// What the button says.
    pub button: String,
    /// Where to go without saving; empty offers nothing.
    pub cancel: String,
    /// What happens when it is saved, beside the button.
    pub note: String,
    /// In two columns where there is room.
    pub in_pairs: bool,
    /// Whether it carries files.
    pub has_files: bool,
}

impl Form {
    /// A form of some fields.
    #[must_use]
    pub fn new(action: impl Into<String>, csrf: Csrf, button: &str, fields: Vec<Field>) -> Self {
        Self { action: action.into(), csrf, button: button.to_owned(), fields, ..Self::default() }
    }

    /// The same with ids of its own: two forms of one page may have fields of the same names.
    #[must_use]
    pub fn with_ids(mut self, prefix: &str) -> Self {
        for field in &mut self.fields {
            field.id = format!("{prefix}-{}", field.name);
        }
        self
    }

    /// How many of the fields are wrong.
    #[must_use]
    pub fn n_errors(&self) -> usize {
        self.fields.iter().filter(|field| !field.error.is_empty()).count()
    }
}

html_safe!(Form);
