//! A qualifier of leads for solar roofs, on the web site's chat.

use super::{Talk, Topic, tool};
use crate::demo::measured::Does::{HandOver, Identify, Read, Search, Write};

/// How it talks.
pub(in crate::demo) static LEADS: Talk = Talk {
    topics: &[
        Topic {
            title: "Solar for {company}",
            openings: &[
                "We’re {company} and look at solar for our roof. Our bill is about ${bill} a month.",
                "Hi, {name} from {company}. What would {kw} kW on a flat roof cost us?",
            ],
            confirm: "With ${bill} a month, about {kw} kW would fit. May I hand your details to our planner, who makes an offer?",
            acts: &[tool(
                "create_crm_record",
                Write,
                r#"{"company":"{company}","contact":"{email}","kw":{kw},"bill":{bill}}"#,
                r#"{"lead":"L-{ticket}","stage":"qualified","estimated_value":{value}}"#,
                &["Error: lead with contact {email} is there already", "Error: required field owner is missing"],
            )],
            done: &["Our planner will write to {email} by tomorrow."],
        },
        Topic {
            title: "Solar for a house in {city}",
            openings: &[
                "Is solar worth it for a house in {city}? I pay around ${bill} a month.",
                "I’d like a quote for panels and maybe a battery. {street}, {city}.",
            ],
            confirm: "Your roof could carry about {kw} kW. Shall I set up a free survey?",
            acts: &[tool(
                "create_crm_record",
                Write,
                r#"{"contact":"{email}","city":"{city}","kw":{kw},"bill":{bill}}"#,
                r#"{"lead":"L-{ticket}","stage":"qualified","estimated_value":{value}}"#,
                &["Error: required field phone is missing"],
            )],
            done: &["Great, we’ll call {phone} to agree on a day for the survey."],
        },
    ],
    asks: &["Happy to help! Where can we reach you, and who owns the roof?"],
    gives: &["{email}, we own it.", "{name}, {email}. The building is ours."],
    yeses: &["Yes, please.", "Sure."],
    asides: &[
        ("Which way does the roof face?", "South-west, I think."),
        ("Are you thinking of a battery too?", "Maybe later."),
        ("When would you like to begin?", "Before summer."),
    ],
    thanks: &["Sounds good.", "Thanks, looking forward to it."],
    bye: &["Thank you, {first}! Talk soon."],
    sorry: &["I’m sorry, something went wrong on our side. Please write to sales@example.org."],
    gripes: &["OK, never mind.", "Hm, all right."],
    handover: &["Let me get a planner to join us."],
    tools: &[
        tool("look_up_contact", Identify, r#"{"email":"{email}"}"#, r#"{"known":false}"#, &[]),
        tool(
            "enrich_company",
            Read,
            r#"{"name":"{company}"}"#,
            r#"{"employees":{kw},"roof_m2":{bill}}"#,
            &["Error: company not found"],
        ),
        tool("estimate_yield", Read, r#"{"city":"{city}","kw":{kw}}"#, r#"{"kwh_a_year":{value}0}"#, &[]),
        tool("search_incentives", Search, r#"{"city":"{city}"}"#, r#"[{"name":"federal credit","percent":30}]"#, &[]),
        tool("hand_to_planner", HandOver, r#"{"contact":"{email}"}"#, r#"{"joined":true}"#, &[]),
    ],
    closing: None,
    most_tools: 4,
};
