//! A conversation, drawn: which tools in which order, how often the other side speaks, what refuses, how it ends.
//!
//! The order of tools, the turns of the other side and the rates of refusals are those of the real runs. Time-outs,
//! limits and failing servers do not occur in benchmarks with local tools; their small rates are the demo's own.

use super::facts::Facts;
use super::measured::{Does, Set};
use super::play::{Answer, Beat, ToolBeat};
use super::random::Random;
use super::texts::{Talk, Tool, Topic};

/// How often a tool's network or server fails: the demo's own figure.
const GLITCH_RATE: f64 = 0.012;
/// How often a model's provider fails: the demo's own figure.
const MODEL_ERROR_RATE: f64 = 0.004;
/// How often a refused call is tried again.
const RETRY_RATE: f64 = 0.75;

/// How often a tool that reads is called in the same answer as the tool before it: a fifth of all calls, as measured.
const PARALLEL_RATE: f64 = 0.3;

/// How often an agent that cannot do what is asked has tried it.
const TRIED_RATE: f64 = 0.3;

/// What came of a run, as the demo knows it; Steward finds out by the evidence in the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Completed,
    Escalated,
    Failed,
    Abandoned,
    Unverified,
}

/// A tool that no longer works.
#[derive(Debug, Clone, Copy)]
pub(super) struct Broken {
    pub(super) tool: &'static str,
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

/// How a conversation is to go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Script {
    pub(super) end: End,
    pub(super) broken: Option<Broken>,
    /// Milliseconds for which a person is waited for after a handover.
    pub(super) wait_ms: i64,
}

/// A conversation with its title.
pub(super) struct Conversation {
    pub(super) title: String,
    pub(super) beats: Vec<Beat>,
}

/// Draws a conversation.
pub(super) fn converse(
    talk: &'static Talk,
    figures: &Set,
    script: Script,
    facts: &Facts,
    random: &mut Random,
) -> Conversation {
    let topic = &talk.topics[random.weighted(&WEIGHTS[..talk.topics.len().min(WEIGHTS.len())])];
    let (own, read) = (facts.clone(), facts.clone());
    let mut writer = Writer {
        talk,
        topic,
        figures,
        script,
        facts: own,
        read,
        random,
        beats: Vec::new(),
        n_called: Vec::new(),
        turns: 0,
    };
    writer.converse();
    Conversation { title: facts.fill(topic.title), beats: writer.beats }
}

/// The first topics are the most frequent.
const WEIGHTS: [f64; 5] = [0.42, 0.22, 0.16, 0.12, 0.08];

struct Writer<'a> {
    talk: &'static Talk,
    topic: &'static Topic,
    figures: &'a Set,
    script: Script,
    facts: Facts,
    /// What is read beside it: another order, another flight.
    read: Facts,
    random: &'a mut Random,
    beats: Vec<Beat>,
    n_called: Vec<Does>,
    /// How often the other side will still speak.
    turns: i64,
}

