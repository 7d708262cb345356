use insta::assert_snapshot;
use steward_app::secrets::Secret;
use steward_core::people::Role;
use steward_testkit::db_tests;

use crate::world::{PASSWORD, World, words};

db_tests! {
    async fn a_wrong_password_an_unknown_address_and_somebody_shut_out_get_the_same_words(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let gone = world.person(&owner, "gone@north.test", Role::Operator, &[]).await;
        world.app.set_password(&gone, PASSWORD).await.expect("a password");
        world.app.disable_person(&owner, gone.person_id).await.expect("shut out");
        world.person(&owner, "invited@north.test", Role::Operator, &[]).await;

        let long = "x".repeat(100_000);
        for (email, password) in [
            ("owner@north.test", "a wrong password"),
            ("nobody@north.test", PASSWORD),
            ("gone@north.test", PASSWORD),
            ("invited@north.test", ""),
            ("no address", PASSWORD),
            ("owner@north.test", long.as_str()),
        ] {
            let answer = world.app.sign_in(email, password, "192.0.2.1").await;
            assert_eq!(words(answer), "invalid: the address or the password is wrong");
        }
        world.app.sign_in(" Owner@North.test ", PASSWORD, "192.0.2.1").await.expect("signed in");
    }

    async fn an_address_that_is_guessed_at_waits_a_quarter_of_an_hour(db: TestDb) {
        let world = World::new(db).await;
        world.agency("north").await;
        for n in 0..10 {
            let answer = world.app.sign_in("owner@north.test", "a wrong password", &format!("192.0.2.{n}")).await;
            assert!(words(answer).starts_with("invalid"));
        }
        let answer = world.app.sign_in("owner@north.test", PASSWORD, "198.51.100.1").await;
        assert_snapshot!(words(answer), @"too many: too many attempts, try again in 900 s");
        world.clock.advance_ms(15 * 60_000);
        world.app.sign_in("owner@north.test", PASSWORD, "198.51.100.1").await.expect("signed in");
    }

    async fn an_origin_that_guesses_waits_and_a_burst_does_not_slip_past(db: TestDb) {
        let world = World::new(db).await;
        world.agency("north").await;
        let mut attempts = Vec::new();
        for n in 0..60 {
            let app = world.app.clone();
            attempts.push(tokio::spawn(async move {
                words(app.sign_in(&format!("somebody{n}@north.test"), PASSWORD, "2001:db8:1:2::7").await)
            }));
        }
        let mut n_tried = 0;
        for attempt in attempts {
            n_tried += u32::from(attempt.await.expect("an answer").starts_with("invalid"));
        }
        // As many as may fail, and those that had their turn beside the last of them.
        assert!((30..=31).contains(&n_tried), "{n_tried} passwords were tried");
        let neighbour = world.app.sign_in("owner@north.test", PASSWORD, "2001:db8:1:2:ffff::9").await;
        assert!(words(neighbour).starts_with("too many"));
        world.app.sign_in("owner@north.test", PASSWORD, "2001:db8:1:3::7").await.expect("another customer signs in");
    }

    async fn a_link_signs_in_once(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let link = world.app.make_link(owner.agency_id, owner.person_id, 15).await.expect("a link");
        for _ in 0..2 {
            let holder = world.app.peek_link(&link).await.expect("looking does not use it");
            assert_eq!((holder.agency.as_str(), holder.person.email.as_str()), ("north", "owner@north.test"));
        }
        let session = world.app.use_link(&link).await.expect("signed in");
        let signed_in = world.app.find_actor(&session.secret).await.expect("an answer").expect("somebody");
        assert_eq!(signed_in.actor.person_id, owner.person_id);
        assert!(signed_in.has_password);
        assert_snapshot!(words(world.app.use_link(&link).await), @"not found: no such link: it was used, or its time is over");
        assert!(words(world.app.peek_link(&link).await).starts_with("not found"));
    }

    async fn a_link_is_over_when_its_time_is_and_when_its_person_is_shut_out(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let other = world.person(&owner, "op@north.test", Role::Operator, &[]).await;
        let late = world.app.make_link(owner.agency_id, owner.person_id, 15).await.expect("a link");
        world.clock.advance_ms(15 * 60_000);
        assert!(words(world.app.use_link(&late).await).starts_with("not found"));

        let shut_out = world.app.make_link(owner.agency_id, other.person_id, 15).await.expect("a link");
        world.app.disable_person(&owner, other.person_id).await.expect("shut out");
        assert!(words(world.app.use_link(&shut_out).await).starts_with("not found"));
        assert_snapshot!(words(world.app.make_link(owner.agency_id, other.person_id, 15).await), @"conflict: op@north.test is shut out; let them in again first");
        assert!(words(world.app.make_link_by_email("nobody@north.test", 15).await).starts_with("not found"));
    }

    async fn a_new_password_ends_the_other_sessions(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let stolen = world.app.sign_in("owner@north.test", PASSWORD, "192.0.2.1").await.expect("signed in");
        let used = world.app.sign_in("owner@north.test", PASSWORD, "192.0.2.2").await.expect("signed in");
        assert!(words(world.app.set_password(&owner, "owner@north.test").await).starts_with("invalid"));
        let session = world.app.set_password(&owner, "another good password").await.expect("set");
        for over in [&stolen, &used] {
            assert!(world.app.find_actor(&over.secret).await.expect("an answer").is_none());
        }
        assert!(world.app.find_actor(&session.secret).await.expect("an answer").is_some());
        assert!(words(world.app.sign_in("owner@north.test", PASSWORD, "192.0.2.1").await).starts_with("invalid"));
        world.app.sign_in("owner@north.test", "another good password", "192.0.2.1").await.expect("signed in");
    }

    async fn a_session_ends_by_signing_out_and_by_its_age(db: TestDb) {
        let world = World::new(db).await;
        world.agency("north").await;
        let one = world.app.sign_in("owner@north.test", PASSWORD, "192.0.2.1").await.expect("signed in");
        let other = world.app.sign_in("owner@north.test", PASSWORD, "192.0.2.1").await.expect("signed in");
        let csrf = async |secret: &Secret| world.app.find_actor(secret).await.expect("an answer").map(|s| s.csrf);
        let (first, second) = (csrf(&one.secret).await, csrf(&other.secret).await);
        assert!(first.is_some() && second.is_some() && first != second, "each session has a token of its own");
        world.app.sign_out(&one.secret).await.expect("signed out");
        assert!(csrf(&one.secret).await.is_none());
        world.clock.set(other.expires_at);
        assert!(csrf(&other.secret).await.is_none());
        for nonsense in ["", "sts_", "sts_zz", "stk_0000000000000000000000000000000000000000000000000000000000000000"] {
            assert!(csrf(&Secret::sent(nonsense)).await.is_none());
        }
    }
}
