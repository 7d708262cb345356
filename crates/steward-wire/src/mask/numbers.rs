//! Telephone numbers, card numbers and bank accounts.
//!
//! A **telephone number** is one of:
//!
//! * `+` or `00`, a country's code, and 8 to 15 digits in all: `+49 170 1234567`, `0044 20 7946 0958`;
//! * ten digits in North American groups with something between them: `(555) 234-5678`, `1-555-234-5678`;
//! * 9 to 12 digits that begin with 0, in groups: `0170 1234567`, `030/1234567`, `01 23 45 67 89`;
//! * 7 to 15 digits behind a word that says so: `Tel.: 1234567`, `"phone": "01701234567"`.
//!
//! Whole numbers without any of this, order numbers, dates, times, prices, versions, IP addresses and UUIDs are none:
//! seven local digits such as `555-1234` cannot be told from them, and stay.
//!
//! A **card number** has 13 to 19 digits, in groups of three and more or in one, begins as a card's of a known brand
//! does, has that brand's length, and passes Luhn's check. A **bank account** is an IBAN of its country's length that
//! passes the check of ISO 7064.

use steward_core::privacy::MaskKind;

use super::{Finding, is_escape};

/// Which kinds are looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) phones: bool,
    pub(super) cards: bool,
    pub(super) ibans: bool,
}

/// The most groups that one number has.
const MAX_GROUPS: usize = 12;
/// Digits below which groups are no number of any kind.
const MIN_DIGITS: usize = 7;
/// The most characters between two groups.
const MAX_GAP: usize = 3;

/// Digits without anything between them.
#[derive(Debug, Clone, Copy)]
struct Group {
    start: usize,
    end: usize,
}

impl Group {
    fn len(self) -> usize {
        self.end - self.start
    }
}

pub(super) fn find(text: &str, wanted: Wanted, findings: &mut Vec<Finding>) {
    if !(wanted.phones || wanted.cards || wanted.ibans) {
        return;
    }
    let bytes = text.as_bytes();
    let mut groups = Vec::new();
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(u8::is_ascii_digit) {
        let start = at + found;
        if wanted.ibans
            && let Some(iban) = iban(text, start)
        {
            at = iban.end;
            findings.push(Finding { at: iban, kind: MaskKind::Iban });
            continue;
        }
        read_groups(text, start, &mut groups);
        at = groups.last().map_or(start + 1, |last| last.end);
        let n_digits: usize = groups.iter().map(|group| group.len()).sum();
        if n_digits >= MIN_DIGITS {
            Region { text, groups: &groups }.find(wanted, findings);
        }
    }
}

/// Groups of digits with little between them, from a digit on.
fn read_groups(text: &str, start: usize, groups: &mut Vec<Group>) {
    groups.clear();
    let bytes = text.as_bytes();
    let mut at = start;
    loop {
        let length = bytes[at..].iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len() - at);
        groups.push(Group { start: at, end: at + length });
        let rest = &text[at + length..];
        let gap: usize = rest.chars().take(MAX_GAP).take_while(|c| is_gap(*c)).map(char::len_utf8).sum();
        // Behind a plus another number begins.
        if gap == 0 || !bytes.get(at + length + gap).is_some_and(u8::is_ascii_digit) {
            return;
        }
        at += length + gap;
    }
}

fn is_gap(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}' | '\u{202f}' | '\u{2010}' | '\u{2011}' | '\u{2013}')
}

/// Groups that may hold one number or several.
struct Region<'a> {
    text: &'a str,
    groups: &'a [Group],
}

