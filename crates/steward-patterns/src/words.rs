//! What is known of words before any message is read: the small closed classes of English, units, and names of days.
//!
//! None of these lists is about one system's messages. Open classes (verbs, things) are not listed: what a word of
//! those is to a message is found out from the messages.

/// Words that are never a value: articles, auxiliaries, conjunctions, prepositions, negations, common adverbs.
#[rustfmt::skip]
const CLOSED_CLASS: &[&str] = &[
    "a", "about", "after", "again", "all", "already", "also", "although", "an", "and", "another", "any", "are",
    "as", "at", "be", "because", "been", "before", "being", "below", "between", "both", "but", "by", "can", "can't",
    "cannot", "could", "couldn't", "did", "didn't", "do", "does", "doesn't", "doing", "don't", "due", "during",
    "each", "either", "every", "few", "for", "from", "had", "has", "hasn't", "have", "haven't", "he", "her", "here",
    "his", "how", "however", "i", "if", "in", "into", "is", "isn't", "it", "its", "just", "may", "me", "might",
    "more", "most", "must", "my", "neither", "never", "no", "nor", "not", "of", "off", "on", "once", "only", "or",
    "other", "our", "out", "over", "please", "shall", "she", "should", "so", "some", "still", "such", "than",
    "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "through", "to", "too",
    "under", "until", "up", "upon", "us", "very", "via", "was", "wasn't", "we", "were", "what", "when", "where",
    "whether", "which", "while", "who", "whose", "why", "will", "with", "within", "without", "won't", "would",
    "yet", "you", "your",
];

/// Nouns that are followed by a name: what stands behind them is one when it differs between messages.
#[rustfmt::skip]
const NAMING_NOUNS: &[&str] = &[
    "account", "agent", "alias", "argument", "arguments", "attribute", "bucket", "called", "city", "class",
    "cluster", "collection", "column", "command", "container", "customer", "database", "dataset", "device",
    "directory", "domain", "driver", "endpoint", "environment", "field", "file", "folder", "function", "group",
    "host", "hostname", "image", "index", "interface", "key", "label", "member", "method", "model", "module",
    "name", "named", "namespace", "operator", "option", "package", "param", "parameter", "partition", "plugin",
    "pod", "process", "product", "program", "project", "property", "provider", "queue", "region", "repository",
    "role", "schema", "server", "service", "skill", "station", "symbol", "table", "tag", "task", "team", "template",
    "tenant", "thread", "tool", "topic", "type", "unit", "user", "username", "value", "variable", "volume",
    "worker", "workflow", "zone",
];

/// Nouns behind which even two different words are enough.
#[rustfmt::skip]
const SURE_NAMING_NOUNS: &[&str] = &[
    "argument", "attribute", "called", "city", "class", "column", "database", "field", "function", "host",
    "hostname", "interface", "module", "named", "package", "parameter", "plugin", "property", "table", "tool",
    "user", "username", "variable",
];

/// Prepositions behind which a name is likely.
#[rustfmt::skip]
const PREPOSITIONS: &[&str] = &[
    "as", "at", "by", "for", "from", "in", "into", "of", "on", "to", "via", "with",
];

/// Words that say how a thing is, where a name could also stand.
#[rustfmt::skip]
const CONDITIONS: &[&str] = &[
    "absent", "active", "available", "busy", "disabled", "down", "empty", "error", "errors", "exist", "exists",
    "failure", "found", "full", "gone", "idle", "inactive", "invalid", "lost", "missing", "offline", "ok", "online",
    "open", "ready", "sent", "shut", "shutdown", "start", "startup", "stop", "succeeded", "success", "timeout",
    "unavailable", "unknown", "unreachable", "valid",
];

/// What follows a number as its unit, in lower case; single letters are in [`is_unit`].
#[rustfmt::skip]
const UNITS: &[&str] = &[
    "am", "b/s", "bps", "byte", "bytes", "day", "days", "fps", "gb", "gbit", "gbps", "ghz", "gib", "gmt", "hour",
    "hours", "hr", "hrs", "hz", "kb", "kb/s", "kbit", "kbps", "khz", "kib", "kib/s", "mb", "mb/s", "mbit", "mbps",
    "mhz", "mib", "mib/s", "microsecond", "microseconds", "millisecond", "milliseconds", "min", "mins", "minute",
    "minutes", "month", "months", "ms", "msec", "msecs", "nanosecond", "nanoseconds", "ns", "pm", "rpm", "sec",
    "second", "seconds", "secs", "tb", "tib", "us", "usec", "usecs", "utc", "week", "weeks", "year", "years", "µs",
];

/// Names of months and days, shortened and in full.
#[rustfmt::skip]
const DAYS_AND_MONTHS: &[&str] = &[
    "Apr", "April", "Aug", "August", "Dec", "December", "Feb", "February", "Fri", "Friday", "Jan", "January", "Jul",
    "July", "Jun", "June", "Mar", "March", "May", "Mon", "Monday", "Nov", "November", "Oct", "October", "Sat",
    "Saturday", "Sep", "September", "Sun", "Sunday", "Thu", "Thursday", "Tue", "Tuesday", "Wed", "Wednesday",
];

/// Endings of files that tell a file's name from a method's.
#[rustfmt::skip]
const FILE_ENDINGS: &[&str] = &[
    "bak", "bat", "bin", "c", "cc", "cfg", "class", "conf", "cpp", "cs", "css", "csv", "dat", "db", "dll", "doc",
    "docx", "dylib", "exe", "gif", "go", "gz", "h", "hpp", "html", "ini", "ipynb", "jar", "java", "jpeg", "jpg",
    "js", "json", "jsonl", "jsx", "kt", "lock", "log", "md", "mp", "msi", "parquet", "pdf", "php", "pid", "plist",
    "png", "pptx", "properties", "py", "rb", "rs", "service", "sh", "so", "sock", "sql", "svg", "swift", "sys",
    "tar", "tgz", "tmp", "toml", "ts", "tsx", "txt", "vue", "war", "wav", "xls", "xlsx", "xml", "yaml", "yml",
    "zip",
];

