//! A brand's logo: SVG text, or a PNG as a data URL. Whatever else it is, there is no logo.

/// A logo that looks as if it can be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logo {
    /// `svg` or `png`.
    pub(crate) format: &'static str,
    /// The picture's bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Logos larger than this are not taken.
const MAX_BYTES: usize = 1_000_000;
/// PNGs wider or higher than this are not taken: they unpack to hundreds of megabytes.
const MAX_SIDE: u32 = 4_000;

/// Reads a brand's logo. `None` when there is none, or it is broken, too large, or something else.
pub(crate) fn read(logo: &str) -> Option<Logo> {
    let logo = logo.trim();
    if logo.is_empty() || logo.len() > MAX_BYTES {
        return None;
    }
    if let Some(encoded) = logo.strip_prefix("data:image/png;base64,") {
        let bytes = decode(encoded)?;
        return is_png(&bytes).then_some(Logo { format: "png", bytes });
    }
    let svg = match logo.strip_prefix("data:image/svg+xml;base64,") {
        Some(encoded) => String::from_utf8(decode(encoded)?).ok()?,
        None => logo.to_owned(),
    };
    is_svg(&svg).then(|| Logo { format: "svg", bytes: svg.into_bytes() })
}

/// A logo as a data URL, for the `src` of an image: scripts in it never run there.
pub(crate) fn data_url(logo: &Logo) -> String {
    let kind = if logo.format == "png" { "png" } else { "svg+xml" };
    format!("data:image/{kind};base64,{}", encode(&logo.bytes))
}

fn is_svg(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let head: String = start.chars().take(2_000).collect();
    (start.starts_with("<svg") || start.starts_with("<?xml") || start.starts_with("<!--"))
        && head.contains("<svg")
        // Entities can be made to unfold without end.
        && !text.contains("<!ENTITY")
        && !text.contains("<!DOCTYPE")
        && text.trim_end().ends_with('>')
}

fn is_png(bytes: &[u8]) -> bool {
    let side = |at: usize| {
        let side = bytes.get(at..at + 4).and_then(|side| side.try_into().ok()).map_or(0, u32::from_be_bytes);
        (1..=MAX_SIDE).contains(&side)
    };
    bytes.starts_with(b"\x89PNG\r\n\x1a\n") && side(16) && side(20)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut n) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        if byte == b'=' {
            break;
        }
        let value = ALPHABET.iter().position(|known| *known == byte)?;
        bits = (bits << 6) | u32::try_from(value).ok()?;
        n += 6;
        if n >= 8 {
            n -= 8;
            out.push((bits >> n) as u8);
            bits &= (1 << n) - 1;
        }
    }
    Some(out)
}

fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for at in 0..4 {
            let digit = ALPHABET.get((bits >> (18 - 6 * at)) as usize & 63).copied().unwrap_or(b'=');
            out.push(if at > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}
