//! Renders an invented report: `cargo run --example sample -- report.pdf [letter] [draft]`, and `report.html` beside it.

use std::time::Instant;

use steward_core::clients::{Brand, Paper};
use steward_core::report::{
    Change, Chart, ChartKind, Receipt, ReportDocument, ReportFigure, ReportResult, ReportWorkflow, Series, SeriesRole,
};
use steward_core::time::{Month, Timestamp};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let path = words.first().ok_or("usage: sample PATH.pdf [letter] [draft]")?;
    let mut report = sample().ok_or("the sample's month is valid")?;
    if words.iter().any(|word| word == "letter") {
        report.brand.paper = Paper::Letter;
        "#b0462e".clone_into(&mut report.brand.colour);
        report.brand.logo = String::new();
    }
    if words.iter().any(|word| word == "draft") {
        report.draft = true;
        report.revision = 2;
        report.correction = Some("The calls of 14 October were counted twice. Calls answered: 1,004 instead of 1,049; all else is unchanged.".to_owned());
    }
    for round in ["first", "second", "third"] {
        let start = Instant::now();
        let pdf = steward_paper::pdf(&report)?;
        eprintln!("{round} PDF: {:.0} ms, {} kB", start.elapsed().as_secs_f64() * 1e3, pdf.len() / 1000);
        std::fs::write(path, pdf)?;
    }
    let start = Instant::now();
    let html = steward_paper::html(&report)?;
    eprintln!("HTML: {:.0} ms, {} kB", start.elapsed().as_secs_f64() * 1e3, html.len() / 1000);
    std::fs::write(std::path::Path::new(path).with_extension("html"), html)?;
    Ok(())
}

/// A month of an invented dentist's.
fn sample() -> Option<ReportDocument> {
    let zone = jiff::tz::TimeZone::get("America/New_York").ok()?;
    let mut codes = Codes(0);
    let key_figures = vec![
        codes.figure("Calls answered", "1,004", "of 1,019 calls", None, Some("951 in September"), Change::Better),
        codes.figure(
            "Completion rate",
            "83.9 %",
            "842 of 1,004 verified",
            Some("81.5 – 86.0 %"),
            Some("81.2 % in September"),
            Change::Better,
        ),
        codes.figure("Appointments booked", "312", "of 588 who asked", None, Some("287 in September"), Change::Better),
        codes.figure("Value delivered", "$18,720", "312 bookings × $60", None, Some("$17,220"), Change::Better),
        codes.figure("Cost", "$1,893", "runs $393, retainer $1,500", None, Some("$1,871"), Change::Neither),
        codes.figure("Waited for a person", "11 min", "median of 96 handoffs", None, Some("7 min"), Change::Worse),
    ];
    let names = [
        "Front desk, phone",
        "Rebooking after cancellations",
        "Insurance questions",
        "Recall letters",
        "New patient intake",
    ];
    let workflows = names.iter().enumerate().map(|(at, name)| workflow(name, at, &mut codes)).collect();
    Some(ReportDocument {
        brand: Brand {
            name: "Northlight Automation".to_owned(),
            colour: "#0f766e".to_owned(),
            logo: "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 220 40'><circle cx='20' cy='20' r='16' fill='#0f766e'/><path d='M12 28V12l16 16V12' fill='none' stroke='#fff' stroke-width='3.5'/><text x='46' y='27' font-family='Inter' font-weight='600' font-size='20' fill='#1b2430'>Northlight</text></svg>".to_owned(),
            contact: "care@northlight.example, +1 555 0100".to_owned(),
            ..Brand::default()
        },
        client: "Harbour Lane Dental".to_owned(),
        agency: "Northlight Automation LLC".to_owned(),
        period_words: "October 2026".to_owned(),
        period: Month { year: 2026, month: 10 }.period(&zone)?,
        time_zone: "America/New_York".to_owned(),
        revision: 1,
        correction: None,
        made_at: Timestamp::parse("2026-11-02T14:12:09Z")?,
        draft: false,
        headline: "Your agents answered 1,004 of 1,019 calls in October and booked 312 appointments, 25 more than in \
                   September. That was worth about $18,720 against $1,893 of cost. One thing got worse: callers who \
                   needed a person waited longer."
            .to_owned(),
        narrative: vec![
            "October was the busiest month since go-live. Two thirds of the calls came while your front desk was \
             closed or on another line; 96 of the 312 bookings were made outside business hours."
                .to_owned(),
            "What it was worth is counted as bookings made times the $60 that we agreed in June. On that basis each \
             dollar returned $9.89, after run costs and the retainer."
                .to_owned(),
            "The calendar connection failed on the weekend of 17 October. Calls were still answered, and callers were \
             offered a call back; 38 took it."
                .to_owned(),
        ],
        key_figures,
        changes: vec![
            "Version 14 of the receptionist went live on 9 October: it now offers the next free slot first.".to_owned(),
            "Insurance questions are handed to Dana instead of the general queue.".to_owned(),
            "The price of the speech model fell by 8 % on 1 October.".to_owned(),
        ],
        problems: vec![
            "17 to 19 October: the calendar refused our sign-in (expired authorization), so no bookings could be made \
             for 52 hours. 38 callers were called back by your team on Monday. We now renew the authorization a week \
             ahead and are alerted after two refusals."
                .to_owned(),
            "12 callers were told a wrong price for whitening. The price list had changed on 3 October; it was \
             corrected on 6 October, and is now read from your website each night."
                .to_owned(),
            "Handoffs waited 11 minutes instead of 7, because nobody was assigned at lunch.".to_owned(),
        ],
        asks: vec![
            "Name one person who takes handoffs between 12:00 and 14:00.".to_owned(),
            "Confirm the holiday hours for 26 and 27 November by the 16th.".to_owned(),
        ],
        workflows,
        data_gaps: vec![
            "15 calls of 14 October have no recording; whether they were completed is unknown, and they are left out \
             of the completion rate."
                .to_owned(),
            "The telephone provider did not report its cost for 6 runs.".to_owned(),
        ],
        definitions: [
            ("Completion rate", "Runs with outcome “completed”, out of finished runs whose outcome is verified. The interval is where the true rate lies with 95 % certainty."),
            ("Value delivered", "Results times the value agreed for each: $60 a booking, as agreed on 12 June 2026."),
            ("Cost", "What the runs cost (models, tools, telephone), plus the monthly retainer."),
            ("Waited for a person", "Time from the moment the agent asked for a person until a person took over: the median, half waited longer."),
            ("Escalation rate", "Runs handed to a person, out of finished runs whose outcome is verified."),
        ]
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect(),
        check_at: "https://steward.northlight.example/portal/reports/2026-10".to_owned(),
    })
}

