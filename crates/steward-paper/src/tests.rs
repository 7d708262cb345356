//! What documents and pictures promise, and what nobody should be able to do to them.

use steward_core::clients::{Brand, Paper};
use steward_core::report::{
    Change, Chart, ChartKind, Receipt, ReportDocument, ReportFigure, ReportResult, ReportWorkflow, Series, SeriesRole,
};
use steward_core::time::{Period, Timestamp};
use typst::layout::{Frame, FrameItem};
use typst_layout::PagedDocument;

use crate::chart::{self, Target};
use crate::{CSS, html, logo, paper, pdf};

fn figure(name: &str, value: &str) -> ReportFigure {
    ReportFigure {
        name: name.to_owned(),
        value: value.to_owned(),
        basis: "842 of 1,004".to_owned(),
        interval: Some("81.5 – 86.0 %".to_owned()),
        before: Some("81.2 % in September".to_owned()),
        change: Change::Better,
        receipt: Some(Receipt { code: "R7".to_owned(), url: "https://steward.example/r/7".to_owned(), n_runs: 1_004 }),
    }
}

fn series(name: &str, role: SeriesRole, values: &[Option<f64>]) -> Series {
    Series { name: name.to_owned(), role, values: values.to_vec() }
}

fn days(n: usize) -> Vec<String> {
    (1..=n).map(|day| format!("{day} Oct")).collect()
}

fn some_chart(kind: ChartKind, n: usize) -> Chart {
    let values: Vec<Option<f64>> = (0..n).map(|at| (at % 7 != 3).then_some((at * 37 % 101) as f64)).collect();
    Chart {
        title: "Runs by outcome, a day".to_owned(),
        kind,
        unit: "runs".to_owned(),
        labels: days(n),
        series: vec![
            series("completed", SeriesRole::Good, &values),
            series("low", SeriesRole::Low, &values),
            series("high", SeriesRole::High, &values),
            series("before", SeriesRole::Muted, &values),
        ],
        marks: vec![(2, "version 14".to_owned())],
    }
}

fn document() -> ReportDocument {
    ReportDocument {
        brand: Brand { contact: "care@northlight.example".to_owned(), ..Brand::default() },
        client: "Harbour Lane Dental".to_owned(),
        agency: "Northlight Automation".to_owned(),
        period_words: "October 2026".to_owned(),
        period: Period { start: Timestamp(1_790_812_800_000_000), end: Timestamp(1_793_491_200_000_000) },
        time_zone: "America/New_York".to_owned(),
        revision: 1,
        correction: None,
        made_at: Timestamp::parse("2026-11-02T14:12:09Z").expect("a time"),
        draft: false,
        headline: "Your agents answered 1,004 calls.".to_owned(),
        narrative: vec!["October was busy.".to_owned()],
        key_figures: vec![figure("Completion rate", "83.9 %"), figure("Calls answered", "1,004")],
        changes: vec!["Version 14 went live.".to_owned()],
        problems: vec!["The calendar refused our sign-in.".to_owned()],
        asks: vec!["Confirm the holiday hours.".to_owned()],
        workflows: vec![ReportWorkflow {
            name: "Front desk".to_owned(),
            summary: "Answers the phone.".to_owned(),
            figures: vec![figure("Escalation rate", "9.6 %")],
            results: vec![ReportResult {
                name: "Bookings".to_owned(),
                count: "312".to_owned(),
                hours: "216 in hours, 96 outside".to_owned(),
                value: "$18,720".to_owned(),
                before: Some("287 in September".to_owned()),
                receipt: None,
            }],
            charts: vec![some_chart(ChartKind::StackedBars, 31), some_chart(ChartKind::Line, 31)],
            failures: vec!["book_appointment: timeout, 14 times".to_owned()],
        }],
        data_gaps: vec!["15 calls have no recording.".to_owned()],
        definitions: vec![("Completion rate".to_owned(), "Completed of verified.".to_owned())],
        check_at: "https://steward.example/reports/1".to_owned(),
    }
}

