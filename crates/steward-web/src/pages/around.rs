//! What every page in the rooms needs before it is filled: who asks, the shell, the period, and figures as cards.

use axum::extract::FromRequestParts;
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use steward_app::AppError;
use steward_app::figures::{Day, Figures, last_days};
use steward_core::clients::Agency;
use steward_core::metrics::{Good, Unit, definition};
use steward_core::money::{Currency, Nanos};
use steward_core::outcome::Outcome;
use steward_core::report::{Change, Chart, ChartKind, Series, SeriesRole};
use steward_core::tallies::Metric;
use steward_core::time::{Month, Period, Timestamp};

use crate::WebState;
use crate::flash::Said;
use crate::problem::PageError;
use crate::session::SignedIn;
use crate::view::components::chart::ChartBlock;
use crate::view::components::figure::{Comparison, Figure, Value, Way, sparkline};
use crate::view::components::form::Field;
use crate::view::components::icon::Icon;
use crate::view::components::period::{PeriodPicker, Preset};
use crate::view::format::{self, Shown};
use crate::view::html::{Csrf, Html};
use crate::view::page::Wanted;
use crate::view::shell::{Crumb, Room, Shell, SignedIn as ShellPerson, Theme};

/// Somebody on a page, with what the shell says of them and of where they are.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    /// Who it is.
    pub who: SignedIn,
    /// Whether the whole page was asked for.
    pub wanted: Wanted,
    /// Their agency.
    pub agency: Agency,
    /// The agency's zone.
    pub zone: TimeZone,
    /// The time.
    pub now: Timestamp,
    /// The page's path.
    pub path: String,
    /// The page's query.
    pub query: Vec<(String, String)>,
    email: String,
    theme: Theme,
    said: Said,
}

impl FromRequestParts<WebState> for Visit {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, PageError> {
        let who = SignedIn::from_request_parts(parts, state).await?;
        let Ok(said) = Said::from_request_parts(parts, state).await;
        let agency = state.app.get_agency(&who.actor).await?;
        let person = state.app.store_of(&who.actor).find_person(who.actor.person_id).await.map_err(AppError::from)?;
        let cookies = parts.headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok(Self {
            wanted: Wanted::of(&parts.headers),
            zone: agency.zone(),
            agency,
            now: state.app.clock().now(),
            path: parts.uri.path().to_owned(),
            query: serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).unwrap_or_default(),
            email: person.map(|person| person.email).unwrap_or_default(),
            theme: Theme::of_cookies(cookies),
            said,
            who,
        })
    }
}

impl Visit {
    /// The token for forms.
    pub(crate) fn csrf(&self) -> Csrf {
        self.who.csrf.clone()
    }

    /// The first value of a name in the query; empty when there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The address of the person.
    pub(crate) fn email(&self) -> &str {
        &self.email
    }

    /// Whether they may change things.
    pub(crate) fn operates(&self) -> bool {
        self.who.actor.role.operates()
    }

    /// Whether they see money.
    pub(crate) fn sees_money(&self) -> bool {
        self.who.actor.role.sees_money()
    }

