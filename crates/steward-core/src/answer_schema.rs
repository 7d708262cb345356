//! A JSON Schema that the last answer of a run must fit, and what does not fit, in words that quote nothing of it.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, OnceLock};

use boon::{CompileError, Compiler, Draft, ErrorKind, SchemaIndex, Schemas, UrlLoader, ValidationError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The most characters of a schema.
pub const MAX_SCHEMA_CHARS: usize = 20_000;
/// The most names that one message lists.
const MAX_NAMES: usize = 5;
/// The stack that one schema within a schema may take while something is compared with it. Measured: 4 kB optimised,
/// 10 kB not.
const FRAME_BYTES: usize = if cfg!(debug_assertions) { 32 * 1024 } else { 8 * 1024 };
/// The most stack for one comparison. It is only reserved: memory is taken as it is used.
const MAX_STACK_BYTES: usize = 512 * 1024 * 1024;
/// Schemas within the schema of schemas that may apply to one place.
const SCHEMAS_OF_SCHEMAS: usize = 16;
/// Where a schema is, for references within it. Nothing is fetched from there.
const PLACE: &str = "steward:///schema";

/// A JSON Schema for answers (drafts 4, 6, 7, 2019-09 and 2020-12), compiled when it is first needed.
#[derive(Clone)]
pub struct AnswerSchema {
    schema: Value,
    compiled: OnceLock<Option<Arc<Compiled>>>,
}

struct Compiled {
    schemas: Schemas,
    root: SchemaIndex,
}

impl AnswerSchema {
    /// Takes a schema.
    ///
    /// # Errors
    ///
    /// In words, when it is no JSON Schema, refers to another document, or is too long.
    pub fn new(schema: Value) -> Result<Self, String> {
        if schema.to_string().chars().count() > MAX_SCHEMA_CHARS {
            return Err(format!("the schema has more than {MAX_SCHEMA_CHARS} characters"));
        }
        let compiled = compile(&schema)?;
        Ok(Self { schema, compiled: OnceLock::from(Some(Arc::new(compiled))) })
    }

    /// The schema as JSON.
    #[must_use]
    pub fn as_json(&self) -> &Value {
        &self.schema
    }

    /// What is wrong with an answer, in words; `None` when it fits, or when the schema is none.
    pub(crate) fn misfit(&self, answer: &str) -> Option<String> {
        let compiled = self.compiled.get_or_init(|| compile(&self.schema).ok().map(Arc::new)).as_ref()?;
        let Ok(value) = serde_json::from_str::<Value>(without_fence(answer)) else {
            return Some("the last answer is not JSON".to_owned());
        };
        // No schema applies twice to one place of an answer: that is a cycle, and told as one.
        let n_frames = compiled.schemas.size().saturating_mul(depth(&value));
        let compare = || compiled.misfit(&value);
        with_stack(n_frames, compare).unwrap_or_else(|| {
            Some("the last answer cannot be compared with the schema: both are nested too deeply".to_owned())
        })
    }
}

impl Compiled {
    fn misfit(&self, answer: &Value) -> Option<String> {
        let error = self.schemas.validate(answer, self.root).err()?;
        let cause = first_cause(&error);
        let place = cause.instance_location.to_string();
        let place = if place.is_empty() { "the last answer".to_owned() } else { format!("the last answer at {place}") };
        Some(format!("{place} does not fit the schema: {}", in_words(&cause.kind)))
    }
}

/// Compiles a schema that stands alone: nothing is fetched, and patterns take time in proportion to what they read.
fn compile(schema: &Value) -> Result<Compiled, String> {
    with_stack(depth(schema).saturating_mul(SCHEMAS_OF_SCHEMAS), || compile_here(schema))
        .unwrap_or_else(|| Err("the schema cannot be used: it is nested too deeply".to_owned()))
}

fn compile_here(schema: &Value) -> Result<Compiled, String> {
    let unusable = |error| format!("the schema cannot be used: {}", why_unusable(&error));
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.use_loader(Box::new(Nowhere));
    compiler.add_resource(PLACE, schema.clone()).map_err(unusable)?;
    let mut schemas = Schemas::new();
    let root = compiler.compile(PLACE, &mut schemas).map_err(unusable)?;
    Ok(Compiled { schemas, root })
}

/// Does what is recursive with as much stack as it may need. `None` when that is too much.
fn with_stack<T: Send>(n_frames: usize, work: impl FnOnce() -> T + Send) -> Option<T> {
    let bytes = n_frames.saturating_add(8).saturating_mul(FRAME_BYTES);
    if bytes > MAX_STACK_BYTES {
        return None;
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(bytes).spawn_scoped(scope, work);
        thread.ok().and_then(|thread| thread.join().ok())
    })
}

