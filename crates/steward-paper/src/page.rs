//! The report as a fragment of a page.
//!
//! Classes only: no inline styles, no scripts, so that a strict content security policy holds. A logo is an image
//! with a `data:` address, which the policy has to allow for images.

use std::fmt::Write;

use steward_core::report::{Change, Chart, Receipt, ReportDocument, ReportFigure, ReportResult, ReportWorkflow};

use crate::PaperError;
use crate::chart::{self, Target};
use crate::logo;
use crate::paper::{self, MAX_CHARTS, link_target, made_words, sender};
use crate::svg::escape;

/// The style sheet of [`html`]; uses the page's custom properties, with the light theme's values where there are none.
pub const CSS: &str = include_str!("report.css");

/// Writes a report as `<article class="report">`, with headings from the second level down.
///
/// Every text is escaped; addresses other than of the web are not linked.
///
/// # Errors
///
/// When a chart cannot be drawn.
pub fn html(document: &ReportDocument) -> Result<String, PaperError> {
    let mut out = Page(String::with_capacity(64 * 1024));
    out.raw("<article class=\"report\" lang=\"en\">");
    cover(&mut out, document);
    if !document.key_figures.is_empty() {
        out.raw("<section class=\"report-cards\" aria-label=\"Key figures\">");
        document.key_figures.iter().for_each(|figure| card(&mut out, figure));
        out.raw("</section>");
    }
    summary(&mut out, document);
    for workflow in &document.workflows {
        workflow_section(&mut out, workflow)?;
    }
    closing(&mut out, document);
    out.raw("</article>");
    Ok(out.0)
}

/// A page in the making.
struct Page(String);

impl Page {
    /// Markup of ours.
    fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    /// A text of somebody's, escaped.
    fn text(&mut self, text: &str) {
        self.0.push_str(&escape(text));
    }

    /// An element with a text in it; nothing when the text is empty.
    fn element(&mut self, name: &str, class: &str, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.open(name, class);
        self.text(text);
        self.close(name);
    }

    fn open(&mut self, name: &str, class: &str) {
        // Writing to a string does not fail.
        let _ =
            if class.is_empty() { write!(self.0, "<{name}>") } else { write!(self.0, "<{name} class=\"{class}\">") };
    }

    fn close(&mut self, name: &str) {
        let name = name.split(" ").next().unwrap_or(name);
        let _ = write!(self.0, "</{name}>");
    }

    fn bullets(&mut self, lines: &[String]) {
        self.raw("<ul>");
        lines.iter().for_each(|line| self.element("li", "", line));
        self.raw("</ul>");
    }

    /// A cell of a table that names its column, for screens on which the head is not shown.
    fn cell(&mut self, column: &str, class: &str, inside: impl FnOnce(&mut Self)) {
        let _ = write!(self.0, "<td class=\"{class}\" data-label=\"{}\">", escape(column));
        let start = self.0.len();
        self.raw("<span>");
        let empty = self.0.len();
        inside(self);
        // An empty cell is truly empty, so that the style sheet can leave it out.
        if self.0.len() == empty {
            self.0.truncate(start);
        } else {
            self.raw("</span>");
        }
        self.raw("</td>");
    }
}

fn cover(out: &mut Page, document: &ReportDocument) {
    out.raw("<header class=\"report-cover\"><div class=\"report-sender\">");
    match logo::read(&document.brand.logo) {
        Some(logo) => {
            let _ = write!(
                out.0,
                "<img class=\"report-logo\" src=\"{}\" alt=\"{}\">",
                logo::data_url(&logo),
                escape(sender(document))
            );
        }
        None => out.element("span", "report-brand", sender(document)),
    }
    out.raw("<span class=\"report-kind\">Monthly report");
    if document.revision > 1 {
        let _ = write!(out.0, " · revision {}", document.revision);
    }
    if document.draft {
        out.raw(" <strong class=\"report-draft\">Draft</strong>");
    }
    out.raw("</span></div>");
    let _ = write!(
        out.0,
        "<svg class=\"report-stripe\" width=\"40\" height=\"4\" viewBox=\"0 0 40 4\" aria-hidden=\"true\">\
         <rect width=\"40\" height=\"4\" fill=\"{}\"/></svg>",
        paper::readable_accent(&document.brand.colour)
    );
    out.element("h2", "report-client", &document.client);
    out.element("p", "report-period", &document.period_words);
    out.element("p", "report-headline", &document.headline);
    if let Some(correction) = &document.correction {
        out.raw("<p class=\"report-note report-correction\"><strong>Correction.</strong> ");
        out.text(correction);
        out.raw("</p>");
    }
    out.raw("</header>");
}

