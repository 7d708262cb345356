//! The many names of a model and of its provider, brought down to one.

use std::borrow::Cow;

/// Names before a slash that say where a model runs or who made it, and what they mean. An empty meaning says nothing
/// about who answers the call.
///
/// A name that is not here is left in place: it may be a host with prices of its own, or somebody's deployment.
const BEFORE_A_SLASH: [(&str, &str); 33] = [
    ("anthropic", ""),
    ("azure", "azure"),
    ("azure_ai", "azure"),
    ("bedrock", "bedrock"),
    ("bedrock_converse", "bedrock"),
    ("cohere", ""),
    ("converse", ""),
    ("deepseek", ""),
    ("deepseek-ai", ""),
    ("gemini", ""),
    ("global", ""),
    ("global-standard", ""),
    ("google", ""),
    ("groq", "groq"),
    ("meta-llama", ""),
    ("mistral", ""),
    ("mistralai", ""),
    ("models", ""),
    ("openai", ""),
    ("openrouter", "openrouter"),
    ("publishers", ""),
    ("cerebras", "cerebras"),
    ("fireworks_ai", "fireworks"),
    ("together_ai", "together"),
    ("perplexity", "perplexity"),
    ("voyage", ""),
    ("vertex_ai", ""),
    ("vercel_ai_gateway", "vercel"),
    ("litellm_proxy", ""),
    ("x-ai", ""),
    ("xai", ""),
    ("amazon", ""),
    ("cohere_chat", ""),
];

/// Names before a point: the regions and makers of Amazon Bedrock.
const BEFORE_A_POINT: [&str; 14] = [
    "us",
    "eu",
    "apac",
    "jp",
    "au",
    "ca",
    "global",
    "us-gov",
    "anthropic",
    "amazon",
    "meta",
    "mistral",
    "cohere",
    "openai",
];

/// What telemetry calls a provider, and what it is called here.
///
/// The names are those of the OpenTelemetry GenAI conventions in their generations, of OpenInference, of the Vercel AI
/// SDK (which adds the kind of call after a point) and of LiteLLM.
const PROVIDERS: [(&str, &str); 24] = [
    ("aws.bedrock", "bedrock"),
    ("aws_bedrock", "bedrock"),
    ("amazon-bedrock", "bedrock"),
    ("bedrock_converse", "bedrock"),
    ("aws", "bedrock"),
    ("amazon", "bedrock"),
    ("azure.ai.openai", "azure"),
    ("azure.ai.inference", "azure"),
    ("az.ai.openai", "azure"),
    ("az.ai.inference", "azure"),
    ("azure_openai", "azure"),
    ("azure_ai", "azure"),
    ("gcp.gemini", "google"),
    ("gcp.vertex_ai", "google"),
    ("gcp.gen_ai", "google"),
    ("vertex_ai", "google"),
    ("vertexai", "google"),
    ("gemini", "google"),
    ("mistral_ai", "mistral"),
    ("mistralai", "mistral"),
    ("x_ai", "xai"),
    ("x-ai", "xai"),
    ("fireworks_ai", "fireworks"),
    ("together_ai", "together"),
];

/// The one name of a provider.
pub(super) fn canonical_provider(name: &str) -> &str {
    let name = name.trim();
    if let Some((_, canonical)) = PROVIDERS.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name)) {
        return canonical;
    }
    // "openai.chat" of the Vercel AI SDK; "google.generative-ai".
    let short = name.split('.').next().unwrap_or(name);
    PROVIDERS.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(short)).map_or(short, |(_, canonical)| canonical)
}

/// The provider that a model's id names, where it says who answers the call.
pub(super) fn provider_in(model: &str) -> Option<&'static str> {
    let (first, _) = model.split_once('/')?;
    meaning(first).filter(|provider| !provider.is_empty())
}

fn meaning(segment: &str) -> Option<&'static str> {
    BEFORE_A_SLASH.iter().find(|(name, _)| name.eq_ignore_ascii_case(segment)).map(|(_, provider)| *provider)
}

/// The id in lower case and without blanks around it; the same text where it already is.
pub(super) fn lower(model: &str) -> Cow<'_, str> {
    let model = model.trim();
    if model.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(model.to_ascii_lowercase())
    } else {
        Cow::Borrowed(model)
    }
}

/// The id without any name in front of it.
pub(super) fn bare(name: &str) -> &str {
    let mut rest = name;
    while let Some(shorter) = without_front(rest) {
        rest = shorter;
    }
    rest
}

/// The id without the first name in front of it. `None` when there is none that is known.
fn without_front(name: &str) -> Option<&str> {
    // An Amazon resource name ends in the id: "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.…".
    if name.starts_with("arn:") {
        return name.rsplit_once('/').map(|(_, rest)| rest);
    }
    if let Some((first, rest)) = name.split_once('/') {
        return meaning(first).map(|_| rest);
    }
    let (first, rest) = name.split_once('.')?;
    BEFORE_A_POINT.contains(&first).then_some(rest)
}

/// The names under which a model's price may stand, from the most exact to the least.
pub(super) struct Candidates<'a> {
    next: Option<Cow<'a, str>>,
    /// The shortest front-less name, whose tail is cut after the fronts are gone.
    stage: Stage<'a>,
}

