//! What one run is about: a person, an order, a flight. Texts name them by placeholders such as `{order}`.
//!
//! Everything is invented. No value holds a quote or a backslash, so that templates of JSON stay JSON.

use std::fmt::Write as _;

use jiff::civil::Date;

use super::random::Random;

/// Names of people on the other side.
const NAMES: [&str; 40] = [
    "Amelia Hartnell",
    "Noah Prescott",
    "Priya Raghavan",
    "Lucas Oyelaran",
    "Hannah Weidner",
    "Mateo Barragán",
    "Ingrid Solheim",
    "Tobias Achterberg",
    "Grace Nakamura",
    "Owen Fairweather",
    "Chloé Desrosiers",
    "Daniel Kowalczyk",
    "Fatima Benhaddou",
    "Jonas Lindqvist",
    "Maeve O’Riordan",
    "Samuel Adeyinka",
    "Elena Vasquez",
    "Victor Hollander",
    "Ruth Abernathy",
    "Caleb Winterbourne",
    "Sofía Arrieta",
    "Marcus Delacroix",
    "Yara Haddad",
    "Benjamin Thackeray",
    "Leila Farrokhzad",
    "Arthur Pemberton",
    "Nina Castellano",
    "Gideon Marsh",
    "Rosa Quintanilla",
    "Emil Bergström",
    "王小明",
    "佐藤 花子",
    "김민준",
    "Павел Орлов",
    "Ελένη Παπαδάκη",
    "محمد العتيبي",
    "נועה לוי",
    "Nguyễn Thị Hạnh",
    "अनन्या शर्मा",
    "Søren Ødegård",
];
const ITEMS: [&str; 14] = [
    "oak side table",
    "linen duvet cover",
    "cast iron casserole",
    "reading lamp",
    "wool throw",
    "bath mat set",
    "walnut bookshelf",
    "ceramic planter",
    "pendant light",
    "kitchen stool",
    "storage basket",
    "wall mirror",
    "desk organiser",
    "cotton rug",
];
const CITIES: [&str; 10] =
    ["Providence", "Asheville", "Duluth", "Savannah", "Burlington", "Boulder", "Tacoma", "Galway", "Cork", "Bath"];
const AIRPORTS: [&str; 10] = ["LHR", "EDI", "BHX", "DUB", "AMS", "CPH", "OSL", "LIS", "NCE", "GLA"];
const STREETS: [&str; 8] = [
    "Alder Lane",
    "Quarry Road",
    "Mill Street",
    "Orchard Close",
    "Station Road",
    "Harbour View",
    "Elm Court",
    "Ferry Lane",
];
const TIMES: [&str; 10] = ["08:30", "09:00", "09:45", "10:30", "11:15", "13:00", "14:10", "15:30", "16:15", "17:40"];
const VISITS: [&str; 7] = [
    "a check-up",
    "a cleaning",
    "a toothache",
    "a broken filling",
    "a crown fitting",
    "a whitening consultation",
    "my son’s first visit",
];
const DOCTORS: [&str; 4] = ["Dr. Fennimore", "Dr. Okonjo", "Dr. Salvatierra", "Dr. Whitlock"];
const COMPANIES: [&str; 12] = [
    "Redfern Logistics",
    "Calder Brewing",
    "Juniper Row Bakery",
    "Stonebridge Storage",
    "Palisade Gym",
    "Wren Dairy",
    "Copperline Foundry",
    "Larkspur Inn",
    "Baxter Tool Hire",
    "Meridale Farms",
    "Ashgrove Schools",
    "Tidewater Marina",
];
const SUPPLIERS: [&str; 8] = [
    "Haldane Timber",
    "Brisco Packaging",
    "Ostler Textiles",
    "Fairlie Freight",
    "Kestrel Ceramics",
    "Dunmore Paper",
    "Vantage Lighting",
    "Rookery Foods",
];
const DAYS: [&str; 5] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];
const MONTHS: [&str; 12] = [
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

/// The facts of one run.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    name: &'static str,
    places: [usize; 8],
    number: i64,
    cents: i64,
    date: Date,
}

impl Facts {
    /// Draws what a run is about; its dates lie in the days after it.
    pub(super) fn draw(today: Date, random: &mut Random) -> Self {
        // Some callers come back: a quarter of the numbers stand for three quarters of the people.
        let crowd = if random.happens(0.3) { 400 } else { 9_000 };
        let number = random.between(1, crowd);
        let days = jiff::Span::new().days(random.between(1, 24));
        Self {
            name: NAMES[number.unsigned_abs() as usize % NAMES.len()],
            places: std::array::from_fn(|_| random.below(10_000)),
            number,
            cents: random.between(1_800, 42_000),
            date: today.checked_add(days).unwrap_or(today),
        }
    }

    /// The same person with another order or flight.
    pub(super) fn another(&self, random: &mut Random) -> Self {
        let mut another = self.clone();
        for place in [0, 1, 2, 7] {
            another.places[place] = random.below(10_000);
        }
        another.cents = random.between(1_800, 42_000);
        another
    }