struct Codes(u32);

impl Codes {
    fn receipt(&mut self, n_runs: u64) -> Receipt {
        self.0 += 1;
        Receipt {
            code: format!("R{}", self.0),
            url: format!("https://steward.northlight.example/portal/receipts/{}", self.0),
            n_runs,
        }
    }

    fn figure(
        &mut self,
        name: &str,
        value: &str,
        basis: &str,
        interval: Option<&str>,
        before: Option<&str>,
        change: Change,
    ) -> ReportFigure {
        ReportFigure {
            name: name.to_owned(),
            value: value.to_owned(),
            basis: basis.to_owned(),
            interval: interval.map(str::to_owned),
            before: before.map(str::to_owned),
            change,
            receipt: Some(self.receipt(1_004)),
        }
    }
}

fn workflow(name: &str, at: usize, codes: &mut Codes) -> ReportWorkflow {
    let result = |name: &str, count: &str, hours: &str, value: &str, before: &str, codes: &mut Codes| ReportResult {
        name: name.to_owned(),
        count: count.to_owned(),
        hours: hours.to_owned(),
        value: value.to_owned(),
        before: Some(before.to_owned()),
        receipt: Some(codes.receipt(312)),
    };
    ReportWorkflow {
        name: name.to_owned(),
        summary: "Answers every call, books, moves and cancels appointments in the practice calendar, and hands the \
                  rest to your front desk. It did its job in five of six calls; most of the others asked for a person \
                  by name."
            .to_owned(),
        figures: vec![
            codes.figure("Runs", "1,019", "finished in October", None, Some("968 in September"), Change::Neither),
            codes.figure(
                "Completion rate",
                "83.9 %",
                "842 of 1,004 verified",
                Some("81.5 – 86.0 %"),
                Some("81.2 %"),
                Change::Better,
            ),
            codes.figure(
                "Escalation rate",
                "9.6 %",
                "96 of 1,004 verified",
                Some("7.9 – 11.5 %"),
                Some("9.9 %"),
                Change::Neither,
            ),
            codes.figure("Time per call", "2 m 41 s", "median of 1,019", None, Some("2 m 55 s"), Change::Better),
            codes.figure("Cost per completed run", "$0.47", "$393 over 842 runs", None, Some("$0.45"), Change::Worse),
            codes.figure("Net time saved", "61 h", "842 × 5 min − 9 h of review", None, Some("58 h"), Change::Better),
            codes.figure("Return", "9.9", "$18,720 / $1,893", None, None, Change::Neither),
        ],
        results: vec![
            result("Appointments booked", "312", "216 in hours, 96 outside", "$18,720", "287 in September", codes),
            result("Appointments moved", "141", "120 in hours, 21 outside", "", "150 in September", codes),
            result("Questions answered", "389", "250 in hours, 139 outside", "", "344 in September", codes),
        ],
        charts: charts(at),
        failures: vec![
            "book_appointment: authorization refused, 44 times, all from 17 to 19 October".to_owned(),
            "find_patient: no match, 31 times; 22 were new patients".to_owned(),
            "transfer_to_human: nobody answered, 9 times".to_owned(),
        ],
    }
}

