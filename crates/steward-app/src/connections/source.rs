//! What may send a workflow's runs.

use steward_wire::platforms::Platform;

/// Something that sends runs, or signs of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The word for it, as stored and in addresses.
    pub word: &'static str,
    /// Its name, as shown.
    pub name: &'static str,
    /// How it is connected.
    pub how: How,
}

/// How a source is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It sends with an API key of the workflow.
    Key,
    /// Its platform calls an address, and shows by a secret that it is itself.
    Hook(Platform),
    /// It calls an address to say that it is alive.
    Beat,
}

const fn of(word: &'static str, name: &'static str, how: How) -> Source {
    Source { word, name, how }
}

impl Source {
    /// Every source, in the order in which they are offered.
    pub const ALL: [Self; 20] = [
        of("otel_python", "OpenTelemetry, Python", How::Key),
        of("otel_js", "OpenTelemetry, JavaScript", How::Key),
        of("openai", "OpenAI instrumentation", How::Key),
        of("anthropic", "Anthropic instrumentation", How::Key),
        of("langgraph_sdk", "LangGraph and LangChain in your program", How::Key),
        of("vercel_ai", "Vercel AI SDK", How::Key),
        of("langfuse", "Langfuse SDK", How::Key),
        of("otel_any", "Anything else with OpenTelemetry", How::Key),
        of("json", "Native JSON", How::Key),
        of("curl", "curl", How::Key),
        of("vapi", "Vapi", How::Hook(Platform::Vapi)),
        of("retell", "Retell", How::Hook(Platform::Retell)),
        of("elevenlabs", "ElevenLabs Agents", How::Hook(Platform::ElevenLabs)),
        of("n8n", "n8n", How::Hook(Platform::N8n)),
        of("make", "Make", How::Hook(Platform::Make)),
        of("zapier", "Zapier", How::Hook(Platform::Zapier)),
        of("langgraph", "LangGraph Platform", How::Hook(Platform::LangGraph)),
        of("twilio", "Twilio", How::Hook(Platform::Twilio)),
        of("event", "An event of your own", How::Hook(Platform::Event)),
        of("beat", "A sign of life", How::Beat),
    ];

    /// Finds a source by its word. `None` for anything else.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.word == word)
    }

    /// The platform whose webhooks it takes. `None` for what sends with a key, and for beats.
    #[must_use]
    pub const fn platform(self) -> Option<Platform> {
        match self.how {
            How::Hook(platform) => Some(platform),
            How::Key | How::Beat => None,
        }
    }

    /// Whether its platform can be asked for what webhooks lost.
    #[must_use]
    pub const fn can_be_asked(self) -> bool {
        matches!(
            self.how,
            How::Hook(Platform::Vapi | Platform::Retell | Platform::ElevenLabs | Platform::N8n | Platform::Make)
        )
    }

    /// Whether its platform signs with a secret of its own, which has to be entered; for others one is made.
    #[must_use]
    pub const fn brings_its_secret(self) -> bool {
        matches!(self.how, How::Hook(Platform::Retell | Platform::ElevenLabs | Platform::Twilio))
    }
}

#[cfg(test)]
mod tests {
    use steward_store::system::InboxKind;

    use super::*;

    #[test]
    fn every_platform_is_a_source_and_a_kind_of_the_inbox() {
        for platform in Platform::ALL {
            let source = Source::find(platform.as_str()).expect("a source");
            assert_eq!(source.platform(), Some(platform));
            assert_eq!(InboxKind::parse(platform.as_str()).map(InboxKind::as_str), Some(platform.as_str()));
        }
        for (place, source) in Source::ALL.iter().enumerate() {
            assert!(!Source::ALL[..place].iter().any(|other| other.word == source.word), "{}", source.word);
        }
    }
}
