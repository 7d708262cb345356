//! Asking platforms for what their webhooks lost: which request to send, and what its answer tells.
//!
//! Nothing is sent here. Who polls sends [`list_request`], gives the answer to [`read_page`], goes on with the page's
//! `next` until there is none, and asks for the page's details. What comes back are the same steps that webhooks make,
//! so that asking again for what is known changes nothing.

use std::fmt;

use serde_json::{Map, Value};
use steward_core::time::Timestamp;

use super::lean::Lean;
use super::{Context, Platform, elevenlabs, n8n, read_events, retell, vapi};
use crate::fields::{instant, number};
use crate::{Decoded, WireError};

/// How many items a page holds.
const PAGE_SIZE: usize = 100;
/// How many executions with their data a page of n8n holds: data is large.
const PAGE_SIZE_OF_DATA: usize = 50;

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`, with JSON.
    Post,
}

/// A request to be sent. Its headers hold the token, and are not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Option<String>,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        formatter
            .debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &names)
            .field("body", &self.body)
            .finish()
    }
}

/// The account that is asked.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    /// Where its API is; empty takes the platform's own. n8n has none: it is where it was installed. Make's holds the
    /// region: `https://eu1.make.com/api/v2`.
    pub base_url: &'a str,
    /// The token or key.
    pub token: &'a str,
    /// Which part of the account: for Make the scenario, which must be there; for the others an agent, assistant or
    /// workflow, and empty for all.
    pub subject: &'a str,
    /// The connection's scope, as in [`Delivery`](super::Delivery::scope).
    pub scope: &'a str,
    /// From when on runs are asked for.
    pub since: Timestamp,
}

impl fmt::Debug for Account<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Account")
            .field("base_url", &self.base_url)
            .field("subject", &self.subject)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

/// A page, read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// What it tells.
    pub decoded: Decoded,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<String>,
    /// How many items it held.
    pub n_items: usize,
    /// Items of which the page tells too little, to be asked for one by one.
    pub details: Vec<Detail>,
}

/// An item that has to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// Its id, which [`read_detail`] needs again.
    pub id: String,
    /// How to ask.
    pub request: HttpRequest,
}

/// The request for a page. `None` for platforms that cannot be asked, and for accounts that lack what is needed.
#[must_use]
pub fn list_request(platform: Platform, account: &Account<'_>, cursor: Option<&str>) -> Option<HttpRequest> {
    let base = base_url(platform, account)?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    let optional = |query: &mut form_urlencoded::Serializer<'_, String>, key: &str, value: &str| {
        if !value.is_empty() {
            query.append_pair(key, value);
        }
    };
    let since_ms = account.since.0.div_euclid(1_000);
    let path = match platform {
        Platform::Vapi => {
            // Calls come newest first, and the analysis may come after the end: hence by the last change.
            query.append_pair("limit", &PAGE_SIZE.to_string());
            query.append_pair("updatedAtGe", &account.since.rfc3339());
            optional(&mut query, "createdAtLe", cursor.unwrap_or_default());
            optional(&mut query, "assistantId", account.subject);
            "/call".to_owned()
        }
        Platform::Retell => {
            let mut filter = serde_json::json!({ "start_timestamp": { "lower_threshold": since_ms } });
            if !account.subject.is_empty() {
                filter["agent_id"] = serde_json::json!([account.subject]);
            }
            let mut body =
                serde_json::json!({ "filter_criteria": filter, "limit": PAGE_SIZE, "sort_order": "ascending" });
            if let Some(cursor) = cursor {
                body["pagination_key"] = Value::from(cursor);
            }
            let mut headers = headers(platform, account);
            headers.push(("content-type", "application/json".to_owned()));
            let url = format!("{base}/v2/list-calls");
            return Some(HttpRequest { method: Method::Post, url, headers, body: Some(body.to_string()) });
        }
        Platform::ElevenLabs => {
            query.append_pair("page_size", &PAGE_SIZE.to_string());
            query.append_pair("call_start_after_unix", &(since_ms.div_euclid(1_000)).to_string());
            optional(&mut query, "cursor", cursor.unwrap_or_default());
            optional(&mut query, "agent_id", account.subject);
            "/v1/convai/conversations".to_owned()
        }
        Platform::N8n => {
            query.append_pair("includeData", "true");
            query.append_pair("limit", &PAGE_SIZE_OF_DATA.to_string());
            optional(&mut query, "cursor", cursor.unwrap_or_default());
            optional(&mut query, "workflowId", account.subject);
            "/api/v1/executions".to_owned()
        }
        Platform::Make => {
            query.append_pair("from", &since_ms.to_string());
            query.append_pair("pg[limit]", &PAGE_SIZE.to_string());
            query.append_pair("pg[offset]", &offset(cursor).to_string());
            format!("/scenarios/{}/logs", encoded(account.subject))
        }
        Platform::Zapier | Platform::LangGraph | Platform::Twilio | Platform::Event => return None,
    };
    let url = format!("{base}{path}?{}", query.finish());
    Some(HttpRequest { method: Method::Get, url, headers: headers(platform, account), body: None })
}