impl Writer<'_> {
    fn converse(&mut self) {
        let talk = self.talk;
        self.turns = self.figures.user_turns.draw_whole(self.random).max(2);
        let tools = self.tools();
        self.user(self.topic.openings);
        if self.turns > 2 {
            self.say(talk.asks);
            self.user(talk.gives);
        }
        let mut confirmed = false;
        for (place, does) in tools.iter().enumerate() {
            let last_write = *does == Does::Write && !tools[place + 1..].contains(&Does::Write);
            if *does == Does::Write && !confirmed {
                self.say(&[self.topic.confirm]);
                self.user(talk.yeses);
                confirmed = true;
            } else if self.turns > 3 && self.random.happens(0.35) {
                self.aside();
            }
            self.call_one(*does, last_write);
        }
        while self.turns > 2 && self.script.end != End::Abandoned {
            self.aside();
        }
        self.finish();
    }

    /// The tools in order, fitted to how it ends.
    fn tools(&mut self) -> Vec<Does> {
        let mut tools = self.figures.draw_tools(self.talk.most_tools, self.random);
        let mut n_identified = 0;
        tools.retain(|does| {
            n_identified += usize::from(*does == Does::Identify);
            let n = self.tools_that(*does).count();
            *does != Does::HandOver && n > 0 && (*does != Does::Identify || n_identified <= n)
        });
        let writes_decide = self.talk.closing.is_none();
        match self.script.end {
            End::Completed if writes_decide && !tools.contains(&Does::Write) => tools.push(Does::Write),
            End::Completed => {
                // The call that closes the case is one of those that were measured.
                if let Some(place) = tools.iter().rposition(|does| matches!(does, Does::Read | Does::Search)) {
                    tools.remove(place);
                }
            }
            End::Failed if writes_decide => {
                tools.retain(|does| *does != Does::Write);
                tools.push(Does::Write);
            }
            End::Abandoned => {
                tools.truncate(tools.len() / 2);
                tools.retain(|does| *does != Does::Write);
            }
            // What could not be done was refused, or never tried.
            End::Escalated | End::Failed if !writes_decide && !self.random.happens(TRIED_RATE) => {
                tools.retain(|does| *does != Does::Write);
            }
            End::Escalated | End::Unverified if writes_decide => tools.retain(|does| *does != Does::Write),
            End::Failed | End::Escalated | End::Unverified => {}
        }
        // An agent whose tool is down has reached for it.
        if self.broken_act().is_some() && self.script.end == End::Escalated && !tools.contains(&Does::Write) {
            tools.push(Does::Write);
        }
        tools
    }

    fn tools_that(&self, does: Does) -> impl Iterator<Item = &'static Tool> + use<> {
        let acts: &'static [Tool] = if does == Does::Write { self.topic.acts } else { &[] };
        self.talk.tools.iter().filter(move |tool| tool.does == does).chain(acts)
    }

    fn broken_act(&self) -> Option<Broken> {
        self.script.broken.filter(|broken| self.topic.acts.iter().any(|act| act.name == broken.tool))
    }

    fn call_one(&mut self, does: Does, last_write: bool) {
        let Some(tool) = self.choose(does) else { return };
        let must_work = last_write && self.script.end == End::Completed && self.talk.closing.is_none();
        let must_fail = does == Does::Write && matches!(self.script.end, End::Failed | End::Escalated);
        if let Some(broken) = self.script.broken.filter(|broken| broken.tool == tool.name) {
            let answer = || Answer::Error { code: broken.code, message: broken.message.to_owned() };
            self.call(tool, answer());
            if self.random.happens(0.4) {
                self.call(tool, answer());
            }
            return;
        }
        if self.random.happens(GLITCH_RATE) {
            let answer = self.glitch();
            self.call(tool, answer);
        }
        let refusals = self.figures.refusal_rate(does);
        while must_fail || self.random.happens(refusals) {
            let Some(refusal) = Some(self.random.pick(tool.refusals)).filter(|text| !text.is_empty()) else { break };
            let refusal = self.facts_of(tool).fill(refusal);
            self.call(tool, Answer::Text(refusal));
            if must_fail || !(must_work || self.random.happens(RETRY_RATE)) {
                return;
            }
        }
        let output = self.facts_of(tool).fill(tool.output);
        self.call(tool, Answer::Text(output));
    }

    /// Who somebody is, is asked step by step; of what is read, the first of a kind is read most.
    fn choose(&mut self, does: Does) -> Option<&'static Tool> {
        let choices: Vec<&'static Tool> = self.tools_that(does).collect();
        let n_called = self.n_called.iter().filter(|called| **called == does).count();
        self.n_called.push(does);
        if does == Does::Identify {
            return choices.get(n_called).or(choices.last()).copied();
        }
        if does != Does::Write && n_called > 0 {
            self.read = self.facts.another(self.random);
        }
        let weights: Vec<f64> = (0..choices.len()).map(|place| 1.0 / (1.0 + 1.6 * place as f64)).collect();
        choices.get(self.random.weighted(&weights)).copied()
    }

    fn glitch(&mut self) -> Answer {
        match self.random.below(10) {
            0..4 => Answer::Timeout(10_000),
            4..7 => Answer::Error { code: "503", message: "Service Unavailable: upstream is restarting".to_owned() },
            7..9 => Answer::Error { code: "429", message: "too many requests, retry after 2 s".to_owned() },
            _ => Answer::Error {
                code: "ValidationError",
                message: "answer does not fit its schema: total is missing".to_owned(),
            },
        }
    }

    fn facts_of(&self, tool: &Tool) -> &Facts {
        if matches!(tool.does, Does::Read | Does::Search) { &self.read } else { &self.facts }
    }

    fn call(&mut self, tool: &'static Tool, answer: Answer) {
        // Several things are read at once: the model asked for them in one answer.
        let after_read = matches!(self.beats.last(), Some(Beat::Tool(_))) && tool.does == Does::Read;
        let with_last = after_read && self.random.happens(PARALLEL_RATE);
        let input = self.facts_of(tool).fill(tool.input);
        let beat = ToolBeat { name: tool.name, input, answer, by_program: with_last };
        self.beats.push(Beat::Tool(beat));
    }

    fn finish(&mut self) {
        let talk = self.talk;
        match self.script.end {
            End::Completed => {
                self.say(self.topic.done);
                self.user(talk.thanks);
                match &talk.closing {
                    Some(closing) => self.call(closing, Answer::Text(self.facts.fill(closing.output))),
                    None => self.say(talk.bye),
                }
            }
            End::Escalated => {
                if self.broken_act().is_some() {
                    self.say(&["I’m sorry, our booking system doesn’t let me in at the moment."]);
                    self.user(&["I need this today.", "Then give me somebody who can."]);
                } else {
                    self.say(talk.sorry);
                    self.user(&[
                        "I’d like to speak to a person.",
                        "Can I talk to somebody, please?",
                        "Please get me a human.",
                    ]);
                }
                if let Some(tool) = self.tools_that(Does::HandOver).next() {
                    self.call(tool, Answer::Text(self.facts.fill(tool.output)));
                }
                self.say(talk.handover);
                if self.script.wait_ms > 0 {
                    self.beats.push(Beat::Wait(self.script.wait_ms));
                }
            }
            End::Failed => {
                self.say(&["Let me check that once more."]);
                self.user(talk.gripes);
                self.say(talk.sorry);
            }
            End::Abandoned if self.beats.len() > 4 => self.say(&[self.topic.confirm]),
            End::Abandoned => self.say(talk.asks),
            End::Unverified => self.say(self.topic.done),
        }
    }

    /// The agent asks something by the way.
    fn aside(&mut self) {
        let Some((asks, answers)) = self.talk.asides.get(self.random.below(self.talk.asides.len())) else { return };
        self.say(&[asks]);
        self.user(&[answers]);
    }

    fn say(&mut self, texts: &[&'static str]) {
        if self.random.happens(MODEL_ERROR_RATE) {
            let (code, message) = model_error(self.random);
            self.beats.push(Beat::ModelError { code, message });
        }
        let text = self.facts.fill(self.random.pick(texts));
        self.beats.push(Beat::Say(text));
    }

    fn user(&mut self, texts: &[&'static str]) {
        let text = self.facts.fill(self.random.pick(texts));
        self.beats.push(Beat::User(text));
        self.turns -= 1;
    }
}

/// The ways in which a provider of models fails.
pub(super) fn model_error(random: &mut Random) -> (&'static str, &'static str) {
    match random.below(10) {
        0..5 => ("429", "Rate limit reached for tokens per minute"),
        5..8 => ("503", "The engine is currently overloaded, please try again later"),
        _ => ("504", "Request timed out"),
    }
}
