//! The mark of Steward: a ring that is open at one place and a point that watches over it.

use std::fmt;

use askama::filters::HtmlSafe;

/// The mark, in the accent colour.
#[derive(Debug, Clone, Copy)]
pub struct Logo;

impl fmt::Display for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(concat!(
            r#"<svg class="logo" viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">"#,
            r#"<rect width="32" height="32" rx="8" fill="currentColor"/>"#,
            r#"<g fill="none" stroke="var(--accent-ink)" stroke-width="2.8" stroke-linecap="round">"#,
            r#"<path d="M23.2 11.6a8.4 8.4 0 1 0 .9 6.2"/><path d="M12.2 16.2l2.900 2.900 7.200-7.400" stroke-linejoin="round"/></g></svg>"#,
        ))
    }
}

impl HtmlSafe for Logo {}