/// All texts of a typeset document, in the order in which they are drawn.
fn texts(pages: &PagedDocument) -> String {
    fn collect(frame: &Frame, out: &mut String) {
        for (_, item) in frame.items() {
            match item {
                FrameItem::Group(group) => collect(&group.frame, out),
                FrameItem::Text(text) => {
                    out.push_str(&text.text);
                    out.push('\n');
                }
                _ => {}
            }
        }
    }
    let mut out = String::new();
    pages.pages().iter().for_each(|page| collect(&page.frame, &mut out));
    out
}

fn typeset(document: &ReportDocument) -> PagedDocument {
    paper::typeset(document, logo::read(&document.brand.logo).as_ref()).expect("a document")
}

/// Replaces every text of a document.
fn with_every_text(document: &ReportDocument, text: &str) -> ReportDocument {
    fn replace(value: &mut serde_json::Value, text: &str) {
        match value {
            serde_json::Value::String(old) => text.clone_into(old),
            serde_json::Value::Array(list) => list.iter_mut().for_each(|value| replace(value, text)),
            serde_json::Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    // Words of a fixed set are no texts.
                    if !matches!(name.as_str(), "kind" | "role" | "change" | "paper") {
                        replace(value, text);
                    }
                }
            }
            _ => {}
        }
    }
    let mut value = serde_json::to_value(document).expect("a value");
    replace(&mut value, text);
    serde_json::from_value(value).expect("a document")
}

/// Nothing that a strict content security policy forbids, and no markup of somebody else's.
fn assert_clean(markup: &str) {
    let lower = markup.to_ascii_lowercase();
    for forbidden in ["style=", "<style", "<script", "onload", "onerror", "javascript:", "foreignobject", "<iframe"] {
        assert!(!lower.contains(forbidden), "{forbidden} in {markup}");
    }
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    let first = pdf(&document()).expect("a PDF");
    // The second comes out of a warm cache, and the third beside others.
    assert_eq!(first, pdf(&document()).expect("a PDF"));
    let threads: Vec<_> = (0..3).map(|_| std::thread::spawn(|| pdf(&document()).expect("a PDF"))).collect();
    for thread in threads {
        assert_eq!(first, thread.join().expect("no panic"));
    }
    assert_eq!(html(&document()).expect("a page"), html(&document()).expect("a page"));
}

