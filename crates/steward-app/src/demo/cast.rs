//! Who is in the demo: the agency, its clients with what is agreed with them, and their workflows.

use jiff::tz::TimeZone;
use steward_core::calendar::BusinessHours;
use steward_core::clients::ClientSettings;
use steward_core::money::{Currency, Nanos};
use steward_core::outcome::Outcome;
use steward_core::rules::{Condition, OutcomeRule, ResultRule, ResultValue};
use steward_core::workflow::{ValueBasis, WorkflowSettings};

use super::measured;
use super::rhythm::{Holidays, Rhythm};
use super::stories::{State, odds};
use super::texts::{self, Talk};
use super::{Demo, DemoClient, DemoWorkflow};

/// The source name of the workflow that belongs to no client.
pub const OUTAGE_TEXTS: &str = "brightmoor-outage-texts";

/// The years whose holidays the clients are closed on.
const YEARS: std::ops::RangeInclusive<i16> = 2026..=2027;

/// One workflow of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Retail,
    Invoices,
    Airline,
    Telecom,
    Bill,
    Clinic,
    Leads,
    FollowUp,
    OutageTexts,
}

impl Place {
    pub(super) const ALL: [Self; 9] = [
        Self::Retail,
        Self::Invoices,
        Self::Airline,
        Self::Telecom,
        Self::Bill,
        Self::Clinic,
        Self::Leads,
        Self::FollowUp,
        Self::OutageTexts,
    ];

