//! What is a value in a message, and which words tell templates apart.

use steward_patterns::{Because, Miner, Overrides};

fn template(message: &str) -> String {
    let mut miner = Miner::default();
    let shape = miner.assign(message);
    miner.consolidate(&Overrides::default()).of(shape).template.clone()
}

/// The templates of messages, each once, sorted.
fn templates(messages: &[&str]) -> Vec<String> {
    let mut miner = Miner::default();
    for message in messages {
        miner.assign(message);
    }
    let groups = miner.consolidate(&Overrides::default());
    let mut templates: Vec<String> =
        groups.all().iter().filter(|group| group.count > 0).map(|group| group.template.clone()).collect();
    templates.sort();
    templates
}

#[test]
fn a_value_is_told_by_its_writing_and_its_neighbours() {
    for (message, expected) in [
        ("", ""),
        ("order 17 not found", "order <*> not found"),
        ("took 1.5 KB in 20 ms, 3 seconds left", "took <*> in <*> left"),
        ("lifetime <1 sec", "lifetime <*>"),
        ("from 10.0.0.1:80 to /10.0.0.2:99", "from <*> to <*>"),
        ("from fe80::ba:c3ff:1 and 00:11:43:ba:c3:fa", "from <*> and <*>"),
        ("at Sun Jul 10 03:55:15 2005", "at <*>"),
        ("in May the sun may shine", "in May the sun may shine"),
        ("uid=0 user=root ruser= rhost=a.b.example.com", "uid=<*> user=<*> ruser= rhost=<*>"),
        ("errorCode = NoNode for /x", "errorCode = NoNode for <*>"),
        ("mail to a.b@example.com bounced", "mail to <*> bounced"),
        ("GET https://example.com/a?b=c, retry", "GET <*>, retry"),
        ("Input/output error in src/main.rs", "Input/output error in <*>"),
        ("file C:\\Windows\\x.dll is gone", "file <*> is gone"),
        ("KeyError: 'city'", "KeyError: '<*>'"),
        ("can't open 'a b' or \"c\"", "can't open '<*>' or \"<*>\""),
        ("\"GET /a/1 HTTP/1.1\" status: 200", "\"GET <*>\" status: <*>"),
        ("{\"error\": \"Not found\", \"id\": \"a\"}", "{\"error\": \"Not found\", \"id\": \"<*>\"}"),
        ("bad arguments {\"a\": {\"b\": 1}}, stop", "bad arguments <*>, stop"),
        ("java.io.IOException: closed", "java.io.IOException: closed"),
        ("nodes [1, 2, 3] and 4, 5", "nodes [<*>] and <*>"),
        ("enabled.....1", "enabled...<*>"),
        ("订单123不存在", "订单<*>不存在"),
        ("ready=true,ws=null", "ready=<*>,ws=<*>"),
    ] {
        assert_eq!(template(message), expected, "{message}");
    }
}

#[test]
fn names_are_one_template() {
    assert_eq!(
        templates(&["Invalid user root from 10.0.0.1", "Invalid user amy from 10.0.0.2"]),
        ["Invalid user <*> from <*>"]
    );
    assert_eq!(templates(&["Tool getA failed", "Tool get_b failed"]), ["Tool <*> failed"]);
    assert_eq!(templates(&["(root) CMD x ran", "(amy) CMD x ran"]), ["(<*>) CMD x ran"]);
    assert_eq!(
        templates(&["Reservation UNCPJT not found", "Reservation 4WQ150 not found"]),
        ["Reservation <*> not found"]
    );
}

#[test]
fn a_word_of_the_message_tells_templates_apart() {
    for apart in [
        ["Error: user not found", "Error: order not found"],
        ["order cannot be cancelled", "order cannot be modified"],
        ["task moved from NEW to RUNNING", "task moved from NEW to FAILED"],
        ["VM Started (Lifecycle Event)", "VM Paused (Lifecycle Event)"],
        ["Starting the loader", "Ending the loader"],
        ["1 more failure of 2", "1 more failures of 2"],
        ["stored as values in memory", "stored as bytes in memory"],
        ["\"GET /a HTTP/1.1\" done", "\"POST /a HTTP/1.1\" done"],
        ["{\"error\": \"Not found\"}", "{\"error\": \"Too many requests\"}"],
        ["Invalid user x", "invalid user x"],
    ] {
        assert_eq!(templates(&apart).len(), 2, "{apart:?}");
    }
}

#[test]
fn a_group_says_why_its_messages_are_together() {
    let mut miner = Miner::default();
    let shape = miner.assign("Invalid user root from 10.0.0.1");
    miner.assign("Invalid user root from 10.0.0.2");
    miner.assign("Invalid user amy from 10.0.0.3");
    let groups = miner.consolidate(&Overrides::default());
    let group = groups.of(shape);
    assert_eq!(group.places[0].because, Some(Because::Named { noun: "user".to_owned() }));
    assert_eq!(
        group.because(),
        "together because they have the same words in the same order, and differ in <*> 1: word (2 different: root, amy), \
         as “user” is followed by a name; <*> 2: address (3 different)"
    );
    assert_eq!(group.examples.len(), 3);
}
