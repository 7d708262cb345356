//! Prices of models: the built-in table, the agency's own prices over it, and pricing a period anew.
//!
//! Changing a price changes what comes in from then on, and runs that are read again for another reason. All others
//! keep their cost until a period is recomputed, so that nobody's figures move as a whole without somebody wanting it.

use std::sync::{Arc, LazyLock};

use jiff::civil::Date;
use steward_core::ids::{AgencyId, WorkflowId};
use steward_core::prices::{Price, PriceBook};
use steward_core::time::Period;

use crate::figures::{Calls, Scope};
use crate::jobs::{REREAD, Reread};
use crate::{Actor, App, AppError};

/// The most prices that an agency has of its own.
const MAX_OWN_PRICES: usize = 1_000;
/// The most characters of a model's id, of a provider and of a price's source.
const MAX_TEXT_CHARS: usize = 300;
/// The most tiers of one price.
const MAX_TIERS: usize = 10;

/// Shared by all agencies without prices of their own.
static BUILT_IN: LazyLock<Arc<PriceBook>> = LazyLock::new(|| Arc::new(PriceBook::built_in().clone()));

/// A price as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPrice {
    /// The price.
    pub price: Price,
    /// It is one of the agency's own.
    pub own: bool,
}

/// Which price: an agency has one for a model at a provider from a day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceKey {
    /// The model's id, or the beginning of ids and `*`.
    pub model: String,
    /// The provider for whose calls alone it holds.
    pub provider: Option<String>,
    /// The first day on which it holds.
    pub from: Date,
}

impl PriceKey {
    /// The key of a price.
    #[must_use]
    pub fn of(price: &Price) -> Self {
        Self { model: price.model.clone(), provider: price.provider.clone(), from: price.from }
    }
}