    /// The other side's id, as the sender calls it.
    pub(super) fn user_id(&self) -> String {
        format!("u-{:05}", 10_000 + self.number)
    }

    /// Puts the facts into a template. A placeholder that is none stays as it stands.
    pub(super) fn fill(&self, template: &str) -> String {
        let mut out = String::with_capacity(template.len() + 24);
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            let (before, found) = rest.split_at(at);
            out.push_str(before);
            let inside = &found[1..];
            let end = inside.find(|c: char| !c.is_ascii_lowercase() && c != '2').unwrap_or(inside.len());
            if inside[end..].starts_with('}') && end > 0 && self.write(&inside[..end], &mut out) {
                rest = &inside[end + 1..];
            } else {
                out.push('{');
                rest = inside;
            }
        }
        out.push_str(rest);
        out
    }

    /// Writes one fact. `false` when there is none of this name.
    fn write(&self, key: &str, out: &mut String) -> bool {
        let place = |n: usize| self.places[n];
        let of = |texts: &'static [&'static str], n: usize| texts[place(n) % texts.len()];
        let cents = |out: &mut String, cents: i64| write!(out, "{}.{:02}", cents / 100, cents % 100);
        let written = match key {
            "name" => write!(out, "{}", self.name),
            "first" => write!(out, "{}", self.name.split(' ').next().unwrap_or_default()),
            "user" => write!(out, "{}", self.user_id()),
            "email" => write!(out, "user{}@example.org", 10_000 + self.number),
            "phone" => write!(out, "555-01{:02}", place(0) % 100),
            "order" => write!(out, "T-{}", 40_000 + place(0)),
            "item" => write!(out, "{}", of(&ITEMS, 1)),
            "item2" => write!(out, "{}", of(&ITEMS, 2)),
            "sku" => write!(out, "{}", 7_000 + place(1) % 900),
            "price" => cents(out, self.cents),
            "total" => cents(out, self.cents + 1_295),
            "fee" => cents(out, 1_500 + self.cents % 4_000),
            "city" => write!(out, "{}", of(&CITIES, 3)),
            "street" => write!(out, "{} {}", 1 + place(4) % 180, of(&STREETS, 4)),
            "date" => write!(out, "{}", self.date),
            "date2" => write!(out, "{}", self.date.tomorrow().unwrap_or(self.date)),
            "day" => write!(out, "{}", of(&DAYS, 5)),
            "time" => write!(out, "{}", of(&TIMES, 6)),
            "time2" => write!(out, "{}", TIMES[(place(6) + 3) % TIMES.len()]),
            "month" => write!(out, "{}", MONTHS[(self.date.month().unsigned_abs() as usize + 10) % 12]),
            "pnr" => {
                const LETTERS: &[u8; 24] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
                let letters = (0..6).map(|n| char::from(LETTERS[(place(n) / 7 + n) % LETTERS.len()]));
                out.extend(letters);
                Ok(())
            }
            "flight" => write!(out, "SY{}", 100 + place(0) % 800),
            "flight2" => write!(out, "SY{}", 100 + place(7) % 800),
            "from" => write!(out, "{}", of(&AIRPORTS, 1)),
            "to" => write!(out, "{}", AIRPORTS[(place(1) + 1 + place(2) % 8) % AIRPORTS.len()]),
            "account" => write!(out, "BF{}", 600_000 + self.number),
            "router" => write!(out, "RX-{}", 200 + place(2) % 7 * 10),
            "speed" => write!(out, "{}", 3 + place(3) % 40),
            "ticket" => write!(out, "C{}", 20_000 + place(7)),
            "visit" => write!(out, "{}", of(&VISITS, 1)),
            "doctor" => write!(out, "{}", of(&DOCTORS, 2)),
            "company" => write!(out, "{}", of(&COMPANIES, 3)),
            "kw" => write!(out, "{}", 4 + place(4) % 36),
            "value" => write!(out, "{}", 220 + place(4) % 40 * 10),
            "bill" => write!(out, "{}", 90 + place(5) % 700),
            "supplier" => write!(out, "{}", of(&SUPPLIERS, 1)),
            "invoice" => write!(out, "INV-{}", 1_000 + place(2)),
            "po" => write!(out, "PO-{}", 500 + place(3) % 3_000),
            _ => return false,
        };
        written.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_stand_where_their_placeholders_were() {
        let facts = Facts::draw(jiff::civil::date(2026, 11, 20), &mut Random::new(1, &[]));
        let filled = facts.fill(r#"{"order":"{order}","nested":{"a":1},"{nothing}":"{price}"}"#);
        let value: serde_json::Value = serde_json::from_str(&filled).expect("JSON");
        assert!(value["order"].as_str().expect("text").starts_with("T-"));
        assert!(value.get("{nothing}").is_some(), "what is no fact stays");
        assert_eq!(facts.fill("no {"), "no {");
    }
}
