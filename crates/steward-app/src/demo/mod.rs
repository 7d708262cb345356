//! A made-up agency with ninety days of runs, to look at before one's own agents are connected.
//!
//! Its numbers follow real runs (`figures.json`, measured by `cargo xtask figures`), its texts are the project's own,
//! and its stories are told in [`stories`]. It makes native JSON as any sender would, and knows nothing of how that is
//! taken in. The same seed, time and number of days give the same bytes on every machine.

use std::collections::{BTreeMap, VecDeque};

use jiff::civil::Date;
use steward_core::clients::ClientSettings;
use steward_core::ids::WorkflowId;
use steward_core::time::Timestamp;
use steward_core::workflow::WorkflowSettings;

mod automations;
mod cast;
mod converse;
mod facts;
mod measured;
mod play;
mod random;
mod reviews;
mod rhythm;
mod stories;
#[cfg(test)]
mod tests;
mod texts;

pub use cast::OUTAGE_TEXTS;
pub use reviews::{DemoReview, SAMPLED, SAMPLED_DAYS, review};

use cast::Place;
use converse::{End, Script};
use facts::Facts;
use play::{Beat, Cover, Pace, Written};
use random::Random;
use stories::{Moment, State};

/// The most runs of one payload.
const MOST_RUNS: usize = 25;
/// Senders collect runs over so long before they send them.
const BATCH_MS: i64 = 30 * 60_000;
/// In the last hours they are sent minute by minute, as they happen.
const LIVE_MS: i64 = 60_000;
/// How long before `now` that begins.
const LIVE_FOR_MS: i64 = 2 * 3_600_000;

/// An agency as the demo sets it up.
#[derive(Debug, Clone, PartialEq)]
pub struct Demo {
    /// Its name.
    pub agency_name: String,
    /// Its time zone, by IANA name.
    pub time_zone: String,
    /// Its clients.
    pub clients: Vec<DemoClient>,
}

/// A client of the demo.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoClient {
    /// Its name.
    pub name: String,
    /// What is agreed with it.
    pub settings: ClientSettings,
    /// Its workflows.
    pub workflows: Vec<DemoWorkflow>,
}

/// A workflow of the demo.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoWorkflow {
    /// Its name.
    pub name: String,
    /// What its runs call it.
    pub source_name: String,
    /// How its runs are read.
    pub settings: WorkflowSettings,
}

/// Runs as a sender sends them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// When it arrives: shortly after its runs ended.
    pub received_at: Timestamp,
    /// What its runs call their workflow.
    pub source_name: String,
    /// Native JSON: `{"runs":[…]}`, one to 25 runs of one workflow.
    pub body: Vec<u8>,
}

/// The id of a workflow of the demo: by which of its runs are sampled, so that the same seed samples the same.
#[must_use]
pub fn workflow_id(seed: u64, source_name: &str) -> WorkflowId {
    let mut random = Random::new(seed, &[reviews::hash(source_name)]);
    let [high, low] = [random.next(), random.next()];
    let bytes = ((u128::from(high) << 64) | u128::from(low)).to_be_bytes();
    // A UUID of version 8: made of something else than time or chance.
    WorkflowId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// The agency with its clients and their workflows. The seed chooses its name.
///
/// The runs of [`OUTAGE_TEXTS`] belong to none of them.
#[must_use]
pub fn agency(seed: u64) -> Demo {
    cast::agency(seed)
}

/// What the agents sent in the days before `now`, in the order in which it arrived.
pub fn payloads(seed: u64, now: Timestamp, days: u32) -> impl Iterator<Item = Payload> {
    Sending { seed, now, starts: starts(seed, now, days), waiting: BTreeMap::new(), ready: VecDeque::new() }
}

/// A run that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Start {
    at: Timestamp,
    place: Place,
    date: Date,
    number_of_day: usize,
}