/// What the name of a field contains whose value is itself a message, or decides what happened.
#[rustfmt::skip]
const TELLING_KEYS: &[&str] = &[
    "cause", "code", "descr", "detail", "err", "exception", "fail", "kind", "message", "msg", "reason", "result",
    "state", "status", "title", "type", "warn",
];

/// First labels of names that are written from the top: packages, classes, bundles.
#[rustfmt::skip]
const TOP_LABELS: &[&str] = &[
    "android", "com", "edu", "io", "java", "javax", "net", "org",
];

fn has(list: &[&str], word: &str) -> bool {
    list.binary_search(&word).is_ok()
}

/// Whether a word belongs to a closed class, however its first letter is written.
pub(crate) fn is_closed_class(word: &str) -> bool {
    word.len() <= 9 && has(CLOSED_CLASS, &word.to_ascii_lowercase())
}

pub(crate) fn is_naming_noun(word: &str) -> bool {
    word.len() <= 12 && has(NAMING_NOUNS, &word.to_ascii_lowercase())
}

pub(crate) fn is_sure_naming_noun(word: &str) -> bool {
    word.len() <= 12 && has(SURE_NAMING_NOUNS, &word.to_ascii_lowercase())
}

pub(crate) fn is_preposition(word: &str) -> bool {
    word.len() <= 4 && has(PREPOSITIONS, &word.to_ascii_lowercase())
}

/// Whether a word says what happened to a thing or how it is, by its ending or by the list.
pub(crate) fn is_condition(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    (lower.len() > 4 && (lower.ends_with("ed") || lower.ends_with("ing"))) || has(CONDITIONS, &lower)
}

/// Whether a word behind a number is its unit.
pub(crate) fn is_unit(word: &[u8]) -> bool {
    match word {
        [one] => matches!(one, b'B' | b'C' | b'F' | b'G' | b'K' | b'M' | b's' | b'h' | b'm' | b'd'),
        _ if word.len() > 12 => false,
        _ => {
            let mut lower = [0; 12];
            let lower = &mut lower[..word.len()];
            lower.copy_from_slice(word);
            lower.make_ascii_lowercase();
            UNITS.binary_search_by(|unit| unit.as_bytes().cmp(lower)).is_ok()
        }
    }
}

pub(crate) fn is_day_or_month(word: &[u8]) -> bool {
    (3..=9).contains(&word.len()) && DAYS_AND_MONTHS.binary_search_by(|name| name.as_bytes().cmp(word)).is_ok()
}

pub(crate) fn is_file_ending(label: &[u8]) -> bool {
    label.len() <= 10 && FILE_ENDINGS.binary_search_by(|ending| ending.as_bytes().cmp(label)).is_ok()
}

pub(crate) fn is_top_label(label: &[u8]) -> bool {
    TOP_LABELS.binary_search_by(|top| top.as_bytes().cmp(label)).is_ok()
}

/// Whether the value under a key is a message of its own, which must not be taken for a mere value.
pub(crate) fn is_telling_key(key: &[u8]) -> bool {
    if key.len() > 64 {
        return false;
    }
    let lower = String::from_utf8_lossy(key).to_ascii_lowercase();
    TELLING_KEYS.iter().any(|stem| lower.contains(stem))
}

/// `KeyError`, `ParseException`: the name of a class of errors, and not the mere word.
pub(crate) fn is_class_of_errors(key: &[u8]) -> bool {
    let is_class = |ending: &[u8]| key.len() > ending.len() && key.ends_with(ending);
    is_class(b"Error") || is_class(b"Exception")
}

/// Values that are written as words: booleans, and nothing at all.
pub(crate) fn is_boolean(word: &[u8]) -> bool {
    matches!(word, b"true" | b"false" | b"True" | b"False" | b"TRUE" | b"FALSE")
}

pub(crate) fn is_nothing(word: &[u8]) -> bool {
    matches!(
        word,
        b"null" | b"NULL" | b"nil" | b"None" | b"none" | b"undefined" | b"NaN" | b"nan" | b"Infinity" | b"(null)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_so_that_they_can_be_searched() {
        for list in [
            CLOSED_CLASS,
            NAMING_NOUNS,
            SURE_NAMING_NOUNS,
            PREPOSITIONS,
            CONDITIONS,
            UNITS,
            DAYS_AND_MONTHS,
            FILE_ENDINGS,
            TOP_LABELS,
        ] {
            let wrong: Vec<_> = list.windows(2).filter(|pair| pair[0] >= pair[1]).collect();
            assert!(wrong.is_empty(), "{wrong:?}");
        }
    }

    #[test]
    fn a_surely_naming_noun_is_a_naming_noun() {
        let strays: Vec<_> = SURE_NAMING_NOUNS.iter().filter(|noun| !is_naming_noun(noun)).collect();
        assert!(strays.is_empty(), "{strays:?}");
    }

    #[test]
    fn a_unit_is_known_in_either_case() {
        assert!(is_unit(b"KB") && is_unit(b"ms") && is_unit(b"MILLISECONDS") && is_unit("µs".as_bytes()));
        assert!(!is_unit(b"in") && !is_unit(b"x") && !is_unit(b""));
    }
}
