use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

fn cost(model: &str, provider: Option<&str>, usage: Usage) -> Option<i64> {
    PriceBook::built_in().cost(model, provider, at("2025-08-31T12:00:00Z"), &usage).map(|nanos| nanos.0)
}

fn model_of(model: &str, provider: Option<&str>) -> Option<(String, Option<String>)> {
    let book = PriceBook::built_in();
    let found = book.resolve(model, provider, at("2026-11-01T00:00:00Z"))?;
    Some((found.price.model.clone(), found.price.provider.clone()))
}

fn price(model: &str, from: &str, input: &str, output: &str) -> Price {
    Price {
        model: model.to_owned(),
        from: from.parse().expect("a day"),
        rates: Rates { input: input.parse().ok(), output: output.parse().ok(), ..Rates::default() },
        ..Price::default()
    }
}

const MILLION: u64 = 1_000_000;

#[test]
fn the_built_in_prices_are_valid() {
    let book = PriceBook::built_in();
    assert_eq!(book.check(), Vec::<String>::new());
    assert!(book.built_in_prices().len() > 150);
    assert!(book.built_in_prices().iter().all(|price| !price.source.is_empty()), "every price names its source");
}

#[test]
fn cached_tokens_cost_less() {
    // 2 + 0.50 + 8 dollars.
    let usage = Usage { input: MILLION, cache_read: MILLION, output: MILLION, ..Usage::default() };
    assert_eq!(cost("gpt-4.1", Some("openai"), usage), Some(10_500_000_000));
    // One token of a cached prompt is half a nano-dollar over 500.
    let usage = Usage { cache_read: 1, ..Usage::default() };
    assert_eq!(cost("gpt-4.1", None, usage), Some(500));
}

#[test]
fn cache_writes_cost_by_their_lifetime() {
    let of = |usage| cost("claude-sonnet-4-20250514", Some("anthropic"), usage);
    assert_eq!(of(Usage { cache_write_5m: 1_000, ..Usage::default() }), Some(3_750_000));
    assert_eq!(of(Usage { cache_write: 1_000, ..Usage::default() }), Some(3_750_000));
    assert_eq!(of(Usage { cache_write_1h: 1_000, ..Usage::default() }), Some(6_000_000));
}

#[test]
fn kinds_without_a_price_cost_what_their_family_costs() {
    let usage = Usage { reasoning: MILLION, input_image: MILLION, cache_write_1h: MILLION, ..Usage::default() };
    assert_eq!(cost("gpt-4.1", None, usage), Some(8_000_000_000 + 2 * 2_000_000_000));
}

#[test]
fn a_long_prompt_costs_the_tier_for_the_whole_call() {
    let of = |input, cache_read| {
        cost("gemini-2.5-pro", None, Usage { input, cache_read, output: 1_000, ..Usage::default() })
    };
    assert_eq!(of(200_000, 0), Some(250_000_000 + 10_000_000));
    assert_eq!(of(200_001, 0), Some(500_002_500 + 15_000_000));
    // What was read from a cache counts for the bound.
    assert_eq!(of(100_000, 200_000), Some(250_000_000 + 125_000_000 + 15_000_000));
}

#[test]
fn what_no_price_covers_is_unknown_and_not_free() {
    let usage = Usage { input: 1, ..Usage::default() };
    for model in
        ["", "my-own-model", "gpt-9", "my-company/gpt-4o", "gpt-4o:free", "/", "llama-4-scout-17b-16e-instruct"]
    {
        assert_eq!(cost(model, None, usage), None, "{model}");
    }
    let silent = Price {
        rates: Rates { output: None, ..price("m", "2025-01-01", "1", "1").rates },
        ..price("m", "2025-01-01", "1", "1")
    };
    assert_eq!(silent.cost(&Usage { input: 1_000, ..Usage::default() }), Some(Nanos(1_000_000)));
    assert_eq!(silent.cost(&Usage { output: 1, ..Usage::default() }), None);
}

