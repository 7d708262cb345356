//! What of the queue needs somebody today, for the first page.

use steward_app::queue::COUNT_UP_TO;
use steward_app::tenant::{QueueFilter, Whose};

use crate::WebState;
use crate::problem::PageError;
use crate::view::components::attention::Attention;
use crate::view::components::badge::Tone;
use crate::view::components::button::{Action, How};
use crate::view::components::icon::Icon;
use crate::view::format;

use super::super::around::Visit;

const DAY_MS: i64 = 24 * 3_600_000;

/// What of the queue needs whoever asks: what is theirs and late or due within a day, and what is nobody's and late.
pub(in crate::pages) async fn needs(state: &WebState, visit: &Visit) -> Result<Vec<Attention>, PageError> {
    let (app, actor) = (&state.app, &visit.who.actor);
    let until = |ms: i64, whose: Whose| QueueFilter {
        due_before: Some(visit.now.plus_ms(ms)),
        assignee: Some(whose),
        ..QueueFilter::default()
    };
    let mine = Whose::Of(actor.person_id);
    let late = app.count_queue(actor, &until(0, mine), None).await?;
    let due = app.count_queue(actor, &until(DAY_MS, mine), None).await?.saturating_sub(late);
    let nobodys = app.count_queue(actor, &until(0, Whose::Nobody), None).await?;
    let next = |fields: &[(&str, &str)]| {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Action { how: How::Post(visit.csrf(), fields), ..Action::post("Review next", "/queue/next", visit.csrf()) }
    };
    let line = |tone, title: String, href: &str, why: &str, fields: &[(&str, &str)]| Attention {
        tone,
        icon: Icon::Queue,
        title,
        place: String::new(),
        href: href.to_owned(),
        why: why.to_owned(),
        action: Some(next(fields)),
    };
    let n = |n: u64, one: &str, many: &str| {
        if n == 1 { one.to_owned() } else { format!("{} {many}", format::count_up_to(n, COUNT_UP_TO)) }
    };
    let mut needs = Vec::new();
    if late > 0 {
        needs.push(line(
            Tone::Bad,
            n(late, "One of yours is late", "of yours are late"),
            "/queue?assignee=me&due=over",
            "Assigned to you, and past the due time.",
            &[("assignee", "me"), ("due", "over")],
        ));
    }
    if nobodys > 0 {
        needs.push(line(
            Tone::Warn,
            n(nobodys, "One that is nobody's is late", "that are nobody's are late"),
            "/queue?assignee=nobody&due=over",
            "Past the due time, and given to nobody.",
            &[("assignee", "nobody"), ("due", "over")],
        ));
    }
    if due > 0 {
        needs.push(line(
            Tone::Info,
            n(due, "One of yours is due within a day", "of yours are due within a day"),
            "/queue?assignee=me&sort=due",
            "Assigned to you.",
            &[("assignee", "me")],
        ));
    }
    Ok(needs)
}
