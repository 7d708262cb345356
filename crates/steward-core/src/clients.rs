//! An agency and the clients that it works for.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::calendar::BusinessHours;
use crate::ids::{AgencyId, ClientId};
use crate::money::{Currency, Nanos};
use crate::privacy::Privacy;
use crate::time::Timestamp;

/// The tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agency {
    /// Its id.
    pub id: AgencyId,
    /// Its name, as shown to clients.
    pub name: String,
    /// Its time zone, by IANA name; the days of reports are days of this zone.
    pub time_zone: String,
    /// What a reviewer's hour costs, in nano-units of `currency`.
    pub reviewer_rate_nanos: Nanos,
    /// Its currency.
    pub currency: Currency,
    /// How its reports look.
    pub brand: Brand,
    /// What is kept of what was said where a workflow chooses nothing.
    #[serde(default)]
    pub privacy: Privacy,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Agency {
    /// The time zone; UTC where the name is unknown to this program's zone data.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

/// White label: whose report it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Brand {
    /// The name on the cover; empty takes the agency's.
    pub name: String,
    /// The brand's colour, `#rrggbb`.
    pub colour: String,
    /// The logo as SVG text or as a data URL of a PNG; empty is none.
    pub logo: String,
    /// `a4` or `letter`.
    pub paper: Paper,
    /// Where readers may ask, on the last page.
    pub contact: String,
}

impl Default for Brand {
    fn default() -> Self {
        Self {
            name: String::new(),
            colour: "#1f5fbf".to_owned(),
            logo: String::new(),
            paper: Paper::A4,
            contact: String::new(),
        }
    }
}

/// A size of paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paper {
    /// 210 × 297 mm.
    #[default]
    A4,
    /// 8.5 × 11 in.
    Letter,
}

/// A business that an agency works for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// Its name.
    pub name: String,
    /// The rest.
    pub settings: ClientSettings,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was put away; its runs and reports stay.
    pub archived_at: Option<Timestamp>,
}

/// What is agreed with a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientSettings {
    /// The currency in which its values stand.
    pub currency: Currency,
    /// How many units of `currency` one US dollar costs; run costs come in US dollars.
    pub units_per_usd: f64,
    /// The client's zone for its business hours, by IANA name; empty takes the agency's.
    pub time_zone: String,
    /// When it is open.
    pub business_hours: BusinessHours,
    /// What it pays a month, in nano-units of `currency`; `None` when nothing is agreed.
    pub retainer_nanos: Option<Nanos>,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            currency: Currency::USD,
            units_per_usd: 1.0,
            time_zone: String::new(),
            business_hours: BusinessHours::default(),
            retainer_nanos: None,
        }
    }
}
