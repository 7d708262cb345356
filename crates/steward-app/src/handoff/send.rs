//! Sending: packets that wait are claimed by channel, put together, and sent at least once.
//!
//! Up to so many an hour are sent one by one; what is more waits for the next hour, and comes in one digest when it is
//! still too much. What fails is tried again after ever longer pauses, and its channel waits with it.

use std::collections::HashSet;
use std::future::Future;

use steward_core::handoff::{Act, Missing, MissingKind, Packet};
use steward_core::ids::{AgencyId, DeliveryId, ExceptionId, ItemId, LinkId, RunId, WorkflowId};
use steward_core::queue::{QueueItem, item_of};
use steward_core::time::{HOUR_MICROS, Timestamp};
use steward_store::tenant::{Channel, ChannelKind, Delivery, DeliveryState};
use steward_wire::platforms::{HttpRequest, Method, sign_standard};

use super::channels::KeptChannel;
use super::words::{Digest, DigestLine, Letter, MAX_DIGEST_LINES};
use crate::connections::FetchError;
use crate::secrets::Secret;
use crate::{App, AppError};

/// How long a channel is held while something is sent.
const HELD_MS: i64 = 300_000;
/// How often a delivery is tried before it is given up.
const MAX_ATTEMPTS: i32 = 8;
/// The pause after the first failure; each is four times as long as the one before.
const FIRST_PAUSE_MS: i64 = 30_000;
/// The longest pause.
const MAX_PAUSE_MS: i64 = 6 * 3_600_000;
/// The most deliveries of a channel that are looked at at once, and so the most of one digest.
const MAX_DUE: u32 = 5_000;
/// The most characters of an error that are kept.
const MAX_ERROR_CHARS: usize = 300;

/// Something to be sent.
#[derive(Debug, Clone)]
pub enum Parcel {
    /// A mail.
    Mail(Mail),
    /// A request, to whose address only public ones are reached unless the configuration says otherwise.
    Post(HttpRequest),
}

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The same at each try, for its `Message-ID`.
    pub id: String,
    /// Who gets it.
    pub to: Vec<String>,
    /// Its subject, in one line.
    pub subject: String,
    /// It as text.
    pub text: String,
    /// It as HTML.
    pub html: String,
    /// When it is sent.
    pub at: Timestamp,
}

/// What a channel does next.
enum Next {
    /// Send one.
    One(Delivery),
    /// Send these as one digest.
    Together(Vec<Delivery>),
    /// Wait until an instant.
    Wait(Timestamp),
    /// Nothing is due.
    Nothing,
}

impl App {
    /// Sends what one channel has to send next. Gives whether there was something to do.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer; what was claimed is then sent when its hold is over.
    pub async fn send_next_handoff<F, S>(&self, send: F) -> Result<bool, AppError>
    where
        F: FnOnce(Parcel) -> S,
        S: Future<Output = Result<(), FetchError>>,
    {
        let now = self.clock().now();
        let Some((agency, channel)) = self.store().claim_channel(now, now.plus_ms(HELD_MS)).await? else {
            return Ok(false);
        };
        let result = self.send_of(agency, &channel, send).await;
        self.agency(agency).release_channel(channel.id).await?;
        result.map(|()| true)
    }

