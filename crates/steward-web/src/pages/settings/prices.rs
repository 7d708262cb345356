//! Prices of models: the table, the agency's own over it, and reckoning a month again.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use steward_app::figures::Calls;
use steward_app::prices::{ListedPrice, PriceKey};
use steward_core::prices::{Price, Rate, Rates};
use steward_core::time::Month;

use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::button::{Action, How};
use crate::view::components::form::{Field, Form};
use crate::view::components::notice::Flash;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format;
use crate::view::page::Page;
use crate::view::pages::settings::PricesPage;
use crate::{Problem, Routes, WebState};

use super::super::around::{Visit, mend, put_errors};
use super::{shell, side};

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/settings/prices", show)
        .post("/settings/prices", record)
        .post("/settings/prices/remove", remove)
        .post("/settings/prices/recompute", recompute)
}

/// The most prices of the table that are shown at once; a search shows the others.
const MAX_SHOWN: usize = 200;
/// Days in which a model without a price was called to be asked for.
const UNPRICED_DAYS: i32 = 30;

fn rate(rate: Option<Rate>) -> Cell {
    rate.map_or(Cell::Blank, |rate| Cell::number(format!("${rate}")))
}

fn cells(price: &Price) -> Vec<Cell> {
    let provider = price.provider.clone().map(|p| format!("at {p}")).unwrap_or_default();
    let source = if price.source.starts_with("https://") {
        Cell::Link("source".to_owned(), price.source.clone())
    } else {
        Cell::text(price.source.clone())
    };
    vec![
        Cell::Name(price.model.clone(), provider),
        rate(price.rates.input),
        rate(price.rates.cache_read),
        rate(price.rates.output),
        Cell::text(price.from.strftime("%-d %b %Y").to_string()),
        source,
    ]
}

fn key_fields(key: &PriceKey) -> Vec<(String, String)> {
    let pair = |name: &str, value: String| (name.to_owned(), value);
    vec![
        pair("model", key.model.clone()),
        pair("provider", key.provider.clone().unwrap_or_default()),
        pair("from", key.from.to_string()),
    ]
}

fn key_of(form: &Fields, prefix: &str) -> Option<PriceKey> {
    let value = |name: &str| form.get(&format!("{prefix}{name}")).map(str::trim).filter(|text| !text.is_empty());
    Some(PriceKey {
        model: value("model")?.to_owned(),
        provider: value("provider").map(str::to_owned),
        from: value("from")?.parse().ok()?,
    })
}