fn card(out: &mut Page, figure: &ReportFigure) {
    out.raw("<div class=\"report-card\"><div class=\"report-card-head\">");
    out.element("h3", "", &figure.name);
    receipt(out, figure.receipt.as_ref(), &figure.name);
    out.raw("</div>");
    let long = if figure.value.chars().count() > 13 { "report-value report-value-long" } else { "report-value" };
    out.element("p", long, &figure.value);
    out.element("p", "report-basis", &figure.basis);
    if let Some(interval) = &figure.interval {
        out.element("p", "report-quiet", &format!("95 % sure: {interval}"));
    }
    if figure.before.is_some() {
        out.raw("<p class=\"report-quiet\">");
        before(out, figure);
        out.raw("</p>");
    }
    out.raw("</div>");
}

fn before(out: &mut Page, figure: &ReportFigure) {
    let Some(words) = &figure.before else { return };
    match figure.change {
        Change::Better => out.raw("<span class=\"report-better\">better</span>, "),
        Change::Worse => out.raw("<span class=\"report-worse\">worse</span>, "),
        Change::Neither => {}
    }
    out.raw("was ");
    out.text(words);
}

fn receipt(out: &mut Page, receipt: Option<&Receipt>, name: &str) {
    let Some(receipt) = receipt else { return };
    match link_target(&receipt.url) {
        Some(url) => {
            let _ = write!(
                out.0,
                "<a class=\"report-receipt\" href=\"{}\" aria-label=\"{}\">{}</a>",
                escape(url),
                escape(&format!("Receipt {}: the {} runs behind {name}", receipt.code, receipt.n_runs)),
                escape(&receipt.code)
            );
        }
        None => out.element("span", "report-receipt", &receipt.code),
    }
}

fn summary(out: &mut Page, document: &ReportDocument) {
    if document.narrative.is_empty() && document.asks.is_empty() && document.changes.is_empty() {
        return;
    }
    out.raw("<div class=\"report-summary\">");
    if !document.narrative.is_empty() {
        out.raw("<section><h3>What it handled and what it was worth</h3>");
        document.narrative.iter().for_each(|paragraph| out.element("p", "", paragraph));
        out.raw("</section>");
    }
    if !(document.asks.is_empty() && document.changes.is_empty()) {
        out.raw("<section>");
        if !document.asks.is_empty() {
            out.raw("<div class=\"report-note\"><h3>What we need from you</h3>");
            out.bullets(&document.asks);
            out.raw("</div>");
        }
        if !document.changes.is_empty() {
            out.raw("<h3>What changed</h3>");
            out.bullets(&document.changes);
        }
        out.raw("</section>");
    }
    out.raw("</div>");
}

fn workflow_section(out: &mut Page, workflow: &ReportWorkflow) -> Result<(), PaperError> {
    out.raw("<section class=\"report-workflow\">");
    out.element("h2", "", &workflow.name);
    out.element("p", "report-lead", &workflow.summary);
    if !workflow.figures.is_empty() {
        figures_table(out, &workflow.figures);
    }
    if !workflow.results.is_empty() {
        out.raw("<h3>Results</h3>");
        results_table(out, &workflow.results);
    }
    if !workflow.charts.is_empty() {
        out.raw("<div class=\"report-charts\">");
        let n = workflow.charts.len().min(MAX_CHARTS);
        for (at, chart) in workflow.charts.iter().take(n).enumerate() {
            picture(out, chart, at == 0 && n % 2 == 1)?;
        }
        out.raw("</div>");
    }
    if !workflow.failures.is_empty() {
        out.raw("<h3>What failed most</h3>");
        out.bullets(&workflow.failures);
    }
    out.raw("</section>");
    Ok(())
}

fn head(out: &mut Page, columns: &[(&str, &str)]) {
    out.raw("<table class=\"report-table\"><thead><tr>");
    for (name, class) in columns {
        let _ = write!(out.0, "<th scope=\"col\" class=\"{class}\">{name}</th>");
    }
    out.raw("</tr></thead><tbody>");
}

fn row_head(out: &mut Page, name: &str) {
    out.raw("<tr><th scope=\"row\">");
    out.text(name);
    out.raw("</th>");
}

fn figures_table(out: &mut Page, figures: &[ReportFigure]) {
    head(
        out,
        &[
            ("Figure", ""),
            ("Value", "report-number"),
            ("Out of", ""),
            ("95 % sure", ""),
            ("Month before", ""),
            ("Receipt", "report-number"),
        ],
    );
    for figure in figures {
        row_head(out, &figure.name);
        out.cell("Value", "report-number report-strong report-main", |out| out.text(&figure.value));
        out.cell("Out of", "report-quiet", |out| out.text(&figure.basis));
        out.cell("95 % sure", "report-quiet", |out| out.text(figure.interval.as_deref().unwrap_or_default()));
        out.cell("Month before", "report-quiet", |out| before(out, figure));
        out.cell("Receipt", "report-number", |out| receipt(out, figure.receipt.as_ref(), &figure.name));
        out.raw("</tr>");
    }
    out.raw("</tbody></table>");
}