    /// What telemetry calls it.
    pub(super) const fn source_name(self) -> &'static str {
        match self {
            Self::Retail => "tamarisk-support",
            Self::Invoices => "tamarisk-invoices",
            Self::Airline => "skerry-rebooking",
            Self::Telecom => "brightmoor-troubleshooter",
            Self::Bill => "brightmoor-bills",
            Self::Clinic => "fennimore-front-desk",
            Self::Leads => "ostrander-leads",
            Self::FollowUp => "ostrander-follow-up",
            Self::OutageTexts => OUTAGE_TEXTS,
        }
    }

    /// The beginning of its runs' ids.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Retail => "ts",
            Self::Invoices => "ti",
            Self::Airline => "sk",
            Self::Telecom => "bt",
            Self::Bill => "bb",
            Self::Clinic => "call",
            Self::Leads => "ol",
            Self::FollowUp => "of",
            Self::OutageTexts => "bo",
        }
    }

    const fn zone_name(self) -> &'static str {
        match self {
            Self::Retail | Self::Invoices => "America/New_York",
            Self::Airline => "Europe/London",
            Self::Telecom | Self::Bill | Self::OutageTexts => "Europe/Dublin",
            Self::Clinic => "America/Denver",
            Self::Leads | Self::FollowUp => "America/Los_Angeles",
        }
    }

    /// The client's zone.
    pub(super) fn zone(self) -> TimeZone {
        TimeZone::get(self.zone_name()).unwrap_or(TimeZone::UTC)
    }

    /// The holidays on which it is quiet.
    pub(super) const fn holidays(self) -> Holidays {
        match self {
            Self::Airline => Holidays::Britain,
            Self::Telecom | Self::Bill | Self::OutageTexts => Holidays::Ireland,
            Self::Retail | Self::Invoices | Self::Clinic | Self::Leads | Self::FollowUp => Holidays::America,
        }
    }

    /// Runs on an ordinary day.
    pub(super) const fn runs_a_day(self) -> f64 {
        match self {
            Self::Retail => 46.0,
            Self::Invoices => 44.0,
            Self::Airline => 28.0,
            Self::Telecom => 24.0,
            Self::Bill => 7.0,
            Self::Clinic => 31.0,
            Self::Leads => 26.0,
            Self::FollowUp => 12.0,
            Self::OutageTexts => 14.0,
        }
    }

    /// When in the day and in the week.
    pub(super) const fn rhythm(self) -> Rhythm {
        match self {
            Self::Retail => Rhythm::Shop,
            Self::Invoices => Rhythm::Timer,
            Self::Airline => Rhythm::Travel,
            Self::Telecom | Self::Bill | Self::OutageTexts => Rhythm::Home,
            Self::Clinic => Rhythm::Telephone,
            Self::Leads | Self::FollowUp => Rhythm::Business,
        }
    }

    /// How its conversations go; `None` for what talks to nobody.
    pub(super) const fn talk(self) -> Option<&'static Talk> {
        match self {
            Self::Retail => Some(&texts::RETAIL),
            Self::Airline => Some(&texts::AIRLINE),
            Self::Telecom => Some(&texts::TELECOM),
            Self::Bill => Some(&texts::BILL),
            Self::Clinic => Some(&texts::CLINIC),
            Self::Leads => Some(&texts::LEADS),
            Self::Invoices | Self::FollowUp | Self::OutageTexts => None,
        }
    }

    /// How much slower than the simulated person of the measured runs the other side is. Shop and airline keep to what
    /// was measured; people on the telephone and beside a router take their time.
    pub(super) const fn reply_factor(self) -> f64 {
        match self {
            Self::Retail | Self::Airline => 1.0,
            Self::Clinic => 4.0,
            Self::Telecom => 20.0,
            Self::Bill | Self::Leads => 9.0,
            Self::Invoices | Self::FollowUp | Self::OutageTexts => 0.0,
        }
    }

    /// The median time of a tool's answer, in milliseconds.
    pub(super) const fn tool_ms(self) -> f64 {
        match self {
            Self::Retail | Self::Leads => 90.0,
            Self::Airline => 160.0,
            Self::Telecom => 1_900.0,
            Self::Clinic => 240.0,
            Self::Invoices | Self::FollowUp | Self::Bill | Self::OutageTexts => 380.0,
        }
    }

    /// How it behaves when no story says otherwise.
    pub(super) fn usual(self) -> State {
        let retail = measured::set("retail_gpt_4_1");
        let airline = measured::set("airline_gpt_4_1");
        let state = State {
            volume: 1.0,
            figures: retail,
            model: "gpt-4o-mini",
            release: "v1.0",
            prompt_factor: 1.0,
            reasoning: 0.0,
            odds: odds(retail, 0.4),
            unverified: 0.12,
            broken: None,
            wait_minutes: 0.0,
            usd_per_minute: None,
        };
        match self {
            Self::Retail => State { model: "gpt-4.1", release: "v3.1", ..state },
            Self::Invoices => {
                State { release: "v1.3", prompt_factor: 0.7, odds: [0.88, 0.1, 0.02, 0.0], unverified: 0.03, ..state }
            }
            Self::Airline => {
                let figures = measured::set("airline_gpt_4o");
                State { figures, model: "gpt-4o", release: "v3.7", odds: odds(figures, 0.3), unverified: 0.14, ..state }
            }
            Self::Telecom => State {
                figures: airline,
                model: "claude-sonnet-4",
                release: "v2.5",
                prompt_factor: 1.3,
                odds: [0.66, 0.14, 0.12, 0.08],
                unverified: 0.16,
                ..state
            },
            Self::Bill => State {
                model: "o4-mini",
                release: "v0.4",
                reasoning: 3.0,
                odds: [0.36, 0.12, 0.34, 0.18],
                unverified: 0.45,
                ..state
            },
            Self::Clinic => State {
                release: "2.0.3",
                prompt_factor: 0.6,
                odds: [0.82, 0.08, 0.03, 0.07],
                unverified: 0.06,
                ..state
            },
            Self::Leads => State {
                model: "gpt-4.1-mini",
                release: "v1.8",
                odds: [0.58, 0.05, 0.07, 0.3],
                unverified: 0.2,
                ..state
            },
            Self::FollowUp => State {
                model: "gpt-4o",
                release: "v0.7",
                prompt_factor: 0.5,
                odds: [0.34, 0.04, 0.06, 0.56],
                unverified: 0.15,
                ..state
            },
            Self::OutageTexts => State { release: "", prompt_factor: 0.3, unverified: 1.0, ..state },
        }
    }
}

/// The agency with its clients; the seed chooses its name.
pub(super) fn agency(seed: u64) -> Demo {
    let names = ["Quillmarsh Studio", "Odd Harbour Labs", "Fenlight Automation"];
    Demo {
        agency_name: names[(seed % 3) as usize].to_owned(),
        time_zone: "America/Chicago".to_owned(),
        clients: vec![tamarisk(), skerry(), brightmoor(), fennimore(), ostrander()],
    }
}

