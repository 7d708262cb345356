pub const CSS: &str = "";
pub fn html(_d: &steward_core::report::ReportDocument) -> Result<String, crate::PaperError> { Ok(String::new()) }
