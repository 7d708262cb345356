//! Memory has a bound, whatever comes.

use steward_patterns::{Config, Miner, Overrides};

/// A number in letters, so that nothing but its place says that it is a value.
fn letters(mut n: u64) -> String {
    let mut text = String::from("q");
    while n > 0 {
        text.push(char::from(b'g' + (n % 20) as u8));
        n /= 20;
    }
    text
}

#[test]
fn names_without_end_are_folded_into_their_template() {
    let mut miner = Miner::new(Config::default().with_max_shapes(1_000));
    let first = miner.assign("Invalid user qgh from 10.0.0.1");
    for n in 1..20_000 {
        miner.assign(&format!("Invalid user {} from 10.0.0.1", letters(n)));
        assert!(miner.n_shapes() <= 1_000);
    }
    assert!(miner.was_full());
    let groups = miner.consolidate(&Overrides::default());
    assert_eq!(groups.of(first).template, "Invalid user <*> from <*>");
    assert_eq!(groups.of(first).count, 20_000);
    assert_eq!(groups.find("Invalid user somebody from 10.9.9.9").map(|group| group.count), Some(20_000));
}

#[test]
fn what_has_nothing_in_common_fills_the_last_group() {
    let mut miner = Miner::new(Config::default().with_max_shapes(100));
    for n in 0..5_000_u64 {
        let words: Vec<String> = (0..3 + n % 40).map(|word| letters(n * 7_919 + word * 104_729 + 1)).collect();
        miner.assign(&words.join(" "));
        assert!(miner.n_shapes() <= 100);
    }
    let groups = miner.consolidate(&Overrides::default());
    let overflow = groups.all().last().filter(|group| group.is_overflow);
    assert!(overflow.is_some_and(|group| group.count > 4_000), "{overflow:?}");
    assert_eq!(groups.all().iter().map(|group| group.count).sum::<u64>(), 5_000);
}

#[test]
fn long_messages_are_looked_at_as_far_as_is_said() {
    let mut miner = Miner::default();
    let long = "word ".repeat(100_000);
    let one = miner.assign(&long);
    let other = miner.assign(&format!("{long} and more"));
    assert_eq!(one, other);
    let a = miner.assign(&"x".repeat(1_000_000));
    let b = miner.assign(&"(".repeat(1_000_000));
    let c = miner.assign(&"é".repeat(1_000_000));
    let d = miner.assign(&"1 a ".repeat(1_000_000));
    assert_eq!([one, a, b, c, d].iter().collect::<std::collections::BTreeSet<_>>().len(), 5);
    let state = miner.export_state();
    let n_bytes = serde_json::to_string(&state).map_or(0, |text| text.len());
    assert!(n_bytes < 20_000, "{n_bytes}");
}
