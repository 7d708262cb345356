use insta::assert_snapshot;
use serde_json::json;
use steward_app::prices::PriceKey;
use steward_core::people::Role;
use steward_core::prices::{Price, Rates};
use steward_core::time::Timestamp;
use steward_core::usage::Usage;
use steward_testkit::db_tests;

use crate::world::{NOW, World, words};

fn price(model: &str, from: &str, input: &str) -> Price {
    Price {
        model: model.to_owned(),
        from: from.parse().expect("a day"),
        rates: Rates { input: input.parse().ok(), output: "0".parse().ok(), ..Rates::default() },
        ..Price::default()
    }
}

db_tests! {
    async fn an_own_price_holds_for_its_agency_until_it_is_removed(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let stranger = world.agency("south").await;
        let usage = Usage { input: 1_000_000, ..Usage::default() };
        let cost = async |actor: &steward_app::Actor, at: Timestamp| {
            let book = world.app.price_book(actor.agency_id).await.expect("a book");
            book.cost("our-model", None, at, &usage).map(|nanos| nanos.0 / 1_000_000_000)
        };
        assert_eq!(cost(&owner, NOW).await, None);
        world.app.record_price(&owner, None, price(" our-model ", "2026-01-01", "3")).await.expect("recorded");
        world.app.record_price(&owner, None, price("our-model", "2026-12-01", "5")).await.expect("recorded");
        assert_eq!(cost(&owner, NOW).await, Some(3));
        assert_eq!(cost(&owner, NOW.plus_ms(30 * 86_400_000)).await, Some(5));
        assert_eq!(cost(&stranger, NOW).await, None);

        let key = PriceKey::of(&price("our-model", "2026-01-01", "3"));
        world.app.record_price(&owner, Some(&key), price("our-model", "2026-02-01", "4")).await.expect("replaced");
        assert_eq!(cost(&owner, NOW).await, Some(4));
        assert_snapshot!(words(world.app.remove_price(&owner, &key).await), @"not found: no such price");
        let key = PriceKey::of(&price("our-model", "2026-02-01", "4"));
        assert!(words(world.app.remove_price(&stranger, &key).await).starts_with("not found"));
        world.app.remove_price(&owner, &key).await.expect("removed");

        let listed = world.app.list_prices(&owner).await.expect("a list");
        assert_eq!(listed.iter().filter(|p| p.own).count(), 1);
        assert!(listed.iter().any(|p| !p.own));
        assert!(world.app.check_prices(owner.agency_id).await.expect("an answer").is_empty());
    }

    async fn a_model_that_no_price_covers_is_asked_for_until_one_does(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let step = |id: &str, model: &str, cost: serde_json::Value| {
            json!({ "id": id, "kind": "model", "model": model, "cost_usd": cost,
                    "usage": { "input_tokens": 1_000, "output_tokens": 10 },
                    "started_at": NOW.plus_ms(-60_000).rfc3339(), "ended_at": NOW.plus_ms(-59_000).rfc3339() })
        };
        let run = json!({
            "id": "r", "workflow": "w", "started_at": NOW.plus_ms(-60_000).rfc3339(), "ended_at": NOW.plus_ms(-50_000).rfc3339(),
            "steps": [step("a", "our-model", json!(null)), step("b", "our-model", json!(null)),
                      step("c", "their-model", json!(0.5)), step("d", "gpt-4o", json!(null))],
        });
        world.take_in(&owner, &[run]).await;
        let month = world.app.last_days(&owner, 30).await.expect("a period");
        let unpriced = world.app.list_unpriced(&owner, month).await.expect("models");
        let names: Vec<_> = unpriced.iter().map(|model| (model.name.as_str(), model.calls, model.tokens)).collect();
        assert_eq!(names, [("our-model", 2, 2_020)], "one is reported with its cost, one has a price");
        world.app.record_price(&owner, None, price("our-*", "2026-01-01", "3")).await.expect("recorded");
        assert!(world.app.list_unpriced(&owner, month).await.expect("models").is_empty());
        let client = world.client(&owner, "Clinic").await;
        let contractor = world.person(&owner, "con@north.test", Role::Contractor, &[client.id]).await;
        assert!(words(world.app.list_unpriced(&contractor, month).await).starts_with("forbidden"));
    }

    async fn a_price_that_cannot_be_right_is_refused_in_words(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let no_input = Price { rates: Rates::default(), ..price("our-model", "2026-01-01", "1") };
        assert_snapshot!(words(world.app.record_price(&owner, None, no_input).await), @"invalid: our-model from 2026-01-01: the price of input is missing; write 0 where it is free; our-model from 2026-01-01: the price of output is missing; write 0 where it is free");
        assert_snapshot!(words(world.app.record_price(&owner, None, price("*", "2026-01-01", "1")).await), @"invalid: * from 2026-01-01: the model is missing");
        assert_snapshot!(words(world.app.record_price(&owner, None, price("our-model", "2026-01-01", "-1")).await), @"invalid: our-model from 2026-01-01: the price of input is negative: -1");
        assert!(
            words(world.app.record_price(&owner, None, price(&"m".repeat(301), "2026-01-01", "1")).await)
                .starts_with("invalid")
        );
        assert!(world.app.list_prices(&owner).await.expect("a list").iter().all(|p| !p.own));
    }

    async fn recomputing_queues_each_workflow_once(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        for name in ["One", "Two"] {
            world.workflow(&owner, name, None).await;
        }
        assert_eq!(world.app.recompute_prices(&owner, None, None).await.expect("queued"), 2);
        assert_eq!(world.app.recompute_prices(&owner, None, None).await.expect("queued already"), 2);
        assert_eq!(world.n_waiting_jobs(&owner).await, 2);
    }
}