/// How deep a value is nested: 1 for one that holds nothing. Values come from JSON, whose reader bounds this.
fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(members) => members.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

/// Loads no document, and no file either.
struct Nowhere;

impl UrlLoader for Nowhere {
    fn load(&self, url: &str) -> Result<Value, Box<dyn Error>> {
        Err(format!("{url} is another document").into())
    }
}

fn why_unusable(error: &CompileError) -> String {
    match error {
        CompileError::ValidationError { src, .. } => {
            let cause = first_cause(src);
            if let ErrorKind::Format { got, want: "regex", .. } = &cause.kind {
                return no_pattern(got.as_str().unwrap_or_default());
            }
            let place = cause.instance_location.to_string();
            let place = if place.is_empty() { "it".to_owned() } else { format!("what stands at {place}") };
            format!("{place} is no JSON Schema: {}", in_words(&cause.kind))
        }
        CompileError::LoadUrlError { url, .. } | CompileError::UnsupportedUrlScheme { url } => {
            format!("it refers to {}, and a schema must stand alone", short(url))
        }
        CompileError::JsonPointerNotFound(place) => format!("it refers to {}, which is not in it", short(place)),
        CompileError::AnchorNotFound { reference, .. } => {
            format!("it refers to {}, which is not in it", short(reference))
        }
        CompileError::InvalidRegex { regex, .. } => no_pattern(regex),
        other => short(&other.to_string()),
    }
}

fn no_pattern(text: &str) -> String {
    format!("the pattern {text} is no regular expression, or one that looks ahead or back, which takes too long")
}

/// A message or an address without the place that only we know.
fn short(text: &str) -> String {
    text.replace(PLACE, "")
}

/// The first thing that is wrong, as deep as it is told. Of alternatives of which none fits, that none fits.
fn first_cause<'a, 's, 'v>(error: &'a ValidationError<'s, 'v>) -> &'a ValidationError<'s, 'v> {
    let mut cause = error;
    while let (
        ErrorKind::Group
        | ErrorKind::Schema { .. }
        | ErrorKind::Reference { .. }
        | ErrorKind::ContentSchema
        | ErrorKind::AllOf,
        Some(inner),
    ) = (&cause.kind, cause.causes.first())
    {
        cause = inner;
    }
    cause
}

/// What is wrong, quoting the schema and never the answer: a message is read by more people than an answer is.
fn in_words(kind: &ErrorKind<'_, '_>) -> String {
    match kind {
        ErrorKind::Type { got, want } => {
            let want: Vec<String> = want.iter().map(|kind| kind.to_string()).collect();
            format!("it is {got} and not {}", want.join(" or "))
        }
        ErrorKind::Required { want } => format!("{} missing", names(want)),
        ErrorKind::Dependency { prop, missing } | ErrorKind::DependentRequired { prop, missing } => {
            format!("{} missing, where “{prop}” is given", names(missing))
        }
        ErrorKind::AdditionalProperties { got } => match got.len() {
            1 => "it has a member that the schema does not allow".to_owned(),
            n => format!("it has {n} members that the schema does not allow"),
        },
        ErrorKind::PropertyName { .. } => "it has a member whose name the schema does not allow".to_owned(),
        ErrorKind::MinProperties { got, want } => format!("it has {got} members and not at least {want}"),
        ErrorKind::MaxProperties { got, want } => format!("it has {got} members and not at most {want}"),
        ErrorKind::Enum { .. } => "it is none of the values that are allowed".to_owned(),
        ErrorKind::Const { .. } => "it is not the one value that is allowed".to_owned(),
        ErrorKind::Format { want, .. } => format!("it has not the format “{want}”"),
        ErrorKind::Pattern { want, .. } => format!("it does not match the pattern {want}"),
        ErrorKind::MinLength { got, want } => format!("it has {got} characters and not at least {want}"),
        ErrorKind::MaxLength { got, want } => format!("it has {got} characters and not at most {want}"),
        ErrorKind::MinItems { got, want } => format!("it has {got} items and not at least {want}"),
        ErrorKind::MaxItems { got, want } => format!("it has {got} items and not at most {want}"),
        ErrorKind::AdditionalItems { got } => format!("it has {got} more items than the schema allows"),
        ErrorKind::UniqueItems { got: [a, b] } => format!("its items {a} and {b} are the same"),
        ErrorKind::Contains => "it contains nothing of what it must contain".to_owned(),
        ErrorKind::MinContains { got, want } => {
            format!("it contains {} of what it must contain at least {want} of", got.len())
        }
        ErrorKind::MaxContains { got, want } => {
            format!("it contains {} of what it may contain at most {want} of", got.len())
        }
        ErrorKind::Minimum { want, .. } => format!("it is less than {want}"),
        ErrorKind::Maximum { want, .. } => format!("it is more than {want}"),
        ErrorKind::ExclusiveMinimum { want, .. } => format!("it is not more than {want}"),
        ErrorKind::ExclusiveMaximum { want, .. } => format!("it is not less than {want}"),
        ErrorKind::MultipleOf { want, .. } => format!("it is no multiple of {want}"),
        ErrorKind::AnyOf | ErrorKind::OneOf(None) => "it fits none of the alternatives".to_owned(),
        ErrorKind::OneOf(Some(_)) => "it fits more than one of the alternatives".to_owned(),
        ErrorKind::Not => "it fits what it must not".to_owned(),
        ErrorKind::FalseSchema => "nothing is allowed here".to_owned(),
        ErrorKind::RefCycle { .. } => "the schema refers to itself without an end".to_owned(),
        ErrorKind::ContentEncoding { want, .. } | ErrorKind::ContentMediaType { want, .. } => {
            format!("its content is not “{want}”")
        }
        ErrorKind::Group
        | ErrorKind::Schema { .. }
        | ErrorKind::ContentSchema
        | ErrorKind::Reference { .. }
        | ErrorKind::AllOf => "it does not fit".to_owned(),
    }
}

