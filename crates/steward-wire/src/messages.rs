//! Conversations, however they were written, as messages.
//!
//! Senders write a conversation as a JSON text, as a structured value, as the whole request or answer of a
//! provider, or as plain text. One reader takes them all: it looks at what is there, not at who sent it. What it
//! does not know stays as the text that was sent.

use std::borrow::Cow;

use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use steward_core::step::{MAX_MESSAGES, Message, Role, ToolCall};

use crate::any;
use crate::text::{content, name};

/// A text longer than this is certainly cut: nothing more need be added to it.
const MAX_BYTES: usize = 4 * steward_core::step::MAX_CONTENT_CHARS;
/// How many wrappers are opened on the way to the messages.
const MAX_WRAPPERS: usize = 8;

/// A message with nothing but a text.
pub(crate) fn plain(role: Role, text: String) -> Message {
    Message { role, text: content(text), tool_calls: Vec::new(), tool_call_id: None, name: None }
}

/// Reads a text that may be JSON. Empty when the text is.
pub(crate) fn from_text(text: String, role: Role) -> Vec<Message> {
    if text.trim_ascii().is_empty() {
        return Vec::new();
    }
    if text.starts_with("[{\"role\"")
        && let Ok(messages) = serde_json::from_str::<Vec<StandardMessage<'_>>>(&text)
    {
        let mut out = Vec::with_capacity(messages.len());
        messages.into_iter().for_each(|message| message.read(role, &mut out));
        return out;
    }
    if text.trim_ascii_start().starts_with(['{', '[']) {
        let read = serde_json::from_str(&text).ok().and_then(|value| from_value(value, role, 0));
        if let Some(messages) = read {
            return messages;
        }
    }
    vec![plain(role, text)]
}

/// A message exactly as the GenAI conventions have it, which most are. What has more to it goes the longer way, over
/// a [`Value`], and says the same.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StandardMessage<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    parts: Vec<StandardPart<'a>>,
    #[serde(default)]
    #[expect(dead_code, reason = "known, and read from the attribute of the same name")]
    finish_reason: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StandardPart<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    content: Option<String>,
    id: Option<String>,
    name: Option<String>,
    arguments: Option<Value>,
    response: Option<Value>,
}

impl StandardMessage<'_> {
    fn read(self, role: Role, out: &mut Vec<Message>) {
        let mut parts = Parts::new(role_of(&self.role).unwrap_or(role));
        let before = out.len();
        for part in self.parts {
            let id = part.id.filter(|id| !id.is_empty()).map(name);
            match (part.kind.as_ref(), part.content, part.name) {
                ("text", content, _) => parts.text(content.unwrap_or_default()),
                ("tool_call", _, Some(called)) => {
                    let arguments = content(part.arguments.map(json_text).unwrap_or_default());
                    parts.message.tool_calls.push(ToolCall { id, name: name(called), arguments });
                }
                ("tool_call", _, None) => {}
                ("tool_call_response", _, called) => {
                    let mut message = plain(Role::Tool, part.response.map(answer_text).unwrap_or_default());
                    (message.tool_call_id, message.name) = (id, called.map(name));
                    out.push(message);
                }
                (kind, ..) => parts.text(format!("[{}]", name(kind.to_owned()))),
            }
        }
        let alone = out.len() == before;
        parts.end(alone, out);
    }
}

/// Reads a structured value; what is no conversation becomes one message with the value as JSON.
pub(crate) fn from_json(value: Value, role: Role) -> Vec<Message> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => from_text(text, role),
        value => from_value(value.clone(), role, 0).unwrap_or_else(|| vec![plain(role, value.to_string())]),
    }
}

/// Reads an OTLP value: a text, which may be JSON, or a structured value.
pub(crate) fn from_any(value: AnyValue, role: Role) -> Vec<Message> {
    match value.value {
        None => Vec::new(),
        Some(Any::StringValue(text)) => from_text(text, role),
        Some(other) => from_json(any::into_json(AnyValue { value: Some(other) }, 0), role),
    }
}

