//! Why a call or an execution ended, and whose doing it was.
//!
//! Platforms have hundreds of words for an end and add to them every month. So no whole reason stands here: a reason
//! is taken apart into words, and ordered rules look at these. A reason that no rule knows has no class; it is kept
//! as it was sent in any case.

use steward_core::outcome::Outcome;
use steward_core::step::ErrorClass;

/// Whose doing an end was; for an end that is a fault, who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndClass {
    /// Those who set the agent up: a wrong key, a missing voice, a limit that was set.
    Config,
    /// Money: no balance, a quota used up, a plan that does not hold what was asked for.
    Money,
    /// A provider behind the platform: a model, a voice, a carrier.
    Provider,
    /// The platform itself.
    Platform,
    /// The other side: it hung up, did not answer, said nothing.
    Caller,
    /// The agent: it hung up, or handed over.
    Agent,
}

impl EndClass {
    /// Every class, in the order in which they are shown.
    pub const ALL: [Self; 6] = [Self::Config, Self::Money, Self::Provider, Self::Platform, Self::Caller, Self::Agent];

    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Money => "money",
            Self::Provider => "provider",
            Self::Platform => "platform",
            Self::Caller => "caller",
            Self::Agent => "agent",
        }
    }
}

/// What a reason says of an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ending {
    /// Whose doing it was; `None` when no rule knows the reason.
    pub class: Option<EndClass>,
    /// Something went wrong, so that the run is an error.
    pub is_fault: bool,
    /// What came of the run, where the end alone says it.
    pub outcome: Option<Outcome>,
}

impl Ending {
    /// Whether money is what was missing: the next run will end like this one.
    #[must_use]
    pub fn is_money_fault(&self) -> bool {
        self.is_fault && self.class == Some(EndClass::Money)
    }
}

const fn end(class: EndClass) -> Ending {
    Ending { class: Some(class), is_fault: false, outcome: None }
}

const fn fault(class: EndClass) -> Ending {
    Ending { class: Some(class), is_fault: true, outcome: None }
}

const fn with(class: EndClass, outcome: Outcome) -> Ending {
    Ending { class: Some(class), is_fault: false, outcome: Some(outcome) }
}

/// Reads a reason: a code such as `pipeline-error-openai-429-exceeded-quota`, or a short text.
#[must_use]
pub fn read_reason(reason: &str) -> Ending {
    let words = Words::of(reason);
    if words.text.is_empty() {
        return Ending::default();
    }
    words
        .of_blame()
        .or_else(|| words.of_what_the_agent_did())
        .or_else(|| words.of_people())
        .or_else(|| words.of_money())
        .or_else(|| words.of_handing_over())
        .or_else(|| words.of_sip())
        .or_else(|| words.of_setup())
        .or_else(|| words.of_providers())
        .or_else(|| words.of_limits())
        .or_else(|| words.of_platform())
        .or_else(|| words.of_agent())
        .or_else(|| words.of_plain_fault())
        .unwrap_or_default()
}

/// Whether the text or the code of an error says that the account's money or quota is what is missing.
///
/// Texts come from anywhere: a card that was declined is the caller's money, and "quota exceeded for requests per
/// minute" is a rate limit. So only what nobody says of anything else counts.
#[must_use]
pub fn says_money(text: &str) -> bool {
    let words = Words::of(text);
    let about_rates = words.has(&["per minute", "per second", "per hour", "per user", "concurrent"]);
    text.trim() == "402"
        || (!about_rates
            && words.has(&[
                "insufficient quota",
                "exceeded your current quota",
                "exceeded your quota",
                "exceeds your quota",
                "exceeded quota",
                "quota exceeded",
                "quota has been exceeded",
                "quota is used up",
                "quota used up",
                "out of credit",
                "insufficient credit",
                "insufficient account balance",
                "insufficient balance",
                "not enough credit",
                "no credit left",
                "no credits",
                "no more credit",
                "credit balance is too low",
                "credits exhausted",
                "payment required",
                "payment method",
                "no valid payment",
                "billing hard limit",
                "billing not active",
                "billing is not active",
                "spending limit",
                "spend limit",
                "spend cap",
                "monthly usage limit",
                "task limit",
                "operations limit",
            ]))
}