fn base_url(platform: Platform, account: &Account<'_>) -> Option<String> {
    let own = match platform {
        Platform::Vapi => "https://api.vapi.ai",
        Platform::Retell => "https://api.retellai.com",
        Platform::ElevenLabs => "https://api.elevenlabs.io",
        _ => "",
    };
    let base = if account.base_url.trim().is_empty() { own } else { account.base_url.trim().trim_end_matches('/') };
    let lacks_scenario = platform == Platform::Make && account.subject.is_empty();
    (!base.is_empty() && !lacks_scenario).then(|| base.to_owned())
}

fn headers(platform: Platform, account: &Account<'_>) -> Vec<(&'static str, String)> {
    let token = account.token;
    let (name, value) = match platform {
        Platform::ElevenLabs => ("xi-api-key", token.to_owned()),
        Platform::N8n => ("x-n8n-api-key", token.to_owned()),
        Platform::Make => ("authorization", format!("Token {token}")),
        _ => ("authorization", format!("Bearer {token}")),
    };
    vec![("accept", "application/json".to_owned()), (name, value)]
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

fn offset(cursor: Option<&str>) -> usize {
    cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0)
}

/// Reads the answer to [`list_request`] with the same cursor.
///
/// # Errors
///
/// When the answer is not at all what the platform lists, or the platform cannot be asked.
pub fn read_page(
    platform: Platform,
    account: &Account<'_>,
    cursor: Option<&str>,
    body: &[u8],
    received_at: Timestamp,
) -> Result<Page, WireError> {
    let context = Context { platform, scope: account.scope, received_at };
    let answer = lean(platform)?.read(body)?;
    let mut envelope = Map::new();
    let items = match answer {
        Value::Array(items) => items,
        Value::Object(mut object) => {
            let items = items_of(&mut object);
            envelope = object;
            match items {
                Some(Value::Array(items)) => items,
                _ => return Err(WireError::Shape("it holds no list of runs")),
            }
        }
        _ => return Err(WireError::Shape("a page is a list, or an object with one")),
    };
    let mut page = Page { n_items: items.len(), ..Page::default() };
    page.next = next(platform, account, cursor, &items, &envelope);
    if platform == Platform::ElevenLabs || platform == Platform::Make {
        page.details = items.iter().filter_map(|item| detail(platform, account, item)).collect();
    }
    let items = items.into_iter().map(|item| of_scenario(platform, account, item)).collect();
    page.decoded = read_events(context, items);
    Ok(page)
}

/// The items of an answer to [`list_request`], whole, each of which [`read`](super::read) reads as it reads what the
/// platform sends by itself: so that what was asked for is kept, and can be read again, like a delivery.
///
/// # Errors
///
/// When the answer is not at all what the platform lists.
pub fn items_of_page(platform: Platform, account: &Account<'_>, body: &[u8]) -> Result<Vec<Value>, WireError> {
    lean(platform)?;
    let items = match serde_json::from_slice(body).map_err(WireError::Json)? {
        Value::Array(items) => items,
        Value::Object(mut object) => match items_of(&mut object) {
            Some(Value::Array(items)) => items,
            _ => return Err(WireError::Shape("it holds no list of runs")),
        },
        _ => return Err(WireError::Shape("a page is a list, or an object with one")),
    };
    Ok(items.into_iter().map(|item| of_scenario(platform, account, item)).collect())
}

/// The answer to a [`Detail`]'s request as a payload that [`read`](super::read) reads.
///
/// # Errors
///
/// When the answer is not at all what was asked for.
pub fn payload_of_detail(
    platform: Platform,
    account: &Account<'_>,
    id: &str,
    body: &[u8],
) -> Result<Vec<u8>, WireError> {
    lean(platform)?;
    let Value::Object(mut item) = serde_json::from_slice(body).map_err(WireError::Json)? else {
        return Err(WireError::Shape("a run is an object"));
    };
    if platform == Platform::Make {
        item.entry("executionId").or_insert_with(|| Value::from(id));
    }
    Ok(of_scenario(platform, account, Value::Object(item)).to_string().into_bytes())
}

