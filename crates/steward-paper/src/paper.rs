//! The report as PDF, typeset by Typst.
//!
//! The template is fixed and in the program. The document reaches it as JSON and only as strings, numbers and lists:
//! no text of a user is ever read as markup. There is no file system, no network and no clock in the template's world.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use serde_json::{Value, json};
use steward_core::clients::Paper;
use steward_core::report::{ReportDocument, ReportWorkflow};
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Module, NativeRuleMap, Scope, Smart};
use typst::routines::Routines;
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryBuilder, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, Timestamp};

use crate::chart::{self, Target};
use crate::logo::{self, Logo};
use crate::{PaperError, fonts};

/// How many renders a memoized layout outlives; documents differ, so old ones are of little use.
const CACHE_AGE: usize = 1;

/// Typesets a report as PDF: tagged, with its title and language, on the brand's paper.
///
/// The same document gives the same bytes. A logo that cannot be read is left out.
///
/// # Errors
///
/// When the template does not compile, which is a bug of this crate.
pub fn pdf(document: &ReportDocument) -> Result<Vec<u8>, PaperError> {
    let logo = logo::read(&document.brand.logo);
    let pages = match typeset(document, logo.as_ref()) {
        // A logo that looks right and still cannot be drawn is no reason to withhold the report.
        Err(PaperError::Typeset(_)) if logo.is_some() => typeset(document, None)?,
        pages => pages?,
    };
    let made = document.made_at.to_jiff().to_zoned(jiff::tz::TimeZone::UTC);
    let byte = |value: i8| value.unsigned_abs();
    let timestamp = Datetime::from_ymd_hms(
        i32::from(made.year()),
        byte(made.month()),
        byte(made.day()),
        byte(made.hour()),
        byte(made.minute()),
        byte(made.second()),
    );
    let options = PdfOptions {
        ident: Smart::Custom(format!(
            "{}\n{}\n{}\n{}\n{}",
            document.agency, document.client, document.period.start.0, document.period.end.0, document.revision
        )),
        creator: Smart::Custom(Some("Steward".to_owned())),
        timestamp: timestamp.map(Timestamp::new_utc),
        ..PdfOptions::default()
    };
    let bytes = guarded(|| typst_pdf::pdf(&pages, &options).map_err(|errors| PaperError::Export(first(&errors))));
    typst::comemo::evict(CACHE_AGE);
    bytes
}

/// Lays a report out on pages.
pub(crate) fn typeset(document: &ReportDocument, logo: Option<&Logo>) -> Result<PagedDocument, PaperError> {
    let data = serde_json::to_vec(&view(document, logo)?).map_err(PaperError::Data)?;
    let desk = Desk { data: Bytes::new(data), logo: logo.map(|logo| Bytes::new(logo.bytes.clone())) };
    guarded(|| typst::compile::<PagedDocument>(&desk).output.map_err(|errors| PaperError::Typeset(first(&errors))))
}

/// Turns a panic inside the typesetter into an error: one strange report must not take a worker down.
fn guarded<T>(work: impl FnOnce() -> Result<T, PaperError>) -> Result<T, PaperError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(PaperError::Typeset("the typesetter stopped unexpectedly".to_owned())))
}

fn first(errors: &[SourceDiagnostic]) -> String {
    errors.first().map_or_else(|| "unknown".to_owned(), |error| error.message.to_string())
}

