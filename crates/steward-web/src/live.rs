//! Streams of what changes, for pages that are open: an event `change` whenever runs that the person may see changed.
//!
//! An event says that something changed, never what: the page asks for itself again, with its own rights.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::unfold;
use futures::{Stream, StreamExt as _};
use serde::Deserialize;
use steward_app::live::Change;
use steward_app::{Actor, App};
use steward_core::ids::{ClientId, WorkflowId};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::extract::Query;
use crate::problem::{Kind, PageError};
use crate::session::SignedIn;
use crate::{Problem, WebState};

/// How often a session is looked up again: who is shut out hears nothing more after this.
const LOOK_AGAIN: Duration = Duration::from_secs(20);
/// Proxies cut connections that are silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Of what a page wants to hear.
#[derive(Debug, Deserialize)]
pub(crate) struct LiveQuery {
    workflow: Option<WorkflowId>,
    client: Option<ClientId>,
}

/// Streams `change` events to a page.
pub(crate) async fn live(
    State(state): State<WebState>,
    who: SignedIn,
    Query(query): Query<LiveQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, PageError> {
    let Ok(room) = Arc::clone(state.live_room()).try_acquire_owned() else {
        return Err(Problem::new(Kind::Busy).retry_after(30).into());
    };
    let changes = state.app.live().listen();
    let mut ticks = interval_at(Instant::now() + LOOK_AGAIN, LOOK_AGAIN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ear = Ear {
        visible: visible(&state.app, &who.actor, &query).await?,
        stopping: state.stopping(),
        state,
        who,
        query,
        changes,
        ticks,
        _room: room,
    };
    let events = unfold(ear, |mut ear| async move { ear.next().await.map(|event| (Ok(event), ear)) });
    Ok(Sse::new(events.fuse()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("still here")))
}

/// The workflows that the page wants to hear of and the person may see; `None` is every one of the agency.
async fn visible(app: &App, actor: &Actor, query: &LiveQuery) -> Result<Option<Vec<WorkflowId>>, Problem> {
    if let Some(id) = query.workflow {
        return Ok(Some(vec![app.get_workflow(actor, id).await?.id]));
    }
    if query.client.is_none() && actor.clients.is_none() {
        return Ok(None);
    }
    let mut workflows = app.visible_workflows(actor, true).await?;
    if let Some(client) = query.client {
        workflows.retain(|workflow| workflow.client_id == Some(client));
    }
    Ok(Some(workflows.into_iter().map(|workflow| workflow.id).collect()))
}

struct Ear {
    state: WebState,
    who: SignedIn,
    query: LiveQuery,
    visible: Option<Vec<WorkflowId>>,
    changes: Receiver<Change>,
    ticks: Interval,
    stopping: watch::Receiver<bool>,
    _room: OwnedSemaphorePermit,
}

impl Ear {
    /// The next event. `None` when the session or the program has ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            tokio::select! {
                () = stopped(&mut self.stopping) => return None,
                _ = self.ticks.tick() => {
                    self.look_again().await?;
                    // Other processes on the same database assemble runs too, and tell nobody here.
                    if !self.state.app.store().is_sqlite() {
                        return Some(change());
                    }
                }
                heard = self.changes.recv() => match heard {
                    Ok(heard) if self.concerns(&heard) => return Some(change()),
                    Ok(_) => {}
                    // A slow listener has missed some; whatever they were, the page looks again.
                    Err(RecvError::Lagged(_)) => return Some(change()),
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    fn concerns(&self, heard: &Change) -> bool {
        heard.agency_id == self.who.actor.agency_id
            && self.visible.as_ref().is_none_or(|visible| heard.workflows.iter().any(|id| visible.contains(id)))
    }

    /// Looks up again who this is and what they may see. `None` when they are not signed in any more.
    async fn look_again(&mut self) -> Option<()> {
        let app = &self.state.app;
        self.who.actor = app.find_actor(&self.who.session).await.ok()??.actor;
        self.visible = visible(app, &self.who.actor, &self.query).await.ok()?;
        Some(())
    }
}

/// Waits until the program stops.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

fn change() -> Event {
    Event::default().event("change").data("1")
}
