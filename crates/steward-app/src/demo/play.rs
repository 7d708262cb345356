//! What happened in a run, beat by beat, into the native JSON of a run, with times, tokens and prices drawn.

use std::fmt::Write as _;

use super::measured::Set;
use super::random::Random;

/// Cached tokens come in blocks of so many.
const CACHE_BLOCK: f64 = 128.0;

/// One thing that happened.
#[derive(Debug, Clone)]
pub(super) enum Beat {
    /// The other side says something.
    User(String),
    /// The model answers.
    Say(String),
    /// The model calls a tool, or the program does so by itself.
    Tool(ToolBeat),
    /// The model does not answer; the program tries again or gives up.
    ModelError { code: &'static str, message: &'static str },
    /// A person is waited for, so many milliseconds.
    Wait(i64),
}

/// A call of a tool.
#[derive(Debug, Clone)]
pub(super) struct ToolBeat {
    pub(super) name: &'static str,
    /// The arguments as JSON.
    pub(super) input: String,
    pub(super) answer: Answer,
    /// The program calls it, without asking the model.
    pub(super) by_program: bool,
}

/// What a tool answers.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// JSON, or a text that stands for a refusal, as tools often write it.
    Text(String),
    /// An error with a code.
    Error { code: &'static str, message: String },
    /// Nothing in time: the milliseconds after which it was given up.
    Timeout(i64),
}

/// How fast and with how many tokens a workflow works.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    pub(super) figures: &'static Set,
    pub(super) model: &'static str,
    /// How much slower than a simulated person the other side is.
    pub(super) reply_factor: f64,
    /// How many times as long as the measured prompts its prompts are.
    pub(super) prompt_factor: f64,
    /// How many reasoning tokens come with each token of an answer.
    pub(super) reasoning: f64,
    /// The median of a tool's time, in milliseconds: the measured tools were local and answer at once.
    pub(super) tool_ms: f64,
    /// The model's answers are spoken: a first token is reported.
    pub(super) spoken: bool,
}

/// What stands around a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Cover {
    pub(super) id: String,
    pub(super) workflow: &'static str,
    pub(super) started_ms: i64,
    pub(super) release: String,
    pub(super) user_id: String,
    pub(super) conversation_id: String,
    pub(super) title: String,
    pub(super) test: bool,
    pub(super) outcome: Option<(&'static str, &'static str)>,
    /// Name, value, explanation, by a person.
    pub(super) scores: Vec<(&'static str, f64, &'static str, bool)>,
    pub(super) metadata: Vec<(&'static str, &'static str)>,
    /// The program gave up.
    pub(super) crashed: Option<&'static str>,
    /// Dollars a minute that the platform reports for the whole run.
    pub(super) usd_per_minute: Option<f64>,
}

/// A run as JSON.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) json: String,
    pub(super) ended_ms: i64,
    /// The run as it was first sent, when its last steps came late.
    pub(super) early: Option<String>,
}

/// Plays the beats and writes the run. With `n_late` steps it is written twice: without them, and whole.
pub(super) fn write(cover: &Cover, beats: &[Beat], pace: &Pace, n_late: usize, random: &mut Random) -> Written {
    let mut player = Player {
        pace,
        random,
        at: cover.started_ms,
        heard: String::new(),
        tokens: 0.0,
        n_calls: 0,
        steps: Vec::new(),
        waiting_ms: 0,
    };
    for beat in beats {
        player.play(beat);
    }
    let (steps, ended_ms, waiting_ms) = (player.steps, player.at, player.waiting_ms);
    let run = |steps: &[String], ended_ms: Option<i64>| run_json(cover, steps, ended_ms, waiting_ms);
    let n_early = steps.len().saturating_sub(n_late);
    let early = (n_late > 0 && n_early > 1).then(|| run(&steps[..n_early], None));
    Written { json: run(&steps, Some(ended_ms)), ended_ms, early }
}