/// What stands inside the wrapping in which LangChain's instrumentations hand on what went in or came out of a step:
/// `{"inputs": …, "tags": …, "metadata": …}`. Any other text stays as it is.
pub(crate) fn unwrapped(text: String) -> String {
    let head = text.as_bytes();
    let wrapped = [&b"{\"inputs\":"[..], b"{\"input_str\":", b"{\"outputs\":", b"{\"output\":"]
        .iter()
        .any(|start| head.starts_with(start));
    if !wrapped || !text.contains("\"kwargs\"") {
        return text;
    }
    let Ok(Value::Object(mut object)) = serde_json::from_str(&text) else { return text };
    match ["inputs", "outputs", "output"]
        .into_iter()
        .find_map(|key| object.remove(key))
        .or_else(|| object.remove("input_str"))
    {
        None | Some(Value::Null) => text,
        // A tool's answer may be one of LangChain's own messages.
        Some(Value::Object(mut inner)) if inner.contains_key("lc") => {
            match inner.get_mut("kwargs").and_then(|kwargs| kwargs.get_mut("content")) {
                Some(said @ Value::String(_)) => json_text(said.take()),
                _ => Value::Object(inner).to_string(),
            }
        }
        Some(inner) => json_text(inner),
    }
}

/// Keeps the first message, which holds the instructions, and the last ones. `true` when any went.
pub(crate) fn bound(messages: &mut Vec<Message>) -> bool {
    let too_many = messages.len().saturating_sub(MAX_MESSAGES);
    if too_many > 0 {
        messages.drain(1..=too_many);
    }
    too_many > 0
}

/// Reads who said something. `None` for a word that is no role.
pub(crate) fn role_of(word: &str) -> Option<Role> {
    Some(match word {
        "user" | "human" | "customer" | "HumanMessage" | "HumanMessageChunk" => Role::User,
        "assistant" | "model" | "ai" | "agent" | "bot" | "AIMessage" | "AIMessageChunk" => Role::Assistant,
        "system" | "developer" | "SystemMessage" => Role::System,
        "tool" | "function" | "ToolMessage" | "FunctionMessage" => Role::Tool,
        _ => match word.to_ascii_lowercase().as_str() {
            "user" | "human" => Role::User,
            "assistant" | "model" | "ai" => Role::Assistant,
            "system" | "developer" => Role::System,
            "tool" | "function" => Role::Tool,
            _ => return None,
        },
    })
}

/// `None` when the value is no conversation.
fn from_value(value: Value, role: Role, depth: usize) -> Option<Vec<Message>> {
    if depth > MAX_WRAPPERS {
        return None;
    }
    match value {
        Value::String(text) => Some(vec![plain(role, text)]),
        Value::Array(items) => from_list(items, role, depth),
        Value::Object(object) => from_object(object, role, depth),
        _ => None,
    }
}

fn from_list(items: Vec<Value>, role: Role, depth: usize) -> Option<Vec<Message>> {
    if items.is_empty() {
        return Some(Vec::new());
    }
    // A list of parts is one message: instructions are sent so, and so are answers of some providers.
    let is_part = |item: &Value| {
        item.get("role").is_none()
            && item.get("type").and_then(Value::as_str).is_some_and(|kind| {
                matches!(
                    kind,
                    "text"
                        | "tool_call"
                        | "reasoning"
                        | "thinking"
                        | "tool_use"
                        | "input_text"
                        | "output_text"
                        | "image"
                        | "image_url"
                        | "blob"
                        | "uri"
                        | "file"
                        | "tool_call_response"
                        | "tool_result"
                )
            })
    };
    if items.iter().all(is_part) {
        let mut messages = Vec::new();
        Parts::new(role).read(items, &mut messages);
        return Some(messages);
    }
    let mut messages = Vec::with_capacity(items.len().min(MAX_MESSAGES));
    for item in items {
        match item {
            Value::Null => {}
            item => messages.append(&mut from_value(item, role, depth + 1)?),
        }
    }
    Some(messages)
}