/// The list inside of an answer.
fn items_of(envelope: &mut Map<String, Value>) -> Option<Value> {
    ["results", "items", "calls", "conversations", "data", "scenarioLogs", "logs"]
        .iter()
        .find_map(|key| envelope.remove(*key))
}

/// Reads the answer to a [`Detail`]'s request.
///
/// # Errors
///
/// When the answer is not at all what was asked for.
pub fn read_detail(
    platform: Platform,
    account: &Account<'_>,
    id: &str,
    body: &[u8],
    received_at: Timestamp,
) -> Result<Decoded, WireError> {
    let context = Context { platform, scope: account.scope, received_at };
    let Value::Object(mut item) = lean(platform)?.read(body)? else {
        return Err(WireError::Shape("a run is an object"));
    };
    if platform == Platform::Make {
        item.entry("executionId").or_insert_with(|| Value::from(id));
    }
    let item = of_scenario(platform, account, Value::Object(item));
    Ok(read_events(context, vec![item]))
}

fn lean(platform: Platform) -> Result<Lean, WireError> {
    Ok(match platform {
        Platform::Vapi => vapi::LEAN,
        Platform::Retell => retell::LEAN,
        Platform::ElevenLabs => elevenlabs::LEAN,
        Platform::N8n => n8n::LEAN,
        Platform::Make => Lean::default(),
        _ => return Err(WireError::Shape("this platform is not asked for lists")),
    })
}

/// A log line of Make does not say of which scenario it is.
fn of_scenario(platform: Platform, account: &Account<'_>, mut item: Value) -> Value {
    if platform == Platform::Make
        && let Value::Object(object) = &mut item
    {
        object.entry("scenarioId").or_insert_with(|| Value::from(account.subject));
    }
    item
}

/// Where the next page begins.
fn next(
    platform: Platform,
    account: &Account<'_>,
    cursor: Option<&str>,
    items: &[Value],
    envelope: &Map<String, Value>,
) -> Option<String> {
    let text = |key: &str| envelope.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let full = items.len() >= PAGE_SIZE;
    let next = match platform {
        Platform::Vapi => {
            let created = items.iter().filter_map(|item| item.get("createdAt").and_then(Value::as_str));
            created.min().map(str::to_owned).filter(|_| full)
        }
        Platform::Retell => {
            let more = envelope.get("has_more").and_then(Value::as_bool).unwrap_or(full);
            let last = items.last().and_then(|item| item.get("call_id")).and_then(Value::as_str);
            text("pagination_key").or_else(|| last.map(str::to_owned)).filter(|_| more)
        }
        Platform::ElevenLabs => {
            text("next_cursor").filter(|_| envelope.get("has_more").and_then(Value::as_bool) != Some(false))
        }
        Platform::N8n => {
            // Executions come newest first: what lies before is known.
            let known = |item: &Value| item.get("startedAt").and_then(instant).is_some_and(|at| at < account.since);
            text("nextCursor").filter(|_| !items.iter().any(known))
        }
        Platform::Make => full.then(|| offset(cursor).saturating_add(items.len()).to_string()),
        _ => None,
    };
    // A page that leads to itself would be asked for without end.
    next.filter(|next| Some(next.as_str()) != cursor && !items.is_empty())
}

/// How to ask for an item whose line in the list tells too little.
fn detail(platform: Platform, account: &Account<'_>, item: &Value) -> Option<Detail> {
    let base = base_url(platform, account)?;
    let (id, path) = match platform {
        Platform::ElevenLabs => {
            let id = item.get("conversation_id").and_then(Value::as_str)?;
            let over = matches!(item.get("status").and_then(Value::as_str), Some("done" | "failed"));
            over.then(|| (id.to_owned(), format!("/v1/convai/conversations/{}", encoded(id))))?
        }
        // A line in the log tells that there was an error, and not which.
        Platform::Make => {
            let failed = item.get("status").and_then(number) == Some(3.0);
            let id = item.get("imtId").or_else(|| item.get("id")).and_then(Value::as_str).filter(|_| failed)?;
            (id.to_owned(), format!("/scenarios/{}/executions/{}", encoded(account.subject), encoded(id)))
        }
        _ => return None,
    };
    let request = HttpRequest {
        method: Method::Get,
        url: format!("{base}{path}"),
        headers: headers(platform, account),
        body: None,
    };
    Some(Detail { id, request })
}
