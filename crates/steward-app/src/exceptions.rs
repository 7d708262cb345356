//! Exceptions: lists, and one of them.

use std::collections::{BTreeSet, HashMap};

use steward_core::ids::{ClientId, ExceptionId, PatternId, RunId};
use steward_store::tenant::{ExceptionCursor, ExceptionFilter, ExceptionRow, PatternRow};

use crate::{Actor, App, AppError};

/// The most exceptions that one page of a list shows.
pub const MAX_PAGE: u32 = 500;

/// One page of a list of exceptions.
#[derive(Debug, Clone)]
pub struct ExceptionsPage {
    /// The exceptions.
    pub exceptions: Vec<ExceptionRow>,
    /// Where the next page begins. `None` on the last.
    pub next: Option<ExceptionCursor>,
}

impl App {
    /// Lists exceptions that a filter finds, as far as the actor may see them.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is not there; else an [`AppError`] when the database does not answer.
    pub async fn list_exceptions(
        &self,
        actor: &Actor,
        filter: &ExceptionFilter,
        client: Option<ClientId>,
        behind: Option<ExceptionCursor>,
        limit: u32,
    ) -> Result<ExceptionsPage, AppError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let mut filter = filter.clone();
        filter.workflows = self.visible_of(actor, filter.workflows, client).await?;
        let mut exceptions = self.store_of(actor).list_exceptions(&filter, behind, limit + 1).await?;
        let more = exceptions.len() > limit as usize;
        exceptions.truncate(limit as usize);
        let next = exceptions.last().filter(|_| more).map(|e| ExceptionCursor { ended_at: e.ended_at, id: e.id });
        if !actor.role.sees_money() {
            exceptions.iter_mut().for_each(|exception| exception.wasted_nanos = 0);
        }
        Ok(ExceptionsPage { exceptions, next })
    }

    /// Gets an exception that an actor may see.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none, or they may not see it.
    pub async fn get_exception(&self, actor: &Actor, id: ExceptionId) -> Result<ExceptionRow, AppError> {
        let store = self.store_of(actor);
        let mut exception = store.find_exception(id).await?.ok_or(AppError::NotFound("exception"))?;
        let workflow = store.find_workflow(exception.workflow_id).await?;
        workflow.filter(|w| actor.may_see_workflow(w)).ok_or(AppError::NotFound("exception"))?;
        if !actor.role.sees_money() {
            exception.wasted_nanos = 0;
        }
        Ok(exception)
    }

    /// The exceptions of a run that has ended, with their patterns, where they are found already.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn list_run_exceptions(
        &self,
        actor: &Actor,
        run: RunId,
    ) -> Result<Vec<(ExceptionRow, Option<PatternRow>)>, AppError> {
        let filter = ExceptionFilter { run: Some(run), ..ExceptionFilter::default() };
        let page = self.list_exceptions(actor, &filter, None, None, MAX_PAGE).await?;
        let ids: BTreeSet<PatternId> = page.exceptions.iter().filter_map(|exception| exception.pattern_id).collect();
        let ids: Vec<PatternId> = ids.into_iter().collect();
        let patterns = self.store_of(actor).find_patterns(&ids).await?;
        let patterns: HashMap<PatternId, PatternRow> = patterns.into_iter().map(|p| (p.id, p)).collect();
        let with_pattern = |exception: ExceptionRow| {
            let pattern = exception.pattern_id.and_then(|id| patterns.get(&id)).cloned();
            (exception, pattern)
        };
        Ok(page.exceptions.into_iter().map(with_pattern).collect())
    }
}
