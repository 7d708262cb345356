//! Numbers, money, times and names as people write them.

use jiff::civil::Date;
use steward_core::money::Currency;

/// The most characters of a name that came from outside, inside a sentence.
const MAX_NAME_CHARS: usize = 80;

/// A count with its thousands told apart: "1,004".
pub(super) fn count(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let sign = if n < 0 { "−" } else { "" };
    format!("{sign}{}", grouped(&digits))
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with what is counted: "1 case", "1,004 cases".
pub(super) fn counted(n: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// How often: "once", "twice", "48 times".
pub(super) fn often(n: i64) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{} times", count(n)),
    }
}

/// A share in per cent. What is not all, or not nothing, is never written as if it were.
pub(super) fn share(share: f64) -> String {
    format!("{} %", per_cent(share))
}

fn per_cent(share: f64) -> String {
    let value = share * 100.0;
    if value <= 0.0 {
        "0".to_owned()
    } else if value >= 100.0 {
        "100".to_owned()
    } else if value < 0.05 {
        "< 0.1".to_owned()
    } else if value >= 99.95 {
        "> 99.9".to_owned()
    } else {
        format!("{value:.1}")
    }
}

/// An interval of shares: "81.5 – 86.0 %".
pub(super) fn interval(low: f64, high: f64) -> String {
    format!("{} – {} %", per_cent(low), per_cent(high))
}

/// An amount with its currency: "$18,720", "$42.50", "$0.0213".
pub(super) fn money(units: f64, currency: Currency) -> String {
    let sign = if units < 0.0 { "−" } else { "" };
    let amount = units.abs();
    let no_cents = currency.code() == "JPY";
    let places = match amount {
        _ if no_cents && amount >= 1.0 => 0,
        a if a >= 999.995 => 0,
        a if a >= 0.995 || a == 0.0 => 2,
        a if a >= 0.000_05 => 4,
        _ => 6,
    };
    let text = format!("{amount:.places$}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    // Cents stay; digits behind them only as far as they say something.
    let rest = rest.get(2..).map_or(rest, |beyond| &rest[..2 + beyond.trim_end_matches('0').len()]);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{}{}{point}{rest}", currency.sign(), grouped(whole))
}

/// A duration as people say it: "0.8 s", "12 s", "1 m 12 s", "2 h 5 m", "3 d 4 h".
pub(super) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "0 s".to_owned();
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as i64;
    let pair = |big: i64, big_unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{big} {big_unit}") } else { format!("{big} {big_unit} {small} {small_unit}") }
    };
    match whole {
        ..60 => format!("{whole} s"),
        60..3_600 => pair(whole / 60, "m", whole % 60, "s"),
        3_600..86_400 => pair(whole / 3_600, "h", whole % 3_600 / 60, "m"),
        _ => pair(whole / 86_400, "d", whole % 86_400 / 3_600, "h"),
    }
}

/// Hours: "312 h", "4.5 h".
pub(super) fn hours(hours: f64) -> String {
    if hours.abs() < 99.95 { format!("{hours:.1} h") } else { format!("{} h", count(hours.round() as i64)) }
}

/// A ratio: "42.7 ×".
pub(super) fn ratio(ratio: f64) -> String {
    if ratio.abs() >= 99.95 { format!("{} ×", count(ratio.round() as i64)) } else { format!("{ratio:.1} ×") }
}

/// A relative change without its sign: "18 %".
pub(super) fn relative(now: f64, before: f64) -> String {
    format!("{:.0} %", 100.0 * ((now - before) / before).abs())
}

