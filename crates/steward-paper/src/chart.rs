//! Charts as SVG: the same picture on a page and on paper.
//!
//! Drawn by `charts-rs`: it knows bands around lines, gaps, stacks and marks of its own accord, measures labels with
//! the real font so that they never overlap, writes plain presentation attributes, and brings four small crates.
//! `kuva`, the other one looked at, is four times its size, looks like a paper of a laboratory and writes lines without
//! gaps; what `charts-rs` lacks (vertical marks, colours by role) is added to what it drew.
//!
//! The picture is drawn in placeholder colours, read back tag by tag, and given its colours by role: CSS custom
//! properties on a page, so that light and dark themes work, or fixed ones on paper. Only known elements and
//! attributes pass, so a strict content security policy holds and no text of a user becomes a tag.

use charts_rs::{
    Align, BarChart, Box as Margin, Color, LegendCategory, LineChart, Series as DrawnSeries, SeriesBand, Symbol,
    THEME_LIGHT, YAxisConfig,
};
use steward_core::report::{Chart, ChartKind, Series, SeriesRole};

use crate::PaperError;
use crate::fonts;
use crate::svg::{self, Piece, Tag, escape};

/// What a picture is drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A page: colours are CSS custom properties (`var(--accent)`), text is in the page's font.
    Page,
    /// Paper: colours are fixed, text is in the document's font.
    Paper,
}

/// The size of texts, in pixels.
const TEXT: f32 = 11.0;
/// More labels than this are not drawn: no picture shows them apart.
const MAX_LABELS: usize = 2_000;
/// More series than this are not drawn: no eye tells them apart.
const MAX_SERIES: usize = 12;
/// Values beyond this are drawn as if they were this: a picture of a broken clock, not a broken picture.
const MAX_VALUE: f64 = 1e15;
/// How high a row of mark names is.
const MARK_ROW: f32 = 14.0;

/// Draws a chart as SVG, with its title and description for screen readers but not in the picture.
///
/// `width` and `height` are in pixels, and are brought into sensible bounds. `accent` is the colour of
/// [`SeriesRole::Accent`] on paper, as `#rrggbb`; on a page the page's own is used.
///
/// # Errors
///
/// When the chart crate fails, or writes something unexpected.
pub fn svg(chart: &Chart, width: u32, height: u32, target: Target, accent: &str) -> Result<String, PaperError> {
    let (width, height) = (width.clamp(160, 4_000) as f32, height.clamp(80, 4_000) as f32);
    let palette = Palette { target, accent: crate::paper::readable_accent(accent) };
    let scaled = Scaled::of(chart, height);
    if scaled.is_empty() {
        return Ok(without_data(chart, width, height, &palette));
    }
    let marks = place_marks(chart, &scaled, width);
    let drawn = match chart.kind {
        ChartKind::Line => scaled.draw_line(width, height, marks.rows),
        ChartKind::Bars => scaled.draw_bars(width, height, marks.rows, false),
        ChartKind::StackedBars => scaled.draw_bars(width, height, marks.rows, true),
    }
    .map_err(PaperError::Chart)?;
    let mut pieces = svg::read(&drawn)?;
    let plot = Plot::find(&pieces, width, height);
    tidy(&mut pieces, &scaled, &plot);
    shape_legend(&mut pieces, chart.kind);
    widen_bars(&mut pieces, &plot, &scaled, chart.kind);
    paint(&mut pieces, &palette);
    let mut extra: Vec<Piece> = scaled.zero_line(&plot, &palette).into_iter().collect();
    extra.extend(scaled.lone_points(&plot, chart.kind, &palette));
    marks.draw(&mut extra, &plot, chart.kind, scaled.labels.len(), &palette);
    pieces.truncate(pieces.len().saturating_sub(1));
    pieces.extend(extra);
    pieces.push(Piece::Close("svg".to_owned()));
    Ok(framed(chart, &pieces, width, height, &palette))
}

