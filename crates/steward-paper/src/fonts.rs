//! The typeface that is in the program: Inter, in two weights.

use std::sync::LazyLock;

/// The family's name, as documents and pictures ask for it.
pub(crate) const FAMILY: &str = "Inter";
/// Text.
pub(crate) const REGULAR: &[u8] = include_bytes!("../assets/fonts/Inter-Regular.ttf");
/// Headings and figures.
pub(crate) const SEMIBOLD: &[u8] = include_bytes!("../assets/fonts/Inter-SemiBold.ttf");

/// The family by which charts measure their texts: Inter, or the chart crate's own when it cannot be read.
pub(crate) static MEASURED: LazyLock<&'static str> =
    LazyLock::new(|| charts_rs::add_fonts(&[REGULAR]).map_or(charts_rs::DEFAULT_FONT_FAMILY, |()| FAMILY));

/// How wide a text is in pixels.
pub(crate) fn width(text: &str, size: f32) -> f32 {
    charts_rs::measure_text_width_family(*MEASURED, size, text).map_or(0.0, |area| area.width())
}

/// A text cut to a width in pixels, with an ellipsis where it was longer.
pub(crate) fn cut(text: &str, size: f32, room: f32) -> String {
    // A bound on what is measured: no chart has room for more.
    let text: String = text.chars().take(200).collect();
    if width(&text, size) <= room {
        return text;
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let shorter = format!("{}…", kept.iter().collect::<String>().trim_end());
        if width(&shorter, size) <= room {
            return shorter;
        }
    }
    String::new()
}
