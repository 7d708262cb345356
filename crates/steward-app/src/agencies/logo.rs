//! Whether a logo may stand in a document: SVG text in which nothing runs or fetches, or a PNG as a data URL.
//!
//! The check reads tags and attributes as a lenient reader would and refuses what it does not understand: a browser
//! or a typesetter that reads more strictly sees less than is checked here.

/// The most bytes of a logo.
const MAX_BYTES: usize = 200 * 1024;
/// A PNG's signature and the length of its first chunk begin every encoded PNG.
const PNG: &str = "data:image/png;base64,iVBORw0KGgo";
/// Elements that run, fetch, animate into something else, or bring another language in.
const REFUSED: [&str; 19] = [
    "script",
    "foreignobject",
    "iframe",
    "frame",
    "object",
    "embed",
    "audio",
    "video",
    "canvas",
    "handler",
    "listener",
    "a",
    "animate",
    "animatemotion",
    "animatetransform",
    "animatecolor",
    "set",
    "link",
    "meta",
];

/// Says in words what is wrong with a logo. An empty one is none, and right.
pub(super) fn check(logo: &str) -> Result<(), &'static str> {
    if logo.is_empty() {
        return Ok(());
    }
    if logo.len() > MAX_BYTES {
        return Err("the logo is larger than 200 KB");
    }
    if logo.starts_with("data:") {
        return check_png(logo);
    }
    check_svg(logo)
}

fn check_png(logo: &str) -> Result<(), &'static str> {
    const WORDS: &str = "the logo is neither SVG nor a PNG as a data URL";
    let digits = logo.strip_prefix("data:image/png;base64,").filter(|_| logo.starts_with(PNG)).ok_or(WORDS)?;
    let padding = digits.len() - digits.trim_end_matches('=').len();
    let plain = digits.trim_end_matches('=').bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    if plain && padding <= 2 && digits.len().is_multiple_of(4) { Ok(()) } else { Err(WORDS) }
}

fn check_svg(text: &str) -> Result<(), &'static str> {
    const BROKEN: &str = "the logo is no SVG that can be read: a tag in it does not end";
    if text.contains("<!ENTITY") || text.to_ascii_lowercase().contains("<!doctype") {
        return Err("the logo declares entities; save it as plain SVG");
    }
    let mut rest = text.trim_start_matches('\u{feff}');
    let mut first = None;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at + 1..).unwrap_or_default();
        let end = if let Some(inside) = rest.strip_prefix("!--") {
            inside.find("-->").map(|end| end + 6)
        } else if let Some(inside) = rest.strip_prefix("![CDATA[") {
            let end = inside.find("]]>").ok_or(BROKEN)?;
            check_css(inside.get(..end).unwrap_or_default())?;
            Some(end + 11)
        } else if rest.starts_with('?') {
            if !rest.starts_with("?xml ") {
                return Err("the logo has instructions to the reader in it; save it as plain SVG");
            }
            rest.find("?>").map(|end| end + 2)
        } else {
            let tag = rest.get(..tag_end(rest).ok_or(BROKEN)?).unwrap_or_default();
            let name = check_tag(tag)?;
            first.get_or_insert_with(|| name.clone());
            let end = tag.len() + 1;
            if name == "style" && !tag.starts_with('/') {
                let css = rest.get(end..).unwrap_or_default();
                check_css(css.get(..css.find("</").unwrap_or(css.len())).unwrap_or_default())?;
            }
            Some(end)
        };
        rest = rest.get(end.ok_or(BROKEN)?..).unwrap_or_default();
    }
    if first.as_deref() == Some("svg") { Ok(()) } else { Err("the logo is neither SVG nor a PNG as a data URL") }
}

/// Where a tag ends: at the first `>` outside quotes.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'<') => return None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    None
}

/// Checks one tag and gives the local name of its element in lower case.
fn check_tag(tag: &str) -> Result<String, &'static str> {
    let inside = tag.trim_start_matches('/').trim_end_matches('/');
    let (name, mut rest) = inside.split_at(inside.find(|c: char| c.is_ascii_whitespace()).unwrap_or(inside.len()));
    let name = local(name);
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return Err("the logo is no SVG that can be read");
    }
    if REFUSED.contains(&name.as_str()) {
        return Err("the logo has scripts, links or animation in it; save it as plain SVG");
    }
    while let Some((key, behind)) = rest.split_once('=') {
        let behind = behind.trim_start();
        let quote = behind
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\''))
            .ok_or("the logo has an attribute without quotes")?;
        let (value, after) =
            behind.get(1..).and_then(|b| b.split_once(quote)).ok_or("the logo is no SVG that can be read")?;
        check_attribute(key.trim(), value)?;
        rest = after;
    }
    // An attribute without a value is none of SVG's, and may be one that a browser acts on.
    if rest.trim().is_empty() { Ok(name) } else { Err("the logo has an attribute without a value") }
}