/// A line of values without axes, for a card or a row of a table; gaps stay gaps.
#[must_use]
pub fn sparkline(values: &[Option<f64>], width: u32, height: u32) -> String {
    let (width, height) = (f64::from(width.clamp(8, 2_000)), f64::from(height.clamp(8, 1_000)));
    let values: Vec<Option<f64>> = values.iter().take(MAX_LABELS).map(|value| value.and_then(bounded)).collect();
    let known = || values.iter().flatten().copied();
    let (low, high) = (known().fold(f64::MAX, f64::min), known().fold(f64::MIN, f64::max));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sparkline\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-hidden=\"true\">"
    );
    let inset = 2.0;
    let step = (width - 2.0 * inset) / (values.len().max(2) - 1) as f64;
    let x = |at: usize| inset + step * at as f64;
    let y = |value: f64| {
        if high > low { inset + (height - 2.0 * inset) * (high - value) / (high - low) } else { height / 2.0 }
    };
    let mut path = String::new();
    let mut lone = String::new();
    for (at, value) in values.iter().enumerate() {
        let Some(value) = *value else { continue };
        let before = at.checked_sub(1).and_then(|at| values.get(at).copied().flatten());
        let after = values.get(at + 1).copied().flatten();
        path.push_str(&format!("{}{:.1} {:.1}", if before.is_some() { "L" } else { "M" }, x(at), y(value)));
        if after.is_none() && (before.is_none() || at + 1 == values.len()) {
            lone.push_str(&format!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"1.8\" fill=\"var(--accent, currentColor)\"/>",
                x(at),
                y(value)
            ));
        }
    }
    if !path.is_empty() {
        out.push_str(&format!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"var(--accent, currentColor)\" stroke-width=\"1.5\" \
             stroke-linejoin=\"round\" stroke-linecap=\"round\"/>{lone}"
        ));
    }
    out.push_str("</svg>");
    out
}

/// The numbers of a chart as a table, head first: a row for each label, a column for each series.
#[must_use]
pub fn table(chart: &Chart) -> Vec<Vec<String>> {
    let head = std::iter::once(String::new()).chain(chart.series.iter().map(|series| {
        if chart.unit.is_empty() { series.name.clone() } else { format!("{} ({})", series.name, chart.unit) }
    }));
    let rows = chart.labels.iter().take(MAX_LABELS).enumerate().map(|(at, label)| {
        let values = chart.series.iter().map(|series| number(series.values.get(at).copied().flatten()));
        std::iter::once(label.clone()).chain(values).collect()
    });
    std::iter::once(head.collect()).chain(rows).collect()
}

/// Whether a chart shows an interval band, which its caption should explain.
pub(crate) fn has_band(chart: &Chart) -> bool {
    chart.kind == ChartKind::Line
        && [SeriesRole::Low, SeriesRole::High]
            .iter()
            .all(|role| chart.series.iter().any(|s| s.role == *role && s.values.iter().any(Option::is_some)))
}

/// What a chart shows, in a sentence, for those who do not see it.
pub(crate) fn description(chart: &Chart) -> String {
    let mut words = Vec::new();
    for series in shown(chart) {
        let known = || series.values.iter().flatten().copied().filter(|value| value.is_finite());
        let (low, high) = (known().fold(f64::MAX, f64::min), known().fold(f64::MIN, f64::max));
        if low > high {
            words.push(format!("{}: no data.", series.name));
        } else {
            words.push(format!("{}: from {} to {}.", series.name, number(Some(low)), number(Some(high))));
        }
    }
    if let (Some(first), Some(last)) = (chart.labels.first(), chart.labels.last()) {
        words.push(format!("From {first} to {last}."));
    }
    for (at, name) in chart.marks.iter().take(20) {
        words.push(format!("{name} at {}.", chart.labels.get(*at).map_or("an unknown time", String::as_str)));
    }
    words.join(" ")
}

/// A number as tables show it: thousands separated, at most three digits after the point, `–` where there is none.
fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or_else(|| "–".to_owned(), |value| number_with(value, 3))
}

/// A number with thousands separated and at most so many digits after the point.
fn number_with(value: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", value.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    let part = part.trim_end_matches('0');
    if !part.is_empty() {
        out.push('.');
        out.push_str(part);
    }
    if value < 0.0 && out != "0" { format!("−{out}") } else { out }
}

fn bounded(value: f64) -> Option<f64> {
    value.is_finite().then(|| value.clamp(-MAX_VALUE, MAX_VALUE))
}

/// The series that are drawn as such: all but the ends of an interval band.
fn shown(chart: &Chart) -> impl Iterator<Item = &Series> {
    chart.series.iter().filter(|series| !matches!(series.role, SeriesRole::Low | SeriesRole::High)).take(MAX_SERIES)
}

/// What an ink is for; the placeholder colours carry it through the chart crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Ink {
    Accent,
    Good,
    Warn,
    Bad,
    Info,
    Muted,
    Text,
    Label,
    Grid,
    Axis,
}

const INKS: [Ink; 10] =
    [Ink::Accent, Ink::Good, Ink::Warn, Ink::Bad, Ink::Info, Ink::Muted, Ink::Text, Ink::Label, Ink::Grid, Ink::Axis];

