//! The stories that the demo's ninety days hold, and where they are to be found.
//!
//! | story | where | when, in days before `now` |
//! |---|---|---|
//! | [`retail_model_is_swapped`] | Tamarisk & Pine, Customer support | from 24 on |
//! | [`airline_authorization_expires`] | Skerry Air, Rebooking | a weekend, 13 to 20 before |
//! | [`airline_moves_to_another_model`] | Skerry Air, Rebooking | 58 |
//! | [`clinic_price_rises`] | Fennimore Dental, Front desk calls | from 35 on |
//! | [`follow_up_prompt_grows`] | Ostrander Solar, Quote follow-up | from 20 on |
//! | [`leads_stop`] | Ostrander Solar, Lead qualifier | from 9 on |
//! | [`telecom_queue_grows`] | Brightmoor Fibre, Connection troubleshooter | all along, week by week |
//! | [`bill_model_has_no_price`] | Brightmoor Fibre, Bill explainer | 12 to 8 |
//! | [`invoices_get_better`] | Tamarisk & Pine, Invoice reader | 50 |
//! | [`outage_texts_appear`] | unassigned: [`OUTAGE_TEXTS`](super::cast::OUTAGE_TEXTS) | from 3 on |
//!
//! Two more are in the figures themselves: Fennimore Dental's front desk is worth many times what it costs, and
//! Brightmoor Fibre's two agents are not worth their retainer.
//!
//! In the small: a run with an absurdly long title ([`has_an_absurd_title`]), test runs ([`TEST_SHARE`]), runs whose
//! last steps arrive late ([`LATE_SHARE`]), and names in many scripts.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use steward_core::time::{DAY_MICROS, HOUR_MICROS, Timestamp};

use super::cast::Place;
use super::converse::Broken;
use super::measured::{self, Set};

/// The share of runs that are tests.
pub(super) const TEST_SHARE: f64 = 0.006;
/// The share of the troubleshooter's runs whose last steps arrive late.
pub(super) const LATE_SHARE: f64 = 0.025;

/// How a workflow behaves at one moment.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// How many times as many runs as usual it has.
    pub(super) volume: f64,
    pub(super) figures: &'static Set,
    pub(super) model: &'static str,
    pub(super) release: &'static str,
    pub(super) prompt_factor: f64,
    pub(super) reasoning: f64,
    /// Shares of verified runs: completed, escalated, failed, abandoned.
    pub(super) odds: [f64; 4],
    pub(super) unverified: f64,
    pub(super) broken: Option<Broken>,
    pub(super) wait_minutes: f64,
    pub(super) usd_per_minute: Option<f64>,
}

/// A moment in the demo's time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Timestamp,
    pub(super) at: Timestamp,
}

impl Moment {
    /// How many days before `now` it is.
    pub(super) fn days_ago(self) -> f64 {
        (self.now.0 - self.at.0) as f64 / DAY_MICROS as f64
    }

    fn is_within(self, days_ago: f64) -> bool {
        self.days_ago() <= days_ago
    }
}

/// The state of a workflow at a moment, with all stories told.
pub(super) fn state(place: Place, moment: Moment) -> State {
    let mut state = place.usual();
    match place {
        Place::Retail => retail_model_is_swapped(moment, &mut state),
        Place::Invoices => invoices_get_better(moment, &mut state),
        Place::Airline => {
            airline_moves_to_another_model(moment, &mut state);
            airline_authorization_expires(moment, &mut state);
        }
        Place::Telecom => telecom_queue_grows(moment, &mut state),
        Place::Bill => bill_model_has_no_price(moment, &mut state),
        Place::Clinic => clinic_price_rises(moment, &mut state),
        Place::Leads => leads_stop(moment, &mut state),
        Place::FollowUp => follow_up_prompt_grows(moment, &mut state),
        Place::OutageTexts => outage_texts_appear(moment, &mut state),
    }
    state
}

/// The odds that follow from measured runs: what is neither passed nor transferred has failed, or its user has left.
pub(super) fn odds(figures: &Set, left: f64) -> [f64; 4] {
    let rest = (1.0 - figures.pass_rate - figures.transfer_share).max(0.0);
    [figures.pass_rate, figures.transfer_share, rest * (1.0 - left), rest * left]
}

/// 24 days ago the shop's own developers put `gpt-4.1-mini` where `gpt-4.1` was, to save money, and told nobody: the
/// release stays `v3.2`. A run costs a fifth, and of five that were solved one no longer is.
fn retail_model_is_swapped(moment: Moment, state: &mut State) {
    if moment.is_within(70.0) {
        state.release = "v3.2";
    }
    if moment.is_within(24.0) {
        state.model = "gpt-4.1-mini";
        state.odds = [0.67, 0.12, 0.14, 0.07];
    }
}

/// 50 days ago the reader's `v1.4` began to check totals before it posts: fewer invoices go back to the bookkeeper.
fn invoices_get_better(moment: Moment, state: &mut State) {
    if moment.is_within(50.0) {
        state.release = "v1.4";
        state.odds = [0.94, 0.045, 0.015, 0.0];
    }
}

