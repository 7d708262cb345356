//! What Langfuse's libraries send and ask beside OTLP: batches of events, judgements, whose project it is.
//!
//! A project of theirs is what a key is for: the agency, or one workflow of it.

use steward_core::ids::{AgencyId, WorkflowId};
use steward_store::system::{InboxKind, KeyScope};
use steward_wire::Decoded;
use steward_wire::langfuse_api::{self, ReadScore, ScoreError, Scores};

use crate::intake::{Accepted, IntakeError, Origin, read_apart};
use crate::{App, AppError};

/// What came of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedBatch {
    /// The steps that were accepted, and the events that were refused.
    pub accepted: Accepted,
    /// The body of the answer, with a word on each event; it goes with the status 207.
    pub answer: serde_json::Value,
}

/// What came of judgements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptedScores {
    /// One was taken.
    One {
        /// Its id.
        id: String,
    },
    /// A list was read.
    List {
        /// Why each that was refused was.
        refusals: Vec<String>,
    },
}

/// A failure to take a judgement in.
#[derive(Debug, thiserror::Error)]
pub enum ScoreIntakeError {
    /// It is no judgement that can be taken, for this reason.
    #[error("the score cannot be taken: {0}")]
    Refused(String),
    /// It cannot be read, or could not be kept.
    #[error(transparent)]
    Intake(#[from] IntakeError),
}

/// What a key is for, as a project of Langfuse's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The agency.
    pub agency_id: AgencyId,
    /// Its name.
    pub agency_name: String,
    /// The one workflow that the key is for, and its name.
    pub workflow: Option<(WorkflowId, String)>,
}

impl App {
    /// Takes in a batch of events. When this returns, what was accepted is on disk.
    ///
    /// # Errors
    ///
    /// [`IntakeError::Unreadable`] for bytes that are no batch at all; single bad events have their own answers.
    /// [`IntakeError::Busy`] when it could not be kept.
    pub async fn accept_langfuse_batch(
        &self,
        scope: KeyScope,
        body: bytes::Bytes,
    ) -> Result<AcceptedBatch, IntakeError> {
        let origin = Origin::of_key(scope, self.clock().now());
        let batch = read_apart(&body, langfuse_api::read_batch).await?.map_err(IntakeError::Unreadable)?;
        let answer = batch.answer();
        let accepted = self.accept_read(origin, InboxKind::LangfuseBatch, body, batch.decoded).await?;
        Ok(AcceptedBatch { accepted, answer })
    }

    /// Takes in one judgement, or a list of them. When this returns, what was accepted is on disk.
    ///
    /// # Errors
    ///
    /// [`ScoreIntakeError::Refused`] for one that is no judgement of a run, while those of a list are refused one by
    /// one; an [`IntakeError`] for bytes that cannot be read, or when it could not be kept.
    pub async fn accept_langfuse_scores(
        &self,
        scope: KeyScope,
        body: bytes::Bytes,
    ) -> Result<(Accepted, AcceptedScores), ScoreIntakeError> {
        let origin = Origin::of_key(scope, self.clock().now());
        let read = read_apart(&body, move |body| langfuse_api::read_scores(body, origin.received_at)).await?;
        let (decoded, answer) = match read {
            Ok(Scores::One(score)) => {
                let ReadScore { id, step } = *score;
                (Decoded { steps: vec![step], ..Decoded::default() }, AcceptedScores::One { id })
            }
            Ok(Scores::List { decoded, refusals }) => (decoded, AcceptedScores::List { refusals }),
            Err(ScoreError::Wire(error)) => return Err(IntakeError::Unreadable(error).into()),
            Err(ScoreError::Refused(reason)) => return Err(ScoreIntakeError::Refused(reason)),
        };
        let accepted = self.accept_read(origin, InboxKind::LangfuseScores, body, decoded).await?;
        Ok((accepted, answer))
    }

    /// Says what a key is for.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when it is gone; an [`AppError`] when the database does not answer.
    pub async fn get_project(&self, scope: KeyScope) -> Result<Project, AppError> {
        let store = self.agency(scope.agency_id);
        let agency = store.find_agency().await?.ok_or(AppError::NotFound("agency"))?;
        let workflow = match scope.workflow_id {
            Some(id) => {
                let workflow = store.find_workflow(id).await?.ok_or(AppError::NotFound("workflow"))?;
                Some((id, workflow.name))
            }
            None => None,
        };
        Ok(Project { agency_id: scope.agency_id, agency_name: agency.name, workflow })
    }
}
