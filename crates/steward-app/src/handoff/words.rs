//! A packet as each way of sending takes it: text and HTML for mail, blocks for Slack, JSON for programs.
//!
//! Everything from outside is escaped for where it goes: in HTML, and in Slack's markup, in which a text could call a
//! whole channel.

use serde_json::{Value, json};
use steward_core::exceptions::one_line;
use steward_core::handoff::{Packet, Section};
use steward_core::ids::{ExceptionId, RunId, WorkflowId};
use steward_core::step::cut_text;
use steward_core::time::Timestamp;

/// The most characters of a mail's subject.
const MAX_SUBJECT_CHARS: usize = 150;
/// The most characters of one of Slack's blocks; it takes 3,000.
const MAX_BLOCK_CHARS: usize = 2_800;
/// The most lines of a digest.
pub(super) const MAX_DIGEST_LINES: usize = 50;

/// A packet with what stands around it.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) exception_id: ExceptionId,
    pub(super) run_id: RunId,
    pub(super) workflow_id: WorkflowId,
    pub(super) workflow: String,
    pub(super) message: String,
    pub(super) at: Timestamp,
    /// The link, which needs no sign-in.
    pub(super) link: String,
    /// When the link ends.
    pub(super) link_ends_at: Timestamp,
    /// Where the agency's own people work on it.
    pub(super) page: String,
    pub(super) is_test: bool,
    pub(super) packet: Packet,
}

/// Several exceptions in one.
#[derive(Debug, Clone)]
pub(super) struct Digest {
    pub(super) channel: String,
    /// How many in all.
    pub(super) n: usize,
    /// The first of them: workflow, message, page.
    pub(super) lines: Vec<DigestLine>,
    /// Where all of them are.
    pub(super) page: String,
}

/// One exception of a digest.
#[derive(Debug, Clone)]
pub(super) struct DigestLine {
    pub(super) exception_id: ExceptionId,
    pub(super) workflow: String,
    pub(super) message: String,
    pub(super) page: String,
}

fn subject(text: &str) -> String {
    cut_text(&one_line(text), MAX_SUBJECT_CHARS)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("<br>"),
            c => out.push(c),
        }
    }
    out
}

/// A text in Slack's markup, with nothing in it that Slack would act on.
fn for_slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn mrkdwn(text: &str) -> Value {
    // Cut before it is escaped, so that no escape is cut; escaping makes at most five times as much of a sign.
    let mut most = MAX_BLOCK_CHARS;
    loop {
        let text = for_slack(&cut_text(text, most));
        if text.chars().count() <= MAX_BLOCK_CHARS + 8 {
            return json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
        }
        most /= 2;
    }
}

fn bold(head: &str, lines: &[String]) -> Value {
    let text: Vec<String> = lines.iter().map(|line| format!("• {line}")).collect();
    mrkdwn(&format!("*{head}*\n{}", text.join("\n")))
}

impl Letter {
    pub(super) fn subject(&self) -> String {
        let what = if self.is_test { "Test" } else { "Handoff" };
        subject(&format!("{what}: {}: {}", self.workflow, self.message))
    }

    fn ends(&self) -> String {
        format!("The link needs no sign-in and ends on {}.", self.link_ends_at.rfc3339())
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n{}\n\n", self.workflow, self.message);
        if !self.link.is_empty() {
            text.push_str(&format!("Read it, and say when it is done: {}\n{}\n\n", self.link, self.ends()));
        }
        text.push_str(&self.packet.to_text());
        text
    }

    pub(super) fn html(&self) -> String {
        let mut html = format!("<h2>{}</h2><p>{}</p>", escaped(&self.workflow), escaped(&self.message));
        if !self.link.is_empty() {
            let link = escaped(&self.link);
            html.push_str(&format!(
                "<p><a href=\"{link}\">Read it, and say when it is done</a></p><p>{}</p>",
                self.ends()
            ));
        }
        for Section { head, lines } in self.packet.sections() {
            html.push_str(&format!("<h3>{head}</h3><ul>"));
            lines.iter().for_each(|line| html.push_str(&format!("<li>{}</li>", escaped(line))));
            html.push_str("</ul>");
        }
        if !self.packet.said.is_empty() {
            html.push_str("<h3>Conversation</h3>");
            for line in &self.packet.said {
                html.push_str(&format!("<p><b>{}</b>: {}</p>", escaped(line.who()), escaped(&line.text)));
            }
        }
        document(&self.subject(), &html)
    }