impl Region<'_> {
    fn find(&self, wanted: Wanted, findings: &mut Vec<Finding>) {
        if self.is_uuid() {
            return;
        }
        let mut first = 0;
        // The group behind the last number.
        let mut behind = 0;
        while first < self.groups.len() {
            let card = if wanted.cards { self.card(first) } else { None };
            let found = match card {
                Some((start, last)) => Some((start, last, MaskKind::Card)),
                None if wanted.phones => {
                    self.phone(first, behind == first).map(|(start, last)| (start, last, MaskKind::Phone))
                }
                None => None,
            };
            match found {
                Some((start, last, kind)) => {
                    let mut end = self.groups[last].end;
                    if kind == MaskKind::Phone {
                        end += extension(&self.text[end..]);
                    }
                    findings.push(Finding { at: start..end, kind });
                    first = last + 1;
                    behind = first;
                }
                None => first += 1,
            }
        }
    }

    fn len(&self, group: usize) -> usize {
        self.groups.get(group).map_or(0, |group| group.len())
    }

    fn digits(&self, group: usize) -> &str {
        self.groups.get(group).map_or("", |group| &self.text[group.start..group.end])
    }

    /// What stands between a group and the one before it.
    fn gap(&self, group: usize) -> &str {
        match (group.checked_sub(1).and_then(|before| self.groups.get(before)), self.groups.get(group)) {
            (Some(before), Some(group)) => &self.text[before.end..group.start],
            _ => "",
        }
    }

    /// The digits of some groups, one behind the other.
    fn all_digits(&self, first: usize, last: usize) -> String {
        (first..=last).map(|group| self.digits(group)).collect()
    }

    /// Decimal digits in the groups of a UUID.
    fn is_uuid(&self) -> bool {
        self.groups.len() == 5 && self.groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
    }

    /// Where a number that begins with a group starts, its sign or bracket included, and whether it has a plus. `None`
    /// when it is a part of something else.
    fn start(&self, first: usize) -> Option<(usize, bool)> {
        let bytes = self.text.as_bytes();
        let mut start = self.groups.get(first)?.start;
        if start > 0 && bytes[start - 1] == b'(' {
            start -= 1;
        }
        let has_plus = start > 0 && bytes[start - 1] == b'+';
        start -= usize::from(has_plus);
        if start > 0 && has_plus && bytes[start - 1] == b'(' {
            start -= 1;
        }
        let mut before = self.text[..start].chars().rev();
        let Some(last) = before.next() else { return Some((start, has_plus)) };
        if last.is_alphanumeric() {
            // `\n0170 1234567`, as texts stand in JSON.
            let escaped = last.is_ascii_alphabetic() && is_escape(bytes, start - 1);
            return escaped.then_some((start, has_plus));
        }
        let glued = before.next().is_some_and(char::is_alphanumeric);
        let is_part = match last {
            '_' | '#' | '$' | '€' | '£' | '¥' => true,
            '-' | '.' | '/' | ',' | '%' | '@' | '+' | ':' if has_plus => last == '+',
            '-' | '.' | '/' | ',' | '%' | '@' | '+' => glued,
            // A time, or something counted: `10:30`.
            ':' => self.text[..start - 1].ends_with(|c: char| c.is_ascii_digit()),
            _ => false,
        };
        (!is_part).then_some((start, has_plus))
    }

    /// Whether nothing of the number goes on behind a group.
    fn ends(&self, last: usize, strictly: bool) -> bool {
        let Some(group) = self.groups.get(last) else { return false };
        let mut after = self.text[group.end..].chars();
        let Some(next) = after.next() else { return true };
        if next.is_alphanumeric() || next == '_' {
            return extension(&self.text[group.end..]) > 0;
        }
        let glued = after.next().is_some_and(char::is_alphanumeric);
        !(glued && (next == ':' || strictly && matches!(next, '-' | '.' | '/' | ',' | '%' | '@')))
    }

    fn card(&self, first: usize) -> Option<(usize, usize)> {
        let (start, has_plus) = self.start(first)?;
        if has_plus {
            return None;
        }
        let mut n_digits = 0;
        let mut found = None;
        for last in first..self.groups.len().min(first + MAX_GROUPS) {
            if self.len(last) < 3 || (last > first && !matches!(self.gap(last), " " | "-" | "\u{a0}")) {
                break;
            }
            n_digits += self.len(last);
            if n_digits > 19 {
                break;
            }
            if n_digits >= 13 && self.ends(last, true) && is_card(&self.all_digits(first, last)) {
                found = Some((start, last));
            }
        }
        found
    }

    /// A telephone number that begins with a group. In the middle of digits none begins, unless it is behind another
    /// number, or its sign or bracket says so: four groups of four are somebody's card, and no telephone's.
    fn phone(&self, first: usize, is_behind_number: bool) -> Option<(usize, usize)> {
        let (start, has_plus) = self.start(first)?;
        let gap = self.gap(first);
        let is_free = has_plus || gap.contains('(') || gap.chars().count() > 1 && gap.contains(' ');
        let may_begin = first == 0 || is_free || is_behind_number && gap.chars().all(char::is_whitespace);
        if !may_begin {
            return None;
        }
        let found = if has_plus || self.digits(first).starts_with("00") {
            self.international(first, has_plus)
        } else {
            self.north_american(first).or_else(|| self.national(first)).or_else(|| self.named(first, start))
        };
        found.map(|last| (start, last))
    }

    /// The last group up to which there are at most so many digits, and which of those before it may be the last.
    fn last_group(&self, first: usize, digits: std::ops::RangeInclusive<usize>, strictly: bool) -> Option<usize> {
        let mut n_digits = 0;
        let mut found = None;
        for last in first..self.groups.len().min(first + MAX_GROUPS) {
            n_digits += self.len(last);
            if n_digits > *digits.end() || self.is_date(last) {
                break;
            }
            if n_digits >= *digits.start() && self.ends(last, strictly) {
                found = Some(last);
            }
        }
        found
    }

    fn international(&self, first: usize, has_plus: bool) -> Option<usize> {
        let digits = self.digits(first);
        let code_at_first = if has_plus { digits } else { &digits[2..] };
        let n_prefix = if has_plus { 0 } else { 2 };
        let code: String =
            code_at_first.chars().chain(self.digits(first + 1).chars().filter(|_| code_at_first.len() < 3)).collect();
        if !is_country(&code) {
            return None;
        }
        // North America has eleven digits with its code, everybody else eight and more.
        let digits = if code.starts_with('1') { 11..=11 } else { 8..=15 };
        let last = self.last_group(first, digits.start() + n_prefix..=digits.end() + n_prefix, !has_plus)?;
        let n_digits: usize = (first..=last).map(|group| self.len(group)).sum();
        // Few digits in one group are a sum as well: `+12345678`.
        (last > first || n_digits >= 9 + n_prefix).then_some(last)
    }

    /// `(555) 234-5678`, `555-234-5678`, `555.234.5678`, `1 555 234 5678`.
    fn north_american(&self, first: usize) -> Option<usize> {
        let area = if self.digits(first) == "1" && self.len(first + 1) == 3 { first + 1 } else { first };
        let last = area + 2;
        if [self.len(area), self.len(area + 1), self.len(last)] != [3, 3, 4] || !self.ends(last, true) {
            return None;
        }
        let (code, exchange) = (self.digits(area), self.digits(area + 1));
        let only_spaces = (area + 1..=last).all(|group| self.gap(group).chars().all(char::is_whitespace));
        let in_brackets = self.gap(area + 1).contains(')');
        let is_area = code.starts_with(|c| c >= '2') && !code.ends_with("11");
        // Three numbers in a row are seldom a telephone's: with spaces alone it has to be one that is given out.
        let is_given = exchange.starts_with(|c| c >= '2') && (!code.ends_with("00") || code == "800");
        (is_area && (in_brackets || !only_spaces || is_given)).then_some(last)
    }

    /// A number inside a country whose numbers begin with 0: `0170 1234567`, `01 23 45 67 89`.
    fn national(&self, first: usize) -> Option<usize> {
        let digits = self.digits(first);
        let begins = digits.len() >= 2 && digits.len() <= 5 && digits.starts_with('0') && !digits.starts_with("00");
        if !begins {
            return None;
        }
        let last = self.last_group(first, 9..=12, true)?;
        let groups = first..=last;
        if last == first || groups.clone().any(|group| self.len(group) < 2) {
            return None;
        }
        if groups.clone().all(|group| self.len(group) == 2) {
            // Hours of opening look like this too: five pairs with the same between them are a number.
            let same = groups.clone().skip(2).all(|group| self.gap(group) == self.gap(first + 1));
            return (last == first + 4 && same).then_some(last);
        }
        let all_dots = groups.clone().skip(1).all(|group| self.gap(group) == ".");
        let is_address = all_dots && last == first + 3 && groups.clone().all(|group| self.len(group) <= 3);
        (!is_address).then_some(last)
    }

    /// Digits behind a word that says what they are.
    fn named(&self, first: usize, start: usize) -> Option<usize> {
        if first > 0 {
            return None;
        }
        let last = self.last_group(first, MIN_DIGITS..=15, false)?;
        says_phone(&self.text[..start]).then_some(last)
    }

    /// Whether a group is the last of a date, or the first: `2026-11-22`, `22.11.2026`.
    fn is_date(&self, last: usize) -> bool {
        let is = |lengths: [usize; 3], first: usize| {
            let same = self.gap(first + 1).len() == 1 && self.gap(first + 1) == self.gap(first + 2);
            let fits = (0..3).all(|n| self.len(first + n) <= lengths[n] && self.len(first + n) > 0);
            let number = |group: usize| self.digits(group).parse::<u32>().unwrap_or(u32::MAX);
            let (year, rest) =
                if lengths[0] == 4 { (first, [first + 1, first + 2]) } else { (first + 2, [first, first + 1]) };
            same && fits
                && self.len(year) == 4
                && (1900..=2100).contains(&number(year))
                && rest.iter().all(|group| (1..=31).contains(&number(*group)))
        };
        is([4, 2, 2], last)
            || last >= 1 && is([4, 2, 2], last - 1)
            || last >= 2 && (is([4, 2, 2], last - 2) || is([2, 2, 4], last - 2))
            || is([2, 2, 4], last)
            || last >= 1 && is([2, 2, 4], last - 1)
    }
}