    /// What stands around a page in one of the rooms.
    pub(crate) fn shell(&self, title: impl Into<String>, question: &str, room: &str) -> Shell {
        let title = title.into();
        let mut rooms = vec![
            Room::new("Today", "/", Icon::Today, "t"),
            Room::new("Clients", "/clients", Icon::Clients, "c"),
            Room::new("Runs", "/runs", Icon::Runs, "r"),
            Room::new("Queue", "/queue", Icon::Queue, "q"),
            Room::new("Exceptions", "/exceptions", Icon::Exceptions, "e"),
        ];
        if self.sees_money() {
            rooms.push(Room::new("Reports", "/reports", Icon::Reports, "p"));
        }
        if self.operates() {
            rooms.push(Room::new("Settings", "/settings", Icon::Settings, "s"));
        }
        let query = serde_urlencoded::to_string(&self.query).unwrap_or_default();
        let mut shell = Shell {
            path: vec![Crumb::new(title.clone(), "")],
            title,
            question: question.to_owned(),
            agency: self.agency.name.clone(),
            rooms,
            person: Some(ShellPerson {
                name: self.who.actor.name.clone(),
                email: self.email.clone(),
                role: self.who.actor.role.as_str().to_owned(),
            }),
            theme: self.theme,
            flash: self.said.shown(&self.who.csrf),
            csrf: self.csrf(),
            here: if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) },
            ..Shell::default()
        };
        shell.enter(room);
        shell
    }

    /// The period that the address names; thirty days where it names none.
    pub(crate) fn period(&self) -> Chosen {
        let (from, to) = (self.get("from").parse::<Date>().ok(), self.get("to").parse::<Date>().ok());
        let days = |n| last_days(self.now, n, &self.zone);
        let month = Month::of(self.now, &self.zone);
        let n_days = self.get("days").parse::<i32>().ok().filter(|n| (1..=1_000).contains(n));
        let between = from.zip(to).and_then(|(from, to)| Period::of_days(from, to, &self.zone));
        let (word, words, period) = match (between, n_days, self.get("period")) {
            (Some(period), ..) => ("", String::new(), Some(period)),
            (None, Some(n), _) => ("", format!("{n} days"), Some(days(n))),
            (_, _, "today") => ("today", "Today".to_owned(), Some(days(1))),
            (_, _, "7d") => ("7d", "7 days".to_owned(), Some(days(7))),
            (_, _, "90d") => ("90d", "90 days".to_owned(), Some(days(90))),
            (_, _, "this-month") => ("this-month", month.in_words(), month.period(&self.zone)),
            (_, _, "last-month") => ("last-month", month.before().in_words(), month.before().period(&self.zone)),
            _ => ("30d", "30 days".to_owned(), Some(days(30))),
        };
        let period = period.unwrap_or_else(|| days(30));
        let last = Timestamp(period.end.0 - 1);
        let bounds = format!("{} – {}", format::day(period.start, &self.zone), format::day(last, &self.zone));
        let is_own = |name: &str| matches!(name, "period" | "from" | "to" | "days");
        let keep: Vec<(String, String)> = self.query.iter().filter(|(name, _)| !is_own(name)).cloned().collect();
        let with = |word: &str| {
            let mut pairs = keep.clone();
            pairs.push(("period".to_owned(), word.to_owned()));
            format!("{}?{}", self.path, serde_urlencoded::to_string(pairs).unwrap_or_default())
        };
        let date = |at: Timestamp| at.to_jiff().to_zoned(self.zone.clone()).date();
        let (first_day, last_day) = (date(period.start), date(last));
        let query =
            if word.is_empty() { format!("?from={first_day}&to={last_day}") } else { format!("?period={word}") };
        Chosen {
            period,
            query,
            picker: PeriodPicker {
                label: if words.is_empty() { bounds.clone() } else { words },
                bounds,
                presets: PeriodPicker::PRESETS
                    .iter()
                    .map(|(preset, name)| Preset {
                        name: (*name).to_owned(),
                        href: with(preset),
                        current: *preset == word,
                    })
                    .collect(),
                path: self.path.clone(),
                keep: keep.clone(),
                from: first_day.to_string(),
                to: last_day.to_string(),
                zone: format!("Days of {}", self.agency.time_zone),
            },
        }
    }
}

/// The period of a page.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    /// The period.
    pub period: Period,
    /// The part of an address that names it: `?period=30d`.
    pub query: String,
    /// How it is chosen.
    pub picker: PeriodPicker,
}

/// The words of a failure that the person can mend in their form; other failures go on.
pub(crate) fn mend(error: AppError) -> Result<String, PageError> {
    match error {
        AppError::Invalid(words) | AppError::Conflict(words) => Ok(sentence(&words)),
        other => Err(other.into()),
    }
}

