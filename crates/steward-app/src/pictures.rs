//! Pictures for pages: the same charts as in reports, in the page's own colours.

use steward_core::report::Chart;
use steward_paper::chart::{Target, svg};

use crate::AppError;

/// The style sheet of a report as a page.
pub const REPORT_CSS: &str = steward_paper::CSS;

/// Draws a chart for a page as SVG.
///
/// # Errors
///
/// [`AppError::Paper`] when it cannot be drawn.
pub fn chart(chart: &Chart, width: u32, height: u32) -> Result<String, AppError> {
    svg(chart, width, height, Target::Page, "").map_err(AppError::Paper)
}