enum Stage<'a> {
    Fronts(&'a str),
    Tails(&'a str),
    /// OpenRouter writes versions of Claude with points: "claude-3.5-sonnet".
    Points(&'a str),
    Done,
}

impl<'a> Candidates<'a> {
    pub(super) fn of(name: &'a str) -> Self {
        Self { next: Some(Cow::Borrowed(name)), stage: Stage::Fronts(name) }
    }

    fn advance(&mut self) {
        loop {
            match self.stage {
                Stage::Fronts(name) => match without_front(name) {
                    Some(rest) => {
                        self.stage = Stage::Fronts(rest);
                        self.next = Some(Cow::Borrowed(rest));
                        return;
                    }
                    None => self.stage = Stage::Tails(name),
                },
                Stage::Tails(name) => match without_tail(name) {
                    Some(rest) => {
                        self.stage = Stage::Tails(rest);
                        self.next = Some(Cow::Borrowed(rest));
                        return;
                    }
                    None => self.stage = Stage::Points(name),
                },
                Stage::Points(name) => {
                    self.stage = Stage::Done;
                    if name.starts_with("claude-") && name.contains('.') {
                        self.next = Some(Cow::Owned(name.replace('.', "-")));
                    }
                    return;
                }
                Stage::Done => return,
            }
        }
    }
}

impl<'a> Iterator for Candidates<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        let now = self.next.take()?;
        self.advance();
        Some(now)
    }
}

/// The id without the version behind it. `None` when there is none.
///
/// Cuts `-latest`, `-v1:0` and `-v2` (Bedrock, Vertex), `@20240620` and `@001` (Vertex), `-2024-08-06` (OpenAI),
/// `-20241022` (Anthropic), `-08-2024` (Cohere), `-0613` and `-2411` (OpenAI, Mistral) and `-001` (Google). A suffix such as `:free` means
/// another price and stays.
fn without_tail(name: &str) -> Option<&str> {
    if let Some(rest) = name.strip_suffix("-latest").or_else(|| name.strip_suffix("@latest")) {
        return Some(rest);
    }
    if let Some((rest, version)) = name.rsplit_once("-v") {
        let (major, minor) = version.split_once(':').unwrap_or((version, "0"));
        if is_digits(major) && major.len() <= 2 && is_digits(minor) {
            return Some(rest);
        }
    }
    if let Some((rest, version)) = name.rsplit_once('@') {
        return is_digits(version).then_some(rest);
    }
    let (rest, last) = name.rsplit_once('-')?;
    if !is_digits(last) {
        return None;
    }
    match last.len() {
        8 => Some(rest),
        3 if last.starts_with('0') => Some(rest),
        // "-08-2024", or the month and day "-0613" or the year and month "-2411".
        4 => match rest.rsplit_once('-') {
            Some((shorter, month)) if month.len() == 2 && is_digits(month) && last.starts_with("20") => Some(shorter),
            _ => Some(rest),
        },
        2 => {
            let (rest, month) = rest.rsplit_once('-')?;
            let (rest, year) = rest.rsplit_once('-')?;
            let is_date = month.len() == 2 && is_digits(month) && year.len() == 4 && is_digits(year);
            is_date.then_some(rest)
        }
        _ => None,
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn last_of(name: &str) -> String {
        Candidates::of(name).last().map(Cow::into_owned).unwrap_or_default()
    }

    #[test]
    fn every_way_to_write_a_model_ends_in_one_name() {
        for (written, name) in [
            ("openai/gpt-4o", "gpt-4o"),
            ("azure/gpt-4o-2024-08-06", "gpt-4o"),
            ("azure/global-standard/gpt-4o-mini", "gpt-4o-mini"),
            ("models/gemini-2.5-pro", "gemini-2.5-pro"),
            ("publishers/google/models/gemini-2.5-flash", "gemini-2.5-flash"),
            ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4"),
            ("bedrock/eu.anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku"),
            ("arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-lite-v1:0", "nova-lite"),
            ("claude-3-5-sonnet@20240620", "claude-3-5-sonnet"),
            ("claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet"),
            ("anthropic/claude-3.7-sonnet", "claude-3-7-sonnet"),
            ("gpt-4-0613", "gpt-4"),
            ("command-r-08-2024", "command-r"),
            ("mistral/mistral-large-latest", "mistral-large"),
            ("gemini-2.0-flash-001", "gemini-2.0-flash"),
            ("gpt-4o:free", "gpt-4o:free"),
            ("my-company/gpt-4o", "my-company/gpt-4o"),
            ("gpt-4.1", "gpt-4.1"),
        ] {
            assert_eq!(last_of(written), name, "{written}");
        }
    }

    #[test]
    fn providers_have_one_name() {
        for (written, name) in [
            ("azure.ai.openai", "azure"),
            ("az.ai.openai", "azure"),
            ("aws.bedrock", "bedrock"),
            ("gcp.vertex_ai", "google"),
            ("google.generative-ai", "google"),
            ("openai.chat", "openai"),
            ("openai", "openai"),
            ("x_ai", "xai"),
            ("AWS.Bedrock", "bedrock"),
        ] {
            assert_eq!(canonical_provider(written), name, "{written}");
        }
        assert_eq!(provider_in("groq/openai/gpt-oss-120b"), Some("groq"));
        assert_eq!(provider_in("openai/gpt-4o"), None);
    }

    proptest! {
        #[test]
        fn no_name_makes_it_panic_or_run_forever(name in "[a-z0-9./:@v-]{0,60}|.{0,40}") {
            prop_assert!(Candidates::of(&lower(&name)).count() <= name.len() + 3);
            bare(&name);
            canonical_provider(&name);
            provider_in(&name);
        }
    }
}
