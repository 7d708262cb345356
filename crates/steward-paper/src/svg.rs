//! Reads a drawn SVG back as tags, so that nothing but known elements and attributes leaves the crate.

use crate::PaperError;

/// A piece of SVG.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    /// A start tag.
    Open(Tag),
    /// An end tag.
    Close(String),
    /// Text between tags, still escaped.
    Text(String),
}

/// A start tag.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tag {
    /// Its name.
    pub(crate) name: String,
    /// Its attributes in order, values still escaped.
    pub(crate) attributes: Vec<(String, String)>,
    /// Whether it closes itself.
    pub(crate) empty: bool,
}

impl Tag {
    /// A tag that closes itself.
    pub(crate) fn empty(name: &str) -> Self {
        Self { name: name.to_owned(), attributes: Vec::new(), empty: true }
    }

    /// The value of an attribute.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of an attribute as a number.
    pub(crate) fn number(&self, name: &str) -> Option<f32> {
        self.get(name)?.parse().ok()
    }

    /// Sets an attribute.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.attributes.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = value,
            None => self.attributes.push((name.to_owned(), value)),
        }
    }

    /// The tag with an attribute more.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }
}

/// The elements that a chart consists of.
const ELEMENTS: [&str; 9] = ["svg", "g", "line", "path", "polygon", "polyline", "rect", "circle", "text"];

/// The attributes that a chart needs.
const ATTRIBUTES: [&str; 31] = [
    "xmlns",
    "viewBox",
    "width",
    "height",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "dx",
    "dy",
    "d",
    "points",
    "fill",
    "fill-opacity",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "stroke-dasharray",
    "stroke-linejoin",
    "stroke-linecap",
    "font-size",
    "font-weight",
    "text-anchor",
    "transform",
];

/// Reads SVG as pieces; elements and attributes that no chart needs are an error or left out.
pub(crate) fn read(svg: &str) -> Result<Vec<Piece>, PaperError> {
    let mut pieces = Vec::new();
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        let text = rest.get(..start).unwrap_or_default().trim();
        if !text.is_empty() {
            pieces.push(Piece::Text(text.to_owned()));
        }
        let inside = rest.get(start + 1..).unwrap_or_default();
        let end = tag_end(inside).ok_or(PaperError::Svg("a tag does not end"))?;
        let (tag, after) = (inside.get(..end).unwrap_or_default(), inside.get(end + 1..).unwrap_or_default());
        if let Some(name) = tag.strip_prefix('/') {
            pieces.push(Piece::Close(name.trim().to_owned()));
        } else {
            pieces.push(Piece::Open(read_tag(tag)?));
        }
        rest = after;
    }
    Ok(pieces)
}

/// Where a tag's `>` stands, quotes left aside.
fn tag_end(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, c)| {
        if c == '"' {
            quoted = !quoted;
        }
        (c == '>' && !quoted).then_some(at)
    })
}

fn read_tag(text: &str) -> Result<Tag, PaperError> {
    let empty = text.ends_with('/');
    let text = text.trim_end_matches('/').trim();
    let (name, mut rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if !ELEMENTS.contains(&name) {
        return Err(PaperError::Svg("an element that charts do not have"));
    }
    let mut tag = Tag { name: name.to_owned(), attributes: Vec::new(), empty };
    while let Some((key, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').ok_or(PaperError::Svg("a value does not end"))?;
        let key = key.trim();
        if ATTRIBUTES.contains(&key) {
            tag.attributes.push((key.to_owned(), value.to_owned()));
        }
        rest = after;
    }
    Ok(tag)
}

/// Writes pieces as SVG.
pub(crate) fn write(pieces: &[Piece]) -> String {
    let mut out = String::with_capacity(pieces.len() * 48);
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Close(name) => {
                out.push_str("</");
                out.push_str(name);
                out.push('>');
            }
            Piece::Open(tag) => {
                out.push('<');
                out.push_str(&tag.name);
                for (key, value) in &tag.attributes {
                    out.push(' ');
                    out.push_str(key);
                    out.push_str("=\"");
                    out.push_str(value);
                    out.push('"');
                }
                out.push_str(if tag.empty { "/>" } else { ">" });
            }
        }
    }
    out
}

/// A text as it may stand between tags and in quoted attributes, of HTML and of XML.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Control characters are not allowed in XML at all.
            '\t' | '\n' => out.push(' '),
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}
