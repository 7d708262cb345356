//! The same groups whatever the order of arrival, and after a restart.

#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

use proptest::prelude::*;
use steward_patterns::{Config, Group, Miner, Overrides, State, StateError};

fn mine<'m>(messages: impl IntoIterator<Item = &'m str>) -> Miner {
    let mut miner = Miner::default();
    for message in messages {
        miner.assign(message);
    }
    miner
}

fn groups(miner: &Miner) -> Vec<Group> {
    miner.consolidate(&Overrides::default()).all().to_vec()
}

fn as_json(state: &State) -> String {
    serde_json::to_string(state).expect("a state is JSON")
}

/// Messages that share words, so that columns of every sort come about.
fn message() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "user",
        "root",
        "admin",
        "for",
        "order",
        "not",
        "found",
        "failed",
        "=",
        ":",
        "(",
        ")",
        "NEW",
        "RUNNING",
        "10",
        "10.0.0.1",
        "/var/log",
        "createTicket",
        "sendMail",
        "lookupOrder",
        "KB",
        "'x'",
        ",",
        "{",
        "}",
        "\"",
        "é",
    ]);
    prop::collection::vec(word, 0..9).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn groups_do_not_hang_on_the_order(messages in prop::collection::vec(message(), 0..60), seed in any::<u64>()) {
        let mut shuffled: Vec<(u64, &str)> = messages
            .iter()
            .enumerate()
            .map(|(n, message)| (seed.rotate_left(n as u32).wrapping_mul(n as u64 + 0x9e37_79b9), message.as_str()))
            .collect();
        shuffled.sort_unstable();
        let one = mine(messages.iter().map(String::as_str));
        let other = mine(shuffled.into_iter().map(|(_, message)| message));
        prop_assert_eq!(groups(&one), groups(&other));
        prop_assert_eq!(one.export_state(), other.export_state());
    }

    #[test]
    fn a_restart_changes_nothing(messages in prop::collection::vec(message(), 0..40), cut in 0_usize..40) {
        let whole = mine(messages.iter().map(String::as_str));
        let cut = cut.min(messages.len());
        let first = mine(messages[..cut].iter().map(String::as_str));
        let stored = as_json(&first.export_state());
        let state: State = serde_json::from_str(&stored).expect("what was stored is read");
        let mut second = Miner::import_state(Config::default(), state).expect("a sound state");
        for message in &messages[cut..] {
            second.assign(message);
        }
        prop_assert_eq!(groups(&whole), groups(&second));
        prop_assert_eq!(as_json(&whole.export_state()), as_json(&second.export_state()));
    }

    #[test]
    fn every_text_has_a_group_and_nothing_panics(messages in prop::collection::vec(any::<String>(), 0..40)) {
        let mut miner = Miner::default();
        let shapes: Vec<_> = messages.iter().map(|message| miner.assign(message)).collect();
        let groups = miner.consolidate(&Overrides::default());
        let counted: u64 = groups.all().iter().map(|group| group.count).sum();
        prop_assert_eq!(counted, messages.len() as u64);
        for (message, shape) in messages.iter().zip(shapes) {
            prop_assert_eq!(groups.find(message).map(|group| group.key), Some(groups.of(shape).key));
            prop_assert!(!groups.of(shape).because().is_empty());
        }
    }
}

#[test]
fn a_state_of_another_version_or_a_damaged_one_is_refused() {
    let miner = mine(["order 1 not found", "order 2 not found"]);
    let stored = as_json(&miner.export_state());
    let read = |text: String| {
        let state: State = serde_json::from_str(&text).expect("the form of a state");
        Miner::import_state(Config::default(), state).map(|_| ())
    };
    assert_eq!(read(stored.clone()), Ok(()));
    assert_eq!(read(stored.replace("\"version\":1", "\"version\":7")), Err(StateError::Version { found: 7 }));
    assert_eq!(read(stored.replace("not found", "not \\u0001 found")), Err(StateError::Corrupt));
    assert!(serde_json::from_str::<State>(&stored.replace("\"count\"", "\"number\"")).is_err());
}
