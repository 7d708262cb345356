//! Messages in the shapes that logs and tools of many makers have: each line below is one statement of a program,
//! filled with made-up values, and its messages have to come out as one group.

#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::collections::BTreeMap;

use steward_patterns::{Miner, Overrides};

/// Statements with how often they are made, by what kind of program says such things.
///
/// `«kind»` is a value, `«a|b»` one of several words with equal chances.
const STATEMENTS: &[(&str, &str)] = &[
    ("system log", include_str!("shapes/system.txt")),
    ("cluster", include_str!("shapes/cluster.txt")),
    ("supercomputer", include_str!("shapes/supercomputer.txt")),
    ("data processing", include_str!("shapes/data.txt")),
    ("cloud", include_str!("shapes/cloud.txt")),
    ("proxy", include_str!("shapes/proxy.txt")),
    ("phone", include_str!("shapes/phone.txt")),
    ("desktop", include_str!("shapes/desktop.txt")),
    ("updates", include_str!("shapes/updates.txt")),
    ("health app", include_str!("shapes/health.txt")),
    ("tools of agents", include_str!("shapes/tools.txt")),
];

/// Numbers in a row that look drawn, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n.max(1)
    }

    fn one_of<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.roll(words.len() as u64) as usize]
    }

    fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from(b"0123456789abcdef"[self.roll(16) as usize])).collect()
    }

    fn value(&mut self, kind: &str) -> String {
        const USERS: &[&str] =
            &["root", "cyrus", "news", "guest", "admin", "test", "oracle", "maria", "postgres", "nagios"];
        const HOSTS: &[&str] = &["mail", "relay", "gw", "edge", "backup", "www"];
        const ZONES: &[&str] = &["example.com", "corp.example.net", "dsl.telecom.example.org"];
        const CLASSES: &[&str] =
            &["JobFinishEvent", "TaskHandler", "Dispatcher", "EventType", "CommitterEvent", "SpeculatorImpl"];
        const CITIES: &[&str] = &["Boston", "Seattle", "Houston", "Denver", "Chicago", "Phoenix"];
        const NAMES: &[&str] =
            &["get_weather", "search_flights", "send_email", "lookup_order", "createTicket", "web-search"];
        const FIELDS: &[&str] = &["city", "zip_code", "order_id", "amount", "due_date", "email"];
        match kind {
            "int" => self.roll(100_000).to_string(),
            "small" => self.roll(12).to_string(),
            "float" => format!("{}.{:02}", self.roll(900), self.roll(100)),
            "hex" => format!("0x{}", self.hex(8)),
            "rawhex" => self.hex(8),
            "uuid" => {
                format!("{}-{}-{}-{}-{}", self.hex(8), self.hex(4), self.hex(4), self.hex(4), self.hex(12))
            }
            "ip" => format!("10.{}.{}.{}", self.roll(200), self.roll(200), self.roll(200)),
            "addr" => {
                format!("10.{}.{}.{}:{}", self.roll(200), self.roll(200), self.roll(200), 1024 + self.roll(60_000))
            }
            "mac" => (0..6).map(|_| self.hex(2)).collect::<Vec<_>>().join(":"),
            "ipv6" => (0..8).map(|_| self.hex(4)).collect::<Vec<_>>().join(":"),
            "user" => self.one_of(USERS).to_owned(),
            "host" => format!("{}.{}", self.one_of(HOSTS), self.one_of(ZONES)),
            "component" => match self.roll(2) {
                0 => format!("SCSI-WWID:{}:{}", self.hex(8), self.hex(4)),
                _ => format!("alt{}", self.roll(2)),
            },
            "node" => format!("node-{}", self.roll(200)),
            "path" => format!("/var/{}/{}/f{}", self.one_of(HOSTS), self.one_of(FIELDS), self.roll(999)),
            "size" => match self.roll(3) {
                0 => format!("{}.0 B", self.roll(900)),
                1 => format!("{}.{} KB", self.roll(900), self.roll(9)),
                _ => format!("{}.{} MB", self.roll(900), self.roll(9)),
            },
            "life" => match self.roll(2) {
                0 => "<1 sec".to_owned(),
                _ => format!("{:02}:{:02}", self.roll(60), self.roll(60)),
            },
            "date" => format!(
                "{} {} {:02} {:02}:{:02}:{:02} 2005",
                self.one_of(&["Mon", "Tue", "Sat", "Sun"]),
                self.one_of(&["Jan", "May", "Jun", "Dec"]),
                1 + self.roll(28),
                self.roll(24),
                self.roll(60),
                self.roll(60)
            ),
            "bool" => self.one_of(&["true", "false"]).to_owned(),
            "ok" => (0..=self.roll(4))
                .map(|_| format!("node-{} 0x{} <ok>", self.roll(99), self.hex(6)))
                .collect::<Vec<_>>()
                .join(" "),
            "ints" => (0..=self.roll(5)).map(|_| self.roll(5_000).to_string()).collect::<Vec<_>>().join(" "),
            "list" => (0..=self.roll(4)).map(|_| self.roll(5_000).to_string()).collect::<Vec<_>>().join(", "),
            "quoted" => (0..=self.roll(3)).map(|_| format!("'{}'", self.one_of(FIELDS))).collect::<Vec<_>>().join(", "),
            "hashes" => (0..6).map(|_| self.roll(90_000).to_string()).collect::<Vec<_>>().join("##"),
            "class" => format!("org.example.jobs.event.{}", self.one_of(CLASSES)),
            "package" => format!("com.example.{}", self.one_of(HOSTS)),
            "conf" => format!("mapred.{}.{}", self.one_of(HOSTS), self.one_of(&["id", "name", "dir"])),
            "city" => self.one_of(CITIES).to_owned(),
            "tool" => self.one_of(NAMES).to_owned(),
            "field" => self.one_of(FIELDS).to_owned(),
            "pid" => format!("{}({})", self.one_of(&["QQ", "Notes", "com.example.Addres"]), self.roll(60_000)),
            "nodes" => match self.roll(2) {
                0 => format!("node-[{}-{}]", self.roll(30), 30 + self.roll(90)),
                _ => format!("node-D{}", self.roll(9)),
            },
            "iphost" => match self.roll(2) {
                0 => self.value("ip"),
                _ => self.value("host"),
            },
            words if words.contains('|') => {
                let words: Vec<&str> = words.split('|').collect();
                self.one_of(&words).to_owned()
            }
            other => panic!("no such value: {other}"),
        }
    }

    fn fill(&mut self, statement: &str) -> String {
        let mut message = String::new();
        let mut rest = statement;
        while let Some((before, after)) = rest.split_once('«') {
            let (kind, after) = after.split_once('»').expect("an end");
            message.push_str(before);
            message.push_str(&self.value(kind));
            rest = after;
        }
        message + rest
    }
}

