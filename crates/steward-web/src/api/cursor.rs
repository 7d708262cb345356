//! Where a list goes on, as a text that means nothing to whoever holds it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use steward_app::tenant::{
    ExceptionCursor, PatternCursor, PatternSort, QueueCursor, QueueSort, ReviewCursor, RunCursor, RunSort,
};
use steward_core::time::Timestamp;

use crate::Problem;
use crate::problem::Kind;

/// Writes a cursor of a list of runs in an order.
pub(crate) fn write(cursor: RunCursor, sort: RunSort) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {} {}", word(sort), cursor.value, cursor.id))
}

/// Writes a cursor of a list of patterns in an order.
pub(crate) fn write_pattern(cursor: PatternCursor, sort: PatternSort) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {} {}", pattern_word(sort), cursor.value, cursor.id))
}

/// Writes a cursor of a list of exceptions.
pub(crate) fn write_exception(cursor: ExceptionCursor) -> String {
    URL_SAFE_NO_PAD.encode(format!("exceptions {} {}", cursor.ended_at.0, cursor.id))
}

/// Writes a cursor of the queue in an order.
pub(crate) fn write_queue(cursor: QueueCursor, sort: QueueSort) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {} {}", queue_word(sort), cursor.value, cursor.id))
}

/// Writes a cursor of a list of reviews.
pub(crate) fn write_review(cursor: ReviewCursor) -> String {
    URL_SAFE_NO_PAD.encode(format!("reviews {} {}", cursor.closed_at.0, cursor.id))
}

/// Reads a cursor of the queue in the same order.
///
/// # Errors
///
/// 400 for what is no cursor, or one of another order.
pub(crate) fn read_queue(text: &str, sort: QueueSort) -> Result<QueueCursor, Problem> {
    let cursor = || {
        let [of, value, id] = parts(text)?;
        (of == queue_word(sort)).then_some(QueueCursor { value: value.parse().ok()?, id: id.parse().ok()? })
    };
    cursor().ok_or_else(none)
}

/// Reads a cursor of a list of reviews.
///
/// # Errors
///
/// 400 for what is no cursor.
pub(crate) fn read_review(text: &str) -> Result<ReviewCursor, Problem> {
    let cursor = || {
        let [of, at, id] = parts(text)?;
        let closed_at = Timestamp(at.parse().ok()?);
        (of == "reviews").then_some(ReviewCursor { closed_at, id: id.parse().ok()? })
    };
    cursor().ok_or_else(none)
}

/// Reads a cursor of a list of patterns in the same order.
///
/// # Errors
///
/// 400 for what is no cursor, or one of another order.
pub(crate) fn read_pattern(text: &str, sort: PatternSort) -> Result<PatternCursor, Problem> {
    let cursor = || {
        let [of, value, id] = parts(text)?;
        (of == pattern_word(sort)).then_some(PatternCursor { value: value.parse().ok()?, id: id.parse().ok()? })
    };
    cursor().ok_or_else(none)
}

/// Reads a cursor of a list of exceptions.
///
/// # Errors
///
/// 400 for what is no cursor.
pub(crate) fn read_exception(text: &str) -> Result<ExceptionCursor, Problem> {
    let cursor = || {
        let [of, at, id] = parts(text)?;
        let ended_at = Timestamp(at.parse().ok()?);
        (of == "exceptions").then_some(ExceptionCursor { ended_at, id: id.parse().ok()? })
    };
    cursor().ok_or_else(none)
}

fn parts(text: &str) -> Option<[String; 3]> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let parts: Vec<String> = text.split(' ').map(str::to_owned).collect();
    parts.try_into().ok()
}

fn none() -> Problem {
    Problem::new(Kind::BadRequest).because("“cursor” is not one of this list in this order")
}

const fn queue_word(sort: QueueSort) -> &'static str {
    match sort {
        QueueSort::Rank => "rank",
        QueueSort::Due => "due",
        QueueSort::Arrived => "arrived",
    }
}

const fn pattern_word(sort: PatternSort) -> &'static str {
    match sort {
        PatternSort::Count => "count",
        PatternSort::Trend => "trend",
        PatternSort::Cost => "cost",
        PatternSort::LastSeen => "last_seen",
    }
}

/// Reads a cursor of a list in the same order.
///
/// # Errors
///
/// 400 for what is no cursor, or one of another order.
pub(crate) fn read(text: &str, sort: RunSort) -> Result<RunCursor, Problem> {
    let cursor = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let mut parts = text.split(' ');
        let (of, value, id) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        (of == word(sort)).then_some(RunCursor { value, id })
    };
    cursor().ok_or_else(none)
}

const fn word(sort: RunSort) -> &'static str {
    match sort {
        RunSort::Ended => "ended",
        RunSort::Cycle => "cycle",
        RunSort::Cost => "cost",
        RunSort::Exceptions => "exceptions",
    }
}

#[cfg(test)]
mod tests {
    use steward_core::ids::RunId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_cursor_belongs_to_its_order() {
        let cursor = RunCursor { value: -1, id: RunId::from_uuid(Uuid::from_u128(7)) };
        let text = write(cursor, RunSort::Cost);
        assert_eq!(read(&text, RunSort::Cost).expect("a cursor"), cursor);
        assert!(read(&text, RunSort::Ended).is_err());
        assert!(read("%", RunSort::Ended).is_err());
    }
}