fn run_json(cover: &Cover, steps: &[String], ended_ms: Option<i64>, waiting_ms: i64) -> String {
    let mut out = Object::new();
    out.text("id", &cover.id).text("workflow", cover.workflow).number("started_at", cover.started_ms);
    if let Some(ended_ms) = ended_ms {
        out.number("ended_at", ended_ms);
        if let Some((outcome, reason)) = cover.outcome {
            out.text("outcome", outcome).text("outcome_reason", reason);
        }
        if let Some(rate) = cover.usd_per_minute {
            let minutes = (ended_ms - cover.started_ms) as f64 / 60_000.0;
            out.raw("cost_usd", &format!("{:.5}", minutes * rate));
        }
        match cover.crashed {
            Some(error) => out.text("status", "error").text("error", error),
            None => out.text("status", "ok"),
        };
        if waiting_ms > 0 {
            out.number("waiting_ms", waiting_ms);
        }
    }
    for (key, value) in [
        ("release", &cover.release),
        ("user_id", &cover.user_id),
        ("conversation_id", &cover.conversation_id),
        ("title", &cover.title),
    ] {
        if !value.is_empty() {
            out.text(key, value);
        }
    }
    if cover.test {
        out.raw("test", "true").text("environment", "staging");
    } else {
        out.text("environment", "production");
    }
    if ended_ms.is_some() && !cover.scores.is_empty() {
        out.raw("scores", &scores_json(&cover.scores));
    }
    if ended_ms.is_some() && !cover.metadata.is_empty() {
        let mut metadata = Object::new();
        for (key, value) in &cover.metadata {
            metadata.text(key, value);
        }
        out.raw("metadata", &metadata.close());
    }
    out.raw("steps", &format!("[{}]", steps.join(",")));
    out.close()
}

fn scores_json(scores: &[(&str, f64, &str, bool)]) -> String {
    let scores: Vec<String> = scores
        .iter()
        .map(|(name, value, explanation, by_human)| {
            let mut score = Object::new();
            score.text("name", name).raw("value", &format!("{value}"));
            if !explanation.is_empty() {
                score.text("explanation", explanation);
            }
            if *by_human {
                score.raw("by_human", "true");
            }
            score.close()
        })
        .collect();
    format!("[{}]", scores.join(","))
}

struct Player<'a> {
    pace: &'a Pace,
    random: &'a mut Random,
    /// Milliseconds since 1970.
    at: i64,
    /// What the other side said since the last answer.
    heard: String,
    /// The prompt so far.
    tokens: f64,
    n_calls: usize,
    steps: Vec<String>,
    waiting_ms: i64,
}