async fn prices_page(
    state: &WebState,
    visit: &Visit,
    sent: Option<&Fields>,
    errors: &[(&str, String)],
    error: String,
) -> Result<Page<PricesPage>, PageError> {
    let all = state.app.list_prices(&visit.who.actor).await?;
    let search = visit.get("q").trim().to_lowercase();
    let fits = |price: &&ListedPrice| {
        search.is_empty()
            || price.price.model.to_lowercase().contains(&search)
            || price.price.provider.as_deref().is_some_and(|p| p.to_lowercase().contains(&search))
    };
    let (own, known): (Vec<_>, Vec<_>) = all.iter().partition(|price| price.own);
    let found: Vec<_> = known.iter().copied().filter(fits).collect();
    let head = || {
        vec![
            Column::new("Model"),
            Column::number("Input, 1 M"),
            Column::number("Cached, 1 M"),
            Column::number("Output, 1 M"),
            Column::new("From"),
            Column::new("Source"),
        ]
    };
    let mut own_head = head();
    own_head.push(Column::new(""));
    let own_rows = own.iter().map(|listed| {
        let key = PriceKey::of(&listed.price);
        let query = serde_urlencoded::to_string([
            ("edit", key.model.as_str()),
            ("provider", key.provider.as_deref().unwrap_or_default()),
            ("from", &key.from.to_string()),
        ])
        .unwrap_or_default();
        let mut row = Row::plain(cells(&listed.price));
        let remove = Action {
            how: How::Post(visit.csrf(), key_fields(&key)),
            ..Action::open("Remove", "/settings/prices/remove")
        };
        row.cells.push(Cell::Actions(if visit.operates() {
            vec![Action::open("Change", format!("/settings/prices?{query}#own")), remove]
        } else {
            Vec::new()
        }));
        row
    });
    let edited = own.iter().find(|listed| {
        let key = PriceKey::of(&listed.price);
        key.model == visit.get("edit")
            && key.provider.as_deref().unwrap_or_default() == visit.get("provider")
            && key.from.to_string() == visit.get("from")
    });
    let n_found = found.len();
    let month = state.app.last_days(&visit.who.actor, UNPRICED_DAYS).await?;
    let unpriced = state.app.list_unpriced(&visit.who.actor, month).await?;
    let page = PricesPage {
        side: side("prices", visit.who.actor.role),
        unknown: unknown(visit, &unpriced),
        own: Table::new("Own prices", own_head, own_rows.collect()),
        form: visit.operates().then(|| form(visit, edited.map(|listed| &listed.price), sent, errors, error)),
        known: Table::new(
            "The price table",
            head(),
            found.iter().take(MAX_SHOWN).map(|listed| Row::plain(cells(&listed.price))).collect(),
        ),
        known_note: format!(
            "{} of {} prices, in US dollars a million tokens, with this version of Steward.",
            n_found.min(MAX_SHOWN),
            known.len()
        ),
        recompute: visit.operates().then(|| {
            let month = Month::of(visit.now, &visit.zone).to_string();
            let field = Field::line("month", "month", "Month", month).with_placeholder("2026-10");
            Form::new("/settings/prices/recompute", visit.csrf(), "Reckon again", vec![field])
        }),
        search: visit.get("q").to_owned(),
    };
    Ok(Page::new(visit.wanted, shell(visit, "Prices"), page))
}

/// Models that were called of late and have no price.
fn unknown(visit: &Visit, models: &[Calls]) -> Table {
    let rows = models.iter().map(|model| {
        let address = |path: &str, key: &str| {
            format!("{path}?{}", serde_urlencoded::to_string([(key, model.name.as_str())]).unwrap_or_default())
        };
        let calls = format::count(u64::try_from(model.calls).unwrap_or(0));
        let tokens = format::count(u64::try_from(model.tokens).unwrap_or(0));
        let add = Action::open("Add its price", format!("{}#own", address("/settings/prices", "model"))).primary();
        Row::plain(vec![
            Cell::Name(model.name.clone(), String::new()),
            Cell::NumberLink(calls, format!("{}&priced=no", address("/runs", "model"))),
            Cell::number(tokens),
            Cell::Actions(if visit.operates() { vec![add] } else { Vec::new() }),
        ])
    });
    let head = vec![Column::new("Model"), Column::number("Calls"), Column::number("Tokens"), Column::new("")];
    Table::new("Models without a price", head, rows.collect())
}

fn form(
    visit: &Visit,
    edited: Option<&Price>,
    sent: Option<&Fields>,
    errors: &[(&str, String)],
    error: String,
) -> Form {
    let today = visit.now.to_jiff().to_zoned(visit.zone.clone()).date();
    let kept = |name: &str| {
        let rates = edited.map(|price| price.rates).unwrap_or_default();
        let of = |rate: Option<Rate>| rate.map(|rate| rate.to_string()).unwrap_or_default();
        match name {
            "model" => edited.map_or_else(|| visit.get("model").to_owned(), |price| price.model.clone()),
            "provider" => edited.and_then(|price| price.provider.clone()).unwrap_or_default(),
            "from" => edited.map_or(today, |price| price.from).to_string(),
            "input" => of(rates.input),
            "cached" => of(rates.cache_read),
            "output" => of(rates.output),
            "reasoning" => of(rates.reasoning),
            _ => edited.map(|price| price.source.clone()).unwrap_or_default(),
        }
    };
    let value = |name: &str| sent.and_then(|form| form.get(name)).map_or_else(|| kept(name), str::to_owned);
    let dollars = |name: &str, label: &str| Field::text(name, label, value(name)).with_unit("USD").optional();
    let mut fields = vec![
        Field::text("model", "Model", value("model")).with_hint("As it is reported, or a beginning of it and *."),
        Field::text("provider", "Provider", value("provider")).optional().with_hint("Only calls to it; empty is any."),
        Field::line("date", "from", "From", value("from")),
        Field { required: true, ..dollars("input", "Input, a million tokens") },
        dollars("cached", "From cache, a million tokens"),
        Field { required: true, ..dollars("output", "Output, a million tokens") },
        dollars("reasoning", "Reasoning, a million tokens"),
        Field::text("source", "Where it is from", value("source")).optional(),
    ];
    put_errors(&mut fields, errors);
    let hidden = match edited {
        Some(price) => {
            key_fields(&PriceKey::of(price)).into_iter().map(|(name, value)| (format!("old_{name}"), value)).collect()
        }
        None => Vec::new(),
    };
    Form {
        in_pairs: true,
        hidden,
        error,
        cancel: if edited.is_some() { "/settings/prices".to_owned() } else { String::new() },
        note: "Holds for what comes in from now on; reckon a month again for the runs that are there.".to_owned(),
        ..Form::new(
            "/settings/prices",
            visit.csrf(),
            if edited.is_some() { "Save the price" } else { "Add the price" },
            fields,
        )
    }
}