#[test]
fn the_pdf_is_tagged_and_names_its_title_language_and_time() {
    let bytes = pdf(&document()).expect("a PDF");
    let text = String::from_utf8_lossy(&bytes);
    assert!(bytes.starts_with(b"%PDF-"));
    for part in ["/StructTreeRoot", "/Marked true", "/Lang", "D:20261102141209", "Steward"] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn the_pdf_shows_every_part_of_the_document() {
    let pages = typeset(&document());
    assert_eq!(pages.pages().len(), 3);
    let text = texts(&pages);
    for part in [
        "Harbour Lane Dental",
        "October 2026",
        "Your agents answered 1,004 calls.",
        "83.9 %",
        "842 of 1,004",
        "81.5 – 86.0 %",
        "81.2 % in September",
        "R7",
        "What we need from you",
        "Confirm the holiday hours.",
        "Version 14 went live.",
        "Front desk",
        "9.6 %",
        "312",
        "216 in hours, 96 outside",
        "$18,720",
        "book_appointment: timeout, 14 times",
        "What went wrong and what we did",
        "The calendar refused our sign-in.",
        "15 calls have no recording.",
        "Completed of verified.",
        "2 November 2026",
        "3 / 3",
        "https://steward.example/reports/1",
        "care@northlight.example",
    ] {
        let joined = text.replace('\n', "");
        assert!(text.contains(part) || joined.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("DRAFT"));
}

#[test]
fn drafts_and_corrections_say_so() {
    let mut document = document();
    document.draft = true;
    document.revision = 2;
    document.correction = Some("Calls were counted twice.".to_owned());
    let pages = typeset(&document);
    let text = texts(&pages);
    assert!(text.matches("DRAFT").count() >= 2 * pages.pages().len(), "{text}");
    assert!(text.contains("Calls were counted twice.") && text.contains("revision 2"), "{text}");
    let page = html(&document).expect("a page");
    assert!(
        page.contains("Draft</strong>") && page.contains("Calls were counted twice.") && page.contains("revision 2")
    );
}

#[test]
fn no_text_is_read_as_markup() {
    for text in [
        "#let x = 1",
        "#panic(\"x\")",
        "$ sum_(i=1)^n $",
        "@missing",
        "*bold* _it_ `raw` = Head",
        "<label>",
        "\\u{41} \\",
        "#eval(\"1\")",
        "[#sys.version]",
        "// gone",
        "/* gone */",
        "{t} {c} {{",
        "]",
    ] {
        let document = with_every_text(&document(), text);
        let shown = texts(&typeset(&document)).replace(['\n', '\u{200b}'], "");
        assert!(shown.contains(text), "{text} in {shown}");
        assert!(pdf(&document).is_ok(), "{text}");
    }
}

#[test]
fn html_escapes_every_text() {
    let evil = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'&";
    let page = html(&with_every_text(&document(), evil)).expect("a page");
    assert!(!page.contains("<script") && !page.contains("<img src=x") && !page.contains(evil));
    assert!(page.contains("&lt;script&gt;"));
    // What is left of the attack is text: without texts and values, no trace of it.
    let mut inside = false;
    let mut quoted = false;
    let tags: String = page
        .chars()
        .filter(|c| {
            match c {
                '<' if !quoted => inside = true,
                '>' if !quoted => inside = false,
                '"' if inside => quoted = !quoted,
                _ => {}
            }
            inside && !quoted
        })
        .collect();
    assert_clean(&tags);
    assert!(!tags.contains("alert"), "{tags}");
}

#[test]
fn a_page_holds_a_strict_policy() {
    let mut document = document();
    document.brand.logo =
        "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>1</script></svg>".to_owned();
    let page = html(&document).expect("a page");
    assert_clean(&page);
    assert!(page.contains("src=\"data:image/svg+xml;base64,"));
    assert!(page.starts_with("<article class=\"report\"") && page.ends_with("</article>"));
    assert!(!CSS.contains("@import") && !CSS.contains("url("));
}

#[test]
fn elements_of_a_page_are_closed() {
    let page = html(&document()).expect("a page");
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else if !tag.ends_with('/') && name != "img" {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn only_addresses_of_the_web_are_links() {
    let mut document = document();
    for url in ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "", "https://a b", "//x"] {
        if let Some(receipt) = document.key_figures.first_mut().and_then(|figure| figure.receipt.as_mut()) {
            url.clone_into(&mut receipt.url);
        }
        url.clone_into(&mut document.check_at);
        let page = html(&document).expect("a page");
        assert!(url.is_empty() || !page.contains(url), "{url}");
        let bytes = pdf(&document).expect("a PDF");
        assert!(url.is_empty() || !String::from_utf8_lossy(&bytes).contains(url), "{url}");
    }
}

#[test]
fn every_kind_of_chart_is_drawn_cleanly_for_both_targets() {
    for kind in [ChartKind::Line, ChartKind::Bars, ChartKind::StackedBars] {
        for n in [1, 2, 7, 31, 90] {
            let chart = some_chart(kind, n);
            let page = chart::svg(&chart, 640, 220, Target::Page, "").expect("a picture");
            let paper = chart::svg(&chart, 640, 220, Target::Paper, "#aa0000").expect("a picture");
            assert_clean(&page);
            assert_clean(&paper);
            assert!(page.starts_with("<svg ") && page.ends_with("</svg>"));
            assert!(page.contains("role=\"img\"") && page.contains("<title>Runs by outcome, a day</title><desc>"));
            assert!(page.contains("var(--good, ") && !paper.contains("var("));
            assert!(!page.contains("font-family") && paper.contains("font-family=\"Inter\""));
            for text in [&page, &paper] {
                // No placeholder is left, and what is not of the chart crate's colours is none.
                assert!(!text.contains("5B\"") && !text.contains("NaN") && !text.contains("inf"), "{text}");
            }
        }
    }
}

#[test]
fn axis_labels_do_not_overlap() {
    for (n, width) in [(31, 312), (31, 640), (90, 312), (90, 900), (12, 350)] {
        let chart = some_chart(ChartKind::StackedBars, n);
        let svg = chart::svg(&chart, width, 200, Target::Paper, "").expect("a picture");
        let mut last = f32::MIN;
        let mut n_labels = 0;
        for piece in svg.split("<text ").skip(1).filter(|piece| piece.contains(" Oct</text>")) {
            let x: f32 = piece.split("x=\"").nth(1).and_then(|x| x.split('"').next()?.parse().ok()).expect("a place");
            let label = piece.split('>').nth(1).and_then(|text| text.split('<').next()).expect("a label");
            assert!(x >= last, "{label} of {n} at {width}");
            last = x + crate::fonts::width(label, 11.0);
            n_labels += 1;
        }
        assert!(n_labels >= 3, "{n_labels}");
    }
}

#[test]
fn axes_of_counts_and_money_start_at_zero() {
    for (kind, unit, zero) in
        [(ChartKind::Bars, "$", ">$0<"), (ChartKind::Line, "runs", ">0<"), (ChartKind::Line, "s", ">0 s<")]
    {
        let mut chart = some_chart(kind, 7);
        unit.clone_into(&mut chart.unit);
        chart.series = vec![series("value", SeriesRole::Accent, &[Some(900.0), Some(950.0), None, Some(940.0)])];
        let svg = chart::svg(&chart, 640, 220, Target::Page, "").expect("a picture");
        assert!(svg.contains(zero), "{unit}: {svg}");
    }
}

#[test]
fn negative_money_is_written_as_people_do() {
    let mut chart = some_chart(ChartKind::Bars, 3);
    "$".clone_into(&mut chart.unit);
    chart.series = vec![series("net", SeriesRole::Accent, &[Some(-400.0), Some(900.0), Some(100.0)])];
    let svg = chart::svg(&chart, 640, 220, Target::Page, "").expect("a picture");
    assert!(svg.contains(">−$500<") && !svg.contains("$-"), "{svg}");
}

#[test]
fn gaps_break_the_line_and_a_lone_point_is_a_dot() {
    let mut chart = some_chart(ChartKind::Line, 6);
    chart.marks.clear();
    chart.series =
        vec![series("rate", SeriesRole::Accent, &[Some(1.0), Some(2.0), None, Some(4.0), None, Some(f64::NAN)])];
    let svg = chart::svg(&chart, 640, 220, Target::Page, "").expect("a picture");
    assert_eq!(svg.matches("<circle").count(), 1, "{svg}");
    let line = chart::sparkline(&chart.series.first().expect("a series").values, 80, 20);
    assert_eq!(line.matches('M').count(), 2, "{line}");
    assert_clean(&line);
    assert!(line.contains("role=\"img\"") && line.contains("aria-hidden=\"true\""));
}

#[test]
fn a_chart_without_data_says_so() {
    for chart in [
        Chart { labels: Vec::new(), ..some_chart(ChartKind::Line, 3) },
        Chart { series: Vec::new(), ..some_chart(ChartKind::Bars, 3) },
        Chart { series: vec![series("a", SeriesRole::Accent, &[None, None])], ..some_chart(ChartKind::StackedBars, 2) },
    ] {
        let svg = chart::svg(&chart, 640, 220, Target::Page, "").expect("a picture");
        assert!(svg.contains("No data in this period"), "{svg}");
        assert_clean(&svg);
    }
    assert!(chart::sparkline(&[], 80, 20).ends_with("</svg>"));
}

#[test]
fn marks_are_drawn_and_named() {
    let mut chart = some_chart(ChartKind::StackedBars, 31);
    chart.marks = vec![
        (4, "one".to_owned()),
        (4, "two".to_owned()),
        (30, "<at the \"edge\">".to_owned()),
        (99, "nowhere".to_owned()),
    ];
    let svg = chart::svg(&chart, 640, 220, Target::Page, "").expect("a picture");
    assert_eq!(svg.matches("stroke-dasharray=\"2,3\"").count(), 3, "{svg}");
    assert!(svg.contains(">one</text>") && svg.contains(">two</text>"), "{svg}");
    assert!(svg.contains(">&lt;at the &quot;edge&quot;&gt;</text>") && !svg.contains(">nowhere</text>"));
}

#[test]
fn names_that_look_like_placeholders_stay_names() {
    let mut chart = some_chart(ChartKind::StackedBars, 3);
    chart.series = vec![
        series("#A0005B", SeriesRole::Bad, &[Some(1.0), Some(2.0), Some(3.0)]),
        series("fill=\"#A0005B\"", SeriesRole::Good, &[Some(1.0), Some(2.0), Some(3.0)]),
    ];
    let svg = chart::svg(&chart, 640, 220, Target::Page, "").expect("a picture");
    assert!(svg.contains(">#A0005B</text>") && svg.contains(">fill=\"#A0005B\"</text>"), "{svg}");
}

#[test]
fn a_table_shows_the_numbers_of_a_chart() {
    let chart = Chart {
        unit: "$".to_owned(),
        series: vec![series("value", SeriesRole::Accent, &[Some(1_234_567.5), None])],
        ..some_chart(ChartKind::Bars, 3)
    };
    let rows = chart::table(&chart);
    assert_eq!(rows, [["", "value ($)"], ["1 Oct", "1,234,567.5"], ["2 Oct", "–"], ["3 Oct", "–"]]);
}

#[test]
fn absurd_charts_are_drawn_too() {
    let mut chart = some_chart(ChartKind::Line, 3_000);
    let wild = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, f64::MIN_POSITIVE, -0.0, 1e-12, 1e300];
    for kind in [ChartKind::Line, ChartKind::Bars, ChartKind::StackedBars] {
        for value in wild {
            chart.kind = kind;
            chart.series = (0..40)
                .map(|at| {
                    series(&"long name ".repeat(at), SeriesRole::Accent, &[Some(value), Some(0.0), None, Some(-value)])
                })
                .collect();
            chart.marks = (0..200).map(|at| (at, "mark ".repeat(at))).collect();
            for (width, height) in [(0, 0), (1, 4_000_000_000), (312, 135)] {
                let svg = chart::svg(&chart, width, height, Target::Page, "red; }").expect("a picture");
                assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{value}: {svg}");
            }
            assert!(!chart::sparkline(&[Some(value), None, Some(1.0)], 0, u32::MAX).contains("NaN"));
        }
    }
}

#[test]
fn a_broken_logo_is_left_out() {
    let png = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let mut document = document();
    for (text, taken) in [
        ("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9'/></svg>", true),
        (png, true),
        ("<svg", false),
        ("<svg xmlns='http://www.w3.org/2000/svg'><g></svg>", true),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><svg>&a;</svg>", false),
        ("data:image/png;base64,AAAA", false),
        ("data:image/png;base64,%%%", false),
        ("https://example.com/logo.png", false),
        ("🦀", false),
    ] {
        text.clone_into(&mut document.brand.logo);
        assert_eq!(logo::read(text).is_some(), taken, "{text}");
        assert!(pdf(&document).is_ok(), "{text}");
        assert!(html(&document).is_ok(), "{text}");
    }
    // A header that promises a picture, and then none.
    let mut half = png.to_owned();
    half.truncate(70);
    document.brand.logo = half;
    assert!(pdf(&document).is_ok());
    // Pictures within a picture would be read from elsewhere; there is no elsewhere.
    document.brand.logo =
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><image href='/data.json' width='9' height='9'/></svg>"
            .to_owned();
    assert!(pdf(&document).is_ok());
}

#[test]
fn base64_there_and_back() {
    let logo = logo::read("<svg xmlns='http://www.w3.org/2000/svg'>é</svg>").expect("a logo");
    let url = logo::data_url(&logo);
    assert_eq!(logo::read(&url), Some(logo));
}

#[test]
fn accents_can_be_read_on_white() {
    assert_eq!(paper::readable_accent("#1f5fbf"), "#1f5fbf");
    for pale in ["#ffff00", "#ffffff", "#abcdef"] {
        assert_ne!(paper::readable_accent(pale), pale);
    }
    for wrong in ["", "red", "#12345", "#12345g", "#é23", "\"><script>"] {
        assert_eq!(paper::readable_accent(wrong), "#1f5fbf", "{wrong}");
    }
}

#[test]
fn an_empty_document_is_a_document() {
    let mut document = with_every_text(&document(), "");
    document.workflows.push(ReportWorkflow {
        name: String::new(),
        summary: String::new(),
        figures: Vec::new(),
        results: Vec::new(),
        charts: Vec::new(),
        failures: Vec::new(),
    });
    assert!(pdf(&document).is_ok());
    for list in [
        &mut document.narrative,
        &mut document.changes,
        &mut document.problems,
        &mut document.asks,
        &mut document.data_gaps,
    ] {
        list.clear();
    }
    document.key_figures.clear();
    document.workflows.clear();
    document.definitions.clear();
    document.made_at = Timestamp(i64::MIN);
    document.revision = u32::MAX;
    assert_eq!(typeset(&document).pages().len(), 2);
    assert!(pdf(&document).is_ok() && html(&document).is_ok());
}

#[test]
fn strange_texts_are_typeset() {
    for text in [
        "דוח חודשי של الشركة",
        "株式会社ハーバー",
        "🦀👩‍👩‍👧‍👦🇨🇭 café e\u{301}",
        "a\u{0}b\u{7}c\u{1b}[31m",
        "\u{202e}desrever\u{202c}",
        "\u{feff}\u{200d}\u{fffe}",
        "Zürich – ½ € ₹ → ≥ ✓",
        "\n\n\t\r\n",
    ] {
        let document = with_every_text(&document(), text);
        assert!(pdf(&document).is_ok() && html(&document).is_ok(), "{text:?}");
    }
}

#[test]
fn a_huge_document_is_typeset() {
    let mut document = document();
    let word = "Pneumonoultramicroscopicsilicovolcanoconiosis".repeat(60);
    document.client = word.clone();
    document.brand.name = word.clone();
    document.headline = "very long ".repeat(2_000);
    document.narrative = vec![word.clone(); 3];
    document.key_figures = vec![figure(&word, &word); 9];
    document.problems = vec!["A problem.".to_owned(); 1_000];
    document.brand.paper = Paper::Letter;
    let workflow = document.workflows.first().cloned().expect("a workflow");
    document.workflows =
        (0..40).map(|at| ReportWorkflow { name: format!("{at} {word}"), ..workflow.clone() }).collect();
    let pages = typeset(&document);
    assert!(pages.pages().len() > 40);
    assert!(texts(&pages).contains("… and 600 more"));
    assert!(pdf(&document).is_ok() && html(&document).is_ok());
}

#[test]
fn both_papers_have_their_size() {
    let mut document = document();
    let width =
        |document: &ReportDocument| typeset(document).pages().first().map(|page| page.frame.width().to_mm().round());
    assert_eq!(width(&document), Some(210.0));
    document.brand.paper = Paper::Letter;
    assert_eq!(width(&document), Some(216.0));
}