    pub(super) fn slack(&self) -> Value {
        let mut blocks = vec![mrkdwn(&self.message)];
        blocks.extend(self.packet.sections().iter().map(|section| bold(section.head, &section.lines)));
        if !self.link.is_empty() {
            let text = format!("<{}|Read it, and say when it is done>. {}", self.link, self.ends());
            blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": text}}));
        }
        // A header is plain text, and takes 150 characters.
        let header = json!({"type": "header", "text": {"type": "plain_text", "text": cut_text(&self.subject(), 140)}});
        blocks.insert(0, header);
        json!({"text": for_slack(&self.subject()), "blocks": blocks})
    }

    pub(super) fn json(&self, now: Timestamp) -> Value {
        let mut packet = serde_json::to_value(&self.packet).unwrap_or_default();
        if let Some(worked) = packet.get_mut("worked").and_then(Value::as_array_mut) {
            for (value, worked) in worked.iter_mut().zip(&self.packet.worked) {
                value["last_at"] = worked.last_at.rfc3339().into();
            }
        }
        json!({
            "type": if self.is_test { "handoff.test" } else { "handoff.packet" },
            "timestamp": now.rfc3339(),
            "data": {
                "exception_id": self.exception_id.to_string(),
                "run_id": self.run_id.to_string(),
                "workflow": {"id": self.workflow_id.to_string(), "name": self.workflow},
                "message": self.message,
                "at": self.at.rfc3339(),
                "link": {"url": self.link, "ends_at": self.link_ends_at.rfc3339()},
                "page": self.page,
                "packet": packet,
            },
        })
    }
}

impl Digest {
    pub(super) fn subject(&self) -> String {
        subject(&format!("Handoff: {} more cases wait ({})", self.n, self.channel))
    }

    fn rest(&self) -> String {
        match self.n.saturating_sub(self.lines.len()) {
            0 => format!("All of them: {}", self.page),
            more => format!("And {more} more: {}", self.page),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.subject());
        for DigestLine { workflow, message, page, .. } in &self.lines {
            text.push_str(&format!("- {workflow}: {message}\n  {page}\n"));
        }
        text.push_str(&format!("\n{}\n", self.rest()));
        text
    }

    pub(super) fn html(&self) -> String {
        let mut html = format!("<h2>{}</h2><ul>", escaped(&self.subject()));
        for DigestLine { workflow, message, page, .. } in &self.lines {
            let page = escaped(page);
            html.push_str(&format!("<li><a href=\"{page}\">{}</a>: {}</li>", escaped(workflow), escaped(message)));
        }
        html.push_str(&format!("</ul><p>{}</p>", escaped(&self.rest())));
        document(&self.subject(), &html)
    }

    pub(super) fn slack(&self) -> Value {
        let lines: Vec<String> = self.lines.iter().map(|line| format!("{}: {}", line.workflow, line.message)).collect();
        let header = json!({"type": "header", "text": {"type": "plain_text", "text": cut_text(&self.subject(), 140)}});
        let page = json!({"type": "section", "text": {"type": "mrkdwn", "text": for_slack(&self.rest())}});
        let mut blocks = vec![header];
        // A block takes 3,000 characters.
        blocks.extend(lines.chunks(8).map(|lines| bold("Waiting", lines)));
        blocks.push(page);
        json!({"text": for_slack(&self.subject()), "blocks": blocks})
    }