/// The length of an extension behind a number: ` x123`, `ext. 45`.
fn extension(rest: &str) -> usize {
    let trimmed = rest.trim_start_matches(' ');
    let lead = rest.len() - trimmed.len();
    for word in ["ext.", "ext", "x"] {
        let Some(behind) = trimmed.strip_prefix(word) else { continue };
        let digits = behind.trim_start_matches(' ');
        let n = digits.bytes().take_while(u8::is_ascii_digit).count();
        if lead <= 1 && (1..=6).contains(&n) && behind.len() - digits.len() <= 1 {
            return rest.len() - digits.len() + n;
        }
    }
    0
}

/// Words that say of digits behind them that they are a telephone number's.
const PHONE_WORDS: [&str; 27] = [
    "phone",
    "phones",
    "phonenumber",
    "telephone",
    "telephonenumber",
    "telefon",
    "telefonnummer",
    "telefono",
    "teléfono",
    "téléphone",
    "tel",
    "mobile",
    "mobilenumber",
    "mobil",
    "móvil",
    "movil",
    "handy",
    "handynummer",
    "cell",
    "cellphone",
    "cellular",
    "fax",
    "whatsapp",
    "msisdn",
    "rufnummer",
    "callerid",
    "portable",
];
/// Words between such a word and the digits.
const FILLERS: [&str; 9] = ["number", "no", "nr", "num", "nummer", "is", "ist", "home", "work"];
/// How far before the digits the word may stand.
const MAX_CUE: usize = 40;