impl Ink {
    fn of(role: SeriesRole) -> Self {
        match role {
            SeriesRole::Accent | SeriesRole::Low | SeriesRole::High => Self::Accent,
            SeriesRole::Good => Self::Good,
            SeriesRole::Warn => Self::Warn,
            SeriesRole::Bad => Self::Bad,
            SeriesRole::Info => Self::Info,
            SeriesRole::Muted => Self::Muted,
        }
    }

    /// The placeholder; `nth` counts series of the same role.
    fn placeholder(self, nth: u8) -> Color {
        Color { r: 0xa0 + self as u8, g: nth, b: 0x5b, a: 255 }
    }

    /// Reads a placeholder back.
    fn read(colour: &str) -> Option<(Self, u8)> {
        let digits = colour.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        let ink = INKS.get(usize::from(byte(0)?.checked_sub(0xa0)?)).copied()?;
        (byte(4)? == 0x5b).then_some((ink, byte(2)?))
    }
}

/// The colours of inks on a target.
struct Palette {
    target: Target,
    accent: String,
}

impl Palette {
    fn colour(&self, ink: Ink) -> String {
        let (name, fixed) = match ink {
            Ink::Accent => ("accent", self.accent.as_str()),
            Ink::Good => ("good", "#3f9a6d"),
            Ink::Warn => ("warn", "#dfa43f"),
            Ink::Bad => ("bad", "#c9544a"),
            Ink::Info => ("info", "#3f7fc4"),
            Ink::Muted => ("muted", "#8b95a5"),
            Ink::Text => ("text", "#1b2430"),
            Ink::Label => ("muted", "#5b6675"),
            Ink::Grid => ("line", "#e4e8ee"),
            Ink::Axis => ("line", "#b9c1cc"),
        };
        match self.target {
            Target::Page => format!("var(--{name}, {fixed})"),
            Target::Paper => fixed.to_owned(),
        }
    }
}

/// Values of a series, with gaps.
type Values = Vec<Option<f64>>;

/// A chart brought to what is drawn: bounded values, a scale with round steps, labels that may be printed.
struct Scaled<'a> {
    labels: Vec<String>,
    /// Values of the shown series, divided by the unit of the scale.
    series: Vec<(&'a Series, Values)>,
    band: Option<(Values, Values)>,
    low: f64,
    high: f64,
    steps: usize,
    prefix: String,
    suffix: String,
    /// The suffix without the letter of thousands.
    bare_suffix: String,
}

impl<'a> Scaled<'a> {
    fn of(chart: &'a Chart, height: f32) -> Self {
        let n = chart.labels.len().min(MAX_LABELS);
        let values = |series: &Series| -> Values {
            (0..n).map(|at| series.values.get(at).copied().flatten().and_then(bounded)).collect()
        };
        let mut series: Vec<_> = shown(chart).map(|series| (series, values(series))).collect();
        let end = |role| chart.series.iter().find(|series| series.role == role).map(values);
        let mut band =
            if chart.kind == ChartKind::Line { end(SeriesRole::Low).zip(end(SeriesRole::High)) } else { None };

        let (mut low, mut high) = extent(chart.kind, n, &series, band.as_ref());
        let share = chart.unit == "%" && chart.kind == ChartKind::Line;
        // A rate far from zero would be a flat line at the top: its axis may start higher, and says so. It shows
        // twenty points at least, lest noise look like news.
        if share && low >= 40.0 {
            low = low.min(high.min(100.0) - 20.0);
        } else {
            low = low.min(0.0);
        }
        high = high.max(0.0);
        let (unit, letter) = match low.abs().max(high.abs()) {
            most if most >= 2e9 => (1e9, "bn"),
            most if most >= 2e6 => (1e6, "M"),
            most if most >= 2e4 => (1e3, "k"),
            _ => (1.0, ""),
        };
        let divide = |values: &mut Vec<Option<f64>>| values.iter_mut().flatten().for_each(|value| *value /= unit);
        series.iter_mut().for_each(|(_, values)| divide(values));
        if let Some((low, high)) = &mut band {
            divide(low);
            divide(high);
        }
        let wanted = f64::from(((height - 60.0) / 36.0).floor().clamp(1.0, 4.0));
        // Where all values are whole, half of one means nothing.
        let whole = unit == 1.0 && series.iter().all(|(_, values)| values.iter().flatten().all(|v| v.fract() == 0.0));
        let least = if whole { 1.0 } else { 0.0 };
        let (mut low, mut high, mut step) = round_scale(low / unit, high / unit, wanted, least);
        if share && high > 100.0 && series.iter().all(|(_, values)| values.iter().flatten().all(|v| *v <= 100.0)) {
            high = 100.0;
            let steps = ((high - low) / step).round().max(1.0);
            low = (high - steps * step).max(0.0);
            step = (high - low) / steps;
        }
        let steps = ((high - low) / step).round().clamp(1.0, 12.0) as usize;
        let (prefix, suffix) = affixes(&chart.unit, letter);
        let (_, bare_suffix) = affixes(&chart.unit, "");
        let labels = chart.labels.iter().take(n).map(|label| fonts::cut(&escape_control(label), TEXT, 120.0)).collect();
        Self { labels, series, band, low, high, steps, prefix, suffix, bare_suffix }
    }

