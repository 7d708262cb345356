//! Why a document could not be made.

/// A failure to make a document or a picture; always a bug of ours, never of the report.
#[derive(Debug, thiserror::Error)]
pub enum PaperError {
    /// The chart could not be drawn.
    #[error("chart could not be drawn")]
    Chart(#[source] charts_rs::Error),
    /// The drawn chart could not be read back.
    #[error("drawn chart could not be read: {0}")]
    Svg(&'static str),
    /// The document could not be written down for the template.
    #[error("document could not be handed to the template")]
    Data(#[source] serde_json::Error),
    /// The template did not compile to pages.
    #[error("document could not be typeset: {0}")]
    Typeset(String),
    /// The pages could not be written as PDF.
    #[error("pages could not be written as PDF: {0}")]
    Export(String),
}