/// Messages of each statement in `lines`, which begin with how many there are.
fn messages(lines: &str) -> Vec<(usize, String)> {
    let mut dice = Dice(7);
    let mut messages = Vec::new();
    for (statement, line) in lines.lines().filter(|line| !line.trim().is_empty()).enumerate() {
        let (n, text) = line.trim().split_once(' ').expect("how many, and the statement");
        for _ in 0..n.parse::<usize>().expect("how many") {
            messages.push((statement, dice.fill(text)));
        }
    }
    messages
}

/// The share of messages whose group holds exactly the messages of their statement, and what came out otherwise.
fn accuracy(messages: &[(usize, String)]) -> (f64, String) {
    let mut miner = Miner::default();
    let shapes: Vec<_> = messages.iter().map(|(_, message)| miner.assign(message)).collect();
    let groups = miner.consolidate(&Overrides::default());
    let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut truth: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, shape) in shapes.iter().enumerate() {
        found.entry(groups.index_of(*shape)).or_default().push(row);
        truth.entry(messages[row].0).or_default().push(row);
    }
    let mut right = 0;
    let mut wrong = String::new();
    for rows in truth.values() {
        if found[&groups.index_of(shapes[rows[0]])] == *rows {
            right += rows.len();
            continue;
        }
        let mut templates: Vec<&str> = rows.iter().map(|row| groups.of(shapes[*row]).template.as_str()).collect();
        templates.sort_unstable();
        templates.dedup();
        wrong.push_str(&format!("{} messages such as “{}” are\n", rows.len(), messages[rows[0]].1));
        templates.iter().take(6).for_each(|template| wrong.push_str(&format!("    {template}\n")));
    }
    (right as f64 / messages.len() as f64, wrong)
}

#[test]
fn each_statement_of_a_program_is_a_group() {
    let mut sum = 0.0;
    for (name, statements) in STATEMENTS {
        let (share, wrong) = accuracy(&messages(statements));
        println!("{name}: {share:.3}\n{wrong}");
        sum += share;
    }
    let mean = sum / STATEMENTS.len() as f64;
    println!("mean: {mean:.3}");
    assert!(mean >= 0.97, "{mean}");
}