/// Things in a row: "a, b and c".
pub(super) fn list(things: &[String]) -> String {
    match things {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A name from outside, fit for a sentence: one line, without what reorders text, and not too long.
pub(super) fn name(text: &str) -> String {
    let clean = clean(text, MAX_NAME_CHARS);
    if clean.is_empty() { "(no name)".to_owned() } else { clean }
}

/// A name that a program gave, as people would say it: "book_appointment" is "book appointment".
pub(super) fn spoken(text: &str) -> String {
    name(&text.replace(['_', '\t'], " "))
}

/// A spoken name that begins a line: "Booking made".
pub(super) fn headed(text: &str) -> String {
    let spoken = spoken(text);
    let mut chars = spoken.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

/// A text without control characters and without marks that reorder what stands around it, on one line.
pub(super) fn clean(text: &str, max_chars: usize) -> String {
    let reorders = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain: String = text.chars().filter(|c| !reorders(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > max_chars {
        words = words.chars().take(max_chars.saturating_sub(1)).collect();
        words.truncate(words.trim_end().len());
        words.push('…');
    }
    words
}

/// A day: "4 October".
pub(super) fn day(date: Date) -> String {
    format!("{} {}", date.day(), month_name(date.month()))
}

/// Days of one month: "3 to 5 and 9 October".
pub(super) fn days(dates: &[Date]) -> String {
    let mut spans: Vec<(i8, i8)> = Vec::new();
    for date in dates {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == date.day() => *last = date.day(),
            _ => spans.push((date.day(), date.day())),
        }
    }
    let spans: Vec<String> = spans
        .into_iter()
        .flat_map(|(first, last)| match last - first {
            0 => vec![first.to_string()],
            1 => vec![first.to_string(), last.to_string()],
            _ => vec![format!("{first} to {last}")],
        })
        .collect();
    dates.first().map(|date| format!("{} {}", list(&spans), month_name(date.month()))).unwrap_or_default()
}

/// The month's name: "October".
pub(super) fn month_name(month: i8) -> &'static str {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    NAMES.get(usize::from(month.unsigned_abs()).wrapping_sub(1)).copied().unwrap_or("?")
}

/// The month's short name, for axes: "Oct".
pub(super) fn short_month(month: i8) -> &'static str {
    let name = month_name(month);
    name.get(..3).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_their_thousands_told_apart() {
        let all: Vec<_> = [0, 7, 999, 1_000, 1_004, 12_345_678, -1_234].map(count).into();
        assert_eq!(all, ["0", "7", "999", "1,000", "1,004", "12,345,678", "−1,234"]);
    }

    #[test]
    fn a_share_is_never_rounded_to_all_or_nothing() {
        let all: Vec<_> = [0.0, 0.000_1, 0.839, 0.999_9, 1.0].map(share).into();
        assert_eq!(all, ["0 %", "< 0.1 %", "83.9 %", "> 99.9 %", "100 %"]);
        assert_eq!(interval(0.815, 0.86), "81.5 – 86.0 %");
    }

    #[test]
    fn money_has_its_currency_and_as_many_digits_as_matter() {
        let dollars: Vec<_> = [0.0, 18_720.4, 42.5, 999.999, 0.5, 0.0213, 0.000_012, -3.0]
            .map(|units| money(units, Currency::USD))
            .into();
        assert_eq!(dollars, ["$0.00", "$18,720", "$42.50", "$1,000", "$0.50", "$0.0213", "$0.000012", "−$3.00"]);
        let of = |code: &str| money(1_234_567.0, Currency::parse(code).expect("a currency"));
        assert_eq!(
            (of("JPY").as_str(), of("EUR").as_str(), of("CHF").as_str()),
            ("¥1,234,567", "€1,234,567", "CHF 1,234,567")
        );
    }

    #[test]
    fn durations_are_as_people_say_them() {
        let all: Vec<_> = [0.0, 0.83, 12.4, 59.7, 72.0, 120.0, 7_500.0, 273_600.0, f64::NAN].map(duration).into();
        assert_eq!(all, ["0.0 s", "0.8 s", "12 s", "1 m", "1 m 12 s", "2 m", "2 h 5 m", "3 d 4 h", "0 s"]);
    }

    #[test]
    fn names_from_outside_stay_on_their_line() {
        assert_eq!(name("a\n\u{202e}b\0  c"), "a b c");
        assert_eq!(name(" \n "), "(no name)");
        assert_eq!(name(&"x".repeat(500)).chars().count(), MAX_NAME_CHARS);
        assert_eq!(headed("booking_made"), "Booking made");
    }

    #[test]
    fn days_in_a_row_are_a_span() {
        let october = |days: &[i8]| days.iter().map(|day| Date::constant(2026, 10, *day)).collect::<Vec<_>>();
        assert_eq!(days(&october(&[3, 4, 5, 9, 12, 13])), "3 to 5, 9, 12 and 13 October");
        assert_eq!(days(&october(&[4])), "4 October");
        assert_eq!(days(&[]), "");
    }
}
