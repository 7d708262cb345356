//! What was said in a run, put together from its steps.
//!
//! A model call usually carries all that was said before it. So the last of the calls with the longest history tells
//! the whole conversation, and what came after it is added. Where calls carry no history, what went in and came out
//! is told in the order in which it happened, and nothing that is merely repeated is told twice.

use crate::step::{Message, Role, Step, StepKind, ToolCall};

/// Something that was said, and the step in which it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The place of the step among the steps.
    pub step: usize,
    /// What was said.
    pub message: Message,
}

/// Puts the conversation of a run together from its steps, which must be in the order in which they began.
///
/// A tool that was called without a message that asks for it appears as a call of the agent's and its answer.
#[must_use]
pub fn conversation(steps: &[Step]) -> Vec<Said> {
    let longest = steps.iter().filter(|step| speaks(step)).map(|step| step.input.len()).max().unwrap_or(0);
    let told = steps
        .iter()
        .enumerate()
        .filter(|(_, step)| speaks(step) && step.input.len() == longest)
        .max_by_key(|(_, step)| (step.ended_at, step.started_at));
    match told {
        Some((at, step)) if step.input.iter().any(|message| matches!(message.role, Role::Assistant | Role::Tool)) => {
            from_history(steps, at)
        }
        _ => in_order(steps),
    }
}

/// Whether a step is a model call that kept what was said.
fn speaks(step: &Step) -> bool {
    step.kind == StepKind::Model && !(step.input.is_empty() && step.output.is_empty())
}

fn from_history(steps: &[Step], at: usize) -> Vec<Said> {
    let mut used = vec![0_usize; steps.len()];
    let mut said: Vec<Said> = Vec::new();
    for message in &steps[at].input {
        said.push(Said { step: origin(steps, &mut used, message).unwrap_or(at), message: message.clone() });
    }
    said.extend(steps[at].output.iter().map(|message| Said { step: at, message: message.clone() }));
    let after = |step: &Step| step.started_at >= steps[at].ended_at && step.key() != steps[at].key();
    tell(steps, after, &mut said);
    said
}

fn in_order(steps: &[Step]) -> Vec<Said> {
    let mut said = Vec::new();
    tell(steps, |_| true, &mut said);
    said
}

/// Adds what steps say to what was said, without what is merely repeated.
fn tell(steps: &[Step], of: impl Fn(&Step) -> bool, said: &mut Vec<Said>) {
    let has_models = steps.iter().any(speaks);
    for (at, step) in steps.iter().enumerate().filter(|(_, step)| of(step)) {
        match step.kind {
            StepKind::Tool => tell_tool(at, step, said),
            StepKind::Model => tell_messages(at, step, said),
            // What stands around model calls repeats them.
            _ if !has_models => tell_messages(at, step, said),
            _ => {}
        }
    }
}

fn tell_messages(at: usize, step: &Step, said: &mut Vec<Said>) {
    let mut known: Vec<bool> = vec![true; said.len()];
    for message in &step.input {
        // Each thing said before may be repeated once: who says “yes” twice is heard twice.
        let repeated =
            said.iter().take(known.len()).zip(&mut known).find(|(s, known)| **known && same(&s.message, message));
        match repeated {
            Some((_, known)) => *known = false,
            None => said.push(Said { step: at, message: message.clone() }),
        }
    }
    for message in &step.output {
        if !said.last().is_some_and(|last| same(&last.message, message)) {
            said.push(Said { step: at, message: message.clone() });
        }
    }
}

fn tell_tool(at: usize, step: &Step, said: &mut Vec<Said>) {
    let name = step.tool.clone().unwrap_or_else(|| step.name.clone());
    let answer = step.output.first();
    let asked = said.iter().rposition(|s| s.message.tool_calls.iter().any(|call| call.name == name));
    let open = asked.is_some_and(|asked| {
        let calls = said.iter().flat_map(|s| &s.message.tool_calls).filter(|call| call.name == name).count();
        let answers = said
            .iter()
            .filter(|s| s.message.role == Role::Tool && s.message.name.as_ref().is_none_or(|n| *n == name))
            .count();
        answer.is_none()
            || answers < calls
            || said[asked..]
                .iter()
                .any(|s| answer.is_some_and(|answer| s.message.role == Role::Tool && s.message.text == answer.text))
    });
    if !open {
        let arguments = step.input.first().map(|message| message.text.clone()).unwrap_or_default();
        let call = ToolCall { id: Some(step.span_id.clone()), name: name.clone(), arguments };
        let message = Message {
            role: Role::Assistant,
            text: String::new(),
            tool_calls: vec![call],
            tool_call_id: None,
            name: None,
        };
        said.push(Said { step: at, message });
    }
    let Some(answer) = answer else { return };
    let told = asked.is_some_and(|asked| {
        said[asked..].iter().any(|s| s.message.role == Role::Tool && s.message.text == answer.text)
    });
    if open && told {
        return;
    }
    let id = if open { answer.tool_call_id.clone() } else { Some(step.span_id.clone()) };
    said.push(Said {
        step: at,
        message: Message { role: Role::Tool, tool_call_id: id, name: Some(name), ..answer.clone() },
    });
}

