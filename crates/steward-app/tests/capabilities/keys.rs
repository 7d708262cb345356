use steward_app::secrets::Secret;
use steward_core::people::Role;
use steward_testkit::db_tests;

use crate::world::{NOW, World, words};

db_tests! {
    async fn a_key_is_for_a_workflow_or_for_the_agency_until_it_is_revoked(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let workflow = world.workflow(&owner, "Front desk", None).await;
        let (whole, whole_secret) = world.app.create_key(&owner, "Everything", None).await.expect("a key");
        let (one, one_secret) = world.app.create_key(&owner, "Front desk", Some(workflow.id)).await.expect("a key");
        assert!(whole_secret.reveal().starts_with(&whole.beginning) && whole.beginning.len() < 16);

        let scope = world.app.find_key_scope(&whole_secret).await.expect("an answer").expect("a scope");
        assert_eq!((scope.agency_id, scope.workflow_id), (owner.agency_id, None));
        let scope = world.app.find_key_scope(&one_secret).await.expect("an answer").expect("a scope");
        assert_eq!((scope.agency_id, scope.workflow_id, scope.key_id), (owner.agency_id, Some(workflow.id), one.id));
        for nonsense in ["", "stk_", "stk_00", &format!("stk_{}", "0".repeat(64)), &whole_secret.reveal().to_uppercase()] {
            assert_eq!(world.app.find_key_scope(&Secret::sent(nonsense)).await.expect("an answer"), None, "{nonsense}");
        }

        world.app.revoke_key(&owner, one.id).await.expect("revoked");
        assert_eq!(world.app.find_key_scope(&one_secret).await.expect("an answer"), None, "in this process at once");
        assert!(world.app.find_key_scope(&whole_secret).await.expect("an answer").is_some());
        assert_eq!(words(world.app.revoke_key(&owner, one.id).await), "not found: no such key");
    }

    async fn another_process_follows_a_revocation_within_seconds(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let other = world.another_process().await;
        let (key, secret) = world.app.create_key(&owner, "Everything", None).await.expect("a key");
        assert!(other.find_key_scope(&secret).await.expect("an answer").is_some());
        world.app.revoke_key(&owner, key.id).await.expect("revoked");
        world.clock.advance_ms(4_999);
        assert!(other.find_key_scope(&secret).await.expect("an answer").is_some(), "remembered");
        world.clock.advance_ms(1);
        assert!(other.find_key_scope(&secret).await.expect("an answer").is_none());
    }

    async fn a_clock_that_is_set_back_does_not_keep_a_revoked_key(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let other = world.another_process().await;
        let (key, secret) = world.app.create_key(&owner, "Everything", None).await.expect("a key");
        assert!(other.find_key_scope(&secret).await.expect("an answer").is_some());
        world.app.revoke_key(&owner, key.id).await.expect("revoked");
        world.clock.set(NOW.plus_ms(-86_400_000));
        assert!(other.find_key_scope(&secret).await.expect("an answer").is_none());
    }

    async fn the_use_of_a_key_is_recorded_once_a_minute(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let (_, secret) = world.app.create_key(&owner, "Everything", None).await.expect("a key");
        let mut seen = Vec::new();
        for seconds in [0, 30, 29, 1] {
            world.clock.advance_ms(seconds * 1_000);
            world.app.find_key_scope(&secret).await.expect("an answer").expect("a scope");
            let keys = world.app.list_keys(&owner).await.expect("keys");
            seen.push(keys.first().and_then(|k| k.last_used_at).map(|at| at.ms_since(NOW) / 1_000));
        }
        assert_eq!(seen, [Some(0), Some(0), Some(0), Some(60)]);
    }

    async fn two_applications_of_one_program_do_not_share_what_they_remember(db: TestDb) {
        // Both count their secrets, so the first keys of both are the same.
        let (one, other) = (World::new(db.another().await).await, World::new(db).await);
        let (north, south) = (one.agency("north").await, other.agency("south").await);
        let (_, secret) = one.app.create_key(&north, "Everything", None).await.expect("a key");
        assert!(one.app.find_key_scope(&secret).await.expect("an answer").is_some());
        assert_eq!(other.app.find_key_scope(&secret).await.expect("an answer"), None);
        let (_, same) = other.app.create_key(&south, "Everything", None).await.expect("a key");
        assert_eq!(same.reveal(), secret.reveal());
    }

    async fn keys_are_for_who_operates_and_for_their_own_agency(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let stranger = world.agency("south").await;
        let contractor = world.person(&owner, "con@north.test", Role::Contractor, &[]).await;
        let workflow = world.workflow(&owner, "Front desk", None).await;
        let (key, _) = world.app.create_key(&owner, "Everything", None).await.expect("a key");
        assert!(words(world.app.create_key(&contractor, "Mine", None).await).starts_with("forbidden"));
        assert!(words(world.app.list_keys(&contractor).await).starts_with("forbidden"));
        assert!(words(world.app.create_key(&stranger, "Mine", Some(workflow.id)).await).starts_with("not found"));
        assert!(words(world.app.revoke_key(&stranger, key.id).await).starts_with("not found"));
        assert!(words(world.app.create_key(&owner, " ", None).await).starts_with("invalid"));
    }
}