fn from_object(mut object: Map<String, Value>, role: Role, depth: usize) -> Option<Vec<Message>> {
    if object.get("role").is_some_and(Value::is_string) {
        let mut messages = Vec::with_capacity(1);
        of_message(object, role, &mut messages);
        return Some(messages);
    }
    if object.contains_key("lc") && object.contains_key("kwargs") {
        return of_langchain(object, role, depth);
    }
    if let Some(kind) = object.get("type").and_then(Value::as_str) {
        // Items of OpenAI's responses, which have no role.
        match kind {
            "function_call"
            | "tool_call"
            | "tool_use"
            | "function_call_output"
            | "tool_result"
            | "tool_call_response"
            | "reasoning" => {
                let mut messages = Vec::new();
                Parts::new(role).read(vec![Value::Object(object)], &mut messages);
                return Some(messages);
            }
            word if role_of(word).is_some() && object.contains_key("content") => {
                let role = role_of(word).unwrap_or(role);
                let mut messages = Vec::new();
                of_message(object, role, &mut messages);
                return Some(messages);
            }
            _ => {}
        }
    }
    // Requests: the instructions stand beside the messages.
    let mut messages = Vec::new();
    for key in ["system", "system_instruction", "systemInstruction", "instructions"] {
        if ["messages", "input", "contents", "prompt"].iter().any(|said| object.contains_key(*said))
            && let Some(value) = object.remove(key).filter(|value| !value.is_null())
        {
            messages.append(&mut from_value(value, Role::System, depth + 1).unwrap_or_default());
        }
    }
    // Requests, answers and wrappers, most telling first.
    for key in [
        "messages",
        "message",
        "choices",
        "generations",
        "contents",
        "candidates",
        "inputs",
        "outputs",
        "output",
        "input",
        "prompt",
    ] {
        let Some(value) = object.get(key) else { continue };
        // A prompt that is a text is told beside other words for the same below.
        if value.is_null() || (key == "prompt" && !value.is_array()) || value.as_array().is_some_and(Vec::is_empty) {
            continue;
        }
        if let Some(mut read) = object.remove(key).and_then(|value| from_value(value, role, depth + 1)) {
            messages.append(&mut read);
            return Some(messages);
        }
    }
    for key in ["parts", "content", "text"] {
        match object.remove(key) {
            Some(Value::Array(parts)) => {
                Parts::new(role).read(parts, &mut messages);
                return Some(messages);
            }
            Some(Value::String(text)) => {
                messages.push(plain(role, text));
                return Some(messages);
            }
            Some(inner @ Value::Object(_)) => return from_value(inner, role, depth + 1),
            _ => {}
        }
    }
    const TELLING: [&str; 12] = [
        "prompt",
        "query",
        "question",
        "task",
        "user_input",
        "user_message",
        "chat_input",
        "response",
        "answer",
        "result",
        "completion",
        "final_output",
    ];
    for key in TELLING {
        if let Some(Value::String(text)) = object.get_mut(key)
            && !text.is_empty()
        {
            messages.push(plain(role, std::mem::take(text)));
            return Some(messages);
        }
    }
    None
}

/// Messages as LangChain serialises its objects.
fn of_langchain(mut object: Map<String, Value>, role: Role, depth: usize) -> Option<Vec<Message>> {
    let class = object.get("id").and_then(|id| id.as_array()?.last()?.as_str().map(str::to_owned)).unwrap_or_default();
    let Some(Value::Object(mut inner)) = object.remove("kwargs") else { return None };
    if let Some(role) = role_of(&class) {
        let mut messages = Vec::new();
        inner.remove("role");
        of_message(inner, role, &mut messages);
        return Some(messages);
    }
    from_value(inner.remove("messages").or_else(|| inner.remove("message"))?, role, depth + 1)
}