    async fn send_of<F, S>(&self, agency: AgencyId, channel: &Channel, send: F) -> Result<(), AppError>
    where
        F: FnOnce(Parcel) -> S,
        S: Future<Output = Result<(), FetchError>>,
    {
        let now = self.clock().now();
        let store = self.agency(agency);
        let due = store.list_due_deliveries(channel.id, now, MAX_DUE).await?;
        // Written while their workflow or client was being archived.
        let (archived, due): (Vec<Delivery>, Vec<Delivery>) = due.into_iter().partition(|one| one.is_archived);
        if !archived.is_empty() {
            let ids: Vec<DeliveryId> = archived.iter().map(|delivery| delivery.id).collect();
            store.end_deliveries(channel.id, &ids, DeliveryState::Archived, false, now).await?;
        }
        let hour = Timestamp(now.0 - now.0.rem_euclid(HOUR_MICROS));
        let n_sent = store.count_sent_since(channel.id, Timestamp(hour.0 - 1)).await?;
        let (deliveries, in_digest) = match next_of(channel, due, n_sent, hour) {
            Next::Nothing => return Ok(()),
            Next::Wait(until) => return Ok(store.put_off_deliveries(channel.id, now, until).await?),
            Next::One(delivery) => (vec![delivery], false),
            Next::Together(deliveries) => (deliveries, true),
        };
        let ids: Vec<DeliveryId> = deliveries.iter().map(|delivery| delivery.id).collect();
        let prepared = if in_digest {
            self.prepare_digest(agency, channel, &deliveries).await
        } else {
            self.prepare_letter(agency, channel, &deliveries[0]).await
        };
        let sent = match prepared {
            Ok(Some(parcel)) => send(parcel).await,
            Ok(None) => {
                return Ok(store.end_deliveries(channel.id, &ids, DeliveryState::Gone, false, now).await?);
            }
            // A secret that cannot be opened is a fault of this machine's, which somebody can mend.
            Err(AppError::Fault(why)) => Err(FetchError(format!("Steward failed in {why}"))),
            Err(AppError::Invalid(why)) => Err(FetchError(why)),
            Err(error) => return Err(error),
        };
        let now = self.clock().now();
        match sent {
            Ok(()) => store.end_deliveries(channel.id, &ids, DeliveryState::Sent, in_digest, now).await?,
            Err(FetchError(why)) => {
                let why: String = why.chars().take(MAX_ERROR_CHARS).collect();
                // Each for itself: those of a digest were tried more or less often before.
                let (spent, left): (Vec<&Delivery>, Vec<&Delivery>) =
                    deliveries.iter().partition(|delivery| delivery.attempts + 1 >= MAX_ATTEMPTS);
                let of = |some: &[&Delivery]| some.iter().map(|delivery| delivery.id).collect::<Vec<_>>();
                let attempts = left.iter().map(|delivery| delivery.attempts).min().unwrap_or(MAX_ATTEMPTS);
                let pause = FIRST_PAUSE_MS.saturating_mul(1 << (2 * attempts.clamp(0, 8))).min(MAX_PAUSE_MS);
                tracing::warn!(channel.id = %channel.id, error = why, "a handoff could not be sent by {}", channel.id);
                store.fail_deliveries(channel.id, &of(&spent), &why, now, None).await?;
                store.fail_deliveries(channel.id, &of(&left), &why, now, Some(now.plus_ms(pause))).await?;
                // What does not answer for one does not answer for the others either.
                store.put_off_deliveries(channel.id, now, now.plus_ms(pause.min(FIRST_PAUSE_MS * 16))).await?;
            }
        }
        Ok(())
    }

    async fn prepare_letter(
        &self,
        agency: AgencyId,
        channel: &Channel,
        delivery: &Delivery,
    ) -> Result<Option<Parcel>, AppError> {
        let kept = self.kept_channel(agency, channel)?;
        let letter = if delivery.is_test {
            self.test_letter(channel, delivery)
        } else {
            match self.letter(agency, channel, delivery).await? {
                Some(letter) => letter,
                None => return Ok(None),
            }
        };
        let now = self.clock().now();
        let id = delivery.id.to_string();
        Ok(Some(match channel.kind {
            ChannelKind::Email => mail(&kept, id, now, letter.subject(), letter.text(), letter.html()),
            ChannelKind::Slack => post(&kept, letter.slack().to_string(), Vec::new())?,
            ChannelKind::Webhook => signed(&kept, &id, now, letter.json(now).to_string())?,
        }))
    }

    /// The letter about an exception, with a link of its own. `None` when it is kept no longer.
    async fn letter(
        &self,
        agency: AgencyId,
        channel: &Channel,
        delivery: &Delivery,
    ) -> Result<Option<Letter>, AppError> {
        let store = self.agency(agency);
        if self.still_waiting(agency, std::slice::from_ref(delivery)).await?.is_empty() {
            return Ok(None);
        }
        let Some(exception) = store.find_exception(delivery.exception_id).await? else { return Ok(None) };
        let Some(packet) = self.find_packet(&store, &exception).await? else { return Ok(None) };
        let workflow = store.find_workflow(exception.workflow_id).await?;
        // It went to another client while this waited.
        if !channel.is_for(exception.workflow_id, workflow.as_ref().and_then(|workflow| workflow.client_id)) {
            return Ok(None);
        }
        let workflow = workflow.map_or_else(String::new, |workflow| workflow.name);
        let place = format!("delivery {agency} {}", delivery.id).into_bytes();
        let token = match &delivery.sealed_token {
            Some(sealed) => Secret::sent(&self.unseal(sealed, &place)?),
            None => {
                let token = self.new_token();
                store.keep_delivery_token(delivery.id, self.seal(token.reveal(), &place)?).await?;
                token
            }
        };
        let made_for = format!("{}: {}", channel.kind.as_str(), channel.name);
        let id = LinkId::from_uuid(delivery.id.as_uuid());
        let days = u32::try_from(channel.link_days).unwrap_or(1);
        let made = self.write_handoff_link(agency, id, &exception, made_for, "sent by itself", days, token).await?;
        Ok(Some(Letter {
            exception_id: exception.id,
            run_id: exception.run_id,
            workflow_id: exception.workflow_id,
            workflow,
            message: exception.message,
            at: exception.at,
            link: made.url.reveal().to_owned(),
            link_ends_at: made.link.expires_at,
            page: self.page_of(exception.id),
            is_test: false,
            packet,
        }))
    }

