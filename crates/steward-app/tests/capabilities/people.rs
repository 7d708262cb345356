use insta::assert_snapshot;
use steward_app::people::{NewPerson, PersonChanges};
use steward_core::people::Role;
use steward_testkit::db_tests;

use crate::world::{World, words};

fn new_person(email: &str, role: Role) -> NewPerson {
    NewPerson { email: email.to_owned(), name: "Bob".to_owned(), role, clients: Vec::new() }
}

db_tests! {
    async fn an_invitation_is_good_for_a_week(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let (bob, link) =
            world.app.invite_person(&owner, new_person("Bob@North.test", Role::Operator)).await.expect("invited");
        assert_eq!(bob.person.email, "bob@north.test");
        world.clock.advance_ms(7 * 86_400_000 - 1);
        let session = world.app.use_link(&link).await.expect("signed in");
        let signed_in = world.app.find_actor(&session.secret).await.expect("an answer").expect("somebody");
        assert!(!signed_in.has_password);
        assert_eq!(signed_in.actor.role, Role::Operator);
        world.app.set_password(&signed_in.actor, "a good password").await.expect("set");
        assert_snapshot!(world.audit(&owner).await.join("\n"), @r"
        Bob: person.password
        Owner of north: person.invite
        Owner of north: agency.create
        ");
    }

    async fn only_owners_manage_people_and_nobody_finds_those_of_another_agency(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let stranger = world.agency("south").await;
        let operator = world.person(&owner, "op@north.test", Role::Operator, &[]).await;
        let contractor = world.person(&owner, "con@north.test", Role::Contractor, &[]).await;

        for actor in [&operator, &contractor] {
            assert!(
                words(world.app.invite_person(actor, new_person("x@north.test", Role::Operator)).await)
                    .starts_with("forbidden")
            );
            assert!(words(world.app.disable_person(actor, owner.person_id).await).starts_with("forbidden"));
            assert!(words(world.app.make_reset_link(actor, owner.person_id).await).starts_with("forbidden"));
        }
        assert_eq!(world.app.list_people(&operator).await.expect("a list").len(), 3);
        assert!(words(world.app.list_people(&contractor).await).starts_with("forbidden"));

        let changes = PersonChanges { name: Some("Eve".to_owned()), ..PersonChanges::default() };
        for answer in [
            words(world.app.get_person(&stranger, operator.person_id).await),
            words(world.app.update_person(&stranger, operator.person_id, changes).await),
            words(world.app.disable_person(&stranger, operator.person_id).await),
            words(world.app.enable_person(&stranger, operator.person_id).await),
            words(world.app.make_reset_link(&stranger, operator.person_id).await),
        ] {
            assert_eq!(answer, "not found: no such person");
        }
    }

    async fn an_agency_keeps_an_owner(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let operator = world.person(&owner, "op@north.test", Role::Operator, &[]).await;
        let role = |role| PersonChanges { role: Some(role), ..PersonChanges::default() };

        assert_snapshot!(words(world.app.disable_person(&owner, owner.person_id).await), @"conflict: nobody shuts themselves out; ask another owner");
        assert_snapshot!(words(world.app.update_person(&owner, owner.person_id, role(Role::Operator)).await), @"conflict: an agency needs an owner; make somebody else one first");

        world.app.update_person(&owner, operator.person_id, role(Role::Owner)).await.expect("made an owner");
        let second = world.actor("op@north.test").await;
        world.app.disable_person(&second, owner.person_id).await.expect("one is left");
        assert!(
            words(world.app.update_person(&second, second.person_id, role(Role::Operator)).await).starts_with("conflict")
        );
        world.app.enable_person(&second, owner.person_id).await.expect("let in again");
        world.app.update_person(&second, second.person_id, role(Role::Operator)).await.expect("another is left");
    }

    async fn who_is_shut_out_has_no_session_left_and_none_comes_back(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let operator = world.person(&owner, "op@north.test", Role::Operator, &[]).await;
        let session = world.app.set_password(&operator, "a good password").await.expect("set");
        world.app.disable_person(&owner, operator.person_id).await.expect("shut out");
        assert!(world.app.find_actor(&session.secret).await.expect("an answer").is_none());
        world.app.enable_person(&owner, operator.person_id).await.expect("let in");
        assert!(world.app.find_actor(&session.secret).await.expect("an answer").is_none());
    }

    async fn contractors_see_their_clients_and_no_money(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let (clinic, shop) = (world.client(&owner, "Clinic").await, world.client(&owner, "Shop").await);
        let desk = world.workflow(&owner, "Front desk", Some(clinic.id)).await;
        let support = world.workflow(&owner, "Support", Some(shop.id)).await;
        let unassigned = world.workflow(&owner, "Unknown", None).await;
        let contractor = world.person(&owner, "con@north.test", Role::Contractor, &[clinic.id, clinic.id]).await;

        let seen = world.app.visible_clients(&contractor, true).await.expect("clients");
        assert_eq!(seen.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["Clinic"]);
        assert!(seen.iter().all(|c| c.settings.retainer_nanos.is_none()));
        let seen = world.app.visible_workflows(&contractor, true).await.expect("workflows");
        assert_eq!(seen.iter().map(|w| w.id).collect::<Vec<_>>(), [desk.id]);
        assert!(words(world.app.get_client(&contractor, shop.id).await).starts_with("not found"));
        for hidden in [support.id, unassigned.id] {
            assert!(words(world.app.get_workflow(&contractor, hidden).await).starts_with("not found"));
        }
        assert!(words(world.app.list_prices(&contractor).await).starts_with("forbidden"));

        let all = PersonChanges { role: Some(Role::Operator), ..PersonChanges::default() };
        world.app.update_person(&owner, contractor.person_id, all).await.expect("updated");
        assert_eq!(world.actor("con@north.test").await.clients, None);
    }

    async fn people_of_clients_and_unknown_clients_are_refused_in_words(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let stranger = world.agency("south").await;
        let theirs = world.client(&stranger, "Theirs").await;
        assert_snapshot!(words(world.app.invite_person(&owner, new_person("c@c.test", Role::Client)).await), @"invalid: people of clients cannot be invited: there is no client portal yet");
        let with = NewPerson { clients: vec![theirs.id], ..new_person("c@c.test", Role::Contractor) };
        assert_snapshot!(words(world.app.invite_person(&owner, with).await), @"not found: no such client");
        assert_snapshot!(words(world.app.invite_person(&owner, new_person("owner@south.test", Role::Operator)).await), @"conflict: somebody has this address already");
    }
}
