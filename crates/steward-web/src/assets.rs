//! The files that pages need, inside the program: found by name or by an address that carries their content's hash.
//!
//! Invariant: an address made by [`asset_url`] never changes its content, so browsers may keep it for a year.

use std::sync::LazyLock;

/// A file that pages need.
#[derive(Debug, Clone)]
pub struct Asset {
    /// The file.
    pub bytes: &'static [u8],
    /// What it is, for `Content-Type`.
    pub content_type: &'static str,
    /// Its content's hash in quotes, for `ETag`.
    pub etag: String,
    /// How long browsers may keep it, for `Cache-Control`.
    pub cache_control: &'static str,
}

struct Entry {
    name: &'static str,
    hashed: String,
    hash: String,
    bytes: &'static [u8],
    content_type: &'static str,
}

const FOREVER: &str = "public, max-age=31536000, immutable";
const AN_HOUR: &str = "public, max-age=3600";

macro_rules! files {
    ($($name:literal as $content_type:literal,)*) => {
        [$((
            $name,
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/", $name)).as_slice(),
            $content_type,
        ),)*]
    };
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    files! {
        "steward.css" as "text/css; charset=utf-8",
        "steward.js" as "text/javascript; charset=utf-8",
        "review.js" as "text/javascript; charset=utf-8",
        "htmx-4.0.1.min.js" as "text/javascript; charset=utf-8",
        "favicon.svg" as "image/svg+xml",
        "inter-5.3-latin.woff2" as "font/woff2",
        "inter-5.3-latin-ext.woff2" as "font/woff2",
        "LICENSES/htmx.txt" as "text/plain; charset=utf-8",
        "LICENSES/inter.txt" as "text/plain; charset=utf-8",
        "LICENSES/lucide.txt" as "text/plain; charset=utf-8",
    }
    .into_iter()
    .map(|(name, bytes, content_type)| {
        let hash = format!("{:016x}", fnv1a(bytes));
        let hashed = match name.rsplit_once('.') {
            Some((stem, extension)) => format!("{stem}.{hash}.{extension}"),
            None => format!("{name}.{hash}"),
        };
        Entry { name, hashed, hash, bytes, content_type }
    })
    .collect()
});

/// Finds a file by what follows `/assets/`: its name, or its name with its hash. `None` when there is no such file.
#[must_use]
pub fn find(path: &str) -> Option<Asset> {
    let entry = ENTRIES.iter().find(|entry| entry.name == path || entry.hashed == path)?;
    // Fonts carry their version in their name: the style sheet names them without a hash.
    let forever = entry.hashed == path || entry.content_type == "font/woff2";
    Some(Asset {
        bytes: entry.bytes,
        content_type: entry.content_type,
        etag: format!("\"{}\"", entry.hash),
        cache_control: if forever { FOREVER } else { AN_HOUR },
    })
}

/// The address of a file with its content's hash; of an unknown name, the address that will not be found.
#[must_use]
pub fn asset_url(name: &str) -> String {
    let hashed = ENTRIES.iter().find(|entry| entry.name == name).map_or(name, |entry| entry.hashed.as_str());
    format!("/assets/{hashed}")
}

/// FNV-1a, 64 bits: it tells contents apart; nobody attacks it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hashed_address_is_kept_forever_and_a_plain_one_is_not() {
        let url = asset_url("steward.css");
        let hashed = find(url.strip_prefix("/assets/").expect("prefix")).expect("found");
        assert_eq!(hashed.cache_control, FOREVER);
        assert_eq!(find("steward.css").expect("found").cache_control, AN_HOUR);
        assert!(find("../Cargo.toml").is_none());
    }

    #[test]
    fn the_style_sheet_names_only_files_that_exist() {
        let css = std::str::from_utf8(find("steward.css").expect("found").bytes).expect("text");
        for part in css.split("url(\"").skip(1) {
            let name = part.split('"').next().expect("closed");
            assert!(find(name).is_some(), "{name}");
        }
    }
}