    /// Those of some deliveries whose exceptions still wait for a person: what is done meanwhile is nobody's work.
    async fn still_waiting(&self, agency: AgencyId, deliveries: &[Delivery]) -> Result<Vec<ExceptionId>, AppError> {
        let ids: Vec<ItemId> = deliveries.iter().map(|delivery| item_of(delivery.exception_id)).collect();
        let items = self.agency(agency).find_queue_items(&ids).await?;
        let open: HashSet<ExceptionId> =
            items.iter().filter(|item| item.is_open()).filter_map(QueueItem::exception_id).collect();
        Ok(deliveries.iter().map(|delivery| delivery.exception_id).filter(|id| open.contains(id)).collect())
    }

    /// A letter that says of itself that it is a test.
    fn test_letter(&self, channel: &Channel, delivery: &Delivery) -> Letter {
        let now = self.clock().now();
        Letter {
            exception_id: delivery.exception_id,
            run_id: RunId::from_uuid(uuid::Uuid::nil()),
            workflow_id: channel.workflow_id.unwrap_or(WorkflowId::from_uuid(uuid::Uuid::nil())),
            workflow: channel.name.clone(),
            message: "this is a test: nothing went wrong".to_owned(),
            at: now,
            link: String::new(),
            link_ends_at: now,
            page: self.public_url().to_owned(),
            is_test: true,
            packet: Packet {
                asked_first: "What somebody asked the agent stands here.".to_owned(),
                acts: vec![Act { words: "looked up order 4711: found".to_owned(), failed: false, times: 1 }],
                stopped: "Why the agent stopped stands here.".to_owned(),
                missing: vec![Missing {
                    kind: MissingKind::Answer,
                    words: "what it would have needed stands here".to_owned(),
                }],
                ..Packet::default()
            },
        }
    }

    async fn prepare_digest(
        &self,
        agency: AgencyId,
        channel: &Channel,
        deliveries: &[Delivery],
    ) -> Result<Option<Parcel>, AppError> {
        let kept = self.kept_channel(agency, channel)?;
        let store = self.agency(agency);
        let workflows = store.list_workflows().await?;
        let waiting = self.still_waiting(agency, deliveries).await?;
        let (mut lines, mut n_of_others) = (Vec::new(), 0);
        for id in &waiting {
            if lines.len() == MAX_DIGEST_LINES {
                break;
            }
            let Some(exception) = store.find_exception(*id).await? else { continue };
            let workflow = workflows.iter().find(|workflow| workflow.id == exception.workflow_id);
            if !channel.is_for(exception.workflow_id, workflow.and_then(|workflow| workflow.client_id)) {
                n_of_others += 1;
                continue;
            }
            lines.push(DigestLine {
                exception_id: exception.id,
                workflow: workflow.map_or_else(String::new, |workflow| workflow.name.clone()),
                page: self.page_of(exception.id),
                message: exception.message,
            });
        }
        let (Some(first), false) = (deliveries.first(), lines.is_empty()) else { return Ok(None) };
        let page = format!("{}/queue", self.public_url());
        let digest = Digest { channel: channel.name.clone(), n: waiting.len() - n_of_others, lines, page };
        let now = self.clock().now();
        // The first of them is never sent by itself any more, so its id is free to stand for all.
        let id = first.id.to_string();
        Ok(Some(match channel.kind {
            ChannelKind::Email => mail(&kept, id, now, digest.subject(), digest.text(), digest.html()),
            ChannelKind::Slack => post(&kept, digest.slack().to_string(), Vec::new())?,
            ChannelKind::Webhook => signed(&kept, &id, now, digest.json(now).to_string())?,
        }))
    }

    fn page_of(&self, exception: ExceptionId) -> String {
        format!("{}/exceptions/{exception}/handoff", self.public_url())
    }
}