impl Player<'_> {
    fn play(&mut self, beat: &Beat) {
        match beat {
            Beat::User(text) => {
                if !self.steps.is_empty() {
                    let seconds = self.pace.figures.simulated_reply_s.draw(self.random) * self.pace.reply_factor;
                    self.at += ms(seconds);
                }
                if !self.heard.is_empty() {
                    self.heard.push('\n');
                }
                self.heard.push_str(text);
            }
            Beat::Say(text) => self.model(Some(text)),
            Beat::Tool(tool) => self.tool(tool),
            Beat::ModelError { code, message } => self.model_error(code, message),
            Beat::Wait(waited) => {
                self.at += waited;
                self.waiting_ms += waited;
            }
        }
    }

    /// A model call: an answer, or the call of a tool.
    fn model(&mut self, answer: Option<&str>) {
        let (figures, random) = (&self.pace.figures, &mut *self.random);
        let tokens = &figures.tokens;
        if self.n_calls == 0 {
            self.tokens = tokens.draw_first_input(random) * self.pace.prompt_factor;
        } else {
            self.tokens += tokens.input_growth_per_call.draw(random);
        }
        let cached = match self.n_calls {
            0 => tokens.cached_share_of_first_call_by_cost.draw(random),
            _ => tokens.cached_share_of_later_calls_by_cost.draw(random),
        };
        self.n_calls += 1;
        let input = self.tokens.round();
        let cached = (input * cached / CACHE_BLOCK).floor() * CACHE_BLOCK;
        let (seconds, output) = match answer {
            Some(_) => (figures.answer_s.draw(random), tokens.output_of_an_answer.draw_whole(random)),
            None => (figures.tool_call_s.draw(random), tokens.output_of_a_tool_call.draw_whole(random)),
        };
        let reasoning = (output as f64 * self.pace.reasoning * random.around(0.5)).round() as i64;
        let mut usage = Object::new();
        usage.raw("input_tokens", &format!("{input}")).number("output_tokens", output + reasoning);
        if cached > 0.0 {
            usage.raw("cached_tokens", &format!("{cached}"));
        }
        if reasoning > 0 {
            usage.number("reasoning_tokens", reasoning);
        }
        let took = ms(seconds * (1.0 + self.pace.reasoning * 0.4));
        let mut step = self.step("model", self.pace.model, took);
        step.raw("usage", &usage.close());
        if self.pace.spoken {
            step.number("first_token_ms", took / 3);
        }
        if !self.heard.is_empty() {
            step.text("input", &std::mem::take(&mut self.heard));
        }
        match answer {
            Some(answer) => step.text("finish_reason", "stop").text("output", answer),
            None => step.text("finish_reason", "tool_calls"),
        };
        self.steps.push(step.close());
    }

    fn model_error(&mut self, code: &str, message: &str) {
        let took = if code == "504" { 30_000 } else { 180 + self.random.between(0, 400) };
        let mut error = Object::new();
        error.text("code", code).text("message", message);
        let mut step = self.step("model", self.pace.model, took);
        step.text("status", "error").raw("error", &error.close());
        self.steps.push(step.close());
        self.at += 1_000;
    }

    fn tool(&mut self, tool: &ToolBeat) {
        if !tool.by_program {
            self.model(None);
        }
        // Times of calls over a network are skewed: a square of a share has a long tail.
        let skew = self.random.share();
        let took = (self.pace.tool_ms * (0.55 + 1.2 * skew * skew * skew + 0.6 * self.random.share())) as i64;
        let took = if let Answer::Timeout(after) = tool.answer { after } else { took.max(1) };
        let mut step = self.step("tool", tool.name, took);
        step.raw("input", &tool.input);
        match &tool.answer {
            Answer::Text(text) if text.starts_with(['{', '[']) => step.raw("output", text),
            Answer::Text(text) => step.text("output", text),
            Answer::Error { code, message } => {
                let mut error = Object::new();
                error.text("code", code).text("message", message);
                step.text("status", "error").raw("error", &error.close())
            }
            Answer::Timeout(after) => {
                let mut error = Object::new();
                error
                    .text("code", "timeout")
                    .text("message", &format!("{} timed out after {} s", tool.name, after / 1_000));
                step.text("status", "error").raw("error", &error.close())
            }
        };
        self.steps.push(step.close());
    }

    /// Begins a step that takes so long, and goes on in time.
    fn step(&mut self, kind: &str, name: &str, took: i64) -> Object {
        let mut step = Object::new();
        step.text(kind, name).number("started_at", self.at).number("ended_at", self.at + took);
        self.at += took + 2;
        step
    }
}

fn ms(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}

/// A JSON object as it is written.
#[derive(Debug)]
struct Object {
    text: String,
}

impl Object {
    fn new() -> Self {
        Self { text: String::with_capacity(200) }
    }

    fn key(&mut self, key: &str) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        self.text.push('"');
        self.text.push_str(key);
        self.text.push_str("\":");
    }

    fn raw(&mut self, key: &str, json: &str) -> &mut Self {
        self.key(key);
        self.text.push_str(json);
        self
    }

    fn number(&mut self, key: &str, value: i64) -> &mut Self {
        self.key(key);
        // Writing into a text cannot fail.
        let _ = write!(self.text, "{value}");
        self
    }

    fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key);
        self.text.push('"');
        for c in value.chars() {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                c if c.is_control() => self.text.push(' '),
                c => self.text.push(c),
            }
        }
        self.text.push('"');
        self
    }

    fn close(mut self) -> String {
        if self.text.is_empty() {
            self.text.push('{');
        }
        self.text.push('}');
        self.text
    }
}