/// Puts what is wrong with some fields, by name, where it is read.
pub(crate) fn put_errors<'a>(fields: impl IntoIterator<Item = &'a mut Field>, errors: &[(&str, String)]) {
    for field in fields {
        if let Some((_, words)) = errors.iter().find(|(name, _)| *name == field.name) {
            field.error.clone_from(words);
        }
    }
}

/// Words as a sentence: with a capital and a stop.
pub(crate) fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let stop = if words.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", chars.as_str())
}

/// Money as a number of units in a currency.
pub(crate) fn money(units: f64, currency: Currency) -> Shown {
    Nanos::from_units(units).map_or_else(|| Shown::plain("no data"), |nanos| format::money_short(nanos, currency))
}

/// The value of a metric as it is shown.
pub(crate) fn shown(value: f64, unit: Unit, currency: Currency) -> Shown {
    match unit {
        Unit::Count => format::count_short(value.max(0.0).round() as u64),
        Unit::Share => format::share(value),
        Unit::Seconds => Shown::plain(format::duration_ms((value * 1_000.0).round() as i64)),
        Unit::Hours => format::hours(value),
        Unit::MinutesPerRun => Shown::with_unit(format::significant(value), "min"),
        Unit::Money | Unit::MoneyPerRun => money(value, currency),
        Unit::Ratio => Shown::with_unit(format::significant(value), "×"),
        Unit::RunsPerHour => Shown::with_unit(format::significant(value), "an hour"),
        Unit::RunsPerDay => Shown::with_unit(format::significant(value), "a day"),
        Unit::TokensPerRun => Shown::plain(format::significant(value)),
    }
}

/// A value against the one before it. `None` when there is nothing to compare with.
pub(crate) fn compare(now: f64, before: f64, unit: Unit, good: Good, currency: Currency) -> Option<Comparison> {
    let by = if unit == Unit::Share { format::points(now, before) } else { format::relative_change(now, before)? };
    let way = Way::from_to(before, now);
    let change = match (good, way) {
        (Good::Up, Way::Up) | (Good::Down, Way::Down) => Change::Better,
        (Good::Up, Way::Down) | (Good::Down, Way::Up) => Change::Worse,
        _ => Change::Neither,
    };
    let was = shown(before, unit, currency);
    let unit = if was.unit.is_empty() { String::new() } else { format!(" {}", was.unit) };
    Some(Comparison {
        by: if way == Way::Level { String::new() } else { by },
        way,
        change,
        before: format!("{}{unit} in the period before", was.text),
    })
}

/// A metric as a card. `None` where the person may not see it.
pub(crate) fn card(figures: &Figures, id: &str, days: &[Day], receipts: String) -> Option<Figure> {
    let (figure, known) = (figures.get(id)?, definition(id)?);
    let counted = match id {
        "tool_error_rate" | "model_error_rate" => "calls",
        _ => "runs",
    };
    let whole = |value: f64| value.max(0.0).round() as u64;
    let basis = match (figure.value, figure.numerator, figure.denominator) {
        (Some(_), Some(part), Some(of)) if figure.is_rate => {
            format!("{} {counted}", format::of(whole(part), whole(of)))
        }
        (Some(_), _, Some(n)) if id == "cost_per_completed_run" => {
            format!("over {} completed runs", format::count(whole(n)))
        }
        (Some(_), Some(reviewed), Some(sampled)) if id == "audited_completion_rate" => {
            format!("{} samples reviewed", format::of(whole(reviewed), whole(sampled)))
        }
        (Some(_), _, Some(n)) if id == "run_cost" => format!("{} runs with a known cost", format::count(whole(n))),
        (Some(_), _, Some(n)) if id.starts_with("cycle_time") => format!("over {} runs", format::count(whole(n))),
        _ => String::new(),
    };
    let coverage = match figure.bounds {
        Some((low, high)) if low < high => {
            let unverified = whole(figures.sums.outcome(Outcome::Unverified) as f64);
            format!(
                "{} unverified: between {} and {} %",
                format::count(unverified),
                format::decimals(low * 100.0, 0),
                format::decimals(high * 100.0, 0)
            )
        }
        _ if figure.value.is_some() => figure.note.clone(),
        _ => String::new(),
    };
    let before = figures.get_before(id).and_then(|before| before.value);
    let has_before = figures.sums_before.runs() > 0;
    let comparison = figure.value.zip(before.filter(|_| has_before));
    Some(Figure {
        name: known.name.to_owned(),
        definition: format!("/definitions#{id}"),
        value: figure.value.map_or_else(
            || Value::NoData(figure.note.clone()),
            |value| Value::Known(shown(value, known.unit, figures.currency)),
        ),
        basis,
        interval: figure
            .low
            .zip(figure.high)
            .filter(|_| figure.value.is_some())
            .map(|(low, high)| format::interval(low, high))
            .unwrap_or_default(),
        comparison: comparison.and_then(|(now, before)| compare(now, before, known.unit, known.good, figures.currency)),
        spark: spark(id, days),
        coverage,
        receipts,
    })
}