    fn is_empty(&self) -> bool {
        self.labels.is_empty() || self.series.iter().all(|(_, values)| values.iter().all(Option::is_none))
    }

    /// The series as the chart crate takes them.
    fn drawn(&self) -> (Vec<DrawnSeries>, Vec<Color>) {
        let mut counts = [0_u8; INKS.len()];
        let mut list = Vec::new();
        let mut colours = Vec::new();
        for (series, values) in &self.series {
            let ink = Ink::of(series.role);
            let nth = counts.get_mut(ink as usize).map_or(0, |count| {
                *count = count.saturating_add(1);
                *count - 1
            });
            colours.push(ink.placeholder(nth));
            let values = values.iter().map(|value| value.map(|value| value as f32)).collect();
            list.push(DrawnSeries::new_nullable(fonts::cut(&escape_control(&series.name), TEXT, 180.0), values));
        }
        (list, colours)
    }

    fn draw_line(&self, width: f32, height: f32, mark_rows: usize) -> charts_rs::Result<String> {
        let (mut list, colours) = self.drawn();
        if let (Some((low, high)), Some(main)) = (&self.band, list.first_mut()) {
            let narrow = |values: &[Option<f64>]| values.iter().map(|v| v.map(|v| v as f32)).collect();
            main.band = Some(SeriesBand { lower: narrow(low), upper: narrow(high), stroke_width: None });
        }
        // The main line last, so that it lies over what stands behind it; the legend keeps its order by index.
        for (at, series) in list.iter_mut().enumerate() {
            series.index = Some(at);
        }
        let mut line = LineChart::new_with_theme(list, self.labels.clone(), THEME_LIGHT);
        line.series.colors = colours;
        line.series.symbol = Some(Symbol::None);
        line.series.stroke_width = 2.0;
        line.x_axis.boundary_gap = Some(self.labels.len() < 2);
        self.dress(&mut line.base, width, height, mark_rows);
        if let Some(axis) = line.y_axis_configs.first_mut() {
            self.dress_axis(axis);
        }
        line.svg()
    }

    fn draw_bars(&self, width: f32, height: f32, mark_rows: usize, stacked: bool) -> charts_rs::Result<String> {
        let (mut list, colours) = self.drawn();
        if stacked {
            for series in &mut list {
                series.stack = Some("all".to_owned());
            }
        }
        let mut bars = BarChart::new_with_theme(list, self.labels.clone(), THEME_LIGHT);
        bars.series.colors = colours;
        self.dress(&mut bars.base, width, height, mark_rows);
        if let Some(axis) = bars.y_axis_configs.first_mut() {
            self.dress_axis(axis);
        }
        bars.svg()
    }

    /// What both kinds have in common.
    fn dress(&self, base: &mut charts_rs::ChartBase, width: f32, height: f32, mark_rows: usize) {
        let marks = mark_rows as f32 * MARK_ROW;
        base.width = width;
        base.height = height;
        base.font_family = (*fonts::MEASURED).to_owned();
        base.background_color = Color { r: 0, g: 0, b: 0, a: 0 };
        base.is_light = false;
        let legend = self.series.len() > 1;
        base.margin = Margin { left: 4.0, top: if legend { 0.0 } else { 8.0 + marks }, right: 14.0, bottom: 2.0 };
        base.legend.show = Some(legend);
        base.legend.align = Align::Left;
        base.legend.category = LegendCategory::Rect;
        base.legend.font.size = TEXT;
        base.legend.font.color = Ink::Text.placeholder(0);
        base.legend.margin = Some(Margin { bottom: 6.0 + marks, ..Margin::default() });
        base.x_axis.font.size = TEXT;
        base.x_axis.font.color = Ink::Label.placeholder(0);
        base.x_axis.stroke_color = Ink::Axis.placeholder(0);
        base.x_axis.height = 22.0;
        base.grid.stroke_color = Ink::Grid.placeholder(0);
        base.grid.stroke_width = 1.0;
    }

