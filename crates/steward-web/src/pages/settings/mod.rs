//! Settings: the agency, people, keys, prices, how reports look, what was done, one's own account.

mod account;
mod agency;
pub(super) mod keys;
mod people;
mod prices;
pub(super) mod privacy;

use steward_core::people::Role;

use crate::flash::SeeOther;
use crate::view::components::icon::Icon;
use crate::view::components::tabs::{Tab, Tabs};
use crate::view::page::Page;
use crate::view::pages::settings::{SettingsPage, SettingsPart};
use crate::view::shell::{Crumb, Shell};
use crate::{Problem, Routes};

use super::around::Visit;

/// All settings.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/settings", first)
        .merge(agency::routes())
        .merge(people::routes())
        .merge(keys::routes())
        .merge(prices::routes())
        .merge(super::queue::rules::routes())
        .merge(privacy::routes())
        .merge(account::routes())
}

async fn first(visit: Visit) -> SeeOther {
    SeeOther::to(if visit.operates() { "/settings/agency" } else { "/settings/account" })
}

/// The list of settings at the side, as far as a role reaches.
fn side(open: &str, role: Role) -> Tabs {
    let all = [
        ("agency", "Agency", Icon::Home, role.operates()),
        ("people", "People", Icon::People, role.manages_people()),
        ("keys", "Keys", Icon::Key, role.operates()),
        ("prices", "Prices", Icon::Prices, role.sees_money()),
        ("queue", "Queue", Icon::Queue, role.operates()),
        ("privacy", "Privacy", Icon::Lock, role.operates()),
        ("brand", "Reports' look", Icon::Brand, role.operates()),
        ("audit", "What was done", Icon::Clipboard, role.operates()),
        ("account", "Your account", Icon::Person, true),
    ];
    let tabs = all.into_iter().filter(|(.., reached)| *reached);
    Tabs {
        label: "Settings".to_owned(),
        tabs: tabs
            .map(|(word, name, icon, _)| Tab {
                icon: Some(icon),
                ..Tab::new(name, format!("/settings/{word}"), word == open)
            })
            .collect(),
        at_side: true,
    }
}

fn shell(visit: &Visit, title: &str) -> Shell {
    let mut shell = visit.shell(title, "", "/settings");
    shell.path = vec![Crumb::new("Settings", "/settings"), Crumb::new(title, "")];
    shell
}

/// A page of forms and tables.
pub(super) fn page(visit: &Visit, open: &str, title: &str, parts: Vec<SettingsPart>) -> Page<SettingsPage> {
    let side = side(open, visit.who.actor.role);
    Page::new(visit.wanted, shell(visit, title), SettingsPage { side, notices: Vec::new(), parts })
}

/// What a role does not reach is not there for it.
fn must_operate(visit: &Visit) -> Result<(), Problem> {
    visit.who.actor.must_operate().map_err(Problem::from)
}
