//! Spans that know nothing of agents: HTTP calls, database queries, functions of the program. Also the general
//! attributes of the conventions that any span may bear, whatever its dialect, and the resource's.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

use crate::any;
use crate::draft::Draft;

/// Keys of these families are known, and nothing in them is kept beyond what [`take`] names.
const KNOWN: [&str; 22] = [
    "http.",
    "url.",
    "server.",
    "client.",
    "net.",
    "network.",
    "rpc.",
    "db.",
    "messaging.",
    "peer.",
    "thread.",
    "code.",
    "telemetry.",
    "process.",
    "os.",
    "host.",
    "user_agent.",
    "tls.",
    "faas.",
    "cloud.",
    "k8s.",
    "container.",
];

pub(super) fn take(draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    match key {
        "http.response.status_code"
        | "http.status_code"
        | "rpc.grpc.status_code"
        | "rpc.jsonrpc.error_code"
        | "rpc.response.status_code" => {
            let code = any::integer(&value);
            // gRPC counts its codes from 0 to 16: all but 0 are errors, which the status tells too.
            if draft.error_code.is_none() {
                draft.error_code = code;
            }
            draft.keep(key.to_owned(), value);
        }
        "http.request.method"
        | "http.method"
        | "http.route"
        | "server.address"
        | "net.peer.name"
        | "db.system"
        | "db.system.name"
        | "db.operation"
        | "db.operation.name"
        | "db.collection.name"
        | "rpc.system"
        | "rpc.service"
        | "rpc.method"
        | "messaging.system"
        | "messaging.destination.name" => draft.keep(key.to_owned(), value),
        "url.full" | "http.url" | "http.target" | "url.path" => {
            // What follows the question mark may hold secrets.
            if let Some(mut address) = any::into_text(value) {
                address.truncate(address.find(['?', '#']).unwrap_or(address.len()));
                draft.keep_text(key.to_owned(), without_password(address));
            }
        }
        "error.type" => draft.error_type = any::into_text(value).or(draft.error_type.take()),
        "error.message" | "exception.message" => {
            draft.exception_message = draft.exception_message.take().or(any::into_text(value))
        }
        "exception.type" => draft.exception_type = draft.exception_type.take().or(any::into_text(value)),
        "exception.stacktrace" | "exception.escaped" => {}
        "user.id" => draft.declared.user_id.offer_some(b + 1, any::into_text(value)),
        "enduser.id" | "enduser.pseudo.id" => draft.declared.user_id.offer_some(b + 2, any::into_text(value)),
        "session.id" => draft.declared.conversation_id.offer_some(b + 1, any::into_text(value)),
        "deployment.environment.name" => draft.declared.environment.offer_some(b, any::into_text(value)),
        "deployment.environment" => draft.declared.environment.offer_some(b + 1, any::into_text(value)),
        "service.version" => draft.declared.release.offer_some(b + 2, any::into_text(value)),
        "otel.status_code"
        | "otel.status_description"
        | "otel.scope.name"
        | "otel.scope.version"
        | "otel.library.name"
        | "otel.library.version"
        | "span.kind"
        | "service.name"
        | "service.instance.id" => {}
        _ if KNOWN.iter().any(|family| key.starts_with(family)) => {}
        _ => return Some(value),
    }
    None
}

/// Takes an attribute of a resource.
pub(super) fn take_resource(draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    match key {
        "service.name" => {
            // What the libraries of the standard say when nobody has named the service.
            let named = any::into_text(value).filter(|named| !named.starts_with("unknown_service"));
            draft.declared.workflow.offer_some(b, named);
        }
        "service.version" => draft.declared.release.offer_some(b + 2, any::into_text(value)),
        "gen_ai.agent.version" => draft.declared.release.offer_some(b + 1, any::into_text(value)),
        "openinference.project.name" => draft.declared.workflow.offer_some(b + 1, any::into_text(value)),
        "gen_ai.agent.name" | "service.namespace" => draft.keep(key.to_owned(), value),
        "service.instance.id" => {}
        "deployment.environment.name" => draft.declared.environment.offer_some(b, any::into_text(value)),
        "deployment.environment" => draft.declared.environment.offer_some(b + 1, any::into_text(value)),
        _ if KNOWN.iter().any(|family| key.starts_with(family)) => {}
        _ => return Some(value),
    }
    None
}

/// Reads an exception that was recorded as an event. The last one stands: it is the one that ended the span.
pub(super) fn exception(draft: &mut Draft, attributes: Vec<KeyValue>) {
    for KeyValue { key, value, .. } in attributes {
        let Some(text) = value.and_then(any::into_text) else { continue };
        match key.as_str() {
            "exception.type" => draft.exception_type = Some(text),
            "exception.message" => draft.exception_message = Some(text),
            _ => {}
        }
    }
}

/// Leaves out a name and password before the host of an address.
fn without_password(address: String) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address };
    let host_end = rest.find('/').unwrap_or(rest.len());
    match rest[..host_end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => address,
    }
}
