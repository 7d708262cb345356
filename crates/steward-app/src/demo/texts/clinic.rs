//! The front desk of a dentist, on the telephone.

use super::{Talk, Topic, tool};
use crate::demo::measured::Does::{HandOver, Identify, Read, Search, Write};

/// How it talks.
pub(in crate::demo) static CLINIC: Talk = Talk {
    topics: &[
        Topic {
            title: "Appointment for {visit}",
            openings: &[
                "Hi, I’d like to make an appointment for {visit}.",
                "Hello, this is {name}. I need to come in for {visit}, if you have something this week.",
                "Good morning, do you have anything on {day}? It’s about {visit}.",
            ],
            confirm: "I have {day} at {time} with {doctor}. Would that work?",
            acts: &[tool(
                "book_appointment",
                Write,
                r#"{"patient":"{user}","doctor":"{doctor}","at":"{date}T{time}"}"#,
                r#"{"booked":true,"at":"{date}T{time}","doctor":"{doctor}"}"#,
                &["Error: slot {date}T{time} is no longer free", "Error: {doctor} does not see new patients on {day}"],
            )],
            done: &[
                "You’re booked for {day}, {date}, at {time} with {doctor}.",
                "All set: {date} at {time}. We’ll text you a reminder at {phone}.",
            ],
        },
        Topic {
            title: "Move an appointment to {day}",
            openings: &["I have an appointment tomorrow and can’t make it. Could we move it to {day}?"],
            confirm: "I can move you to {day} at {time}. Shall I?",
            acts: &[tool(
                "reschedule_appointment",
                Write,
                r#"{"patient":"{user}","to":"{date}T{time}"}"#,
                r#"{"moved":true,"at":"{date}T{time}"}"#,
                &["Error: slot {date}T{time} is no longer free"],
            )],
            done: &["I’ve moved you to {day} at {time}."],
        },
        Topic {
            title: "Message for {doctor}",
            openings: &[
                "Could {doctor} call me back about my results?",
                "I have a question about my prescription, can somebody call me?",
            ],
            confirm: "I’ll leave a message for {doctor} to call {phone}. Is that right?",
            acts: &[tool(
                "take_message",
                Write,
                r#"{"for":"{doctor}","from":"{name}","call_back":"{phone}"}"#,
                r#"{"saved":true}"#,
                &["Error: a call-back number is needed"],
            )],
            done: &["{doctor} will call you back at {phone} today."],
        },
    ],
    asks: &["Of course. May I have your full name and date of birth?", "Gladly. What name is it under?"],
    gives: &["{name}.", "It’s {name}, I’ve been there before.", "{name}, born in eighty-four."],
    yeses: &["Yes, that works.", "Perfect.", "Yes please."],
    asides: &[
        ("Would mornings or afternoons suit you better?", "Afternoons, if possible."),
        ("Is it urgent? Are you in pain?", "It’s bearable."),
        ("Is {phone} still the best number for you?", "Yes, it is."),
        ("Do you have dental insurance?", "Yes, through work."),
    ],
    thanks: &["Thank you, bye.", "Wonderful, thanks.", "Great, see you then."],
    bye: &["Thank you for calling. Goodbye!", "See you then, {first}. Bye!"],
    sorry: &["I’m sorry, I can’t reach the calendar at the moment. Please call again later."],
    gripes: &["OK, I’ll try somewhere else.", "I see. Goodbye."],
    handover: &["I’ll connect you to the front desk, one moment please."],
    tools: &[
        tool(
            "find_patient",
            Identify,
            r#"{"name":"{name}"}"#,
            r#"{"patient":"{user}","last_visit":"2026-03-04"}"#,
            &["Error: patient not found"],
        ),
        tool(
            "find_slots",
            Search,
            r#"{"doctor":"{doctor}","from":"{date}"}"#,
            r#"["{date}T{time}","{date2}T{time2}"]"#,
            &["Error: calendar of {doctor} is locked"],
        ),
        tool("get_office_hours", Read, r#"{}"#, r#"{"Mon-Fri":"08:00-17:00","Sat":"09:00-13:00"}"#, &[]),
        tool(
            "find_slots",
            Read,
            r#"{"doctor":"any","from":"{date}"}"#,
            r#"["{date}T{time}","{date}T{time2}"]"#,
            &["Error: calendar is locked"],
        ),
        tool(
            "transfer_to_front_desk",
            HandOver,
            r#"{"caller":"{phone}","about":"{visit}"}"#,
            r#"{"connected":true}"#,
            &[],
        ),
    ],
    closing: None,
    most_tools: 5,
};