/// The step that first said a message of a later step's history; each is taken as often as it spoke.
fn origin(steps: &[Step], used: &mut [usize], message: &Message) -> Option<usize> {
    if message.role == Role::Tool {
        let at = steps.iter().enumerate().position(|(i, step)| {
            step.kind == StepKind::Tool && used[i] == 0 && step.output.iter().any(|out| out.text == message.text)
        })?;
        used[at] = 1;
        return Some(at);
    }
    if message.role == Role::Assistant {
        let at = steps.iter().enumerate().position(|(i, step)| {
            step.kind == StepKind::Model
                && used[i] < step.output.len()
                && step.output.iter().any(|out| same(out, message))
        })?;
        used[at] += 1;
        return Some(at);
    }
    steps.iter().position(|step| step.kind == StepKind::Model && step.input.iter().any(|input| same(input, message)))
}

fn same(a: &Message, b: &Message) -> bool {
    let calls = |message: &Message| message.tool_calls.iter().map(|call| call.name.clone()).collect::<Vec<_>>();
    a.role == b.role && a.text == b.text && calls(a) == calls(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn message(role: Role, text: &str) -> Message {
        Message { role, text: text.to_owned(), tool_calls: Vec::new(), tool_call_id: None, name: None }
    }

    fn step(kind: StepKind, second: i64, input: Vec<Message>, output: Vec<Message>) -> Step {
        Step {
            kind,
            span_id: second.to_string(),
            started_at: Timestamp::from_seconds(second),
            ended_at: Timestamp::from_seconds(second + 1),
            input,
            output,
            ..Step::default()
        }
    }

    fn texts(said: &[Said]) -> Vec<&str> {
        said.iter().map(|s| s.message.text.as_str()).collect()
    }

    #[test]
    fn the_longest_history_tells_it_and_says_where_each_thing_was_said() {
        let first = step(StepKind::Model, 0, vec![message(Role::User, "hi")], vec![message(Role::Assistant, "hello")]);
        let history = vec![message(Role::User, "hi"), message(Role::Assistant, "hello"), message(Role::User, "bye")];
        let second = step(StepKind::Model, 5, history, vec![message(Role::Assistant, "goodbye")]);
        let said = conversation(&[first, second]);
        assert_eq!(texts(&said), ["hi", "hello", "bye", "goodbye"]);
        assert_eq!(said.iter().map(|s| s.step).collect::<Vec<_>>(), [0, 0, 1, 1]);
    }

    #[test]
    fn without_histories_it_is_told_in_order_and_once() {
        let steps = [
            step(StepKind::Agent, 0, vec![message(Role::User, "yes")], vec![message(Role::Assistant, "done")]),
            step(
                StepKind::Model,
                1,
                vec![message(Role::System, "be kind"), message(Role::User, "yes")],
                vec![message(Role::Assistant, "sure?")],
            ),
            step(
                StepKind::Model,
                3,
                vec![message(Role::System, "be kind"), message(Role::User, "I am sure")],
                vec![message(Role::Assistant, "done")],
            ),
        ];
        assert_eq!(texts(&conversation(&steps)), ["be kind", "yes", "sure?", "I am sure", "done"]);
    }

    #[test]
    fn a_tool_that_nobody_asked_for_is_a_call_with_its_answer() {
        let mut tool =
            step(StepKind::Tool, 2, vec![message(Role::Assistant, "{}")], vec![message(Role::Tool, "booked")]);
        tool.tool = Some("book".to_owned());
        let model = step(
            StepKind::Model,
            0,
            vec![message(Role::User, "book it")],
            vec![message(Role::Assistant, "one moment")],
        );
        let said = conversation(&[model, tool]);
        assert_eq!(texts(&said), ["book it", "one moment", "", "booked"]);
        assert_eq!(said[2].message.tool_calls[0].id, said[3].message.tool_call_id);
    }

    #[test]
    fn a_run_without_contents_says_nothing() {
        assert!(conversation(&[]).is_empty());
        assert!(conversation(&[step(StepKind::Model, 0, Vec::new(), Vec::new())]).is_empty());
    }
}
