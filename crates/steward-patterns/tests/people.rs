//! What people said of groups holds after every mining.

use steward_patterns::{Key, Miner, Overrides};

fn key_of_shape(miner: &Miner, message: &str) -> Key {
    let mut one = Miner::default();
    let shape = one.assign(message);
    let alone = one.consolidate(&Overrides::default()).of(shape).shapes[0];
    let groups = miner.consolidate(&Overrides::default());
    assert!(groups.find(message).is_some_and(|group| group.shapes.contains(&alone)), "{message}");
    alone
}

#[test]
fn groups_that_a_person_put_together_stay_together_when_they_grow() {
    let mut miner = Miner::default();
    miner.assign("order 17 not found");
    miner.assign("no order with number 17");
    let mut overrides = Overrides::default();
    overrides
        .keep_together(key_of_shape(&miner, "order 17 not found"), key_of_shape(&miner, "no order with number 17"));
    let shape = miner.assign("order 18 not found");
    miner.assign("user gone");
    let groups = miner.consolidate(&overrides);
    let group = groups.of(shape);
    assert_eq!((group.count, group.by_people, group.shapes.len()), (3, true, 2));
    assert_eq!(group.template, "order <*> not found");
    assert_eq!(group.because(), "together because a person said so");
    assert_eq!(groups.find("no order with number 5").map(|group| group.key), Some(group.key));
    assert_eq!(groups.find("user gone").map(|group| group.by_people), Some(false));
}

#[test]
fn what_a_person_set_apart_stays_apart() {
    let mut miner = Miner::default();
    for user in ["root", "maria", "guest"] {
        miner.assign(&format!("Invalid user {user} from 10.0.0.1"));
    }
    let root = key_of_shape(&miner, "Invalid user root from 10.0.0.1");
    let mut overrides = Overrides::default();
    overrides.keep_apart([root], "root");
    let shape = miner.assign("Invalid user root from 10.0.0.7");
    miner.assign("Invalid user news from 10.0.0.7");
    let groups = miner.consolidate(&overrides);
    assert_eq!((groups.of(shape).count, groups.of(shape).template.as_str()), (2, "Invalid user root from <*>"));
    let others = groups.find("Invalid user maria from 10.0.0.1").map(|group| (group.count, group.template.as_str()));
    assert_eq!(others, Some((3, "Invalid user <*> from <*>")));
    assert_ne!(groups.find("Invalid user maria from 10.0.0.1").map(|group| group.key), Some(groups.of(shape).key));
}

#[test]
fn keys_that_name_nothing_are_of_no_effect() {
    let mut miner = Miner::default();
    let shape = miner.assign("order 17 not found");
    let nothing: Option<Key> = "0123456789abcdef".parse().ok();
    let nothing = nothing.into_iter().collect::<Vec<_>>();
    let mut overrides = Overrides::default();
    overrides.keep_apart(nothing.clone(), "x");
    overrides.keep_together(nothing[0], key_of_shape(&miner, "order 17 not found"));
    assert_eq!(miner.consolidate(&overrides).of(shape), miner.consolidate(&Overrides::default()).of(shape));
}