impl App {
    /// The prices in force for an agency: the built-in ones with its own over them.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn price_book(&self, agency_id: AgencyId) -> Result<Arc<PriceBook>, AppError> {
        let own = self.agency(agency_id).list_prices().await?;
        // The built-in table is shared in any case, so a book is as small as the agency's own prices are few.
        Ok(if own.is_empty() { Arc::clone(&BUILT_IN) } else { Arc::new(PriceBook::with_overrides(&own)) })
    }

    /// Lists all prices, the agency's own among the built-in ones: by model, the newest first.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who sees no money.
    pub async fn list_prices(&self, actor: &Actor) -> Result<Vec<ListedPrice>, AppError> {
        must_see_money(actor)?;
        let book = self.price_book(actor.agency_id).await?;
        let own = book.own_prices().iter().map(|price| ListedPrice { price: price.clone(), own: true });
        let built_in = book.built_in_prices().iter().map(|price| ListedPrice { price: price.clone(), own: false });
        let mut prices: Vec<ListedPrice> = own.chain(built_in).collect();
        prices.sort_by_cached_key(|p| {
            (p.price.model.to_lowercase(), p.price.provider.clone(), std::cmp::Reverse(p.price.from), !p.own)
        });
        Ok(prices)
    }

    /// Models that were called in a period and that no price in force at its end covers, most calls first: their costs
    /// are unknown wherever senders do not report them.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who sees no money.
    pub async fn list_unpriced(&self, actor: &Actor, period: Period) -> Result<Vec<Calls>, AppError> {
        must_see_money(actor)?;
        let book = self.price_book(actor.agency_id).await?;
        let mut models = self.calls(actor, &Scope::default(), period, false).await?;
        models.retain(|model| model.tokens > 0 && model.cost.0 == 0);
        models.retain(|model| book.resolve(&model.name, None, period.end).is_none());
        Ok(models)
    }

    /// What is wrong with the prices in force, in words; nothing when all is well.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn check_prices(&self, agency_id: AgencyId) -> Result<Vec<String>, AppError> {
        Ok(self.price_book(agency_id).await?.check())
    }

    /// Records a price of the agency's own, in place of the one of a key or of its own key.
    ///
    /// # Errors
    ///
    /// [`AppError::Invalid`] in words for the person; [`AppError::NotFound`] when there is none to replace;
    /// [`AppError::Forbidden`] for who does not operate.
    pub async fn record_price(&self, actor: &Actor, replaces: Option<&PriceKey>, price: Price) -> Result<(), AppError> {
        actor.must_operate()?;
        check_texts(&price)?;
        let price = Price { model: price.model.trim().to_owned(), ..price };
        let mut own = self.store_of(actor).list_prices().await?;
        let key = PriceKey::of(&price);
        let place = match replaces {
            Some(old) => Some(own.iter().position(|p| PriceKey::of(p) == *old).ok_or(AppError::NotFound("price"))?),
            None => own.iter().position(|p| PriceKey::of(p) == key),
        };
        if place.is_none() && own.len() >= MAX_OWN_PRICES {
            return Err(AppError::Invalid(format!("an agency has at most {MAX_OWN_PRICES} prices of its own")));
        }
        match place.and_then(|place| own.get_mut(place)) {
            Some(known) => *known = price,
            None => own.push(price),
        }
        self.write_prices(actor, &own, "price.record", &key).await
    }

    /// Removes a price of the agency's own; the built-in one holds again where there is one.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none; [`AppError::Forbidden`] for who does not operate.
    pub async fn remove_price(&self, actor: &Actor, key: &PriceKey) -> Result<(), AppError> {
        actor.must_operate()?;
        let mut own = self.store_of(actor).list_prices().await?;
        let place = own.iter().position(|p| PriceKey::of(p) == *key).ok_or(AppError::NotFound("price"))?;
        own.remove(place);
        self.write_prices(actor, &own, "price.remove", key).await
    }

    /// Queues pricing runs anew, of some workflows or of all, that ended in a period or ever. Gives how many workflows.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when one of the workflows does not exist; [`AppError::Forbidden`] for who does not operate.
    pub async fn recompute_prices(
        &self,
        actor: &Actor,
        workflows: Option<&[WorkflowId]>,
        period: Option<Period>,
    ) -> Result<usize, AppError> {
        actor.must_operate()?;
        let known = self.visible_workflows(actor, true).await?;
        let ids: Vec<WorkflowId> = match workflows {
            None => known.iter().map(|w| w.id).collect(),
            Some(wanted) if wanted.iter().all(|id| known.iter().any(|w| w.id == *id)) => wanted.to_vec(),
            Some(_) => return Err(AppError::NotFound("workflow")),
        };
        self.enqueue_rereads(actor.agency_id, &ids, period).await?;
        self.audit_by(actor, "price.recompute", actor.agency_id, &format!("{} workflows", ids.len())).await?;
        Ok(ids.len())
    }

    /// Queues reading the runs of workflows again, those that ended in a period or all.
    pub(crate) async fn enqueue_rereads(
        &self,
        agency_id: AgencyId,
        workflows: &[WorkflowId],
        period: Option<Period>,
    ) -> Result<(), AppError> {
        for workflow_id in workflows.iter().copied() {
            let dedupe = match period {
                None => workflow_id.to_string(),
                Some(Period { start, end }) => format!("{workflow_id} {} {}", start.0, end.0),
            };
            self.enqueue(agency_id, REREAD, &dedupe, &Reread { workflow_id, period }).await?;
        }
        Ok(())
    }

    async fn write_prices(&self, actor: &Actor, own: &[Price], action: &str, key: &PriceKey) -> Result<(), AppError> {
        let problems = PriceBook::with_overrides(own).check();
        if !problems.is_empty() {
            return Err(AppError::Invalid(problems.join("; ")));
        }
        self.store_of(actor).update_prices(own, self.clock().now()).await?;
        self.forget_readers(actor.agency_id);
        let provider = key.provider.as_deref().map(|p| format!(" at {p}")).unwrap_or_default();
        self.audit_by(actor, action, &key.model, &format!("{}{provider} from {}", key.model, key.from)).await
    }
}

fn must_see_money(actor: &Actor) -> Result<(), AppError> {
    if actor.role.sees_money() { Ok(()) } else { Err(AppError::Forbidden("prices are for owners and operators")) }
}

fn check_texts(price: &Price) -> Result<(), AppError> {
    let texts = [price.model.as_str(), price.provider.as_deref().unwrap_or_default(), price.source.as_str()];
    if texts.iter().any(|text| text.chars().count() > MAX_TEXT_CHARS || text.chars().any(char::is_control)) {
        return Err(AppError::Invalid(format!(
            "the model, provider and source have at most {MAX_TEXT_CHARS} characters"
        )));
    }
    if price.tiers.len() > MAX_TIERS {
        return Err(AppError::Invalid(format!("a price has at most {MAX_TIERS} tiers")));
    }
    Ok(())
}