fn check_attribute(key: &str, value: &str) -> Result<(), &'static str> {
    if key.to_ascii_lowercase().starts_with("xmlns") {
        return Ok(());
    }
    let key = local(key);
    if key.starts_with("on") {
        return Err("the logo has scripts in it; save it as plain SVG");
    }
    if matches!(key.as_str(), "href" | "src" | "data" | "base" | "action" | "formaction") {
        let value = value.trim();
        let inside =
            value.starts_with('#') || value.starts_with(PNG) || value.starts_with("data:image/jpeg;base64,/9j/");
        return if inside { Ok(()) } else { Err("the logo refers to something outside of it; embed it instead") };
    }
    if value.to_ascii_lowercase().contains("javascript:") {
        return Err("the logo has scripts in it; save it as plain SVG");
    }
    check_css(value)
}

/// Style may point to parts of the same picture only.
fn check_css(css: &str) -> Result<(), &'static str> {
    const OUTSIDE: &str = "the logo's style refers to something outside of it; embed it instead";
    let css = css.to_ascii_lowercase();
    let fetches = ["@import", "@font-face", "expression(", "image-set", "image("].iter().any(|word| css.contains(word));
    // A backslash or an entity can spell any of these words in another way.
    let hides = css.contains('\\') || css.contains("&#");
    let elsewhere =
        css.split("url(").skip(1).any(|inside| !inside.trim_start_matches([' ', '"', '\'']).starts_with('#'));
    if fetches || elsewhere || hides && (css.contains('(') || css.contains('@')) { Err(OUTSIDE) } else { Ok(()) }
}

/// A name without the namespace in front of it, in lower case.
fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_pictures_pass() {
        for logo in [
            "",
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9"/></svg>"#,
            r##"<?xml version="1.0"?><!-- drawn by hand --><svg xmlns:xlink="http://www.w3.org/1999/xlink"><defs><g id="a"/></defs>
               <style>.a { fill: url(#b) }</style><use xlink:href="#a" style="fill:url('#b')"/><text>5 &lt; 6 &gt; 3</text></svg>"##,
            "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==",
        ] {
            assert_eq!(check(logo), Ok(()), "{logo}");
        }
    }

    #[test]
    fn what_runs_or_fetches_is_refused() {
        for logo in [
            "<svg><script>alert(1)</script></svg>",
            "<svg><SCRIPT href='#a'/></svg>",
            "<svg><svg:script>1</svg:script></svg>",
            "<svg><foreignObject><p>x</p></foreignObject></svg>",
            "<svg onload=\"alert(1)\"/>",
            "<svg ONLOAD = 'alert(1)'/>",
            "<svg onload=alert(1)></svg>",
            "<svg><g a='>' onclick='x'/></svg>",
            "<svg><image href=\"https://example.com/a.png\"/></svg>",
            "<svg><image xlink:href='//example.com/a'/></svg>",
            "<svg><use href=\"&#106;avascript:alert(1)\"/></svg>",
            "<svg><a href='#b'>x</a></svg>",
            "<svg><style>@import 'https://example.com';</style></svg>",
            "<svg><style>rect { fill: url( https://example.com ) }</style></svg>",
            "<svg><style><![CDATA[rect { fill: url(//example.com) }]]></style></svg>",
            "<svg><g style='fill:u\\72l(//example.com)'/></svg>",
            "<svg><set attributeName='href' to='x'/></svg>",
            "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg>&a;</svg>",
            "<?xml-stylesheet href='a.css'?><svg/>",
            "<svg><g",
            "<html><svg/></html>",
            "not a picture",
            "data:image/svg+xml;base64,PHN2Zy8+",
            "data:image/png;base64,PHN2Zy8+",
            "data:image/png;base64,iVBORw0KGgo\"><script>",
        ] {
            assert!(check(logo).is_err(), "{logo}");
        }
        assert!(check(&format!("<svg>{}</svg>", " ".repeat(MAX_BYTES))).is_err());
    }
}
