//! The list of clients, and the form of one.

use askama::Template;

use super::today;
use crate::view::components::form::{Choice, Field, Form};
use crate::view::components::table::Table;
use crate::view::html::Link;
use crate::view::samples::{Samples, Words, csrf};

/// The list of clients.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/clients.html")]
pub struct Clients {
    /// A row for each client, as on Today.
    pub table: Table,
    /// Workflows that belong to no client, each with what it needs; empty shows none.
    pub unassigned: Table,
    /// Where the archived ones are; `None` when there are none.
    pub archived: Option<Link>,
}

/// A client to be made or changed.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/client_form.html")]
pub struct ClientForm {
    /// The fields: name, currency, units per dollar, zone, business hours, retainer.
    pub form: Form,
}

impl Samples for Clients {
    fn empty() -> Self {
        let mut table = today::clients(Words::Plain);
        table.rows.clear();
        Self { table, unassigned: Table::default(), archived: None }
    }

    fn full(words: &Words) -> Self {
        Self {
            table: today::clients(*words),
            unassigned: super::workflow::unassigned(*words),
            archived: Some(Link::new("2 archived clients", "/clients?archived=1")),
        }
    }
}

impl Samples for ClientForm {
    fn empty() -> Self {
        Self {
            form: Form {
                cancel: "/clients".to_owned(),
                ..Form::new("/clients/new", csrf(), "Add the client", fields(Words::Plain, false))
            },
        }
    }

    fn full(words: &Words) -> Self {
        Self { form: Form::new("/clients/cl_1/edit", csrf(), "Save", fields(*words, true)) }
    }
}

fn fields(words: Words, filled: bool) -> Vec<Field> {
    let value = |plain: &str| if filled { words.say(plain) } else { String::new() };
    vec![
        Field {
            wide: true,
            ..Field::text("name", "Name", value("Northwind Dental")).with_hint("As it stands on reports.")
        },
        Field::select(
            "currency",
            "Currency of its values",
            Choice::list(&[("USD", "US dollar"), ("EUR", "Euro")], "EUR"),
        ),
        Field::number("units_per_usd", "One US dollar is", if filled { "0.92" } else { "" })
            .with_unit("EUR")
            .optional(),
        Field::text("time_zone", "Time zone", value("Europe/Berlin"))
            .optional()
            .with_hint("Of its business hours; empty takes the agency's."),
        Field::number("retainer", "Retainer a month", if filled { "1500" } else { "" }).with_unit("EUR").optional(),
        Field::lines("business_hours", "Business hours", "Mon-Fri 09:00-17:00\nclosed 2026-12-25", 3)
            .with_hint("A line for each stretch of days, and for each day on which it is closed.")
            .with_error(if filled { words.say("“Mon 9-17” is not like Mon 09:00-17:00") } else { String::new() }),
    ]
}