/// A colour that can be read on white, from whatever a brand's colour is.
pub(crate) fn readable_accent(colour: &str) -> String {
    let [mut red, mut green, mut blue] = parse_colour(colour).unwrap_or([0x1f, 0x5f, 0xbf]);
    let channel = |value: u8| {
        let share = f64::from(value) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    let darker = |value: u8| (f64::from(value) * 0.95) as u8;
    while 1.05 / (0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue) + 0.05) < 4.5 {
        (red, green, blue) = (darker(red), darker(green), darker(blue));
    }
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Reads `#rrggbb`.
pub(crate) fn parse_colour(colour: &str) -> Option<[u8; 3]> {
    let digits = colour.trim().strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    Some([byte(0)?, byte(2)?, byte(4)?])
}

/// What the template is given.
fn view(document: &ReportDocument, logo: Option<&Logo>) -> Result<Value, PaperError> {
    let accent = readable_accent(&document.brand.colour);
    let mut report = serde_json::to_value(document).map_err(PaperError::Data)?;
    if let Value::Object(fields) = &mut report {
        fields.remove("brand");
    }
    bring_into_bounds(&mut report);
    let mut drawn = Vec::new();
    for workflow in &document.workflows {
        let n = workflow.charts.len().min(MAX_CHARTS);
        let height = chart_height(document.brand.paper, workflow);
        let mut charts = Vec::new();
        for (at, chart) in workflow.charts.iter().take(n).enumerate() {
            // The first of an odd number takes the whole width, the rest stand in pairs.
            let wide = at == 0 && n % 2 == 1;
            let width = if wide { 640 } else { 312 };
            charts.push(json!({
                "wide": wide,
                "svg": chart::svg(chart, width, height, Target::Paper, &accent)?,
                "title": breakable(&chart.title),
                "alt": clip(&format!("{}. {}", chart.title, chart::description(chart)), MAX_TEXT),
                "band": chart::has_band(chart),
            }));
        }
        drawn.push(Value::Array(charts));
    }
    Ok(json!({
        "report": report,
        "charts": drawn,
        "title": clip(&format!("{} – {}", document.client, document.period_words), MAX_TEXT),
        "sender": breakable(&clip(sender(document), MAX_NAME)),
        "running": { "sender": clip(sender(document), MAX_LINE), "client": clip(&document.client, MAX_LINE) },
        "contact": breakable(&document.brand.contact),
        "accent": accent,
        "paper": match document.brand.paper { Paper::A4 => "a4", Paper::Letter => "us-letter" },
        "made": made_words(document),
        "check_at": link_target(&document.check_at),
        "logo": logo.map(|logo| logo.format),
    }))
}

/// How high charts are, so that a usual workflow fits its page: the more lines beside them, the lower.
fn chart_height(paper: Paper, workflow: &ReportWorkflow) -> u32 {
    let room: usize = match paper {
        Paper::A4 => 300,
        Paper::Letter => 275,
    };
    let lines = workflow.figures.len() + workflow.results.len() + workflow.failures.len();
    u32::try_from(room.saturating_sub(lines * 9)).unwrap_or(0).clamp(135, 200)
}

/// Whose report it is.
pub(crate) fn sender(document: &ReportDocument) -> &str {
    if document.brand.name.trim().is_empty() { &document.agency } else { &document.brand.name }
}

/// The day on which it was made, in the report's zone.
pub(crate) fn made_words(document: &ReportDocument) -> String {
    let zone = jiff::tz::TimeZone::get(&document.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    document.made_at.to_jiff().to_zoned(zone).strftime("%-d %B %Y").to_string()
}

/// An address that may be linked to; `None` for what is not of the web.
pub(crate) fn link_target(url: &str) -> Option<&str> {
    let url = url.trim();
    let plain = url.len() <= 2_000 && !url.chars().any(|c| c.is_control() || c.is_whitespace());
    let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    (plain && (lower.starts_with("http://") || lower.starts_with("https://"))).then_some(url)
}

/// More charts than this on a workflow's page are left to the page on the web.
pub(crate) const MAX_CHARTS: usize = 6;
/// Texts longer than this are cut: nobody writes them, and nobody reads them.
const MAX_TEXT: usize = 6_000;
/// Names and values longer than this are cut; they stand in cards, in tables and at the head of pages.
const MAX_NAME: usize = 160;
/// The fields that are names or values.
const NAMES: [&str; 9] =
    ["client", "agency", "period_words", "time_zone", "name", "value", "count", "code", "interval"];
/// What stands at the head and the foot of each page is cut to one line.
const MAX_LINE: usize = 60;
/// Lists longer than this are cut, and say so.
const MAX_LIST: usize = 400;
/// Words longer than this may be broken anywhere.
const MAX_WORD: usize = 24;

/// Cuts what is absurdly long, and lets long words break, in every text of the document.
fn bring_into_bounds(value: &mut Value) {
    match value {
        Value::String(text) => *text = breakable(text),
        Value::Array(list) => {
            let more = list.len().saturating_sub(MAX_LIST);
            list.truncate(MAX_LIST);
            list.iter_mut().for_each(bring_into_bounds);
            if more > 0 && list.iter().all(Value::is_string) {
                list.push(Value::String(format!("… and {more} more on the report's page")));
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                match (name.as_str(), &field) {
                    // Drawn apart from the rest, and never shown as text.
                    ("charts", _) => *field = Value::Null,
                    ("url", Value::String(url)) => *field = json!(link_target(url)),
                    (name, Value::String(text)) if NAMES.contains(&name) => {
                        *field = json!(breakable(&clip(text, MAX_NAME)))
                    }
                    _ => bring_into_bounds(field),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A text whose long words may break, without the characters that paper has no use for.
fn breakable(text: &str) -> String {
    const PIECE: usize = 12;
    let mut out = String::new();
    for word in clip(text, MAX_TEXT).split_inclusive(char::is_whitespace) {
        let long = word.chars().count() > MAX_WORD;
        for (at, c) in word.chars().filter(|c| !c.is_control() || c.is_whitespace()).enumerate() {
            if long && at > 0 && at % PIECE == 0 {
                out.push('\u{200b}');
            }
            out.push(c);
        }
    }
    out
}

/// What the template may see: itself, the document, the logo and the fonts.
struct Desk {
    data: Bytes,
    logo: Option<Bytes>,
}

/// The typesetter's own routines, less those for web pages: with them the program would carry a whole second output.
static ROUTINES: LazyLock<Routines> = LazyLock::new(|| Routines {
    rules: || {
        let mut rules = NativeRuleMap::new();
        typst_layout::register(&mut rules);
        rules
    },
    eval_string: typst_eval::eval_string,
    eval_closure: typst_eval::eval_closure,
    realize: typst_realize::realize,
    layout_frame: typst_layout::layout_frame,
    html_module: || Module::new("html", Scope::new()),
    html_mathml_body: |_, _| None,
    html_span_filled: |content, _| content,
});
static LIBRARY: LazyLock<LazyHash<Library>> =
    LazyLock::new(|| LazyHash::new(LibraryBuilder::from_routines(&ROUTINES).build()));
static FONTS: LazyLock<Vec<Font>> = LazyLock::new(|| {
    [fonts::REGULAR, fonts::SEMIBOLD].into_iter().filter_map(|data| Font::new(Bytes::new(data), 0)).collect()
});
static BOOK: LazyLock<LazyHash<FontBook>> = LazyLock::new(|| LazyHash::new(FontBook::from_fonts(FONTS.iter())));
static TEMPLATE: LazyLock<Source> =
    LazyLock::new(|| Source::new(file_id("/report.typ"), include_str!("report.typ").to_owned()));
static DATA: LazyLock<FileId> = LazyLock::new(|| file_id("/data.json"));
static LOGO: LazyLock<FileId> = LazyLock::new(|| file_id("/logo"));

#[expect(clippy::expect_used, reason = "the paths are the constants above")]
fn file_id(path: &str) -> FileId {
    let path = VirtualPath::new(path).expect("a valid path");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

impl World for Desk {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &BOOK
    }

    fn main(&self) -> FileId {
        TEMPLATE.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == TEMPLATE.id() { Ok(TEMPLATE.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == *DATA {
            return Ok(self.data.clone());
        }
        match &self.logo {
            Some(logo) if id == *LOGO => Ok(logo.clone()),
            _ => Err(FileError::AccessDenied),
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