/// When runs begin, all workflows together, in order.
fn starts(seed: u64, now: Timestamp, days: u32) -> VecDeque<Start> {
    let beginning = stories::beginning(now, days);
    let mut starts = Vec::new();
    for place in Place::ALL {
        let (zone, rhythm) = (place.zone(), place.rhythm());
        let mut date = beginning.to_jiff().to_zoned(zone.clone()).date();
        let last = now.to_jiff().to_zoned(zone.clone()).date();
        while date <= last {
            let mut random = Random::new(seed, &[place as u64, day_number(date), u64::MAX]);
            let expected = place.runs_a_day() * rhythm.of_day(date, place.holidays()) * random.around(0.08);
            for number_of_day in 0..random.poisson(expected) {
                let hour = random.weighted(&rhythm.hours()) as i8;
                let micros = random.between(0, 3_599_999_999);
                let Ok(hour) = date.at(hour, 0, 0, 0).to_zoned(zone.clone()) else { continue };
                let at = Timestamp::from_jiff(hour.timestamp()).plus_micros(micros);
                let moment = Moment { now, at };
                if at >= beginning && at < now && stories::state(place, moment).volume > 0.0 {
                    starts.push(Start { at, place, date, number_of_day });
                }
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
    }
    starts.sort_unstable();
    starts.into()
}

fn day_number(date: Date) -> u64 {
    let days = date.since(jiff::civil::date(2000, 1, 1)).map_or(0, |span| span.get_days());
    u64::from(days.unsigned_abs())
}

/// Runs on their way.
struct Sending {
    seed: u64,
    now: Timestamp,
    starts: VecDeque<Start>,
    /// By the time of arrival and the sender.
    waiting: BTreeMap<(Timestamp, Place), Vec<String>>,
    ready: VecDeque<Payload>,
}

impl Iterator for Sending {
    type Item = Payload;

    fn next(&mut self) -> Option<Payload> {
        while self.ready.is_empty() {
            // What arrives before the next run begins is complete: a run arrives after its beginning.
            while let Some(start) = self.starts.front().copied() {
                if self.waiting.first_key_value().is_some_and(|((at, _), _)| *at <= start.at) {
                    break;
                }
                self.starts.pop_front();
                self.run(start);
            }
            let ((received_at, place), runs) = self.waiting.pop_first()?;
            self.ready.extend(runs.chunks(MOST_RUNS).map(|runs| Payload {
                received_at,
                source_name: place.source_name().to_owned(),
                body: format!("{{\"runs\":[{}]}}", runs.join(",")).into_bytes(),
            }));
        }
        self.ready.pop_front()
    }
}

impl Sending {
    /// Makes a run and puts it where it arrives; one that has not ended has not arrived either.
    fn run(&mut self, start: Start) {
        let seeds = [start.place as u64, day_number(start.date), start.number_of_day as u64];
        let mut random = Random::new(self.seed, &seeds);
        let moment = Moment { now: self.now, at: start.at };
        let written = make_run(start, moment, &mut random);
        let ended_at = Timestamp(written.ended_ms * 1_000);
        if ended_at > self.now {
            return;
        }
        let received_at = self.arrival(ended_at, start.place);
        match written.early {
            None => self.wait(received_at, start.place, written.json),
            Some(early) => {
                self.wait(received_at, start.place, early);
                let later = received_at.plus_ms(random.between(35, 140) * 60_000);
                if later <= self.now {
                    self.wait(later, start.place, written.json);
                }
            }
        }
    }

    fn wait(&mut self, received_at: Timestamp, place: Place, run: String) {
        self.waiting.entry((received_at, place)).or_default().push(run);
    }

    /// When a run that ended arrives: with the sender's batch, a few seconds after its end.
    fn arrival(&self, ended_at: Timestamp, place: Place) -> Timestamp {
        let live = self.now.ms_since(ended_at) < LIVE_FOR_MS;
        let window = if live { LIVE_MS } else { BATCH_MS } * 1_000;
        let end_of_window = Timestamp((ended_at.0.div_euclid(window) + 1) * window);
        end_of_window.plus_ms(1_000 + 700 * place as i64).min(self.now)
    }
}

fn make_run(start: Start, moment: Moment, random: &mut Random) -> Written {
    let place = start.place;
    let state = stories::state(place, moment);
    let facts = Facts::draw(start.date, random);
    let end = draw_end(&state, random);
    let wait_ms = (state.wait_minutes * 60_000.0 * random.around(0.6)) as i64;
    let script = Script { end, broken: state.broken, wait_ms: if end == End::Escalated { wait_ms } else { 0 } };
    let mut conversation = match (place, place.talk()) {
        (_, Some(talk)) => converse::converse(talk, state.figures, script, &facts, random),
        (Place::Invoices, None) => automations::read_invoice(end, &facts, random),
        (Place::FollowUp, None) => automations::follow_up(end, &facts, random),
        (_, None) => automations::outage_text(&facts),
    };
    let mut cover = Cover {
        id: format!("{}-{}-{:03}", place.prefix(), start.date.strftime("%Y%m%d"), start.number_of_day),
        workflow: place.source_name(),
        started_ms: start.at.0.div_euclid(1_000),
        release: state.release.to_owned(),
        user_id: facts.user_id(),
        conversation_id: format!("c-{:08x}", random.next() as u32),
        title: conversation.title,
        test: random.happens(stories::TEST_SHARE),
        usd_per_minute: state.usd_per_minute,
        ..Cover::default()
    };
    if stories::has_an_absurd_title(place, moment.now, start.date, start.number_of_day) {
        cover.title = "Re:Re:Fwd:where-is-my-order-".repeat(16);
        cover.user_id = format!("{}-{}", facts.user_id(), "x".repeat(150));
    }
    evidence(place, end, &mut cover, &mut conversation.beats, random);
    let n_late = if place == Place::Telecom && random.happens(stories::LATE_SHARE) { 4 } else { 0 };
    play::write(&cover, &conversation.beats, &pace(place, &state), n_late, random)
}

fn draw_end(state: &State, random: &mut Random) -> End {
    if random.happens(state.unverified) {
        return End::Unverified;
    }
    const ENDS: [End; 4] = [End::Completed, End::Escalated, End::Failed, End::Abandoned];
    ENDS[random.weighted(&state.odds)]
}

fn pace(place: Place, state: &State) -> Pace {
    // The older airline runs were recorded without times and tokens; the newer ones' stand for them.
    let timed = if place == Place::Airline { measured::set("airline_gpt_4_1") } else { state.figures };
    Pace {
        figures: timed,
        model: state.model,
        reply_factor: place.reply_factor(),
        prompt_factor: state.prompt_factor,
        reasoning: state.reasoning,
        tool_ms: place.tool_ms(),
        spoken: place == Place::Clinic,
    }
}

/// What a run says of itself besides its steps, from which its outcome is found.
fn evidence(place: Place, end: End, cover: &mut Cover, beats: &mut Vec<Beat>, random: &mut Random) {
    let channel = match place {
        Place::Clinic => "phone",
        Place::Invoices | Place::FollowUp => "email",
        Place::OutageTexts => "text",
        _ => "chat",
    };
    cover.metadata.push(("channel", channel));
    match (place, end) {
        (Place::FollowUp, End::Completed) => cover.outcome = Some(("completed", "a visit was agreed on")),
        (Place::FollowUp, End::Abandoned) => cover.outcome = Some(("abandoned", "no answer to three mails")),
        (Place::FollowUp, End::Failed) => cover.outcome = Some(("failed", "the mail bounced")),
        (Place::FollowUp, End::Escalated) => cover.outcome = Some(("escalated", "a planner took over")),
        (Place::Invoices, End::Failed) => cover.crashed = Some("the ledger did not take the invoice"),
        (Place::Invoices | Place::OutageTexts, _) => {}
        (_, End::Abandoned) => cover.metadata.push((
            "end_reason",
            match place {
                Place::Clinic => "caller_hung_up",
                Place::Leads => "visitor_left",
                _ => "customer_left",
            },
        )),
        (_, End::Failed) if random.happens(0.12) => give_up(cover, beats, random),
        (Place::Telecom, End::Failed) => cover.metadata.push(("case_state", "unresolved")),
        (Place::Telecom, End::Completed) if random.happens(0.08) => {
            cover.outcome = Some(("completed", "the customer sees a green light"));
        }
        _ => {}
    }
    judge(place, end, cover, random);
}

/// The model's provider does not answer, and the program gives up.
fn give_up(cover: &mut Cover, beats: &mut Vec<Beat>, random: &mut Random) {
    beats.truncate((beats.len() / 2).max(2));
    for _ in 0..2 {
        let (code, message) = converse::model_error(random);
        beats.push(Beat::ModelError { code, message });
    }
    cover.crashed = Some("the model did not answer after two tries");
}

/// Scores: a passenger's goal as an evaluator sees it, a shopper's stars.
fn judge(place: Place, end: End, cover: &mut Cover, random: &mut Random) {
    let good = end == End::Completed;
    match place {
        Place::Airline
            if matches!(end, End::Completed | End::Failed) && cover.crashed.is_none() && random.happens(0.25) =>
        {
            let value = if good { 0.75 + 0.05 * random.below(6) as f64 } else { 0.1 + 0.05 * random.below(9) as f64 };
            let value = (value * 100.0).round() / 100.0;
            let why = if good { "the change that was asked for is in the booking" } else { "the booking is as it was" };
            cover.scores.push(("goal_completion", value, why, false));
        }
        Place::Retail if random.happens(0.15) => {
            let stars = if good { random.between(4, 5) } else { random.between(1, 3) };
            cover.scores.push(("stars", stars as f64, "", true));
        }
        Place::Bill if random.happens(0.3) => {
            cover.scores.push(("clarity", 0.2 + 0.1 * random.below(6) as f64, "", false))
        }
        _ => {}
    }
}
