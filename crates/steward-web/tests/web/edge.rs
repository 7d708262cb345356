//! What happens around every request.

use steward_testkit::{TestApp, TestDb, db_tests};

db_tests! {
    async fn the_program_says_that_it_is_ready(db: TestDb) {
        let app = TestApp::new(db).await;
        assert_eq!(app.get("/healthz").await.text(), "ok\n");
        assert_eq!(app.get("/readyz").await.text(), "ready\n");
        assert!(app.get("/metrics").await.text().contains("steward_steps_waiting 0\n"));
    }

    async fn what_is_not_there_is_told_in_the_form_that_is_read(db: TestDb) {
        let app = TestApp::new(db).await;
        insta::assert_snapshot!(app.get("/api/v1/nothing").await.in_short());
        let page = app.get("/nothing").await;
        assert_eq!(page.status, 404);
        assert!(page.text().contains("<h"), "{}", page.text());
    }
}