/// One message as an object: the parts of the standard, OpenAI's content and tool calls, Anthropic's blocks.
fn of_message(mut object: Map<String, Value>, role: Role, out: &mut Vec<Message>) {
    let role = object.get("role").and_then(Value::as_str).and_then(role_of).unwrap_or(role);
    let mut parts = Parts::new(role);
    parts.message.name = take_text(&mut object, "name").map(name);
    parts.message.tool_call_id =
        take_text(&mut object, "tool_call_id").or_else(|| take_text(&mut object, "toolCallId")).map(name);
    if role == Role::Tool && parts.message.tool_call_id.is_none() {
        parts.message.tool_call_id = take_text(&mut object, "id").map(name);
    }
    if let Some(Value::Array(calls)) = object.remove("tool_calls") {
        parts.message.tool_calls.extend(calls.into_iter().filter_map(of_call));
    }
    if let Some(Value::Object(call)) = object.remove("function_call") {
        parts.message.tool_calls.extend(of_call(Value::Object(call)));
    }
    let said = object.remove("parts").or_else(|| object.remove("content")).or_else(|| object.remove("text"));
    match said {
        Some(Value::Array(list)) => return parts.read(list, out),
        Some(Value::String(text)) => parts.text(text),
        Some(Value::Object(part)) => return parts.read(vec![Value::Object(part)], out),
        _ => {}
    }
    if parts.message.text.is_empty()
        && let Some(refusal) = take_text(&mut object, "refusal")
    {
        parts.text(refusal);
    }
    parts.end(true, out);
}

/// A tool call in any of its spellings. `None` when it has no name.
fn of_call(value: Value) -> Option<ToolCall> {
    let Value::Object(mut call) = value else { return None };
    let id = ["id", "tool_call_id", "call_id", "toolCallId"].into_iter().find_map(|key| take_text(&mut call, key));
    let mut inner = match call
        .remove("function")
        .or_else(|| call.remove("server_tool_call"))
        .or_else(|| call.remove("functionCall"))
    {
        Some(Value::Object(mut function)) => {
            if !function.contains_key("name")
                && let Some(name) = call.remove("name")
            {
                function.insert("name".to_owned(), name);
            }
            function
        }
        _ => call,
    };
    let called = take_text(&mut inner, "name").or_else(|| take_text(&mut inner, "toolName"))?;
    let arguments =
        ["arguments", "args", "input", "parameters", "partial_json"].into_iter().find_map(|key| inner.remove(key));
    Some(ToolCall {
        id: id.map(name),
        name: name(called),
        arguments: content(arguments.map(json_text).unwrap_or_default()),
    })
}