fn spark(id: &str, days: &[Day]) -> Html {
    let of = |value: &dyn Fn(&Day) -> Option<f64>| sparkline(&days.iter().map(value).collect::<Vec<_>>());
    let rate = |day: &Day, outcome| {
        let verified = day.sums.verified();
        (verified > 0).then(|| day.sums.outcome(outcome) as f64 / verified as f64)
    };
    match id {
        "runs" => of(&|day| Some(day.sums.runs() as f64)),
        "completion_rate" => of(&|day| rate(day, Outcome::Completed)),
        "escalation_rate" => of(&|day| rate(day, Outcome::Escalated)),
        "run_cost" => of(&|day| (day.sums.total(Metric::Cost).0 > 0).then(|| day.sums.known_cost().units())),
        _ => Html::default(),
    }
}

/// What [`card`] and [`charts`] need to know of each day.
pub(crate) const DAY_METRICS: [Metric; 4] = [Metric::Runs, Metric::Outcome, Metric::Cost, Metric::CostUnknown];

/// Runs by outcome, and the completion rate with its interval, by day.
pub(crate) fn charts(days: &[Day]) -> Vec<ChartBlock> {
    if days.iter().all(|day| day.sums.runs() == 0) {
        return Vec::new();
    }
    let labels: Vec<String> = days.iter().map(|day| day.date.strftime("%-d %b").to_string()).collect();
    let roles = [
        (Outcome::Completed, SeriesRole::Good),
        (Outcome::Escalated, SeriesRole::Info),
        (Outcome::Failed, SeriesRole::Bad),
        (Outcome::Abandoned, SeriesRole::Warn),
        (Outcome::Unverified, SeriesRole::Muted),
    ];
    let outcomes = Chart {
        title: "Runs by outcome, a day".to_owned(),
        kind: ChartKind::StackedBars,
        unit: "runs".to_owned(),
        labels: labels.clone(),
        series: roles
            .into_iter()
            .map(|(outcome, role)| Series {
                name: outcome.as_str().to_owned(),
                role,
                values: days.iter().map(|day| Some(day.sums.outcome(outcome).max(0) as f64)).collect(),
            })
            .collect(),
        marks: Vec::new(),
    };
    let rate = |day: &Day| {
        let verified = day.sums.verified();
        (verified > 0).then(|| 100.0 * day.sums.outcome(Outcome::Completed) as f64 / verified as f64)
    };
    let completion = Chart {
        title: "Completion rate, a day".to_owned(),
        kind: ChartKind::Line,
        unit: "%".to_owned(),
        labels,
        series: vec![Series {
            name: "completion rate".to_owned(),
            role: SeriesRole::Accent,
            values: days.iter().map(rate).collect(),
        }],
        marks: Vec::new(),
    };
    let block = |chart: &Chart, places| {
        let svg = steward_app::pictures::chart(chart, 640, 240).map(Html::trusted).unwrap_or_default();
        ChartBlock {
            legend: Vec::new(),
            ..ChartBlock::of(chart, "Day", svg, None, |value| format::decimals(value, places))
        }
    };
    vec![block(&outcomes, 0), block(&completion, 1)]
}
