//! What people, agents and tools say in the demo. All of it is the project's own.
//!
//! Placeholders such as `{order}` are facts of the run; what looks like JSON is JSON when they are filled in.

use super::measured::Does;

mod airline;
mod bill;
mod clinic;
mod leads;
mod retail;
mod telecom;

pub(super) use airline::AIRLINE;
pub(super) use bill::BILL;
pub(super) use clinic::CLINIC;
pub(super) use leads::LEADS;
pub(super) use retail::RETAIL;
pub(super) use telecom::TELECOM;

/// How one agent and the people who ask it talk.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) topics: &'static [Topic],
    /// The agent asks who it is, and they say.
    pub(super) asks: &'static [&'static str],
    pub(super) gives: &'static [&'static str],
    /// They agree to what the agent proposes.
    pub(super) yeses: &'static [&'static str],
    /// The agent asks something by the way, and they answer.
    pub(super) asides: &'static [(&'static str, &'static str)],
    pub(super) thanks: &'static [&'static str],
    pub(super) bye: &'static [&'static str],
    pub(super) sorry: &'static [&'static str],
    pub(super) gripes: &'static [&'static str],
    pub(super) handover: &'static [&'static str],
    /// Tools besides those of the topics.
    pub(super) tools: &'static [Tool],
    /// Called when the job is done; where there is none, a tool of the topic is the sign.
    pub(super) closing: Option<Tool>,
    /// The most tools of one run.
    pub(super) most_tools: usize,
}

/// What somebody may want.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) title: &'static str,
    pub(super) openings: &'static [&'static str],
    pub(super) confirm: &'static str,
    /// The tools that do it.
    pub(super) acts: &'static [Tool],
    pub(super) done: &'static [&'static str],
}

/// A tool with how it is called and what it answers, and with the words in which it refuses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) does: Does,
    pub(super) input: &'static str,
    pub(super) output: &'static str,
    pub(super) refusals: &'static [&'static str],
}

/// Makes a tool; only for the tables here.
const fn tool(
    name: &'static str,
    does: Does,
    input: &'static str,
    output: &'static str,
    refusals: &'static [&'static str],
) -> Tool {
    Tool { name, does, input, output, refusals }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::facts::Facts;
    use crate::demo::random::Random;

    #[test]
    fn what_looks_like_json_is_json_and_no_placeholder_is_left() {
        let facts = Facts::draw(jiff::civil::date(2026, 11, 20), &mut Random::new(3, &[]));
        let json = |text: &str| {
            let filled = facts.fill(text);
            serde_json::from_str::<serde_json::Value>(&filled).unwrap_or_else(|error| panic!("{error}: {filled}"));
        };
        let said = |text: &str| assert!(!facts.fill(text).contains('{'), "{text}");
        for talk in [&RETAIL, &AIRLINE, &TELECOM, &BILL, &CLINIC, &LEADS] {
            let acts = talk.topics.iter().flat_map(|topic| topic.acts);
            for tool in talk.tools.iter().chain(acts).chain(&talk.closing) {
                json(tool.input);
                json(tool.output);
                tool.refusals.iter().for_each(|text| said(text));
                assert!(!tool.refusals.iter().any(|text| text.starts_with('{')));
            }
            let texts =
                [talk.asks, talk.gives, talk.yeses, talk.thanks, talk.bye, talk.sorry, talk.gripes, talk.handover];
            texts.into_iter().flatten().for_each(|text| said(text));
            talk.asides.iter().for_each(|(a, b)| [a, b].into_iter().for_each(|text| said(text)));
            for topic in talk.topics {
                topic
                    .openings
                    .iter()
                    .chain(topic.done)
                    .chain([&topic.title, &topic.confirm])
                    .for_each(|text| said(text));
            }
            assert!(talk.tools.iter().any(|tool| tool.does == Does::HandOver));
        }
    }
}
