//! A provider of fibre lines whose customers have no connection.

use super::{Talk, Topic, tool};
use crate::demo::measured::Does::{HandOver, Identify, Read, Search, Think, Write};

/// How it talks.
pub(in crate::demo) static TELECOM: Talk = Talk {
    topics: &[
        Topic {
            title: "No connection, {router}",
            openings: &[
                "The internet has been down since this morning. The light on the box is red.",
                "No connection at all at {street}. I’ve restarted the router twice.",
                "Hi, my {router} shows a blinking orange light and nothing works.",
            ],
            confirm: "I can reset the line from here. You’ll be offline for about two minutes. Is now a good time?",
            acts: &[
                tool(
                    "reset_line",
                    Write,
                    r#"{"account":"{account}","port":"auto"}"#,
                    r#"{"account":"{account}","reset":true,"sync_mbit":{speed}0}"#,
                    &[
                        "Error: port of {account} is in use by another session",
                        "Error: line {account} did not come back after the reset",
                    ],
                ),
                tool(
                    "push_router_settings",
                    Write,
                    r#"{"account":"{account}","router":"{router}"}"#,
                    r#"{"router":"{router}","applied":true}"#,
                    &["Error: router {router} is not reachable"],
                ),
            ],
            done: &[
                "The line is back at {speed}0 Mbit/s. Does the light turn green for you?",
                "I see your {router} online again.",
            ],
        },
        Topic {
            title: "Slow line ({speed} Mbit/s)",
            openings: &[
                "I pay for 500 Mbit and get {speed}. What’s going on?",
                "Everything buffers in the evening. A test gives me {speed} Mbit/s.",
            ],
            confirm: "Your {router} is on a crowded channel. I can move it to another one. Shall I?",
            acts: &[tool(
                "set_wifi_channel",
                Write,
                r#"{"account":"{account}","band":"5 GHz","channel":44}"#,
                r#"{"router":"{router}","channel":44}"#,
                &["Error: router {router} is not reachable"],
            )],
            done: &["The channel is changed. A new test shows {speed}5 Mbit/s."],
        },
        Topic {
            title: "Technician for {account}",
            openings: &[
                "The cable outside was torn down by a lorry. Somebody has to come.",
                "Your man was to come on {day} and didn’t. I need a new appointment.",
            ],
            confirm: "The next visit is on {day} between {time} and {time2}. Shall I book it?",
            acts: &[tool(
                "book_technician",
                Write,
                r#"{"account":"{account}","date":"{date}","from":"{time}"}"#,
                r#"{"visit":"{ticket}","date":"{date}","from":"{time}"}"#,
                &["Error: no technician is free on {date}"],
            )],
            done: &["A technician comes on {date} from {time}. The visit is {ticket}."],
        },
    ],
    asks: &[
        "Sorry to hear that. What’s your account number? It begins with BF.",
        "Let’s find out. Could you give me your account number?",
    ],
    gives: &["{account}.", "It’s {account}, {name}.", "One moment… {account}."],
    yeses: &["Yes, do it.", "OK, go on.", "Yes, now is fine."],
    asides: &[
        ("Could you unplug the {router} for thirty seconds and plug it in again?", "Done. Still the same."),
        ("Which lights do you see on the box?", "Power green, internet red."),
        ("Is it only one device, or all of them?", "All of them, even the television."),
        ("Is the device connected by cable or by Wi-Fi?", "By Wi-Fi, but the cable is no better."),
        ("Did anything change at home lately, such as a new device?", "No, nothing."),
        ("Please check that the grey cable sits firmly in the socket.", "It does."),
    ],
    thanks: &["It works again, thanks.", "Green light! Thank you.", "OK, that’s better."],
    bye: &["Good to hear. I’ll close the case.", "You’re welcome, {first}."],
    sorry: &[
        "I’ve run out of things that I can try from here.",
        "I’m sorry, the line test doesn’t show what is wrong.",
    ],
    gripes: &["And now? I work from home.", "That’s the third time this month."],
    handover: &["I’m passing this to a line engineer with all the test results. They’ll call {phone}."],
    tools: &[
        tool(
            "get_account",
            Identify,
            r#"{"account":"{account}"}"#,
            r#"{"account":"{account}","name":"{name}","router":"{router}","plan":500}"#,
            &["Error: account not found"],
        ),
        tool(
            "run_line_test",
            Read,
            r#"{"account":"{account}"}"#,
            r#"{"account":"{account}","sync_mbit":{speed},"loss_percent":3,"errors":{bill}}"#,
            &["Error: line test of {account} is already running"],
        ),
        tool("check_outages", Search, r#"{"area":"{city}"}"#, r#"{"area":"{city}","outages":[]}"#, &[]),
        tool(
            "search_knowledge",
            Search,
            r#"{"query":"{router} red light"}"#,
            r#"[{"title":"{router}: lights and what they mean","page":{speed}}]"#,
            &[],
        ),
        tool(
            "diagnose",
            Think,
            r#"{"sync_mbit":{speed},"loss_percent":3}"#,
            r#"{"likely":"noise on the line","confidence":0.6}"#,
            &[],
        ),
        tool(
            "transfer_to_engineer",
            HandOver,
            r#"{"account":"{account}","summary":"{router}, {speed} Mbit/s, reset did not help"}"#,
            r#"{"case":"{ticket}","queue":"line engineers"}"#,
            &[],
        ),
    ],
    closing: Some(tool(
        "close_case",
        Write,
        r#"{"case":"{ticket}","cause":"line","solved":true}"#,
        r#"{"case":"{ticket}","state":"closed"}"#,
        &["Error: case {ticket} needs a cause"],
    )),
    most_tools: 12,
};
