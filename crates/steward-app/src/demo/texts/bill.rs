//! An explainer of telephone bills, which few people ask and fewer are helped by.

use super::{Talk, Topic, tool};
use crate::demo::measured::Does::{HandOver, Identify, Read, Think, Write};

/// How it talks.
pub(in crate::demo) static BILL: Talk = Talk {
    topics: &[Topic {
        title: "Bill of {month}",
        openings: &[
            "Why is my bill for {month} €{fee} higher than usual?",
            "There’s a line for €{fee} on my bill that I don’t understand.",
            "What is a “service adjustment”? I was charged €{fee} for it.",
        ],
        confirm: "The €{fee} is the part of the month before your new plan began. Shall I send the breakdown to {email}?",
        acts: &[tool(
            "send_breakdown",
            Write,
            r#"{"account":"{account}","month":"{month}"}"#,
            r#"{"sent_to":"{email}"}"#,
            &["Error: bill of {month} is still being made"],
        )],
        done: &["The breakdown is on its way. In short: €{fee} is the prorated part of {month}."],
    }],
    asks: &["Which account is it about?"],
    gives: &["{account}.", "{name}, {account}."],
    yeses: &["Yes.", "OK, send it."],
    asides: &[
        ("Did you change your plan in {month}?", "I think so."),
        ("Is it the line under “other charges”?", "Yes, that one."),
    ],
    thanks: &["Ah, now I see. Thanks.", "OK, thanks."],
    bye: &["You’re welcome."],
    sorry: &["The charge follows from section 4 of the price list.", "I can only see the total of this charge."],
    gripes: &["I still don’t understand it.", "Sorry, I still don’t understand what I paid for."],
    handover: &["I’ll ask billing to call you."],
    tools: &[
        tool(
            "get_account",
            Identify,
            r#"{"account":"{account}"}"#,
            r#"{"account":"{account}","name":"{name}","plan":500}"#,
            &["Error: account not found"],
        ),
        tool(
            "get_bill",
            Read,
            r#"{"account":"{account}","month":"{month}"}"#,
            r#"{"month":"{month}","total":{total},"lines":[{"text":"Fibre 500","amount":{price}},{"text":"Service adjustment","amount":{fee}}]}"#,
            &["Error: bill of {month} not found"],
        ),
        tool(
            "compare_bills",
            Think,
            r#"{"account":"{account}","months":2}"#,
            r#"{"difference":{fee},"because":"plan change"}"#,
            &[],
        ),
        tool(
            "transfer_to_billing",
            HandOver,
            r#"{"account":"{account}","amount":{fee}}"#,
            r#"{"case":"{ticket}"}"#,
            &[],
        ),
    ],
    closing: Some(tool(
        "rate_answer",
        Write,
        r#"{"case":"{ticket}","asked":"was this clear?"}"#,
        r#"{"answer":"yes"}"#,
        &["Error: no answer"],
    )),
    most_tools: 8,
};
