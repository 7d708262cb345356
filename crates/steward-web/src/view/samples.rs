//! Invented data for templates: what the gallery shows and what the tests walk.
//!
//! Every page has an empty sample and full ones: with plain words, with very long ones, from right to left,
//! and with hostile ones that would run as script if anything were written unescaped.

use askama::Template;
use jiff::tz::TimeZone;
use steward_core::handoff::{Act, Contact, ContactKind, Line, Missing, MissingKind, Packet, Worked};
use steward_core::report::Change;
use steward_core::step::Role;
use steward_core::time::Timestamp;

use super::components::chart::{ChartBlock, Plot, Swatch};
use super::components::figure::{Comparison, Figure, Value, Way, sparkline};
use super::components::icon::Icon;
use super::components::packet::PacketCard;
use super::components::period::{PeriodPicker, Preset};
use super::components::table::Pager;
use super::format::{Shown, Time};
use super::html::{Csrf, Html, Link};
use super::shell::{Crumb, Room, Shell, SignedIn};

/// A template that can be shown with invented data.
pub trait Samples: Template + Sized {
    /// With nothing in it yet.
    fn empty() -> Self;

    /// With everything in it, in these words.
    fn full(words: &Words) -> Self;

    /// Every sample.
    #[must_use]
    fn samples() -> Vec<Self> {
        let mut samples = vec![Self::empty()];
        samples.extend(Words::ALL.iter().map(Self::full));
        samples
    }
}

/// Which words a sample uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// As a well-behaved agency would write.
    Plain,
    /// As long as somebody can make them.
    Long,
    /// From right to left.
    RightToLeft,
    /// Written to break the page.
    Hostile,
}

impl Words {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Plain, Self::Long, Self::RightToLeft, Self::Hostile];

    /// A name or a text, in these words.
    #[must_use]
    pub fn say(self, plain: &str) -> String {
        match self {
            Self::Plain => plain.to_owned(),
            Self::Long => {
                format!("{plain} {} {}", "and everything that belongs to it ".repeat(4), "Unbreakable".repeat(24))
            }
            Self::RightToLeft => format!("סוכן שירות לקוחות {plain} مساعد خدمة العملاء"),
            Self::Hostile => {
                format!("\"><script>alert('{plain}')</script><img src=x onerror=alert(1) style=\"color:red\">")
            }
        }
    }

    /// A number, in these words: very many digits where words are long.
    #[must_use]
    pub fn number(self, plain: &str) -> String {
        match self {
            Self::Long => "1,234,567,890".repeat(800),
            Self::Hostile => self.say(plain),
            _ => plain.to_owned(),
        }
    }
}

/// The instant at which all samples play: 3 November 2026, 14:05 in Berlin.
pub const NOW: Timestamp = Timestamp(1_793_711_100_000_000);

/// The zone of the sample agency.
#[must_use]
pub fn zone() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC)
}

/// A time some minutes ago.
#[must_use]
pub fn ago(minutes: i64) -> Time {
    Time::new(NOW.plus_ms(-minutes * 60_000), NOW, &zone())
}

/// A token for forms.
#[must_use]
pub fn csrf() -> Csrf {
    Csrf("c2FtcGxlLXRva2Vu".to_owned())
}

/// A shell as an owner sees it.
#[must_use]
pub fn shell(title: &str, question: &str, room: &str) -> Shell {
    let mut shell = Shell {
        title: title.to_owned(),
        question: question.to_owned(),
        agency: "Meridian Automation".to_owned(),
        rooms: vec![
            Room { count: Some("6".to_owned()), ..Room::new("Today", "/", Icon::Today, "t") },
            Room::new("Clients", "/clients", Icon::Clients, "c"),
            Room::new("Runs", "/runs", Icon::Runs, "r"),
            Room { count: Some("12".to_owned()), ..Room::new("Queue", "/queue", Icon::Queue, "q") },
            Room::new("Exceptions", "/exceptions", Icon::Exceptions, "e"),
            Room::new("Reports", "/reports", Icon::Reports, "p"),
            Room::new("Settings", "/settings", Icon::Settings, "s"),
        ],
        path: vec![Crumb { text: title.to_owned(), ..Crumb::default() }],
        person: Some(SignedIn {
            name: "Ada Lindqvist".to_owned(),
            email: "ada@meridian.example".to_owned(),
            role: "owner".to_owned(),
        }),
        csrf: csrf(),
        here: room.to_owned(),
        ..Shell::default()
    };
    shell.enter(room);
    shell
}