/// The class of the error that a faulty end is; `None` leaves it to the words of the message.
pub(super) fn error_class(ending: &Ending, reason: &str) -> Option<ErrorClass> {
    let words = Words::of(reason);
    match ending.class? {
        EndClass::Money => Some(ErrorClass::Money),
        _ if words.has(&[
            "unauthorized",
            "auth",
            "api key",
            "credential",
            "access denied",
            "forbidden",
            "401",
            "403",
        ]) =>
        {
            Some(ErrorClass::Auth)
        }
        _ if words.has(&["rate limit", "quota", "concurren", "429"]) => Some(ErrorClass::RateLimit),
        _ if words.has(&["timed out", "timeout", "time out", "408", "504"]) => Some(ErrorClass::Timeout),
        EndClass::Config if words.has(&["validation", "invalid", "not valid", "422"]) => Some(ErrorClass::Validation),
        EndClass::Config => Some(ErrorClass::BadRequest),
        EndClass::Provider | EndClass::Platform => Some(ErrorClass::Server),
        EndClass::Caller | EndClass::Agent => None,
    }
}

/// The longest reason that is looked at; what is longer is a document and no reason.
const MAX_REASON_CHARS: usize = 400;

/// A reason in small letters with one space before each word.
struct Words {
    text: String,
    /// The places of those spaces.
    starts: Vec<usize>,
}

impl Words {
    fn of(reason: &str) -> Self {
        let mut text = String::with_capacity(reason.len().min(MAX_REASON_CHARS) + 1);
        let mut starts = Vec::new();
        let (mut in_word, mut before_lower) = (false, false);
        for c in reason.chars().take(MAX_REASON_CHARS) {
            if c.is_alphanumeric() {
                // `callEnded` is two words.
                if !in_word || (before_lower && c.is_uppercase()) {
                    starts.push(text.len());
                    text.push(' ');
                }
                text.extend(c.to_lowercase());
            }
            in_word = c.is_alphanumeric();
            before_lower = c.is_lowercase();
        }
        Self { text, starts }
    }

    /// Whether any of the beginnings of words, or of words in a row, is there.
    fn has(&self, beginnings: &[&str]) -> bool {
        beginnings.iter().any(|beginning| self.starts(beginning).next().is_some())
    }