    fn dress_axis(&self, axis: &mut YAxisConfig) {
        axis.font.size = TEXT;
        axis.font.color = Ink::Label.placeholder(1);
        axis.min = Some(self.low as f32);
        axis.max = Some(self.high as f32);
        axis.split_number = self.steps;
        // The labels are written anew where they stand; the crate rounds small numbers away.
        let widest = (0..=self.steps).map(|at| fonts::width(&self.tick(at), TEXT)).fold(0.0, f32::max);
        axis.width = Some(widest + 10.0);
    }

    /// The label of a step of the axis.
    fn tick(&self, at: usize) -> String {
        let step = (self.high - self.low) / self.steps as f64;
        let value = self.low + step * at as f64;
        let digits = (0..9).find(|digits| {
            let scaled = step * 10_f64.powi(*digits);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.abs()
        });
        let text = number_with(value, usize::try_from(digits.unwrap_or(9)).unwrap_or(0));
        // Nothing is nothing, in thousands too.
        let (prefix, suffix) = (&self.prefix, if text == "0" { &self.bare_suffix } else { &self.suffix });
        match text.strip_prefix('−') {
            Some(text) => format!("−{prefix}{text}{suffix}"),
            None => format!("{prefix}{text}{suffix}"),
        }
    }

    /// The line of zero where values lie on both sides of it.
    fn zero_line(&self, plot: &Plot, palette: &Palette) -> Option<Piece> {
        if self.low >= 0.0 || self.high <= 0.0 {
            return None;
        }
        let y = short(plot.bottom - (plot.bottom - plot.top) * (-self.low / (self.high - self.low)) as f32);
        let line = Tag::empty("line")
            .with("x1", short(plot.left))
            .with("y1", y.as_str())
            .with("x2", short(plot.right))
            .with("y2", y.as_str())
            .with("stroke", palette.colour(Ink::Label))
            .with("stroke-width", "1");
        Some(Piece::Open(line))
    }

    /// Points between two gaps, which a line would not show.
    fn lone_points(&self, plot: &Plot, kind: ChartKind, palette: &Palette) -> Vec<Piece> {
        if kind != ChartKind::Line {
            return Vec::new();
        }
        let mut out = Vec::new();
        for (series, values) in &self.series {
            let known = |at: Option<usize>| at.and_then(|at| values.get(at)).copied().flatten().is_some();
            for (at, value) in values.iter().enumerate() {
                let Some(value) = *value else { continue };
                if known(at.checked_sub(1)) || known(Some(at + 1)) {
                    continue;
                }
                let share = if self.high > self.low { (value - self.low) / (self.high - self.low) } else { 0.5 };
                let y = plot.bottom - (plot.bottom - plot.top) * share as f32;
                let dot = Tag::empty("circle")
                    .with("cx", short(plot.x(at, self.labels.len(), kind)))
                    .with("cy", short(y))
                    .with("r", "2.5")
                    .with("fill", palette.colour(Ink::of(series.role)));
                out.push(Piece::Open(dot));
            }
        }
        out
    }
}

/// The lowest and the highest value that the axis has to hold.
fn extent(kind: ChartKind, n: usize, series: &[(&Series, Values)], band: Option<&(Values, Values)>) -> (f64, f64) {
    let (mut low, mut high) = (f64::MAX, f64::MIN);
    let mut hold = |value: f64| {
        low = low.min(value);
        high = high.max(value);
    };
    if kind == ChartKind::StackedBars {
        for at in 0..n {
            let column = || series.iter().filter_map(|(_, values)| values.get(at).copied().flatten());
            hold(column().filter(|value| *value >= 0.0).sum());
            hold(column().filter(|value| *value < 0.0).sum());
        }
    } else {
        series.iter().flat_map(|(_, values)| values.iter().flatten()).for_each(|value| hold(*value));
    }
    if let Some((lows, highs)) = band {
        lows.iter().chain(highs).flatten().for_each(|value| hold(*value));
    }
    if low > high { (0.0, 1.0) } else { (low, high) }
}

/// A scale with round steps, about as many as wanted and none below the least, that holds both ends: low, high, step.
fn round_scale(low: f64, high: f64, wanted: f64, least: f64) -> (f64, f64, f64) {
    let span = high - low;
    if span < 1e-9 {
        return (low.floor(), low.floor() + 1.0, 1.0);
    }
    let raw = (span / wanted).max(least);
    let power = 10_f64.powf(raw.log10().floor());
    let factors = [1.0, 2.0, 2.5, 5.0, 10.0];
    let fits = |step: f64| step >= raw * 0.999 && (least < 1.0 || step.fract() == 0.0);
    let step = factors.iter().map(|factor| factor * power).find(|step| fits(*step)).unwrap_or(10.0 * power);
    let first = (low / step + 1e-9).floor() * step;
    let last = (high / step - 1e-9).ceil() * step;
    (first, if last > first { last } else { first + step }, step)
}