/// A period picker at thirty days.
#[must_use]
pub fn period(path: &str) -> PeriodPicker {
    PeriodPicker {
        label: "30 days".to_owned(),
        bounds: "5 Oct – 3 Nov 2026".to_owned(),
        presets: PeriodPicker::PRESETS
            .iter()
            .map(|(word, name)| Preset {
                name: (*name).to_owned(),
                href: format!("{path}?period={word}"),
                current: *word == "30d",
            })
            .collect(),
        path: path.to_owned(),
        keep: Vec::new(),
        from: "2026-10-05".to_owned(),
        to: "2026-11-03".to_owned(),
        zone: "Days of Europe/Berlin".to_owned(),
    }
}

/// The path to a workflow, switchable.
#[must_use]
pub fn workflow_path(words: Words) -> Vec<Crumb> {
    let clients = ["Northwind Dental", "Halden Telecom", "Lumen Air", "Orchard & Vine"];
    let workflows = ["Receptionist", "Recall calls"];
    let links = |names: &[&str], at: &str| names.iter().map(|name| Link::new(words.say(name), at.to_owned())).collect();
    vec![
        Crumb::new("Clients", "/clients"),
        Crumb::switchable(words.say("Northwind Dental"), "/clients/cl_1", links(&clients, "/clients/cl_2")),
        Crumb::switchable(words.say("Receptionist"), "/workflows/wf_1", links(&workflows, "/workflows/wf_2")),
    ]
}

/// A pager in the middle of a long list.
#[must_use]
pub fn pager(path: &str) -> Pager {
    Pager {
        words: "51–100 of about 12,400".to_owned(),
        previous: path.to_owned(),
        next: format!("{path}?after=run_018f"),
    }
}

/// A wave of values that looks like a month of business: weekends lower, one dip.
#[must_use]
pub fn wave(n: usize, base: f64, swing: f64, dip_at: usize) -> Vec<Option<f64>> {
    (0..n)
        .map(|i| {
            let week = if i % 7 >= 5 { 0.55 } else { 1.0 };
            let wobble = noise(i) * swing;
            let dip = if dip_at > 0 && i >= dip_at && i < dip_at + 3 { 0.5 } else { 1.0 };
            Some((base + wobble) * week * dip)
        })
        .collect()
}

/// A wave without weekends, for rates.
#[must_use]
pub fn rates(n: usize, base: f64, swing: f64) -> Vec<Option<f64>> {
    (0..n).map(|i| Some(base + (noise(i) * 0.5 + noise(i / 4 + 7) * 0.5) * swing)).collect()
}

/// A number between −0.5 and 0.5 that looks drawn at random and is always the same.
fn noise(i: usize) -> f64 {
    let mixed = (i as u64 + 11).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / 16_777_216.0 - 0.5
}

/// A figure with everything around it.
#[must_use]
pub fn figure(name: &str, value: Shown, basis: &str, change: (&str, Way, Change), before: &str) -> Figure {
    Figure {
        name: name.to_owned(),
        definition: format!("/definitions#{}", name.to_lowercase().replace(' ', "-")),
        value: Value::Known(value),
        basis: basis.to_owned(),
        interval: String::new(),
        comparison: Some(Comparison {
            by: change.0.to_owned(),
            way: change.1,
            change: change.2,
            before: before.to_owned(),
        }),
        spark: sparkline(&rates(30, 10.0, 4.0)),
        coverage: String::new(),
        receipts: "/runs?period=30d".to_owned(),
    }
}

/// The six figures at the head of a workflow.
#[must_use]
pub fn figures(words: Words) -> Vec<Figure> {
    use Change::{Better, Neither, Worse};
    let known = |text: &str, unit: &str| Shown::with_unit(words.number(text), unit);
    vec![
        Figure {
            spark: sparkline(&wave(30, 40.0, 14.0, 18)),
            ..figure(
                "Runs",
                known("1,168", ""),
                "38.9 a day, 61 % in business hours",
                ("4 %", Way::Up, Neither),
                "1,123 in the 30 days before",
            )
        },
        Figure {
            interval: "81.5 – 86.0 %".to_owned(),
            coverage: "164 unverified: between 72.1 and 86.1 %".to_owned(),
            spark: sparkline(&rates(30, 0.84, 0.1)),
            ..figure(
                "Completion rate",
                known("83.9", "%"),
                "842 of 1,004 verified",
                ("2.1 pts", Way::Up, Better),
                "81.8 % in the 30 days before",
            )
        },
        Figure {
            interval: "7.4 – 11.1 %".to_owned(),
            ..figure(
                "Escalation rate",
                known("9.1", "%"),
                "91 of 1,004 verified",
                ("1.3 pts", Way::Up, Worse),
                "7.8 % in the 30 days before",
            )
        },
        figure(
            "Cycle time, p50",
            known("1 m 12 s", ""),
            "p95 4 m 40 s · 1,168 runs",
            ("", Way::Level, Neither),
            "1 m 12 s in the 30 days before",
        ),
        Figure {
            coverage: "12 runs without a known cost".to_owned(),
            ..figure(
                "Cost per completed run",
                known("$0.184", ""),
                "$154.90 over 842 completed",
                ("12 %", Way::Down, Better),
                "$0.209 in the 30 days before",
            )
        },
        figure(
            "Value delivered",
            known("$10.1 k", ""),
            "842 completed × $12.00 agreed",
            ("6.4 %", Way::Up, Better),
            "$9.5 k in the 30 days before",
        ),
    ]
}