async fn show(State(state): State<WebState>, visit: Visit) -> Result<Page<PricesPage>, PageError> {
    prices_page(&state, &visit, None, &[], String::new()).await
}

fn price_of(form: &Fields) -> Result<Price, Vec<(&'static str, String)>> {
    let value = |name: &str| form.get(name).map(str::trim).filter(|text| !text.is_empty());
    let mut errors = Vec::new();
    let mut rate = |name: &'static str| {
        let text = value(name)?;
        text.parse::<Rate>().map_err(|error| errors.push((name, format!("{error}.")))).ok()
    };
    let rates = Rates {
        input: rate("input"),
        cache_read: rate("cached"),
        output: rate("output"),
        reasoning: rate("reasoning"),
        ..Rates::default()
    };
    let from = value("from").and_then(|text| text.parse::<Date>().ok());
    if from.is_none() {
        errors.push(("from", "Write a day such as 2026-10-28.".to_owned()));
    }
    if value("model").is_none() {
        errors.push(("model", "A price needs its model.".to_owned()));
    }
    match from {
        Some(from) if errors.is_empty() => Ok(Price {
            model: value("model").unwrap_or_default().to_owned(),
            provider: value("provider").map(str::to_owned),
            from,
            rates,
            tiers: Vec::new(),
            source: value("source").unwrap_or_default().to_owned(),
        }),
        _ => Err(errors),
    }
}

async fn record(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    who.actor.must_operate()?;
    let price = match price_of(&form) {
        Ok(price) => price,
        Err(errors) => {
            let page = prices_page(&state, &visit, Some(&form), &errors, String::new()).await?;
            return Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
        }
    };
    let model = price.model.clone();
    match state.app.record_price(&who.actor, key_of(&form, "old_").as_ref(), price).await {
        Ok(()) => Ok(SeeOther::to("/settings/prices")
            .saying(Flash::good(format!("The price of {model} was saved.")))
            .into_response()),
        Err(error) => {
            let page = prices_page(&state, &visit, Some(&form), &[], mend(error)?).await?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn remove(
    State(state): State<WebState>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let key = key_of(&form, "").ok_or_else(|| Problem::no_such("price"))?;
    state.app.remove_price(&who.actor, &key).await?;
    Ok(SeeOther::to("/settings/prices").saying(Flash::good(format!("The price of {} was removed.", key.model))))
}

async fn recompute(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    who.actor.must_operate()?;
    let month = form.get("month").and_then(Month::parse);
    let Some((month, period)) = month.and_then(|month| Some((month, month.period(&visit.zone)?))) else {
        let words = "Nothing was reckoned again: write a month such as 2026-10.".to_owned();
        let page = prices_page(&state, &visit, None, &[], words).await?;
        return Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    };
    let n = state.app.recompute_prices(&who.actor, None, Some(period)).await?;
    let words =
        format!("The runs of {n} workflows in {} are being read again; Today shows how far it is.", month.in_words());
    Ok(SeeOther::to("/settings/prices").saying(Flash::good(words)).into_response())
}