fn tamarisk() -> DemoClient {
    let support = WorkflowSettings {
        outcome_rules: vec![
            rule(Outcome::Escalated, called("transfer_to_human")),
            rule(Outcome::Abandoned, attribute("end_reason", "customer_left")),
            rule(Outcome::Completed, succeeded("close_ticket")),
            rule(Outcome::Failed, Condition::UserSaid { text: "not solve".to_owned() }),
        ],
        result_rules: vec![
            result("tickets resolved", succeeded("close_ticket"), ResultValue::None),
            result("returns arranged", succeeded("return_items"), ResultValue::None),
            result("orders changed", succeeded("modify_items"), ResultValue::None),
        ],
        baseline_minutes: Some(8.0),
        value: ValueBasis::PerCompletedRun { nanos: units(4.2) },
        ..WorkflowSettings::default()
    };
    let invoices = WorkflowSettings {
        outcome_rules: vec![
            rule(Outcome::Escalated, called("ask_bookkeeper")),
            rule(Outcome::Completed, succeeded("post_to_ledger")),
        ],
        result_rules: vec![result("invoices posted", succeeded("post_to_ledger"), ResultValue::None)],
        baseline_minutes: Some(6.0),
        value: ValueBasis::TimeSaved { nanos_per_hour: units(34.0) },
        ..WorkflowSettings::default()
    };
    client(
        "Tamarisk & Pine",
        settings(Place::Retail, "USD", 1.0, "Mon-Sat 08:00-20:00\nSun 10:00-18:00", 2_400.0),
        vec![
            workflow("Customer support", Place::Retail, support),
            workflow("Invoice reader", Place::Invoices, invoices),
        ],
    )
}

fn skerry() -> DemoClient {
    let rebooking = WorkflowSettings {
        outcome_rules: vec![
            rule(Outcome::Escalated, called("transfer_to_human")),
            rule(Outcome::Abandoned, attribute("end_reason", "customer_left")),
            rule(Outcome::Completed, succeeded("send_confirmation")),
            rule(Outcome::Failed, Condition::UserSaid { text: "what the website says".to_owned() }),
            rule(Outcome::Failed, Condition::FinalTextContains { text: "unable to complete".to_owned() }),
        ],
        result_rules: vec![
            result("flights rebooked", succeeded("rebook_flight"), ResultValue::Fixed { nanos: units(9.5) }),
            result("bookings cancelled", succeeded("cancel_booking"), ResultValue::Fixed { nanos: units(6.0) }),
            result("bags sold", succeeded("add_bag"), ResultValue::Json { path: "paid".to_owned() }),
            result("vouchers issued", succeeded("issue_voucher"), ResultValue::None),
        ],
        deciding_scores: vec!["goal_completion".to_owned()],
        pass_at_least: 0.7,
        baseline_minutes: Some(14.0),
        value: ValueBasis::Results,
        ..WorkflowSettings::default()
    };
    client(
        "Skerry Air",
        settings(Place::Airline, "GBP", 0.78, "Mon-Sun 06:00-22:00", 3_100.0),
        vec![workflow("Rebooking", Place::Airline, rebooking)],
    )
}

fn brightmoor() -> DemoClient {
    let troubleshooter = WorkflowSettings {
        outcome_rules: vec![
            rule(Outcome::Escalated, called("transfer_to_engineer")),
            rule(Outcome::Abandoned, attribute("end_reason", "customer_left")),
            rule(Outcome::Completed, succeeded("close_case")),
            rule(Outcome::Failed, attribute("case_state", "unresolved")),
        ],
        result_rules: vec![
            result("lines restored", succeeded("close_case"), ResultValue::None),
            result("technicians booked", succeeded("book_technician"), ResultValue::None),
        ],
        baseline_minutes: Some(9.0),
        value: ValueBasis::TimeSaved { nanos_per_hour: units(25.0) },
        ..WorkflowSettings::default()
    };
    let bills = WorkflowSettings {
        outcome_rules: vec![
            rule(Outcome::Escalated, called("transfer_to_billing")),
            rule(Outcome::Abandoned, attribute("end_reason", "customer_left")),
            rule(Outcome::Completed, succeeded("rate_answer")),
            rule(Outcome::Failed, Condition::UserSaid { text: "still don’t understand".to_owned() }),
        ],
        result_rules: vec![result("bills explained", succeeded("rate_answer"), ResultValue::None)],
        baseline_minutes: Some(4.0),
        value: ValueBasis::PerCompletedRun { nanos: units(1.1) },
        ..WorkflowSettings::default()
    };
    client(
        "Brightmoor Fibre",
        settings(Place::Telecom, "EUR", 0.92, "Mon-Fri 08:00-20:00\nSat 09:00-16:00", 3_900.0),
        vec![
            workflow("Connection troubleshooter", Place::Telecom, troubleshooter),
            workflow("Bill explainer", Place::Bill, bills),
        ],
    )
}