/// Pictures in the form that pages expect, until the program's own charts take their place.
pub mod pictures {
    use std::fmt::Write as _;

    use super::{ChartBlock, Html, Plot, Swatch};

    const WIDTH: f64 = 520.0;
    const HEIGHT: f64 = 190.0;
    const LEFT: f64 = 40.0;
    const RIGHT: f64 = 512.0;
    const TOP: f64 = 10.0;
    const BOTTOM: f64 = 166.0;

    /// A series: its name, the class of its colour, its values.
    pub type Named<'a> = (&'a str, &'static str, Vec<Option<f64>>);

    fn days(n: usize) -> Vec<String> {
        (0..n).map(|i| if i < 27 { format!("{} Oct", i + 5) } else { format!("{} Nov", i - 26) }).collect()
    }

    fn frame(svg: &mut String, top: f64, unit: &str, n: usize) {
        let _ = write!(svg, r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">"#);
        for i in 0..=3 {
            let y = BOTTOM - (BOTTOM - TOP) * f64::from(i) / 3.0;
            let label = crate::view::format::significant(top * f64::from(i) / 3.0);
            let _ = write!(
                svg,
                r#"<line x1="{LEFT}" x2="{RIGHT}" y1="{y:.1}" y2="{y:.1}" stroke="var(--line)"/><text x="{:.1}" y="{:.1}" text-anchor="end">{label}{unit}</text>"#,
                LEFT - 6.0,
                y + 4.0
            );
        }
        let names = days(n);
        for i in (0..n).step_by((n / 5).max(1)) {
            let x = slot(i, n);
            let _ = write!(svg, r#"<text x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#, HEIGHT - 6.0, names[i]);
        }
    }

    fn slot(i: usize, n: usize) -> f64 {
        LEFT + (RIGHT - LEFT) * (i as f64 + 0.5) / n as f64
    }

    fn y(value: f64, top: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * (value / top).clamp(0.0, 1.0)
    }

    fn block(
        title: &str,
        svg: String,
        series: &[Named<'_>],
        is_line: bool,
        number: impl Fn(f64) -> String,
    ) -> ChartBlock {
        let n = series.first().map_or(0, |series| series.2.len());
        let value = |value: Option<f64>| value.map_or_else(|| "no data".to_owned(), &number);
        ChartBlock {
            title: title.to_owned(),
            svg: Html::trusted(svg),
            legend: series.iter().map(|s| Swatch { name: s.0.to_owned(), class: s.1, is_line }).collect(),
            plot: is_line.then_some(Plot { left: LEFT / WIDTH, right: RIGHT / WIDTH, is_in_slots: true }),
            is_in_slots: true,
            label_head: "Day".to_owned(),
            heads: series.iter().map(|series| series.0.to_owned()).collect(),
            rows: days(n)
                .into_iter()
                .enumerate()
                .map(|(i, day)| (day, series.iter().map(|s| value(s.2[i])).collect()))
                .collect(),
            ..ChartBlock::default()
        }
    }

    /// Stacked bars.
    #[must_use]
    pub fn stacked(title: &str, top: f64, series: &[Named<'_>]) -> ChartBlock {
        let n = series.first().map_or(0, |series| series.2.len());
        let mut svg = String::new();
        frame(&mut svg, top, "", n);
        let width = (RIGHT - LEFT) / n.max(1) as f64 * 0.72;
        for i in 0..n {
            let mut from = 0.0;
            for (_, class, values) in series {
                let value = values[i].unwrap_or(0.0);
                let (upper, lower) = (y(from + value, top), y(from, top));
                let _ = write!(
                    svg,
                    r#"<rect class="{class}" fill="currentColor" x="{:.1}" y="{upper:.1}" width="{width:.1}" height="{:.1}"/>"#,
                    slot(i, n) - width / 2.0,
                    (lower - upper).max(0.0)
                );
                from += value;
            }
        }
        svg.push_str("</svg>");
        block(title, svg, series, false, |value| crate::view::format::decimals(value, 0))
    }

    /// Lines, the first with a band of its interval around it, and a mark of a release.
    #[must_use]
    pub fn lines(title: &str, top: f64, unit: &str, band: f64, series: &[Named<'_>]) -> ChartBlock {
        let n = series.first().map_or(0, |series| series.2.len());
        let mut svg = String::new();
        frame(&mut svg, top, unit, n);
        let points = |values: &[Option<f64>], by: f64| -> Vec<String> {
            let at = |(i, value): (usize, &Option<f64>)| {
                value.map(|value| format!("{:.1} {:.1}", slot(i, n), y(value + by, top)))
            };
            values.iter().enumerate().filter_map(at).collect()
        };
        if band > 0.0 {
            let (upper, mut lower) = (points(&series[0].2, band), points(&series[0].2, -band));
            lower.reverse();
            let _ = write!(
                svg,
                r#"<path class="c-accent" fill="currentColor" opacity="0.13" d="M{} L{}Z"/>"#,
                upper.join(" L"),
                lower.join(" L")
            );
            let x = slot(n * 2 / 3, n);
            let _ = write!(
                svg,
                r#"<line x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{BOTTOM}" stroke="var(--line-strong)" stroke-dasharray="3 3"/><text x="{:.1}" y="20">v14</text>"#,
                x + 4.0
            );
        }
        for (_, class, values) in series.iter().rev() {
            let width = if *class == "c-muted" { 1.2 } else { 1.8 };
            let _ = write!(
                svg,
                r#"<path class="{class}" fill="none" stroke="currentColor" stroke-width="{width}" stroke-linejoin="round" d="M{}"/>"#,
                points(values, 0.0).join(" L")
            );
        }
        svg.push_str("</svg>");
        let unit = unit.to_owned();
        block(title, svg, series, true, move |value| format!("{}{unit}", crate::view::format::significant(value)))
    }
}

/// The four charts of a workflow.
#[must_use]
pub fn charts() -> Vec<ChartBlock> {
    let part = |share: f64, swing: f64| wave(30, 42.0 * share, swing, 18);
    vec![
        pictures::stacked(
            "Runs by outcome, a day",
            48.0,
            &[
                ("completed", "c-good", part(0.72, 8.0)),
                ("escalated", "c-info", part(0.08, 2.0)),
                ("failed", "c-bad", part(0.05, 2.0)),
                ("abandoned", "c-warn", part(0.03, 1.0)),
                ("unverified", "c-muted", part(0.13, 3.0)),
            ],
        ),
        ChartBlock {
            note: "95 % interval shaded".to_owned(),
            ..pictures::lines(
                "Completion rate",
                99.0,
                " %",
                4.0,
                &[
                    ("completion rate", "c-accent", rates(30, 84.0, 9.0)),
                    ("period before", "c-muted", rates(30, 81.0, 6.0)),
                ],
            )
        },
        pictures::lines(
            "Cycle time",
            300.0,
            " s",
            0.0,
            &[("p50", "c-accent", rates(30, 72.0, 20.0)), ("p95", "c-2", rates(30, 230.0, 90.0))],
        ),
        pictures::stacked(
            "Cost, a day",
            9.0,
            &[("models", "c-1", wave(30, 4.6, 1.5, 18)), ("tools", "c-3", wave(30, 1.2, 0.5, 18))],
        ),
    ]
}

/// A handoff packet.
#[must_use]
pub fn packet(words: Words) -> PacketCard {
    let act = |text: &str, failed, times| Act { words: words.say(text), failed, times };
    let line = |role, name: &str, text: &str| Line { role, name: name.to_owned(), text: words.say(text) };
    let contact =
        |kind, value: &str| Contact { kind, value: value.to_owned(), from: words.say("said by the other side") };
    PacketCard::new(Packet {
        asked_first: words.say("I want my money back for order 4711."),
        asked_last: words.say("And when will it be on my card?"),
        acts: vec![
            act("looked up order 4711: found", false, 1),
            act("tried to refund order 4711 (amount 45): access was refused, 403", true, 3),
        ],
        n_acts_before: 4,
        stopped: words.say("“refund order” failed, access was refused (403): forbidden"),
        missing: vec![Missing {
            kind: MissingKind::Permission,
            words: words.say("permission for “refund order”: look at its account and its key"),
        }],
        user_id: words.say("user-812"),
        contacts: vec![contact(ContactKind::Email, "anna@example.com"), contact(ContactKind::Phone, "+49 170 1234567")],
        worked: vec![Worked { resolution: words.say("Refunded by hand in the shop"), n: 3, last_at: Timestamp(0) }],
        said: vec![
            line(Role::User, "", "I want my money back for order 4711."),
            line(Role::Assistant, "", "One moment, please."),
            line(Role::Tool, "refund order", "forbidden"),
        ],
        n_said_before: 12,
        note: "Some of what was said is masked, by the privacy settings of its workflow.".to_owned(),
    })
}