    /// Whether any of the words, or words in a row, is there to its end.
    fn has_whole(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| {
            self.starts(phrase).any(|at| matches!(self.text.as_bytes().get(at + 1 + phrase.len()), None | Some(b' ')))
        })
    }

    /// The places of a phrase that begins where a word does.
    fn starts<'a>(&'a self, phrase: &'a str) -> impl Iterator<Item = usize> + 'a {
        let text = self.text.as_bytes();
        self.starts.iter().copied().filter(move |at| text[at + 1..].starts_with(phrase.as_bytes()))
    }

    /// The first number that is an HTTP or SIP status of a failure.
    fn status(&self) -> Option<u16> {
        self.text
            .split(' ')
            .filter(|word| word.len() == 3)
            .filter_map(|word| word.parse().ok())
            .find(|code| (400..700).contains(code))
    }

    fn is_error(&self) -> bool {
        self.has(&["error", "fail", "fault"])
    }

    /// Who the reason itself names: `vapifault`, `providerfault`.
    ///
    /// A platform that blames itself also means its own keys and its own quota, which nobody else can mend.
    fn of_blame(&self) -> Option<Ending> {
        let blamed = self.text.split(' ').find_map(|word| word.strip_suffix("fault").filter(|who| who.len() >= 3))?;
        match blamed {
            "default" | "de" => None,
            "provider" | "vendor" | "upstream" => Some(self.of_sip().unwrap_or(fault(EndClass::Provider))),
            "customer" | "caller" | "user" => Some(fault(EndClass::Caller)),
            "account" | "agency" | "config" | "client" => Some(fault(EndClass::Config)),
            _ => Some(fault(EndClass::Platform)),
        }
    }

    /// What the agent did, which stays its doing whatever made it do so.
    fn of_what_the_agent_did(&self) -> Option<Ending> {
        let acted = self.has(&[
            "assistant ended",
            "assistant said",
            "assistant hung up",
            "agent ended",
            "agent hung up",
            "agent hangup",
        ]);
        (acted && !self.is_error()).then_some(end(EndClass::Agent))
    }

    /// What the person on the other side did or did not do.
    fn of_people(&self) -> Option<Ending> {
        let other_side =
            self.has_whole(&["customer", "caller", "user", "callee", "client", "participant", "remote party"]);
        let never_there = self.has(&[
            "voicemail",
            "voice mail",
            "answering machine",
            "machine detected",
            "ivr",
            "misdial",
            "dial busy",
            "dial no answer",
            "did not answer",
            "not answered",
            "user declined",
            "user not joined",
            "registered call timeout",
            "ring timeout",
            "hungup before",
            "hung up before",
            "not reachable",
            "not reached",
        ]) || self.is_only(&[
            "busy",
            "no answer",
            "not answered",
            "declined",
            "rejected",
            "unreachable",
            "missed",
        ]) || (other_side
            && self.has(&["busy", "no answer", "unavailable", "unreachable", "reject", "decline", "never joined"]));
        if never_there {
            return Some(with(EndClass::Caller, Outcome::Abandoned));
        }
        // What the assistant said or did not hear is told of the assistant, and yet the caller's.
        if other_side && self.has(&["did not give", "permission", "did not receive", "no audio", "microphone"]) {
            return Some(with(EndClass::Caller, Outcome::Abandoned));
        }
        if other_side
            && self.has(&[
                "ended",
                "hangup",
                "hung up",
                "hungup",
                "hang up",
                "disconnect",
                "left",
                "closed",
                "cancel",
                "timeout",
                "timed out",
                "inactiv",
                "silent",
                "silence",
            ])
        {
            let mid_transfer = self.has(&["transfer"]);
            let early = self.has(&["before", "silence", "silent", "inactiv"]) && !mid_transfer;
            return Some(if early || mid_transfer {
                with(EndClass::Caller, Outcome::Abandoned)
            } else {
                end(EndClass::Caller)
            });
        }
        None
    }

    /// Whether the reason is one of these and nothing beside it but where and by whom: `vonage-rejected`.
    fn is_only(&self, phrases: &[&str]) -> bool {
        self.has_whole(phrases)
            && !self
                .has(&["system", "error", "operator", "upgrade", "forward", "transfer", "server", "service", "http"])
            && self.text.split(' ').count() <= 4
    }

    /// What paying would mend.
    fn of_money(&self) -> Option<Ending> {
        let missing = self.has(&[
            "quota",
            "credit",
            "insufficient fund",
            "insufficent fund",
            "insufficient balance",
            "insufficient quota",
            "insufficient",
            "out of character",
            "out of minutes",
            "out of token",
            "minutes exhausted",
            "characters exhausted",
            "tokens exhausted",
            "credits exhausted",
            "payment",
            "billing",
            "balance",
            "wallet",
            "prepaid",
            "overdue",
            "unpaid",
            "subscription",
            "spend limit",
            "spending limit",
            "spend cap",
            "budget",
            "usage limit",
            "task limit",
            "operations limit",
            "daily limit",
            "outbound daily limit",
            "monthly limit",
            "plan limit",
            "hard limit",
            "trial end",
            "trial expired",
            "402",
        ]);
        let held = self.has(&["credit card form", "credit score", "credentials"]);
        let not_on_plan =
            self.has(&["paid only", "free plan", "free user", "free tier", "only for creator", "international"])
                || (self.has(&["upgrade"]) && !self.has(&["busy", "overload"]))
                || (self.has(&["concurren"])
                    && self.has(&["limit", "no concurren", "exceed", "blocked", "reached", "max"]))
                || self.has(&["no concurrency", "fraud check", "account suspended", "account frozen"]);
        let about_access = self.has(&[
            "insufficient permission",
            "insufficient scope",
            "insufficient privilege",
            "insufficient right",
            "insufficient auth",
        ]);
        ((missing && !held && !about_access) || not_on_plan).then_some(fault(EndClass::Money))
    }

    /// What became of handing the call to somebody else.
    fn of_handing_over(&self) -> Option<Ending> {
        if !self.has(&[
            "transfer",
            "forward",
            "take over",
            "takeover",
            "handoff",
            "handed off",
            "handed over",
            "escalat",
        ]) {
            return None;
        }
        if self.has(&["forwarding phone number"]) {
            return None;
        }
        let by_agent = self.has(&["assistant cancel", "agent cancel"]);
        let ending = if self.is_error()
            || self.has(&["busy", "no answer", "timeout", "timed out", "max duration", "declined", "unavailable"])
        {
            fault(if by_agent { EndClass::Agent } else { EndClass::Config })
        } else if self.has(&["cancel", "attempt"]) {
            end(EndClass::Agent)
        } else {
            with(EndClass::Agent, Outcome::Escalated)
        };
        Some(ending)
    }

    /// Codes of telephony, which mean other things than those of the web.
    fn of_sip(&self) -> Option<Ending> {
        if !self.has_whole(&["sip", "q850", "isup"]) {
            return None;
        }
        match self.status() {
            Some(408 | 410 | 480 | 486 | 487 | 600 | 603 | 604 | 607 | 608) => {
                Some(with(EndClass::Caller, Outcome::Abandoned))
            }
            Some(400..=499) => Some(fault(EndClass::Config)),
            Some(_) => Some(fault(EndClass::Provider)),
            None if self.has(&["routing", "credential", "auth"]) => Some(fault(EndClass::Config)),
            None if self.has(&["completed", "bye"]) => Some(end(EndClass::Caller)),
            None if self.is_error() => Some(fault(EndClass::Provider)),
            None => None,
        }
    }

    /// What those who set the agent up can mend.
    fn of_setup(&self) -> Option<Ending> {
        if self.has(&["rate limit", "ratelimit", "too many request"]) || self.status().is_some_and(|code| code >= 500) {
            return Some(fault(EndClass::Provider));
        }
        if matches!(self.status(), Some(400..=407 | 409..=428 | 430..=499)) {
            return Some(fault(EndClass::Config));
        }
        let of_settings = self.has(&[
            "unauthori",
            "auth fail",
            "authentication",
            "api key",
            "access denied",
            "permission",
            "forbidden",
            "credential",
            "invalid",
            "not valid",
            "not found",
            "not exist",
            "not set",
            "not allowed",
            "not provided",
            "not configured",
            "not available recording",
            "feature not available",
            "not fine tuned",
            "misconfig",
            "must be",
            "no such",
            "missing",
            "validation",
            "disabled",
            "blocked",
            "against their policy",
            "against terms",
            "in probation",
            "limit exceeded",
            "context length",
            "assistant request",
            "neither",
            "no available",
            "error get",
            "llm websocket",
            "ws model",
            "marked as spam",
            "scam",
            "license",
            "bypass enabled",
            "webhook",
            "unsupported",
            "deactivated",
            "incorrect",
            "corrupt",
        ]);
        // A platform's own pieces are not found for other reasons than settings.
        let of_pieces = self.has(&["worker", "server available", "database"]);
        if of_settings && !of_pieces {
            // A bypass without a call is nobody's fault.
            return Some(if self.has(&["bypass enabled"]) { end(EndClass::Config) } else { fault(EndClass::Config) });
        }
        None
    }

    /// A part behind the platform that did not do its work.
    fn of_providers(&self) -> Option<Ending> {
        let part = self.has(&[
            "voice",
            "llm",
            "transcri",
            "model",
            "video",
            "tts",
            "stt",
            "asr",
            "provider",
            "telephony",
            "twilio",
            "vonage",
            "telnyx",
            "plivo",
            "exotel",
            "carrier",
            "transport",
            "pipeline",
            "audio",
            "retell",
            "dial",
        ]);
        let down = self.has(&[
            "fail",
            "error",
            "unavailable",
            "disconnected",
            "closed websocket",
            "connection",
            "timed out",
            "timeout",
            "hang up",
            "socket",
            "econn",
            "ehost",
            "enotfound",
            "overload",
            "busy",
            "request canceled",
            "request cancelled",
            "lost",
            "unexpected",
        ]);
        if part && down {
            return Some(fault(EndClass::Provider));
        }
        // What a platform itself calls unknown came from behind it.
        if self.has(&[
            "overload",
            "bad gateway",
            "service unavailable",
            "econn",
            "ehostunreach",
            "error unknown",
            "unknown error",
        ]) {
            return Some(fault(EndClass::Provider));
        }
        // The carrier says that the line was hung up.
        (part && self.has(&["completed"])).then_some(end(EndClass::Caller))
    }

    /// Limits that were set, and hands that stopped it.
    fn of_limits(&self) -> Option<Ending> {
        if self.has(&["silence", "silent", "inactiv", "no input", "no speech", "no response from"]) {
            return Some(with(EndClass::Caller, Outcome::Abandoned));
        }
        if self.has(&[
            "max duration",
            "maximum duration",
            "duration exceeded",
            "time limit",
            "max call duration",
            "max length",
            "maximum call",
        ]) {
            return Some(end(EndClass::Config));
        }
        let by_hand = self.has(&["manual", "cancel", "deleted", "stopped by", "aborted by"]);
        by_hand.then_some(with(EndClass::Config, Outcome::Abandoned))
    }

    /// The platform's own pieces.
    fn of_platform(&self) -> Option<Ending> {
        self.has(&[
            "worker",
            "database",
            "db error",
            "server available",
            "shutdown",
            "internal",
            "crash",
            "join timed out",
            "out of memory",
        ])
        .then_some(fault(EndClass::Platform))
    }

    /// The agent ended it, as it does when it is done.
    fn of_agent(&self) -> Option<Ending> {
        let agent = self.has_whole(&["assistant", "agent", "bot", "ai", "hook", "end call", "hangup task"]);
        let done = self.has(&["ended", "end call", "hangup", "hung up", "said", "executed", "completed", "goodbye"]);
        if agent && done && !self.is_error() {
            return Some(end(EndClass::Agent));
        }
        if self.has_whole(&["hangup", "hung up", "completed", "disconnected", "client disconnected"])
            && !self.is_error()
        {
            return Some(end(EndClass::Caller));
        }
        (agent && self.is_error()).then_some(fault(EndClass::Config))
    }

    /// It went wrong, and nothing says whose doing that was.
    fn of_plain_fault(&self) -> Option<Ending> {
        (self.is_error() || self.has(&["timed out", "timeout"]))
            .then_some(Ending { is_fault: true, ..Ending::default() })
    }
}