fn charts(seed: usize) -> Vec<Chart> {
    let labels: Vec<String> = (1..=31).map(|day| format!("{day} Oct")).collect();
    let wave = |day: usize, scale: f64, phase: f64| {
        scale * (1.0 + 0.35 * ((day + seed) as f64 * 0.9 + phase).sin() + 0.15 * (day as f64 * 2.3 + phase).cos())
    };
    let outage = |day: usize| (16..=18).contains(&day);
    let series = |name: &str, role, value: &dyn Fn(usize) -> Option<f64>| Series {
        name: name.to_owned(),
        role,
        values: (0..31).map(value).collect(),
    };
    vec![
        Chart {
            title: "Runs by outcome, a day".to_owned(),
            kind: ChartKind::StackedBars,
            unit: "runs".to_owned(),
            labels: labels.clone(),
            series: vec![
                series("completed", SeriesRole::Good, &|day| {
                    Some(wave(day, if outage(day) { 8.0 } else { 27.0 }, 0.0).round())
                }),
                series("escalated", SeriesRole::Warn, &|day| {
                    Some(wave(day, if outage(day) { 14.0 } else { 3.0 }, 1.0).round())
                }),
                series("failed", SeriesRole::Bad, &|day| {
                    Some(wave(day, if outage(day) { 4.0 } else { 1.2 }, 2.0).round())
                }),
                series("unverified", SeriesRole::Muted, &|day| Some(if day == 13 { 15.0 } else { 0.0 })),
            ],
            marks: vec![(8, "version 14 live".to_owned()), (16, "calendar refused sign-in".to_owned())],
        },
        Chart {
            title: "Completion rate".to_owned(),
            kind: ChartKind::Line,
            unit: "%".to_owned(),
            labels: labels.clone(),
            series: vec![
                series("October", SeriesRole::Accent, &|day| {
                    (day != 13).then(|| if outage(day) { 62.0 } else { 82.0 + wave(day, 3.0, 0.0) })
                }),
                series("low", SeriesRole::Low, &|day| {
                    (day != 13).then(|| if outage(day) { 55.0 } else { 77.0 + wave(day, 3.0, 0.0) })
                }),
                series("high", SeriesRole::High, &|day| {
                    (day != 13).then(|| if outage(day) { 69.0 } else { 86.0 + wave(day, 3.0, 0.0) })
                }),
                series("September", SeriesRole::Muted, &|day| Some(80.0 + wave(day, 2.0, 2.0))),
            ],
            marks: vec![(8, "version 14 live".to_owned())],
        },
        Chart {
            title: "Value delivered, a day".to_owned(),
            kind: ChartKind::Bars,
            unit: "$".to_owned(),
            labels,
            series: vec![series("value", SeriesRole::Accent, &|day| {
                (!outage(day)).then(|| (wave(day, 10.0, 0.5) * 60.0).round())
            })],
            marks: Vec::new(),
        },
    ]
}
