//! An airline whose passengers need another flight.

use super::{Talk, Topic, tool};
use crate::demo::measured::Does::{HandOver, Identify, Read, Search, Think, Write};

/// How it talks.
pub(in crate::demo) static AIRLINE: Talk = Talk {
    topics: &[
        Topic {
            title: "Rebook {flight} {from}–{to}",
            openings: &[
                "My flight {flight} to {to} was cancelled. Can you get me on another one?",
                "I’ve just had a message that {flight} is four hours late. I’ll miss my connection, please move me to something earlier.",
                "Hello, I need to change my flight from {from} to {to} to {date}, same cabin.",
            ],
            confirm: "{flight2} on {date} at {time} has seats. The difference is £{fee}. Shall I rebook you?",
            acts: &[tool(
                "rebook_flight",
                Write,
                r#"{"reservation":"{pnr}","from_flight":"{flight}","to_flight":"{flight2}","date":"{date}","pay":{fee}}"#,
                r#"{"reservation":"{pnr}","flight":"{flight2}","date":"{date}","status":"confirmed","paid":{fee}}"#,
                &[
                    "Error: payment amount does not add up, the total is {total} and {fee} was paid",
                    "Error: flight {flight2} is not available on {date}",
                    "Error: not enough seats on flight {flight2}",
                    "Error: payment method not found",
                ],
            )],
            done: &[
                "You’re on {flight2} on {date} at {time}. The new itinerary is in your inbox.",
                "Done: {pnr} now flies {flight2}, {date}, {time}.",
            ],
        },
        Topic {
            title: "Cancel {pnr}",
            openings: &[
                "I can’t travel on {date} any more. What would I get back for {pnr}?",
                "Please cancel my booking {pnr} and refund me.",
            ],
            confirm: "{pnr} can be cancelled with a refund of £{price}. Do you want me to cancel it?",
            acts: &[tool(
                "cancel_booking",
                Write,
                r#"{"reservation":"{pnr}","reason":"change of plan"}"#,
                r#"{"reservation":"{pnr}","status":"cancelled","refund":{price}}"#,
                &["Error: basic fares cannot be cancelled after 24 hours"],
            )],
            done: &["{pnr} is cancelled; £{price} will be on your card within seven days."],
        },
        Topic {
            title: "Bag for {pnr}",
            openings: &["I’d like to add a bag to {pnr}.", "Can I still add two suitcases to my flight {flight}?"],
            confirm: "One more bag on {flight} is £{fee}. Shall I add it?",
            acts: &[tool(
                "add_bag",
                Write,
                r#"{"reservation":"{pnr}","bags":1,"pay":{fee}}"#,
                r#"{"reservation":"{pnr}","bags":2,"paid":{fee}}"#,
                &["Error: gift card balance is not enough", "Error: payment method not found"],
            )],
            done: &["The bag is added to {pnr}. Have a good flight!"],
        },
        Topic {
            title: "Compensation for {flight}",
            openings: &["{flight} left five hours late on Sunday. I think I’m owed something."],
            confirm: "You’re due a voucher of £{fee} for the delay of {flight}. Shall I issue it?",
            acts: &[tool(
                "issue_voucher",
                Write,
                r#"{"reservation":"{pnr}","amount":{fee}}"#,
                r#"{"voucher":"V-{ticket}","amount":{fee},"expires":"{date}"}"#,
                &["Error: a voucher cannot be issued for this fare"],
            )],
            done: &["Voucher V-{ticket} over £{fee} is in your account."],
        },
    ],
    asks: &[
        "I can help with that. May I have your booking reference and last name?",
        "Let me look. What’s your booking reference, please?",
    ],
    gives: &["{pnr}, {name}.", "It’s {pnr}.", "The reference is {pnr}, booked under {name}."],
    yeses: &["Yes, please do.", "Yes, that works.", "OK, go ahead.", "Yes, use the card on file."],
    asides: &[
        ("There is {flight2} at {time} and a later one at {time2}. Which suits you?", "The earlier one."),
        ("Are you travelling with checked bags?", "One bag."),
        ("Would a flight with one stop be acceptable?", "Only if I arrive the same day."),
        ("Does everyone on the booking need the change?", "Yes, both of us."),
        ("Should I keep your seat preference?", "An aisle seat if there is one."),
    ],
    thanks: &["Thank you so much.", "Brilliant, thanks.", "That’s a relief, thank you."],
    bye: &["Safe travels, {first}!", "You’re welcome. Safe travels."],
    sorry: &[
        "I’m sorry, I’m unable to complete this change: your fare doesn’t allow it.",
        "I’m afraid I’m unable to complete the request, because no seats are left on that date.",
    ],
    gripes: &["That’s not what the website says.", "Seriously? I need to be there on {date}."],
    handover: &[
        "I’m passing you to a colleague at the desk, who will go on from here.",
        "A colleague has to look at this. I’m transferring you now.",
    ],
    tools: &[
        tool(
            "get_passenger",
            Identify,
            r#"{"user":"{user}"}"#,
            r#"{"user":"{user}","name":"{name}","tier":"silver","bookings":["{pnr}"]}"#,
            &[],
        ),
        tool(
            "get_reservation",
            Read,
            r#"{"reservation":"{pnr}"}"#,
            r#"{"reservation":"{pnr}","from":"{from}","to":"{to}","flights":[{"flight":"{flight}","date":"{date}"}],"cabin":"economy","paid":{total}}"#,
            &[],
        ),
        tool(
            "get_flight_status",
            Read,
            r#"{"flight":"{flight}","date":"{date}"}"#,
            r#"{"flight":"{flight}","status":"delayed","departs":"{time2}"}"#,
            &[],
        ),
        tool(
            "search_flights",
            Search,
            r#"{"from":"{from}","to":"{to}","date":"{date}"}"#,
            r#"[{"flight":"{flight2}","at":"{time}","seats":4,"fare":{price}},{"flight":"{flight}","at":"{time2}","seats":0}]"#,
            &[],
        ),
        tool(
            "search_connections",
            Search,
            r#"{"from":"{from}","to":"{to}","date":"{date2}","stops":1}"#,
            r#"[{"flights":["{flight2}","{flight}"],"at":"{time}","fare":{total}}]"#,
            &[],
        ),
        tool("calculate", Think, r#"{"expression":"{total} - {price}"}"#, r#"{"result":12.95}"#, &[]),
        tool(
            "transfer_to_human",
            HandOver,
            r#"{"summary":"{name}, {pnr}: wants another flight to {to}","queue":"desk"}"#,
            r#"{"transferred":true,"case":"{ticket}"}"#,
            &[],
        ),
    ],
    closing: Some(tool(
        "send_confirmation",
        Write,
        r#"{"reservation":"{pnr}","to":"{email}"}"#,
        r#"{"sent":true}"#,
        &["Error: mailbox {email} not found"],
    )),
    most_tools: 16,
};