/// What stands before and after the numbers of the axis.
fn affixes(unit: &str, letter: &str) -> (String, String) {
    let mut symbols = unit.chars();
    let currency = match (symbols.next(), symbols.next()) {
        (Some(c), None) => matches!(c, '$' | '€' | '£' | '¥' | '₹' | '₩' | '₺' | '₽' | '₴'),
        _ => false,
    };
    if currency {
        return (unit.to_owned(), letter.to_owned());
    }
    let code = unit.len() == 3 && unit.chars().all(|c| c.is_ascii_uppercase());
    if code {
        return (format!("{unit} "), letter.to_owned());
    }
    match unit {
        "%" | "s" | "ms" | "h" | "min" | "d" => (String::new(), format!("{letter} {unit}")),
        // Other units are in the title: "Runs by outcome, a day".
        _ => (String::new(), letter.to_owned()),
    }
}

/// A text without control characters; the chart crate escapes the rest.
fn escape_control(text: &str) -> String {
    text.chars()
        .take(400)
        .filter(|c| !c.is_control() && *c != '\u{fffe}' && *c != '\u{ffff}')
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Where the plot lies in the picture.
struct Plot {
    left: f32,
    right: f32,
    top: f32,
    bottom: f32,
}

impl Plot {
    /// Finds it by the lines of the grid and of the axis.
    fn find(pieces: &[Piece], width: f32, height: f32) -> Self {
        let mut plot = Self { left: f32::MAX, right: f32::MIN, top: f32::MAX, bottom: f32::MIN };
        let mut ink = None;
        for piece in pieces {
            let Piece::Open(tag) = piece else { continue };
            if tag.name == "g" {
                ink = tag.get("stroke").and_then(Ink::read).map(|(ink, _)| ink);
            }
            if tag.name != "line" || !matches!(ink, Some(Ink::Grid | Ink::Axis)) {
                continue;
            }
            let at = |name| tag.number(name).unwrap_or_default();
            if at("y1") == at("y2") {
                plot.left = plot.left.min(at("x1"));
                plot.right = plot.right.max(at("x2"));
                plot.top = plot.top.min(at("y1"));
                plot.bottom = plot.bottom.max(at("y1"));
            }
        }
        if plot.left < plot.right && plot.top < plot.bottom {
            plot
        } else {
            Self { left: 0.0, right: width, top: 0.0, bottom: height }
        }
    }

    /// Where a label's point stands.
    fn x(&self, at: usize, n: usize, kind: ChartKind) -> f32 {
        let room = self.right - self.left;
        if kind == ChartKind::Line && n > 1 {
            self.left + room * at as f32 / (n - 1) as f32
        } else {
            self.left + room * (at as f32 + 0.5) / n.max(1) as f32
        }
    }
}

/// Takes out what only clutters (ticks), and writes the labels of the value axis as people do.
fn tidy(pieces: &mut Vec<Piece>, scaled: &Scaled<'_>, plot: &Plot) {
    let mut ink = None;
    pieces.retain_mut(|piece| {
        let Piece::Open(tag) = piece else { return true };
        if tag.name == "g" {
            ink = tag.get("stroke").and_then(Ink::read).map(|(ink, _)| ink);
        }
        !(tag.name == "line" && ink == Some(Ink::Axis) && tag.get("x1") == tag.get("x2"))
    });
    let mut label = None;
    for piece in pieces {
        match piece {
            Piece::Open(tag) => {
                let of_axis = tag.name == "text" && tag.get("fill").and_then(Ink::read) == Some((Ink::Label, 1));
                label = of_axis.then(|| {
                    // The baseline lies a third of the text's size below the line that it names.
                    let y = tag.number("y").unwrap_or_default() - TEXT * 0.33;
                    let share = ((plot.bottom - y) / (plot.bottom - plot.top).max(1.0)).clamp(0.0, 1.0);
                    tag.set("x", short(plot.left - 6.0));
                    tag.set("text-anchor", "end");
                    scaled.tick((share * scaled.steps as f32).round() as usize)
                });
            }
            Piece::Text(text) => {
                if let Some(label) = label.take() {
                    *text = escape(&label);
                }
            }
            Piece::Close(_) => {}
        }
    }
}

/// Makes the keys of the legend small: a square for bars, a stroke for lines.
fn shape_legend(pieces: &mut [Piece], kind: ChartKind) {
    /// How much narrower a key gets.
    const LESS: f32 = 13.0;
    let mut of_legend = false;
    for piece in pieces {
        let Piece::Open(tag) = piece else { continue };
        match tag.name.as_str() {
            "g" => of_legend = tag.get("stroke").is_none(),
            "rect" if of_legend && tag.get("stroke").is_some() => {
                let (y, key) = (tag.number("y").unwrap_or_default(), if kind == ChartKind::Line { 3.0 } else { 10.0 });
                tag.set("y", short(y - 1.0 + (10.0 - key) / 2.0));
                tag.set("width", short(25.0 - LESS));
                tag.set("height", short(key));
                tag.set("rx", "1.5");
            }
            "text" if of_legend && tag.get("fill").and_then(Ink::read) == Some((Ink::Text, 0)) => {
                let x = tag.number("x").unwrap_or_default();
                tag.set("x", short(x - LESS + 2.0));
            }
            _ => {}
        }
    }
}

/// Gives bars that stand alone over their label three quarters of its room; the chart crate leaves thin ones.
fn widen_bars(pieces: &mut [Piece], plot: &Plot, scaled: &Scaled<'_>, kind: ChartKind) {
    let alone = kind == ChartKind::StackedBars || (kind == ChartKind::Bars && scaled.series.len() == 1);
    if !alone {
        return;
    }
    let room = (plot.right - plot.left) / scaled.labels.len().max(1) as f32;
    let wide = (room * 0.74).min(48.0);
    for piece in pieces {
        let Piece::Open(tag) = piece else { continue };
        if tag.name == "rect" && tag.get("stroke").is_none() {
            let (x, width) = (tag.number("x").unwrap_or_default(), tag.number("width").unwrap_or_default());
            tag.set("x", format!("{:.2}", x + width / 2.0 - wide / 2.0));
            tag.set("width", format!("{wide:.2}"));
        }
    }
}

/// Gives the placeholders their colours.
fn paint(pieces: &mut [Piece], palette: &Palette) {
    for piece in pieces {
        let Piece::Open(tag) = piece else { continue };
        let shape = matches!(tag.name.as_str(), "rect" | "path" | "polygon" | "polyline" | "circle");
        let has_stroke = tag.name == "path";
        let mut opacity = None;
        for (key, value) in &mut tag.attributes {
            if !matches!(key.as_str(), "fill" | "stroke") {
                continue;
            }
            if let Some((ink, nth)) = Ink::read(value) {
                *value = palette.colour(ink);
                // A second series of a role is a lighter shade of it; what stands behind is light anyway.
                let shade = match nth {
                    0 => 1.0,
                    1 => 0.6,
                    2 => 0.35,
                    _ => 0.2,
                };
                let shade = if ink == Ink::Muted && !has_stroke { shade * 0.55 } else { shade };
                if shape && shade < 1.0 {
                    opacity = Some(shade);
                }
                if has_stroke && ink == Ink::Muted {
                    opacity = Some(shade);
                }
            } else if value != "none" {
                "none".clone_into(value);
            }
        }
        if has_stroke {
            let behind = tag.get("stroke") == Some(palette.colour(Ink::Muted).as_str());
            tag.set("stroke-width", if behind { "1.25" } else { "2" });
            tag.set("stroke-linejoin", "round");
            tag.set("stroke-linecap", "round");
        }
        if tag.name == "rect" {
            // Legend keys have a border of their own colour, which would be drawn over the shade.
            tag.attributes.retain(|(key, _)| !matches!(key.as_str(), "stroke" | "stroke-width"));
        }
        if tag.name == "polygon" {
            tag.set("fill-opacity", "0.14");
        } else if let Some(shade) = opacity {
            tag.set(if has_stroke { "stroke-opacity" } else { "fill-opacity" }, short(shade));
        }
    }
}

/// The names of vertical marks and the row in which each stands.
struct Marks {
    rows: usize,
    placed: Vec<Mark>,
}

struct Mark {
    at: usize,
    name: String,
    width: f32,
    row: Option<usize>,
}

/// Gives each mark a row in which its name overlaps no other; those that find none keep their line.
fn place_marks(chart: &Chart, scaled: &Scaled<'_>, width: f32) -> Marks {
    const ROWS: usize = 2;
    let n = scaled.labels.len();
    let mut marks: Vec<&(usize, String)> = chart.marks.iter().filter(|(at, _)| *at < n).collect();
    marks.sort_by_key(|(at, _)| *at);
    marks.dedup();
    // The plot is not known yet; its left edge is guessed generously.
    let plot = Plot { left: 48.0, right: width - 14.0, top: 0.0, bottom: 0.0 };
    let mut taken: Vec<Vec<(f32, f32)>> = vec![Vec::new(); ROWS];
    let mut placed = Vec::new();
    for (at, name) in marks.into_iter().take(40) {
        let name = fonts::cut(&escape_control(name), TEXT - 1.0, (width * 0.4).min(170.0));
        let long = fonts::width(&name, TEXT - 1.0);
        let (start, end) = span(plot.x(*at, n, chart.kind), long, &plot);
        let row = taken.iter_mut().position(|row| {
            let free = row.iter().all(|(from, to)| end + 8.0 < *from || *to + 8.0 < start);
            if free {
                row.push((start, end));
            }
            free
        });
        placed.push(Mark { at: *at, name, width: long, row });
    }
    let rows = placed.iter().filter_map(|mark| mark.row).max().map_or(0, |row| row + 1);
    Marks { rows, placed }
}

/// From where to where a mark's name reaches: after its line, or before it at the right edge.
fn span(x: f32, width: f32, plot: &Plot) -> (f32, f32) {
    if x + width + 4.0 <= plot.right { (x, x + width) } else { (x - width, x) }
}

impl Marks {
    fn draw(&self, out: &mut Vec<Piece>, plot: &Plot, kind: ChartKind, n: usize, palette: &Palette) {
        for mark in &self.placed {
            let x = plot.x(mark.at, n, kind);
            let row = mark.row.map_or(0.0, |row| (row + 1) as f32);
            let top = plot.top - row * MARK_ROW;
            let line = Tag::empty("line")
                .with("x1", short(x))
                .with("y1", short(top.max(0.0)))
                .with("x2", short(x))
                .with("y2", short(plot.bottom))
                .with("stroke", palette.colour(Ink::Label))
                .with("stroke-width", "1")
                .with("stroke-dasharray", "2,3");
            out.push(Piece::Open(line));
            if mark.row.is_none() || mark.name.is_empty() {
                continue;
            }
            let before = span(x, mark.width, plot).0 < x;
            let text = Tag { name: "text".to_owned(), ..Tag::default() }
                .with("x", short(if before { x - 4.0 } else { x + 4.0 }))
                .with("y", short((top + 10.0).max(10.0)))
                .with("font-size", short(TEXT - 1.0))
                .with("text-anchor", if before { "end" } else { "start" })
                .with("fill", palette.colour(Ink::Text));
            out.push(Piece::Open(text));
            out.push(Piece::Text(escape(&mark.name)));
            out.push(Piece::Close("text".to_owned()));
        }
    }
}

/// Puts the picture's frame around it: its size, its role, its title and description.
fn framed(chart: &Chart, pieces: &[Piece], width: f32, height: f32, palette: &Palette) -> String {
    let inside = match pieces {
        [Piece::Open(tag), inside @ ..] if tag.name == "svg" => inside,
        all => all,
    };
    let font = match palette.target {
        Target::Page => String::new(),
        Target::Paper => format!(" font-family=\"{}\"", fonts::FAMILY),
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\"{font}><title>{}</title><desc>{}</desc>{}",
        escape(&chart.title),
        escape(&description(chart)),
        svg::write(inside),
    )
}

/// A picture that says that there is nothing to draw.
fn without_data(chart: &Chart, width: f32, height: f32, palette: &Palette) -> String {
    let frame = Tag::empty("rect")
        .with("x", "0.5")
        .with("y", "0.5")
        .with("width", short(width - 1.0))
        .with("height", short(height - 1.0))
        .with("rx", "6")
        .with("fill", "none")
        .with("stroke", palette.colour(Ink::Grid));
    let text = Tag { name: "text".to_owned(), ..Tag::default() }
        .with("x", short(width / 2.0))
        .with("y", short(height / 2.0 + 4.0))
        .with("font-size", short(TEXT + 1.0))
        .with("text-anchor", "middle")
        .with("fill", palette.colour(Ink::Label));
    let pieces = [
        Piece::Open(frame),
        Piece::Open(text),
        Piece::Text("No data in this period".to_owned()),
        Piece::Close("text".to_owned()),
        Piece::Close("svg".to_owned()),
    ];
    framed(chart, &pieces, width, height, palette)
}

/// A number as SVG has it: one digit after the point, two where it is small.
fn short(value: f32) -> String {
    let text = if value.abs() < 1.0 { format!("{value:.2}") } else { format!("{value:.1}") };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
