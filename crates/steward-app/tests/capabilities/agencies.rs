use insta::assert_snapshot;
use steward_app::agencies::{AgencyChanges, NewAgency};
use steward_core::clients::Brand;
use steward_core::people::Role;
use steward_testkit::db_tests;

use crate::world::{PASSWORD, World, words};

fn new_agency(email: &str) -> NewAgency {
    NewAgency {
        agency_name: "North".to_owned(),
        time_zone: "europe/berlin".to_owned(),
        currency: "eur".to_owned(),
        person_name: "Ada".to_owned(),
        email: email.to_owned(),
        password: Some(PASSWORD.to_owned()),
    }
}

db_tests! {
    async fn a_program_is_set_up_once_even_by_two_at_once(db: TestDb) {
        let world = World::new(db).await;
        assert!(!world.app.is_set_up().await.expect("an answer"));
        let (one, other) =
            tokio::join!(world.app.set_up(new_agency("ada@north.test")), world.app.set_up(new_agency("eve@north.test")));
        assert_eq!(u8::from(one.is_ok()) + u8::from(other.is_ok()), 1);
        assert!(world.app.is_set_up().await.expect("an answer"));
        assert_snapshot!(words(world.app.set_up(new_agency("bob@north.test")).await), @"conflict: Steward is set up already; sign in instead");
    }

    async fn what_is_wrong_is_said_and_nothing_is_made(db: TestDb) {
        let world = World::new(db).await;
        let mut answers = Vec::new();
        for change in [
            (|a| a.agency_name = " ".to_owned()) as fn(&mut NewAgency),
            |a| a.time_zone = "Mars/Olympus".to_owned(),
            |a| a.currency = "euros".to_owned(),
            |a| a.person_name = "x".repeat(121),
            |a| a.email = "ada".to_owned(),
            |a| a.password = Some("short".to_owned()),
            |a| a.password = None,
        ] {
            let mut agency = new_agency("ada@north.test");
            change(&mut agency);
            answers.push(words(world.app.set_up(agency).await));
        }
        assert_snapshot!(answers.join("\n"), @r"
        invalid: the agency needs a name
        invalid: “Mars/Olympus” is no time zone: write one such as Europe/Berlin
        invalid: “EUROS” is no currency: write three letters such as EUR
        invalid: the name of the person has more than 120 characters
        invalid: write an address such as ada@example.com
        invalid: a password has at least 12 characters
        invalid: choose a password
        ");
        assert!(!world.app.is_set_up().await.expect("an answer"));
    }

    async fn a_change_of_zone_reads_runs_again_that_depend_on_it(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let client = world.client(&owner, "Clinic").await;
        world.workflow(&owner, "Front desk", Some(client.id)).await;
        let changes = AgencyChanges { time_zone: Some("Asia/Tokyo".to_owned()), ..AgencyChanges::default() };
        let agency = world.app.update_agency(&owner, changes).await.expect("updated");
        assert_eq!(agency.time_zone, "Asia/Tokyo");
        assert_eq!(world.n_waiting_jobs(&owner).await, 1);
    }

    async fn only_who_operates_changes_the_agency_and_its_brand_is_checked(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let contractor = world.person(&owner, "con@north.test", Role::Contractor, &[]).await;
        let brand = |logo: &str| AgencyChanges {
            brand: Some(Brand { logo: logo.to_owned(), ..Brand::default() }),
            ..AgencyChanges::default()
        };
        assert!(words(world.app.update_agency(&contractor, brand("")).await).starts_with("forbidden"));
        assert_snapshot!(words(world.app.update_agency(&owner, brand("<svg onload='x()'/>")).await), @"invalid: the logo has scripts in it; save it as plain SVG");
        world.app.update_agency(&owner, brand("<svg><path d='M0 0'/></svg>")).await.expect("updated");
        assert_eq!(world.audit(&owner).await.first().map(String::as_str), Some("Owner of north: agency.update"));
    }
}