    pub(super) fn json(&self, now: Timestamp) -> Value {
        let item = |line: &DigestLine| {
            json!({
                "exception_id": line.exception_id.to_string(),
                "workflow": line.workflow,
                "message": line.message,
                "page": line.page,
            })
        };
        json!({
            "type": "handoff.digest",
            "timestamp": now.rfc3339(),
            "data": {
                "n": self.n,
                "items": self.lines.iter().map(item).collect::<Vec<_>>(),
                "page": self.page,
            },
        })
    }
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title></head>\
         <body style=\"font-family: sans-serif; line-height: 1.4\">{body}</body></html>",
        escaped(title)
    )
}

#[cfg(test)]
mod tests {
    use steward_core::handoff::{Act, Line};
    use steward_core::step::Role;
    use uuid::Uuid;

    use super::*;

    fn letter(said: &str) -> Letter {
        Letter {
            exception_id: ExceptionId::from_uuid(Uuid::from_u128(1)),
            run_id: RunId::from_uuid(Uuid::from_u128(2)),
            workflow_id: WorkflowId::from_uuid(Uuid::from_u128(3)),
            workflow: said.to_owned(),
            message: said.to_owned(),
            at: Timestamp(0),
            link: "https://steward.test/h/stp_1".to_owned(),
            link_ends_at: Timestamp(0),
            page: "https://steward.test/exceptions".to_owned(),
            is_test: false,
            packet: Packet {
                asked_first: said.to_owned(),
                acts: (0..12).map(|_| Act { words: said.to_owned(), failed: true, times: 1 }).collect(),
                stopped: said.to_owned(),
                said: vec![Line { role: Role::User, name: String::new(), text: said.to_owned() }],
                ..Packet::default()
            },
        }
    }

    #[test]
    fn what_was_said_does_nothing_where_it_is_shown() {
        let letter = letter("<!channel> <script>alert('x')</script> & \"q\"\nTo: all");
        assert!(!letter.html().contains("<script>") && letter.html().contains("&lt;script&gt;"));
        assert!(!letter.subject().contains('\n'), "a subject stands on one line");
        let slack = letter.slack();
        let blocks = slack["blocks"].as_array().expect("blocks");
        for block in blocks.iter().filter(|block| block["text"]["type"] == "mrkdwn") {
            let text = block["text"]["text"].as_str().expect("a text");
            assert!(!text.contains("<!channel>") && !text.contains("<script>"), "{text}");
        }
        assert!(!slack["text"].as_str().expect("a text").contains('<'));
    }

    #[test]
    fn slacks_limits_hold_for_texts_of_any_length() {
        for said in ["&".repeat(5_000), "ü".repeat(5_000), "<".repeat(2_000)] {
            let slack = letter(&said).slack();
            let blocks = slack["blocks"].as_array().expect("blocks");
            assert!(blocks.len() <= 50);
            for block in blocks {
                let n_chars = block["text"]["text"].as_str().expect("a text").chars().count();
                let most = if block["type"] == "header" { 150 } else { 3_000 };
                assert!(n_chars <= most, "{n_chars} characters in {}", block["type"]);
            }
        }
    }

    #[test]
    fn a_digest_names_some_and_counts_all() {
        let line = |n: u128| DigestLine {
            exception_id: ExceptionId::from_uuid(Uuid::from_u128(n)),
            workflow: "bot".to_owned(),
            message: format!("order {n} not found"),
            page: format!("https://steward.test/exceptions/{n}"),
        };
        let digest = Digest {
            channel: "Shop".to_owned(),
            n: 120,
            lines: (0..50).map(line).collect(),
            page: "https://steward.test/exceptions".to_owned(),
        };
        assert_eq!(digest.subject(), "Handoff: 120 more cases wait (Shop)");
        assert!(digest.text().contains("order 49 not found") && digest.text().contains("And 70 more"));
        assert_eq!(digest.json(Timestamp(0))["data"]["items"].as_array().map(Vec::len), Some(50));
        assert!(digest.slack()["blocks"].as_array().expect("blocks").len() <= 50);
        assert!(digest.html().contains("order 0 not found"));
    }
}
