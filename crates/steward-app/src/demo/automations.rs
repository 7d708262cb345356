//! Workflows that talk to nobody: a reader of invoices, a writer of mails, a sender of texts.

use super::converse::{Conversation, End};
use super::facts::Facts;
use super::play::{Answer, Beat, ToolBeat};
use super::random::Random;

/// The reader of invoices: fetch, read, check, post; or ask the bookkeeper.
pub(super) fn read_invoice(end: End, facts: &Facts, random: &mut Random) -> Conversation {
    let mut writer = Writer { facts, beats: Vec::new() };
    writer.tool(
        "fetch_document",
        r#"{"mailbox":"invoices","from":"{supplier}"}"#,
        r#"{"file":"{invoice}.pdf","pages":1}"#,
    );
    writer.user("[invoice] {supplier}, {invoice}, {date}, order {po}: {item} {price}, freight 12.95, total {total}");
    writer.write(r#"{"supplier":"{supplier}","invoice":"{invoice}","po":"{po}","total":{total},"due":"{date2}"}"#);
    if random.happens(0.04) {
        writer.refused(
            "match_order",
            r#"{"po":"{po}","total":{total}}"#,
            "Error: total {total} does not match order {po} ({price})",
        );
        writer.write(r#"{"invoice":"{invoice}","po":"{po}","net":{price},"freight":12.95,"total":{total}}"#);
    }
    writer.tool("match_order", r#"{"po":"{po}","total":{total}}"#, r#"{"po":"{po}","matches":true}"#);
    let post = r#"{"supplier":"{supplier}","invoice":"{invoice}","amount":{total}}"#;
    match end {
        End::Completed => writer.tool("post_to_ledger", post, r#"{"posted":true,"entry":"E-{ticket}"}"#),
        End::Escalated | End::Abandoned => {
            writer.refused("match_order", r#"{"po":"{po}","supplier":"{supplier}"}"#, "Error: order {po} not found");
            writer.tool(
                "ask_bookkeeper",
                r#"{"invoice":"{invoice}","why":"no order"}"#,
                r#"{"queued":true,"case":"{ticket}"}"#,
            );
        }
        End::Failed => {
            writer.failed("post_to_ledger", post, "500", "Internal Server Error: ledger is closed for the night run");
            writer.failed("post_to_ledger", post, "500", "Internal Server Error: ledger is closed for the night run");
        }
        End::Unverified => {
            writer.tool("find_duplicate", r#"{"invoice":"{invoice}"}"#, r#"{"duplicate_of":"E-{ticket}"}"#)
        }
    }
    Conversation { title: facts.fill("{invoice} of {supplier}"), beats: writer.beats }
}

/// The writer of mails after a quote.
pub(super) fn follow_up(end: End, facts: &Facts, random: &mut Random) -> Conversation {
    let mut writer = Writer { facts, beats: Vec::new() };
    writer.tool(
        "get_quote",
        r#"{"quote":"Q-{ticket}"}"#,
        r#"{"contact":"{email}","name":"{name}","kw":{kw},"total":{value}0}"#,
    );
    writer.user("Write to {name} about quote Q-{ticket}, {kw} kW.");
    writer.write("Hello {first}, have you had time to look at our quote for {kw} kW? I’d be glad to drop by on {day}.");
    if end == End::Failed {
        writer.failed("send_email", r#"{"to":"{email}"}"#, "550", "550 mailbox not found");
    } else {
        writer.tool("send_email", r#"{"to":"{email}","subject":"Your quote Q-{ticket}"}"#, r#"{"sent":true}"#);
    }
    match end {
        End::Completed => {
            let answers = [
                "Thanks for asking! {day} at {time} suits us.",
                "Yes, please come by. {day} is fine.",
                "{day} works, see you then.",
            ];
            writer.user(random.pick(&answers));
            writer.write("Wonderful, I’ve noted {day} at {time}.");
            writer.tool("book_visit", r#"{"quote":"Q-{ticket}","at":"{date}T{time}"}"#, r#"{"visit":"{ticket}"}"#);
        }
        End::Escalated => {
            writer.user("Your price is too high. Who can I speak to?");
            writer.tool("hand_to_planner", r#"{"contact":"{email}"}"#, r#"{"assigned":"planner"}"#);
        }
        End::Failed | End::Abandoned | End::Unverified => {}
    }
    Conversation { title: facts.fill("Quote Q-{ticket}, {kw} kW"), beats: writer.beats }
}

/// The sender of texts about outages, which nobody has told Steward of.
pub(super) fn outage_text(facts: &Facts) -> Conversation {
    let mut writer = Writer { facts, beats: Vec::new() };
    writer.tool("list_outages", r#"{"area":"{city}"}"#, r#"[{"area":"{city}","until":"{date}T{time}"}]"#);
    writer.user("Tell {account} about the outage in {city}.");
    writer.write("Brightmoor Fibre: works in {city} interrupt your line until {time}. We’ll text you when it is back.");
    writer.tool("send_text", r#"{"to":"{phone}"}"#, r#"{"queued":true}"#);
    Conversation { title: facts.fill("Outage in {city}"), beats: writer.beats }
}

struct Writer<'a> {
    facts: &'a Facts,
    beats: Vec<Beat>,
}

impl Writer<'_> {
    fn user(&mut self, text: &str) {
        self.beats.push(Beat::User(self.facts.fill(text)));
    }

    fn write(&mut self, text: &str) {
        self.beats.push(Beat::Say(self.facts.fill(text)));
    }

    fn tool(&mut self, name: &'static str, input: &str, output: &str) {
        self.call(name, input, Answer::Text(self.facts.fill(output)));
    }

    fn refused(&mut self, name: &'static str, input: &str, refusal: &str) {
        self.call(name, input, Answer::Text(self.facts.fill(refusal)));
    }

    fn failed(&mut self, name: &'static str, input: &str, code: &'static str, message: &str) {
        self.call(name, input, Answer::Error { code, message: message.to_owned() });
    }

    /// The program calls the tool; no model decides it.
    fn call(&mut self, name: &'static str, input: &str, answer: Answer) {
        self.beats.push(Beat::Tool(ToolBeat { name, input: self.facts.fill(input), answer, by_program: true }));
    }
}