fn results_table(out: &mut Page, results: &[ReportResult]) {
    let valued = results.iter().any(|result| !result.value.is_empty());
    let mut columns = vec![("Result", ""), ("Count", "report-number"), ("When", "")];
    if valued {
        columns.push(("Worth", "report-number"));
    }
    columns.extend([("Month before", ""), ("Receipt", "report-number")]);
    head(out, &columns);
    for result in results {
        row_head(out, &result.name);
        out.cell("Count", "report-number report-strong report-main", |out| out.text(&result.count));
        out.cell("When", "report-quiet", |out| out.text(&result.hours));
        if valued {
            out.cell("Worth", "report-number report-strong", |out| out.text(&result.value));
        }
        out.cell("Month before", "report-quiet", |out| out.text(result.before.as_deref().unwrap_or_default()));
        out.cell("Receipt", "report-number", |out| receipt(out, result.receipt.as_ref(), &result.name));
        out.raw("</tr>");
    }
    out.raw("</tbody></table>");
}

/// A chart twice, for wide and for narrow screens, of which the style sheet shows one; and its numbers.
fn picture(out: &mut Page, chart: &Chart, wide: bool) -> Result<(), PaperError> {
    out.open("figure", if wide { "report-chart report-chart-full" } else { "report-chart" });
    out.raw("<figcaption>");
    out.text(&chart.title);
    if chart::has_band(chart) {
        out.raw(" <span class=\"report-quiet\">shaded: 95 % interval</span>");
    }
    out.raw("</figcaption><div class=\"report-on-wide\">");
    let (width, height) = if wide { (900, 250) } else { (440, 230) };
    out.raw(&chart::svg(chart, width, height, Target::Page, "")?);
    out.raw("</div><div class=\"report-on-narrow\">");
    out.raw(&chart::svg(chart, 350, 210, Target::Page, "")?);
    out.raw("</div><details><summary>Numbers</summary><div class=\"report-scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    out.text(&format!("Numbers of {}", chart.title));
    out.raw("\"><table>");
    for (at, row) in chart::table(chart).iter().enumerate() {
        out.raw("<tr>");
        for (column, cell) in row.iter().enumerate() {
            match (at, column) {
                (0, 0) => out.raw("<td></td>"),
                (0, _) => out.element("th scope=\"col\"", "", cell),
                (_, 0) => out.element("th scope=\"row\"", "", cell),
                _ => out.element("td", "", cell),
            }
        }
        out.raw("</tr>");
    }
    out.raw("</table></div></details></figure>");
    Ok(())
}

fn closing(out: &mut Page, document: &ReportDocument) {
    out.raw("<section class=\"report-closing\"><h2>What went wrong and what we did</h2>");
    if document.problems.is_empty() {
        out.raw("<p>Nothing is on record.</p>");
    } else {
        out.bullets(&document.problems);
    }
    out.raw("<h3>Gaps in the data</h3>");
    if document.data_gaps.is_empty() {
        out.raw("<p>None are known.</p>");
    } else {
        out.bullets(&document.data_gaps);
    }
    if !document.definitions.is_empty() {
        out.raw("<h3>What the figures mean</h3><dl class=\"report-definitions\">");
        for (name, meaning) in &document.definitions {
            out.raw("<div><dt>");
            out.text(name);
            out.raw("</dt><dd>");
            out.text(meaning);
            out.raw("</dd></div>");
        }
        out.raw("</dl>");
    }
    out.raw("<h3>How to check a figure</h3><p>Each figure carries the code of its receipt. The code is a link that opens exactly the runs behind the figure");
    if let Some(url) = link_target(&document.check_at) {
        let _ = write!(out.0, "; this report is kept at <a href=\"{0}\">{0}</a>", escape(url));
    }
    out.raw(". Days are days of ");
    out.text(&document.time_zone);
    out.raw(". ");
    if !document.brand.contact.trim().is_empty() {
        out.raw("Questions: ");
        out.text(&document.brand.contact);
        out.raw(".");
    }
    out.raw("</p></section><footer class=\"report-foot\">");
    let revision = format!("revision {}", document.revision);
    let made = made_words(document);
    let words: Vec<&str> = [document.client.as_str(), document.period_words.as_str(), revision.as_str(), made.as_str()]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect();
    out.text(&words.join(" · "));
    out.raw("</footer>");
}