/// Whether what stands before a place ends in a word for a telephone number.
fn says_phone(before: &str) -> bool {
    let mut from = before.len().saturating_sub(MAX_CUE);
    while !before.is_char_boundary(from) {
        from += 1;
    }
    let mut rest = &before[from..];
    for _ in 0..4 {
        let trimmed = rest.trim_end_matches(|c: char| !c.is_alphabetic());
        // A sentence or a line in between is another matter.
        if rest[trimmed.len()..].chars().count() > 6 || rest[trimmed.len()..].contains(['\n', ',', ';', '}', ']']) {
            return false;
        }
        let start = trimmed
            .rfind(|c: char| !c.is_alphabetic())
            .map_or(0, |at| at + trimmed[at..].chars().next().map_or(1, char::len_utf8));
        let word = trimmed[start..].to_lowercase();
        if PHONE_WORDS.contains(&word.as_str()) {
            return true;
        }
        // In `phoneNumber` and `homePhone` the last word is the one that counts.
        if word.ends_with("phone") || word.ends_with("phonenumber") {
            return true;
        }
        if !FILLERS.contains(&word.as_str()) {
            return false;
        }
        rest = &trimmed[..start];
    }
    false
}

/// Whether a field of this name holds telephone numbers.
pub(super) fn is_phone_key(key: &str) -> bool {
    says_phone(key)
}

/// Whether a value of such a field is a telephone number: nothing but 7 to 15 digits and what stands between them.
pub(super) fn is_phone_value(value: &str) -> bool {
    let n_digits = value.bytes().filter(u8::is_ascii_digit).count();
    (MIN_DIGITS..=15).contains(&n_digits) && value.chars().all(|c| c.is_ascii_digit() || c == '+' || is_gap(c))
}