fn fennimore() -> DemoClient {
    let front_desk = WorkflowSettings {
        outcome_rules: vec![
            rule(Outcome::Escalated, called("transfer_to_front_desk")),
            rule(Outcome::Abandoned, attribute("end_reason", "caller_hung_up")),
            rule(Outcome::Completed, succeeded("book_appointment")),
            rule(Outcome::Completed, succeeded("reschedule_appointment")),
            rule(Outcome::Completed, succeeded("take_message")),
            rule(Outcome::Failed, Condition::ToolFailed { tool: "book_appointment".to_owned() }),
            rule(Outcome::Failed, Condition::ToolFailed { tool: "reschedule_appointment".to_owned() }),
            rule(Outcome::Failed, Condition::ToolFailed { tool: "take_message".to_owned() }),
        ],
        result_rules: vec![
            result("calls answered", Condition::EndedClean, ResultValue::None),
            result("appointments booked", succeeded("book_appointment"), ResultValue::Fixed { nanos: units(45.0) }),
            result(
                "appointments moved",
                succeeded("reschedule_appointment"),
                ResultValue::Fixed { nanos: units(12.0) },
            ),
            result("messages taken", succeeded("take_message"), ResultValue::Fixed { nanos: units(2.5) }),
        ],
        baseline_minutes: Some(5.0),
        value: ValueBasis::Results,
        ..WorkflowSettings::default()
    };
    client(
        "Fennimore Dental",
        settings(Place::Clinic, "USD", 1.0, "Mon-Fri 08:00-17:00\nSat 09:00-13:00", 1_150.0),
        vec![workflow("Front desk calls", Place::Clinic, front_desk)],
    )
}

fn ostrander() -> DemoClient {
    let leads = WorkflowSettings {
        outcome_rules: vec![
            rule(Outcome::Escalated, called("hand_to_planner")),
            rule(Outcome::Abandoned, attribute("end_reason", "visitor_left")),
            rule(Outcome::Completed, succeeded("create_crm_record")),
            rule(Outcome::Failed, Condition::ToolFailed { tool: "create_crm_record".to_owned() }),
        ],
        result_rules: vec![result(
            "leads captured",
            succeeded("create_crm_record"),
            ResultValue::Fixed { nanos: units(14.0) },
        )],
        baseline_minutes: Some(10.0),
        value: ValueBasis::Results,
        ..WorkflowSettings::default()
    };
    let follow_up = WorkflowSettings {
        result_rules: vec![
            result("mails sent", succeeded("send_email"), ResultValue::None),
            result("visits agreed", succeeded("book_visit"), ResultValue::None),
        ],
        baseline_minutes: Some(7.0),
        value: ValueBasis::PerCompletedRun { nanos: units(18.0) },
        ..WorkflowSettings::default()
    };
    client(
        "Ostrander Solar",
        settings(Place::Leads, "USD", 1.0, "Mon-Fri 09:00-18:00", 1_900.0),
        vec![workflow("Lead qualifier", Place::Leads, leads), workflow("Quote follow-up", Place::FollowUp, follow_up)],
    )
}

fn client(name: &str, settings: ClientSettings, workflows: Vec<DemoWorkflow>) -> DemoClient {
    DemoClient { name: name.to_owned(), settings, workflows }
}

fn workflow(name: &str, place: Place, settings: WorkflowSettings) -> DemoWorkflow {
    DemoWorkflow { name: name.to_owned(), source_name: place.source_name().to_owned(), settings }
}

fn settings(place: Place, currency: &str, units_per_usd: f64, hours: &str, retainer: f64) -> ClientSettings {
    // A test reads the hours; should they not parse, the usual ones hold.
    let mut business_hours = BusinessHours::parse(hours).unwrap_or_default();
    business_hours.closed_on = YEARS.flat_map(|year| place.holidays().of_year(year)).collect();
    ClientSettings {
        currency: Currency::parse(currency).unwrap_or(Currency::USD),
        units_per_usd,
        time_zone: place.zone_name().to_owned(),
        business_hours,
        retainer_nanos: Some(units(retainer)),
    }
}

fn rule(outcome: Outcome, condition: Condition) -> OutcomeRule {
    OutcomeRule { outcome, when: vec![condition] }
}

fn result(name: &str, condition: Condition, value: ResultValue) -> ResultRule {
    ResultRule { name: name.to_owned(), when: vec![condition], each: false, value }
}

fn called(tool: &str) -> Condition {
    Condition::ToolCalled { tool: tool.to_owned() }
}

fn succeeded(tool: &str) -> Condition {
    Condition::ToolSucceeded { tool: tool.to_owned() }
}

fn attribute(key: &str, value: &str) -> Condition {
    Condition::AttributeIs { key: key.to_owned(), value: value.to_owned() }
}

fn units(units: f64) -> Nanos {
    Nanos::from_units(units).unwrap_or_default()
}