/// What a channel does next, of what is due and what it sent in this hour.
fn next_of(channel: &Channel, mut due: Vec<Delivery>, n_sent: u64, hour: Timestamp) -> Next {
    // A test is asked for by somebody who waits for it.
    if let Some(at) = due.iter().position(|delivery| delivery.is_test) {
        return Next::One(due.swap_remove(at));
    }
    let per_hour = u64::try_from(channel.per_hour).unwrap_or(1).max(1);
    let left = per_hour.saturating_sub(n_sent);
    if due.is_empty() {
        return Next::Nothing;
    }
    let had_digest = channel.digest_at.is_some_and(|at| at >= hour);
    let earlier = due.iter().filter(|delivery| delivery.created_at < hour).count();
    if due.len() as u64 > left && earlier > 1 && !had_digest {
        due.retain(|delivery| delivery.created_at < hour);
        return Next::Together(due);
    }
    if left == 0 {
        return Next::Wait(Timestamp(hour.0 + HOUR_MICROS));
    }
    Next::One(due.swap_remove(0))
}

fn mail(kept: &KeptChannel, id: String, at: Timestamp, subject: String, text: String, html: String) -> Parcel {
    Parcel::Mail(Mail { id, to: kept.to.clone(), subject, text, html, at })
}

fn post(kept: &KeptChannel, body: String, headers: Vec<(&'static str, String)>) -> Result<Parcel, AppError> {
    let url = kept.to.first().ok_or(AppError::Fault("reading a channel's address"))?.clone();
    let mut all = vec![("content-type", "application/json".to_owned())];
    all.extend(headers);
    Ok(Parcel::Post(HttpRequest { method: Method::Post, url, headers: all, body: Some(body) }))
}

/// A request signed as Standard Webhooks says.
fn signed(kept: &KeptChannel, id: &str, now: Timestamp, body: String) -> Result<Parcel, AppError> {
    let secret = kept.secret.as_deref().unwrap_or_default();
    let signature = sign_standard(secret, id, now, &body).ok_or(AppError::Fault("signing a webhook"))?;
    let headers = vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", now.as_micros().div_euclid(1_000_000).to_string()),
        ("webhook-signature", signature),
    ];
    post(kept, body, headers)
}

#[cfg(test)]
mod tests {
    use steward_core::ids::ChannelId;
    use uuid::Uuid;

    use super::*;

    const HOUR: Timestamp = Timestamp(500 * HOUR_MICROS);

    fn channel(per_hour: i32, digest_at: Option<Timestamp>) -> Channel {
        Channel {
            id: ChannelId::from_uuid(Uuid::from_u128(1)),
            client_id: None,
            workflow_id: None,
            kind: ChannelKind::Email,
            name: String::new(),
            shown: String::new(),
            sealed: Vec::new(),
            kinds: Vec::new(),
            least_value_nanos: 0,
            per_hour,
            link_days: 7,
            created_at: Timestamp(0),
            paused_at: None,
            digest_at,
            sent_at: None,
            error: None,
            failed_at: None,
        }
    }

    fn due(n: u128, minutes: i64) -> Vec<Delivery> {
        let one = |i| Delivery {
            id: DeliveryId::from_uuid(Uuid::from_u128(i)),
            channel_id: ChannelId::from_uuid(Uuid::from_u128(1)),
            exception_id: ExceptionId::from_uuid(Uuid::from_u128(i)),
            is_test: false,
            attempts: 0,
            created_at: HOUR.plus_ms(minutes * 60_000),
            sealed_token: None,
            is_archived: false,
        };
        (0..n).map(one).collect()
    }

    fn what(next: Next) -> String {
        match next {
            Next::One(delivery) => format!("one {}", delivery.id.as_uuid().as_u128()),
            Next::Together(all) => format!("{} together", all.len()),
            Next::Wait(until) => format!("wait {} min", until.ms_since(HOUR) / 60_000),
            Next::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn so_many_an_hour_one_by_one_and_the_rest_as_one_digest_in_the_next() {
        let next = |per_hour, due, n_sent| what(next_of(&channel(per_hour, None), due, n_sent, HOUR));
        assert_eq!(next(20, due(0, 5), 0), "nothing");
        assert_eq!(next(20, due(30, 5), 0), "one 0");
        assert_eq!(next(20, due(11, 5), 19), "one 0");
        assert_eq!(next(20, due(10, 5), 20), "wait 60 min", "what is too much waits for the next hour");
        assert_eq!(next(20, due(10, -5), 0), "one 0", "where it fits there");
        assert_eq!(next(20, due(37, -5), 0), "37 together");
        let had = channel(20, Some(HOUR));
        assert_eq!(what(next_of(&had, due(37, -5), 0, HOUR)), "one 0", "one digest an hour");
        let mut mixed = due(37, -5);
        mixed.extend(due(3, 1));
        assert_eq!(next(20, mixed, 0), "37 together", "what came in this hour is not held up by it");
    }

    #[test]
    fn a_test_does_not_wait() {
        let mut all = due(5, 1);
        all[3].is_test = true;
        assert_eq!(what(next_of(&channel(1, None), all, 9, HOUR)), "one 3");
    }
}