fn take_text(object: &mut Map<String, Value>, key: &str) -> Option<String> {
    match object.get_mut(key)? {
        Value::String(text) if !text.is_empty() => Some(std::mem::take(text)),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

/// A value as text: a string as it is, anything else as JSON.
pub(crate) fn json_text(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Reads the parts of one message. A tool's answer among them becomes a message of its own.
struct Parts {
    message: Message,
}

impl Parts {
    fn new(role: Role) -> Self {
        Self { message: plain(role, String::new()) }
    }

    fn text(&mut self, text: String) {
        let into = &mut self.message.text;
        if into.is_empty() {
            *into = text;
        } else if !text.is_empty() && into.len() <= MAX_BYTES {
            into.push('\n');
            into.push_str(&text);
        }
    }

    fn read(mut self, parts: Vec<Value>, out: &mut Vec<Message>) {
        let before = out.len();
        for part in parts {
            match part {
                Value::String(text) => self.text(text),
                Value::Object(part) => self.part(part, out),
                _ => {}
            }
        }
        let alone = out.len() == before;
        self.end(alone, out);
    }

    fn part(&mut self, mut part: Map<String, Value>, out: &mut Vec<Message>) {
        let kind = take_text(&mut part, "type").unwrap_or_default();
        match kind.as_str() {
            "text" | "input_text" | "output_text" | "summary_text" => {
                if let Some(text) = take_text(&mut part, "content").or_else(|| take_text(&mut part, "text")) {
                    self.text(text);
                }
            }
            "tool_call" | "tool_use" | "function_call" | "tool-call" | "server_tool_call" | "server_tool_use" => {
                // OpenAI's items have an id of their own beside the call's.
                if let Some(id) = part.remove("call_id") {
                    part.insert("id".to_owned(), id);
                }
                self.message.tool_calls.extend(of_call(Value::Object(part)));
            }
            "tool_call_response"
            | "tool_result"
            | "tool-result"
            | "function_call_output"
            | "server_tool_call_response" => {
                let id = ["id", "tool_use_id", "tool_call_id", "call_id", "toolCallId"]
                    .into_iter()
                    .find_map(|key| take_text(&mut part, key));
                let called = take_text(&mut part, "name").or_else(|| take_text(&mut part, "toolName"));
                let answer = ["response", "result", "content", "output", "server_tool_call_response"]
                    .into_iter()
                    .find_map(|key| part.remove(key));
                let mut message = plain(Role::Tool, answer.map(answer_text).unwrap_or_default());
                message.tool_call_id = id.map(name).or_else(|| self.message.tool_call_id.clone());
                message.name = called.map(name);
                out.push(message);
            }
            "" => {
                // Google's parts have no type.
                if let Some(text) = take_text(&mut part, "text").or_else(|| take_text(&mut part, "content")) {
                    self.text(text);
                } else if let Some(call) = part.remove("functionCall").or_else(|| part.remove("function_call")) {
                    self.message.tool_calls.extend(of_call(call));
                } else if let Some(Value::Object(mut answer)) =
                    part.remove("functionResponse").or_else(|| part.remove("function_response"))
                {
                    let mut message = plain(Role::Tool, answer.remove("response").map(json_text).unwrap_or_default());
                    message.name = take_text(&mut answer, "name").map(name);
                    out.push(message);
                } else if part.contains_key("inlineData") || part.contains_key("inline_data") {
                    self.text("[file]".to_owned());
                }
            }
            "thinking" | "redacted_thinking" => self.text("[reasoning]".to_owned()),
            "image_url" | "input_image" => self.text("[image]".to_owned()),
            "input_audio" => self.text("[audio]".to_owned()),
            "blob" | "uri" | "file" => {
                let what = take_text(&mut part, "modality").unwrap_or(kind);
                self.text(format!("[{}]", name(what)));
            }
            _ => self.text(format!("[{}]", name(kind))),
        }
    }

    /// Ends the message; an empty one is kept only where it stands alone.
    fn end(mut self, alone: bool, out: &mut Vec<Message>) {
        self.message.text = content(self.message.text);
        if alone || !self.message.text.is_empty() || !self.message.tool_calls.is_empty() {
            out.push(self.message);
        }
    }
}

/// The text of a tool's answer: a list of text parts is joined, anything else stays JSON.
fn answer_text(mut value: Value) -> String {
    // The Vercel AI SDK says beside the answer of which form it is.
    if let Some("text" | "json" | "error-text" | "error-json" | "content") = value.get("type").and_then(Value::as_str)
        && let Some(inner) = value.get_mut("value")
    {
        value = inner.take();
    }
    let Value::Array(parts) = &value else { return json_text(value) };
    let texts: Option<Vec<&str>> = parts
        .iter()
        .map(|part| {
            let is_text = part.get("type")?.as_str()? == "text";
            part.get("text").or_else(|| part.get("content"))?.as_str().filter(|_| is_text)
        })
        .collect();
    match texts {
        Some(texts) if !texts.is_empty() => texts.join("\n"),
        _ => json_text(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Message> {
        from_text(text.to_owned(), Role::User)
    }

    #[test]
    fn the_standard_s_parts_are_read() {
        let messages = read(
            r#"[{"role":"user","parts":[{"type":"text","content":"Weather?"},{"type":"blob","modality":"image","content":"aGk="}]},
                {"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"weather","arguments":{"city":"Paris"}}]},
                {"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":"rainy"}]}]"#,
        );
        assert_eq!(messages.len(), 3);
        assert_eq!(messages[0].text, "Weather?\n[image]");
        assert_eq!(messages[1].tool_calls[0].arguments, r#"{"city":"Paris"}"#);
        assert_eq!(
            (messages[2].role, messages[2].text.as_str(), messages[2].tool_call_id.as_deref()),
            (Role::Tool, "rainy", Some("c1"))
        );
    }

    #[test]
    fn the_short_way_and_the_long_way_say_the_same() {
        let standard = r#"[{"role":"system","parts":[]},{"role":"unknown","parts":[{"type":"text","content":""},{"type":"tool_call","id":"c","name":"f","arguments":{"b":1,"a":[2]}},{"type":"tool_call","id":"c","name":"g","arguments":"{}"},{"type":"reasoning","content":"hm"},{"type":"uri"}],"finish_reason":"stop"},{"role":"tool","parts":[{"type":"tool_call_response","id":"c","response":[{"type":"text","text":"x"}]},{"type":"tool_call_response","id":"","response":{"a":1}}]}]"#;
        // A blank before it leads the reader the long way.
        assert_eq!(read(standard), read(&format!(" {standard}")));
        assert!(serde_json::from_str::<Vec<StandardMessage<'_>>>(standard).is_ok());
    }

    #[test]
    fn a_provider_s_whole_request_or_answer_is_read() {
        let request = read(
            r#"{"model":"m","system":"Be brief","messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}"#,
        );
        assert_eq!(
            request.iter().map(|m| (m.role, m.text.as_str())).collect::<Vec<_>>(),
            [(Role::System, "Be brief"), (Role::User, "Hi")]
        );
        let answer = read(
            r#"{"choices":[{"finish_reason":"tool_calls","message":{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}}]}"#,
        );
        assert_eq!(answer[0].tool_calls[0].name, "f");
        let responses = read(
            r#"{"output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Done"}]}]}"#,
        );
        assert_eq!(responses[0].text, "Done");
        let google = read(r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#);
        assert_eq!(google[0].text, "Hi");
    }

    #[test]
    fn very_many_parts_make_one_bounded_text() {
        let parts: Vec<Value> = (0..200_000).map(|_| serde_json::json!({"type": "text", "content": "ä"})).collect();
        let messages = from_json(serde_json::json!([{"role": "user", "parts": parts}]), Role::User);
        assert_eq!(messages.len(), 1);
        assert!(messages[0].text.ends_with("… [cut]"));
    }

    #[test]
    fn several_tool_answers_in_one_message_become_messages() {
        let messages = read(
            r#"[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"1"},{"type":"tool_result","tool_use_id":"b","content":[{"type":"text","text":"2"}]}]}]"#,
        );
        let told: Vec<_> = messages.iter().map(|m| (m.role, m.tool_call_id.as_deref(), m.text.as_str())).collect();
        assert_eq!(told, [(Role::Tool, Some("a"), "1"), (Role::Tool, Some("b"), "2")]);
    }

    #[test]
    fn langchain_s_own_objects_are_read() {
        let messages = read(
            r#"{"inputs":{"messages":[{"lc":1,"type":"constructor","id":["langchain","schema","messages","HumanMessage"],"kwargs":{"content":"What is it?","type":"human"}}]},"tags":[]}"#,
        );
        assert_eq!((messages[0].role, messages[0].text.as_str()), (Role::User, "What is it?"));
    }

    #[test]
    fn what_is_no_conversation_stays_as_it_was_sent() {
        for text in [r#"{"counter":1}"#, "[1,2", "plain", r#"{"a":{"b":[]}}"#] {
            assert_eq!(read(text), [plain(Role::User, text.to_owned())], "{text}");
        }
        assert!(read("  ").is_empty());
    }

    #[test]
    fn a_long_conversation_keeps_its_beginning_and_its_end() {
        let mut messages: Vec<_> = (0..1_000).map(|n| plain(Role::User, n.to_string())).collect();
        assert!(bound(&mut messages));
        assert_eq!(messages.len(), MAX_MESSAGES);
        assert_eq!((messages[0].text.as_str(), messages[MAX_MESSAGES - 1].text.as_str()), ("0", "999"));
    }
}