/// 58 days ago release `v4.0` moved the agent from `gpt-4o` to `gpt-4.1`: from the figures of the one to those of the
/// other, with fewer handovers.
fn airline_moves_to_another_model(moment: Moment, state: &mut State) {
    if moment.is_within(58.0) {
        state.release = if moment.is_within(30.0) { "v4.1" } else { "v4.0" };
        state.model = "gpt-4.1";
        state.figures = measured::set("airline_gpt_4_1");
        state.odds = odds(state.figures, 0.3);
    }
}

/// On a Friday at 20:40 the authorization of `rebook_flight` runs out, and until Monday 08:20, when somebody comes to
/// the office, each call answers 401. The agent hands over what it cannot do.
fn airline_authorization_expires(moment: Moment, state: &mut State) {
    let Some((from, until)) = weekend(moment.now, &Place::Airline.zone()) else { return };
    if (from..until).contains(&moment.at) {
        state.broken = Some(Broken {
            tool: "rebook_flight",
            code: "401",
            message: "Unauthorized: the access token of client steward-rebooking has expired",
        });
        state.odds = [0.2, 0.58, 0.12, 0.1];
        state.wait_minutes = 24.0;
    }
}

/// The last weekend that began at least 13 days before `now`, from Friday 20:40 to Monday 08:20.
pub(super) fn weekend(now: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let day = now.plus_micros(-13 * DAY_MICROS).to_jiff().to_zoned(zone.clone()).date();
    let friday: Date =
        if day.weekday() == Weekday::Friday { day } else { day.nth_weekday(-1, Weekday::Friday).ok()? };
    let monday = friday.checked_add(jiff::Span::new().days(3)).ok()?;
    let at = |date: Date, hour, minute| {
        let zoned = date.at(hour, minute, 0, 0).to_zoned(zone.clone()).ok()?;
        Some(Timestamp::from_jiff(zoned.timestamp()))
    };
    Some((at(friday, 20, 40)?, at(monday, 8, 20)?))
}

/// More is handed over with every week, from one run in seven to more than one in three, and whoever is handed over
/// waits longer: the queue grows faster than it is worked off. Release `v2.6`, 33 days ago, did not help.
fn telecom_queue_grows(moment: Moment, state: &mut State) {
    if moment.is_within(33.0) {
        state.release = "v2.6";
    }
    let week = ((90.0 - moment.days_ago()) / 7.0).clamp(0.0, 13.0).floor();
    let escalated = 0.14 + 0.018 * week;
    let [_, _, failed, abandoned] = state.odds;
    state.odds = [1.0 - escalated - failed - abandoned, escalated, failed, abandoned];
    state.wait_minutes = 4.0 * 1.19_f64.powf(week);
}

/// From 12 to 8 days ago a model was tried that no table has a price for: the cost of its runs is unknown.
fn bill_model_has_no_price(moment: Moment, state: &mut State) {
    if moment.is_within(12.0) && !moment.is_within(8.0) {
        state.model = "corvid-preview-2";
        state.release = "trial-corvid";
    }
}

/// 35 days ago the telephone platform raised its price of a minute from 9 to 14 cents; nothing else changed.
fn clinic_price_rises(moment: Moment, state: &mut State) {
    state.usd_per_minute = Some(if moment.is_within(35.0) { 0.14 } else { 0.09 });
    if moment.is_within(61.0) {
        state.release = "2.1.0";
    }
}

/// 9 days ago the web site's form was moved, and nothing has called the qualifier since. There is no error anywhere.
fn leads_stop(moment: Moment, state: &mut State) {
    if moment.is_within(44.0) {
        state.release = "v1.9";
        state.odds = [0.66, 0.04, 0.06, 0.24];
    }
    if moment.is_within(9.0) {
        state.volume = 0.0;
    }
}

/// 20 days ago release `v0.8` put the whole price list into the prompt: a run costs more than twice as much, and no more
/// visits are agreed on than before.
fn follow_up_prompt_grows(moment: Moment, state: &mut State) {
    if moment.is_within(20.0) {
        state.release = "v0.8";
        state.prompt_factor = 3.1;
    }
}

/// 3 days ago a workflow began to send runs that nobody has told Steward of.
fn outage_texts_appear(moment: Moment, state: &mut State) {
    if !moment.is_within(3.1) {
        state.volume = 0.0;
    }
}

/// One retail customer, five days ago, pasted a whole forum thread without a single space into the subject.
pub(super) fn has_an_absurd_title(place: Place, now: Timestamp, date: Date, number_of_day: usize) -> bool {
    let today = now.to_jiff().to_zoned(place.zone()).date();
    let day = today.checked_sub(jiff::Span::new().days(5));
    place == Place::Retail && number_of_day == 3 && day.is_ok_and(|day| day == date)
}

/// The first instant of the demo's time.
pub(super) fn beginning(now: Timestamp, days: u32) -> Timestamp {
    now.plus_micros(-i64::from(days) * 24 * HOUR_MICROS)
}