/// Names of the schema: `“a” is`, or `“a” and “b” are`.
fn names(all: &[&str]) -> String {
    let shown: Vec<String> = all.iter().take(MAX_NAMES).map(|name| format!("“{name}”")).collect();
    let more = all.len().saturating_sub(MAX_NAMES);
    match (shown.as_slice(), more) {
        ([one], 0) => format!("{one} is"),
        ([first @ .., last], 0) => format!("{} and {last} are", first.join(", ")),
        (all, more) => format!("{} and {more} more are", all.join(", ")),
    }
}

/// JSON without the fence of Markdown that models like to put around it.
fn without_fence(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) else { return text };
    inner.strip_prefix("json").unwrap_or(inner).trim()
}

impl fmt::Debug for AnswerSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnswerSchema").field(&self.schema).finish()
    }
}

impl PartialEq for AnswerSchema {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema
    }
}

impl Serialize for AnswerSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.schema.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AnswerSchema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Compiled when it is needed: settings are read far more often than schemas are used.
        Ok(Self { schema: Value::deserialize(deserializer)?, compiled: OnceLock::new() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn misfit(schema: Value, answer: &str) -> Option<String> {
        AnswerSchema::new(schema).expect("a schema").misfit(answer)
    }

    fn refused(schema: Value) -> String {
        AnswerSchema::new(schema).expect_err("no schema")
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place_and_without_a_word_of_the_answer() {
        let schema = json!({
            "type": "object",
            "required": ["seats", "name"],
            "additionalProperties": false,
            "properties": {
                "seats": {"type": "integer", "minimum": 1, "maximum": 9},
                "name": {"type": ["string", "null"], "maxLength": 8},
                "class": {"enum": ["economy", "business"]},
                "legs": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/leg"}},
                "code": {"pattern": "^[A-Z]{6}$"},
                "pay": {"oneOf": [{"type": "string"}, {"type": "number"}]},
            },
            "$defs": {"leg": {"required": ["to"]}},
        });
        for (answer, words) in [
            ("[]", "the last answer does not fit the schema: it is array and not object"),
            ("{}", "the last answer does not fit the schema: “seats” and “name” are missing"),
            (r#"{"seats": 1}"#, "“name” is missing"),
            (
                r#"{"seats": "Lovelace", "name": null}"#,
                "at /seats does not fit the schema: it is string and not integer",
            ),
            (r#"{"seats": 12, "name": null}"#, "at /seats does not fit the schema: it is more than 9"),
            (r#"{"seats": 1, "name": "Ada Lovelace"}"#, "it has 12 characters and not at most 8"),
            (r#"{"seats": 1, "name": null, "Lovelace": 1}"#, "it has a member that the schema does not allow"),
            (r#"{"seats": 1, "name": null, "class": "Lovelace"}"#, "at /class does not fit the schema: it is none of"),
            (r#"{"seats": 1, "name": null, "legs": []}"#, "it has 0 items and not at least 1"),
            (r#"{"seats": 1, "name": null, "legs": [{"to": 1}, {}]}"#, "at /legs/1 does not fit the schema: “to” is"),
            (r#"{"seats": 1, "name": null, "code": "Lovelace"}"#, "it does not match the pattern ^[A-Z]{6}$"),
            (r#"{"seats": 1, "name": null, "pay": []}"#, "it fits none of the alternatives"),
        ] {
            let found = misfit(schema.clone(), answer).expect("it does not fit");
            assert!(found.contains(words) && !found.contains("Lovelace"), "{answer}: {found}");
        }
        assert_eq!(misfit(schema, r#"{"seats": 1, "name": null, "code": "ABCDEF", "pay": 7}"#), None);
    }

    #[test]
    fn a_schema_stands_alone_and_says_what_is_wrong_with_it() {
        for (schema, words) in [
            (json!({"$ref": "https://example.com/schema.json"}), "it refers to https://example.com/schema.json, and"),
            (json!({"$ref": "file:///etc/passwd"}), "it refers to file:///etc/passwd, and a schema must stand alone"),
            (json!({"$ref": "other.json"}), "and a schema must stand alone"),
            (json!({"$schema": "https://example.com/our-own"}), "and a schema must stand alone"),
            (json!({"$ref": "#/$defs/none"}), "it refers to #/$defs/none, which is not in it"),
            (json!({"$ref": "#none"}), "which is not in it"),
            (json!({"type": "no such type"}), "what stands at /type is no JSON Schema"),
            (json!({"type": 7}), "what stands at /type is no JSON Schema"),
            (json!(7), "it is no JSON Schema: it is number and not boolean or object"),
            (json!({"pattern": "("}), "the pattern ( is no regular expression"),
            (json!({"pattern": "(?=a)b"}), "the pattern (?=a)b is no regular expression"),
            (json!({"$id": "::"}), "id"),
        ] {
            let found = refused(schema.clone());
            assert!(
                found.starts_with("the schema cannot be used: ") && found.contains(words) && !found.contains(PLACE),
                "{schema}: {found}"
            );
        }
        assert!(refused(json!({"title": "x".repeat(MAX_SCHEMA_CHARS)})).contains("more than 20000 characters"));
    }

    #[test]
    fn drafts_ids_and_references_within_are_understood() {
        for schema in [
            json!({"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"n": {"type": "integer"}},
                "properties": {"n": {"$ref": "#/definitions/n"}}}),
            json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/answer.json",
                "$defs": {"n": {"$anchor": "n", "type": "integer"}}, "properties": {"n": {"$ref": "#n"}}}),
            json!({"$id": "answer.json", "$defs": {"n": {"$id": "n.json", "type": "integer"}},
                "properties": {"n": {"$ref": "n.json"}}}),
            json!({"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"n": {"type": "integer"}}}),
        ] {
            assert_eq!(misfit(schema.clone(), r#"{"n": 1}"#), None, "{schema}");
            assert!(misfit(schema.clone(), r#"{"n": "one"}"#).is_some_and(|words| words.contains("/n")), "{schema}");
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        for schema in [
            json!({"$ref": "#"}),
            json!({"$ref": ""}),
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}),
            json!({"allOf": [{"$ref": "#"}]}),
            json!({"$dynamicRef": "#"}),
        ] {
            let found = AnswerSchema::new(schema.clone()).map(|schema| schema.misfit("{}"));
            assert!(matches!(&found, Err(_) | Ok(Some(_))), "{schema}: {found:?}");
        }
        let tree = json!({"type": "array", "items": {"$ref": "#"}});
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert_eq!(misfit(tree.clone(), &deep(100)), None);
        assert!(misfit(tree.clone(), &deep(100).replace("[]", "[1]")).is_some_and(|words| words.contains("/0/0")));
        assert_eq!(misfit(tree, &deep(100_000)).as_deref(), Some("the last answer is not JSON"));
        // As deep as JSON is read, on both sides and in between.
        let mut nested = json!({"$ref": "#"});
        for _ in 0..50 {
            nested = json!({"allOf": [nested]});
        }
        let spiral = json!({"type": "array", "items": nested});
        assert_eq!(misfit(spiral, &deep(120)), None);
        let parsed = |n: usize| serde_json::from_str(&format!("{}true{}", "{\"items\":".repeat(n), "}".repeat(n)));
        assert_eq!(misfit(parsed(120).expect("JSON"), &deep(120)), None);
        let members = vec![json!({"$ref": "#"}); 1_000];
        let wide = json!({"type": "array", "items": {"prefixItems": members}});
        let found = misfit(wide, &deep(120));
        assert!(found.is_none_or(|words| words.contains("nested too deeply")));
    }
}
