//! Figures into documents: one report model becomes a PDF and a page, with the same charts on both.
//!
//! * [`chart`] draws a [`Chart`](steward_core::report::Chart) as SVG, for a page or for paper.
//! * [`pdf`] typesets a [`ReportDocument`](steward_core::report::ReportDocument) with Typst.
//! * [`html`] writes the same document as a fragment of a page, styled by [`CSS`].
//!
//! The crate does no I/O: fonts and template are in the program, the document holds everything else.
//! The same document gives the same bytes.

pub mod chart;
mod error;
mod fonts;
mod logo;
mod page;
mod paper;
mod svg;
#[cfg(test)]
mod tests;

pub use error::PaperError;
pub use page::{CSS, html};
pub use paper::pdf;