/// Whether digits begin with the code of a country.
fn is_country(digits: &str) -> bool {
    let mut digits = digits.bytes();
    let (Some(first), Some(second)) = (digits.next(), digits.next()) else { return false };
    match (first, second) {
        (b'1' | b'7', _) => true,
        (b'2', b'0' | b'7') => true,
        (b'2', b'1'..=b'6' | b'9') => digits.next().is_some(),
        (b'3', b'0'..=b'4' | b'6' | b'9') => true,
        (b'3', b'5' | b'7' | b'8') => digits.next().is_some(),
        (b'4', b'2') => digits.next().is_some(),
        (b'4', _) => true,
        (b'5', b'1'..=b'8') => true,
        (b'5', b'0' | b'9') => digits.next().is_some(),
        (b'6', b'0'..=b'6') => true,
        (b'6', b'7'..=b'9') => digits.next().is_some(),
        (b'8', b'1' | b'2' | b'4' | b'6') => true,
        (b'8', b'0' | b'5' | b'7' | b'8') => digits.next().is_some(),
        (b'9', b'0'..=b'5' | b'8') => true,
        (b'9', b'6' | b'7' | b'9') => digits.next().is_some(),
        _ => false,
    }
}

/// Whether digits are the number of a card: a brand's beginning and length, and Luhn's check.
pub(super) fn is_card(digits: &str) -> bool {
    let n = digits.len();
    if !(13..=19).contains(&n) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let begin = |length: usize| digits.get(..length).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
    let is_brand = match (begin(1), begin(2), begin(3), begin(4)) {
        (4, ..) => matches!(n, 13 | 16 | 19),
        (_, 51..=55, ..) | (.., 2221..=2720) => n == 16,
        (_, 34 | 37, ..) => n == 15,
        (.., 3528..=3589) => n >= 16,
        (_, _, 300..=305, _) | (_, 36 | 38 | 39, ..) => n >= 14,
        (.., 6011) | (_, 65, ..) | (_, _, 644..=649, _) => n >= 16,
        (_, 62 | 81, ..) => n >= 16,
        (.., 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763) => true,
        _ => false,
    };
    is_brand && luhn(digits)
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            match place % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The length of an IBAN by its country, as the registry of SWIFT has it.
const IBAN_LENGTHS: &str = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24\
    FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25\
    MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23\
    ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

/// The IBAN whose check digits begin at a place.
fn iban(text: &str, digits_at: usize) -> Option<std::ops::Range<usize>> {
    let bytes = text.as_bytes();
    let start = digits_at.checked_sub(2)?;
    let country = [bytes[start].to_ascii_uppercase(), bytes[start + 1].to_ascii_uppercase()];
    if !country.iter().all(u8::is_ascii_uppercase) || !super::starts_word(text, start) {
        return None;
    }
    let length: usize = IBAN_LENGTHS
        .as_bytes()
        .chunks_exact(4)
        .find(|entry| entry[..2] == country)
        .and_then(|entry| std::str::from_utf8(&entry[2..]).ok()?.parse().ok())?;
    let mut signs = Vec::with_capacity(length);
    let mut at = start;
    let mut in_groups = false;
    while signs.len() < length {
        let byte = *bytes.get(at)?;
        match byte {
            b' ' | b'-' if !signs.is_empty() && !matches!(bytes.get(at + 1), Some(b' ' | b'-')) => in_groups = true,
            _ if byte.is_ascii_alphanumeric() => signs.push(byte.to_ascii_uppercase()),
            _ => return None,
        }
        at += 1;
    }
    // Small letters in groups are words: `at 12 …`.
    if in_groups && bytes[start].is_ascii_lowercase() {
        return None;
    }
    let ends = !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    (ends && mod_97(&signs) == 1).then_some(start..at)
}

fn mod_97(signs: &[u8]) -> u32 {
    signs[4..].iter().chain(&signs[..4]).fold(0, |rest, sign| match sign {
        b'0'..=b'9' => (rest * 10 + u32::from(sign - b'0')) % 97,
        _ => (rest * 100 + u32::from(sign - b'A') + 10) % 97,
    })
}