#[test]
fn a_model_is_found_under_any_of_its_names() {
    for (written, name) in [
        ("gpt-4o", "gpt-4o"),
        ("openai/gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("azure/gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("GPT-4.1", "gpt-4.1"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
        ("us.anthropic.claude-3-5-haiku-20241022-v1:0", "claude-3-5-haiku"),
        ("anthropic/claude-3.5-haiku", "claude-3-5-haiku"),
        ("claude-3-7-sonnet-latest", "claude-3-7-sonnet"),
        ("claude-sonnet-4@20250514", "claude-sonnet-4"),
        ("mistralai/mistral-large-2411", "mistral-large-2411"),
        ("gpt-4-0613", "gpt-4"),
        ("eu.amazon.nova-lite-v1:0", "eu.amazon.nova-lite-v1:0"),
        ("us.amazon.nova-lite-v1:0", "nova-lite"),
        ("ft:gpt-4o-mini-2024-07-18:a-company::Ab12", "ft:gpt-4o-mini-2024-07-18*"),
        ("google/gemini-2.5-pro-preview-06-05", "gemini-2.5-pro-preview*"),
        ("text-embedding-004", "text-embedding-004"),
    ] {
        assert_eq!(model_of(written, None).map(|(model, _)| model).as_deref(), Some(name), "{written}");
    }
}

#[test]
fn a_price_of_one_provider_holds_only_there() {
    let groq = || Some(("gpt-oss-120b".to_owned(), Some("groq".to_owned())));
    assert_eq!(model_of("groq/openai/gpt-oss-120b", None), groq());
    assert_eq!(model_of("openai/gpt-oss-120b", Some("groq")), groq());
    assert_eq!(model_of("gpt-oss-120b", Some("openai")), None);
    assert_eq!(
        model_of("gpt-4o-mini", Some("az.ai.openai")),
        Some(("gpt-4o-mini".to_owned(), Some("azure".to_owned())))
    );
    assert_eq!(
        model_of("azure/gpt-4o-mini", Some("openai")),
        Some(("gpt-4o-mini".to_owned(), Some("azure".to_owned())))
    );
    assert_eq!(model_of("gpt-4o-mini", Some("openai")), Some(("gpt-4o-mini".to_owned(), None)));
}

#[test]
fn the_price_of_the_day_holds() {
    let book = PriceBook::built_in();
    let usage = Usage { output: MILLION, ..Usage::default() };
    let of = |when: &str| book.cost("o3", None, at(when), &usage).map(Nanos::units);
    assert_eq!(of("2025-06-09T23:59:59Z"), Some(40.0));
    assert_eq!(of("2025-06-10T00:00:00Z"), Some(8.0));
    assert_eq!(of("2026-06-10T00:00:00Z"), Some(8.0));
}

#[test]
fn a_call_before_the_first_known_day_takes_the_first_price_and_says_so() {
    let book = PriceBook::built_in();
    let early = book.resolve("o3", None, at("2024-01-01T00:00:00Z")).expect("known");
    assert!(early.before_first_date);
    assert_eq!(early.price.from.to_string(), "2025-04-16");
    assert!(!book.resolve("o3", None, at("2025-04-16T00:00:00Z")).expect("known").before_first_date);
}

#[test]
fn own_prices_win_from_their_day_on() {
    let book = PriceBook::with_overrides(&[
        price("gpt-4o", "2025-06-01", "1", "2"),
        price("gpt-4o", "2025-09-01", "3", "4"),
        price("my-model", "2025-06-01", "5", "6"),
    ]);
    let usage = Usage { input: MILLION, ..Usage::default() };
    let of = |model: &str, when: &str| {
        let found = book.resolve(model, None, at(when)).expect("known");
        (found.own, found.before_first_date, found.price.cost(&usage).map(Nanos::units))
    };
    assert_eq!(of("gpt-4o", "2025-05-31T23:00:00Z"), (false, false, Some(2.5)));
    assert_eq!(of("gpt-4o", "2025-06-01T00:00:00Z"), (true, false, Some(1.0)));
    assert_eq!(of("openai/gpt-4o-2024-08-06", "2025-07-01T00:00:00Z"), (true, false, Some(1.0)));
    assert_eq!(of("gpt-4o", "2025-10-01T00:00:00Z"), (true, false, Some(3.0)));
    assert_eq!(of("my-model", "2025-01-01T00:00:00Z"), (true, true, Some(5.0)), "nothing else is known");
    assert_eq!(of("gpt-4.1", "2025-07-01T00:00:00Z"), (false, false, Some(2.0)));
}

#[test]
fn the_longest_pattern_wins() {
    let book = PriceBook::with_overrides(&[
        price("acme-*", "2025-01-01", "1", "1"),
        price("acme-large-*", "2025-01-01", "2", "2"),
        price("acme-large-7", "2025-01-01", "3", "3"),
    ]);
    let of = |model: &str| book.resolve(model, None, at("2025-02-01T00:00:00Z")).map(|found| found.price.model.clone());
    assert_eq!(of("acme-small").as_deref(), Some("acme-*"));
    assert_eq!(of("openai/acme-large-8").as_deref(), Some("acme-large-*"));
    assert_eq!(of("Acme-Large-7-2025-01-31").as_deref(), Some("acme-large-7"));
    assert_eq!(of("acm"), None);
}

#[test]
fn problems_are_said_in_words() {
    let tier = |above_input_tokens| Tier { above_input_tokens, rates: price("", "2025-01-01", "1", "1").rates };
    let book = PriceBook::with_overrides(&[
        Price { rates: Rates { input: "-1".parse().ok(), ..Rates::default() }, ..price("a", "2025-01-01", "", "") },
        Price { tiers: vec![tier(200), tier(100)], ..price("b*c", "2025-01-01", "1", "1") },
        price("d", "2025-01-01", "1", "1"),
        price("D", "2025-01-01", "2", "2"),
        price("", "0000-01-01", "1", "1"),
    ]);
    assert_eq!(
        book.check(),
        [
            "a from 2025-01-01: the price of output is missing; write 0 where it is free",
            "a from 2025-01-01: the price of input is negative: -1",
            "b*c from 2025-01-01: a “*” may stand only once, at the end of the model",
            "b*c from 2025-01-01: its tiers are not in the order of their bounds",
            "a price without a model from 0000-01-01: the model is missing",
            "a price without a model from 0000-01-01: the day from which it holds is missing",
            "D from 2025-01-01: it has two prices from the same day",
        ]
    );
}

#[test]
fn a_price_survives_its_json() {
    let text = r#"{"model":"m","provider":"azure","from":"2025-08-31","input":"2.5","output":"10","cache_read":"1.25","tiers":[{"above_input_tokens":200000,"input":"5"}],"source":"a contract"}"#;
    let price: Price = serde_json::from_str(text).expect("valid");
    assert_eq!(serde_json::to_string(&price).expect("serialises"), text);
}

#[test]
fn an_unknown_key_or_a_wrong_number_is_refused_by_name() {
    let error = |text: &str| serde_json::from_str::<Price>(text).expect_err("wrong").to_string();
    assert!(error(r#"{"model":"m","from":"2025-08-31","imput":"1"}"#).contains("imput"));
    assert!(error(r#"{"model":"m","from":"2025-08-31","input":"cheap"}"#).contains("“cheap” is not a price"));
}

/// The table is no part of the repository; where it lies beside the checkout, every figure taken from it is compared.
#[test]
fn prices_said_to_be_of_the_table_are_in_the_table() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/token-prices/model_prices.tokencost-2025-08-31.json"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("left out: built-in prices against the table that they come from");
        return;
    };
    let table: HashMap<String, serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    let nanos = |value: &serde_json::Value| value.as_f64().map(|usd| (usd * 1e15).round() as i64);
    let of = |rate: Option<Rate>| rate.map(Rate::nanos_per_million);
    let mut compared = 0;
    for price in PriceBook::built_in().built_in_prices().iter().filter(|price| price.source.starts_with("tokencost")) {
        let name = price.model.trim_end_matches('*');
        let name = name.strip_suffix("-4-0").map_or_else(|| name.to_owned(), |family| format!("{family}-4"));
        let found = table.iter().filter(|(key, _)| key.contains(&name)).any(|(_, entry)| {
            nanos(&entry["input_cost_per_token"]) == of(price.rates.input)
                && nanos(&entry["output_cost_per_token"]).unwrap_or(0) == of(price.rates.output).unwrap_or(0)
        });
        assert!(found, "{} is not in the table at this price", price.model);
        compared += 1;
    }
    assert!(compared > 120, "{compared}");
}

proptest! {
    #[test]
    fn no_usage_makes_it_panic_or_go_below_zero(n in proptest::array::uniform10(any::<u64>()), micros in any::<i64>(), pick in any::<proptest::sample::Index>()) {
        let usage = Usage {
            input: n[0], cache_read: n[1], cache_write: n[2], cache_write_5m: n[3], cache_write_1h: n[4],
            input_audio: n[5], input_image: n[6], output: n[7], reasoning: n[8], output_audio: n[9],
            ..Usage::default()
        };
        let book = PriceBook::with_overrides(&[price("m", "2025-01-01", "-9000000000", "9000000000")]);
        let price = pick.get(book.built_in_prices());
        let found = book.cost(&price.model, price.provider.as_deref(), Timestamp(micros), &usage);
        prop_assert!(found.is_some_and(|nanos| nanos.0 >= 0));
        prop_assert!(book.cost("m", None, Timestamp(micros), &usage).is_some_and(|nanos| nanos.0 >= 0));
    }

    #[test]
    fn no_name_makes_it_panic(model in ".{0,60}", provider in proptest::option::of(".{0,20}")) {
        let book = PriceBook::with_overrides(&[price(&model, "2025-01-01", "1", "1")]);
        let _ = book.resolve(&model, provider.as_deref(), Timestamp(0));
        let _ = book.check();
    }

    #[test]
    fn costs_of_parts_sum_to_the_cost_of_the_whole_within_rounding(a in 0u64..10_000_000, b in 0u64..10_000_000) {
        let of = |input| cost("gpt-4o-mini", None, Usage { input, ..Usage::default() }).expect("known");
        prop_assert!((of(a) + of(b) - of(a + b)).abs() <= 1);
    }
}
