//! Attributes that no rule used: by key, for the agency and for one workflow, each opening the runs that have it.

use serde_json::Value;
use steward_core::people::Role;
use steward_testkit::{KeyHolder, Seat, TestApp, TestDb, db_tests};

use crate::payload::{PROTOBUF, SECOND, protobuf, span, text};

async fn world(db: TestDb) -> (TestApp, Seat, KeyHolder) {
    let app = TestApp::new(db).await;
    let owner = app.agency("north").await;
    let key = owner.with_key(None).await;
    (app, owner, key)
}

/// Where a link with these words leads.
fn href_of<'p>(page: &'p str, words: &str) -> &'p str {
    let end = page.find(&format!(">{words}<")).unwrap_or_else(|| panic!("{words:?} is no link in {page}"));
    let start = page[..end].rfind("href=\"").expect("an address") + 6;
    page[start..].split('"').next().expect("an end")
}

async fn items(seat: &Seat, query: &str) -> Vec<Value> {
    let answer = seat.get(&format!("/api/v1/runs?{query}")).await;
    answer.json()["items"].as_array().unwrap_or_else(|| panic!("{}", answer.in_short())).clone()
}

db_tests! {
    async fn each_key_opens_the_runs_that_have_it(db: TestDb) {
        let (app, owner, key) = world(db).await;
        let with = |n: u8, more: &[&str]| {
            let mut span = span(n);
            span.attributes.extend(more.iter().map(|key| text(key, "x")));
            span
        };
        let spans = vec![with(1, &["vendor.callId", "a%b_c|d"]), with(2, &["vendor.callId"]), with(3, &["vendor.call"]), with(4, &[])];
        assert_eq!(key.post("/v1/traces", PROTOBUF, protobuf(spans)).await.status, 200);
        app.assemble().await;
        let page = owner.get("/unmapped").await;
        assert_eq!(page.status, 200, "{}", page.in_short());
        let text = page.text();
        assert!(text.find("vendor.callId") < text.find("vendor.call<"), "the most frequent first");
        for (words, n) in [("vendor.callId", 2), ("vendor.call", 1), ("a%b_c|d", 1)] {
            let href = href_of(text, words).replace("&#38;", "&");
            let list = owner.get(&href).await;
            assert_eq!(list.status, 200, "{href}");
            let query = href.split_once('?').expect("a query").1;
            assert_eq!(items(&owner, query).await.len(), n, "{words}: {href}");
        }
        assert!(!text.contains("in this period"), "there is no period before to tell what is new: {text}");
        let workflow = items(&owner, "").await[0]["workflow_id"].as_str().expect("a workflow").to_owned();
        let of_workflow = owner.get(&format!("/unmapped?workflow={workflow}")).await;
        assert!(of_workflow.status == 200 && of_workflow.text().contains("vendor.callId"), "{}", of_workflow.in_short());
        for (path, leads) in [("/", "/unmapped"), (&format!("/workflows/{workflow}") as &str, "/unmapped?workflow=")] {
            let page = owner.get(path).await;
            assert!(page.text().contains(&format!("href=\"{leads}")), "{path}: {}", page.in_short());
        }
        assert!(owner.get("/").await.text().contains("first runs have just come in"));
        let run = items(&owner, "unmapped_key=vendor.call").await[0]["id"].as_str().expect("a run").to_owned();
        let run = owner.get(&format!("/runs/{run}")).await;
        assert!(href_of(run.text(), "vendor.call").contains("unmapped_key=vendor.call"));
        assert!(run.text().contains("rules filled its steps"), "{}", run.in_short());
    }

    async fn what_no_run_had_before_is_marked(db: TestDb) {
        let (app, owner, key) = world(db).await;
        let with = |n: u8, key: &str, days: u64| {
            let mut span = span(n);
            span.start_time_unix_nano += days * 86_400 * SECOND;
            span.end_time_unix_nano += days * 86_400 * SECOND;
            span.attributes.push(text(key, "x"));
            span
        };
        assert_eq!(key.post("/v1/traces", PROTOBUF, protobuf(vec![with(1, "vendor.old", 0)])).await.status, 200);
        app.assemble().await;
        app.clock().advance_ms(40 * 86_400_000);
        let spans = vec![with(2, "vendor.old", 40), with(3, "vendor.young", 40)];
        assert_eq!(key.post("/v1/traces", PROTOBUF, protobuf(spans)).await.status, 200);
        app.assemble().await;
        let seat = owner.with_person("later@north.test", Role::Operator, &[]).await;
        let page = seat.get("/unmapped").await;
        let row = |words: &str| {
            let text = page.text();
            let from = text.find(&format!(">{words}<")).unwrap_or_else(|| panic!("{words} in {text}"));
            text[from..].split("</tr>").next().expect("a row").to_owned()
        };
        assert!(row("vendor.young").contains("in this period") && !row("vendor.old").contains("in this period"));
    }

    async fn what_is_out_of_reach_is_not_found(db: TestDb) {
        let (app, owner, key) = world(db).await;
        let mut span = span(1);
        span.attributes.push(text("vendor.callId", "x"));
        assert_eq!(key.post("/v1/traces", PROTOBUF, protobuf(vec![span])).await.status, 200);
        app.assemble().await;
        let workflow = items(&owner, "").await[0]["workflow_id"].as_str().expect("a workflow").to_owned();
        let south = app.agency("south").await;
        let contractor = owner.with_person("c@north.test", Role::Contractor, &[]).await;
        for seat in [&south, &contractor] {
            let page = seat.get("/unmapped").await;
            assert!(page.status == 200 && !page.text().contains("vendor.callId"), "{}", page.in_short());
            assert_eq!(seat.get(&format!("/unmapped?workflow={workflow}")).await.status, 404);
        }
        assert_eq!(owner.get("/unmapped?workflow=nonsense").await.status, 404);
        assert_eq!(owner.get(&format!("/api/v1/runs?unmapped_key={}", "x".repeat(201))).await.status, 422);
    }
}
