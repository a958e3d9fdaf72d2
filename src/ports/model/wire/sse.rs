//! Server-sent events: the body of a stream as the JSON values in it.
//!
//! Must never fail: what is no event is left out, and whether the stream is whole is for the format to say.

use serde_json::Value;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A JSON value.
    Data(Value),
    /// `[DONE]`, with which OpenAI's streams end.
    Done,
}

/// Tells whether a body without a content type is a stream.
pub(super) fn looks_like_stream(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    [b"data:".as_slice(), b"event:", b"id:", b"retry:", b":"].iter().any(|mark| start.starts_with(mark))
}

/// Returns the events of a body.
pub(super) fn events(body: &[u8]) -> Vec<Event> {
    let text = String::from_utf8_lossy(body);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (mut events, mut data) = (Vec::new(), String::new());
    for line in text.split('\n').flat_map(lines) {
        if line.is_empty() {
            events.extend(event(&data));
            data.clear();
        } else if let Some(rest) = line.strip_prefix("data:") {
            if !data.is_empty() {
                data.push('\n');
            }
            data.push_str(rest.strip_prefix(' ').unwrap_or(rest));
        }
    }
    // Some servers leave out the last empty line; half an event does not parse.
    events.extend(event(&data));
    events
}

/// Splits at carriage returns that are no part of a line end of two characters.
fn lines(line: &str) -> impl Iterator<Item = &str> {
    line.strip_suffix('\r').unwrap_or(line).split('\r')
}

fn event(data: &str) -> Option<Event> {
    if data.trim() == "[DONE]" {
        return Some(Event::Done);
    }
    serde_json::from_str(data).ok().map(Event::Data)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_come_in_every_spelling_of_the_standard() {
        let data = |n: u64| Event::Data(json!({ "n": n }));
        let cases: [(&[u8], Vec<Event>); 9] = [
            (b"data: {\"n\":1}\n\ndata: {\"n\":2}\n\n", vec![data(1), data(2)]),
            (b"data:{\"n\":1}\r\n\r\ndata:{\"n\":2}\r\n\r\n", vec![data(1), data(2)]),
            (b"data:{\"n\":1}\r\rdata:{\"n\":2}\r\r", vec![data(1), data(2)]),
            (b": ping\nevent: x\nid: 1\nretry: 3\ndata: {\"n\":\ndata: 1}\n\n", vec![data(1)]),
            (b"\xef\xbb\xbfdata: {\"n\":1}\n\ndata: [DONE]\n\n", vec![data(1), Event::Done]),
            (b"data: {\"n\":1}", vec![data(1)]),
            (b"data: {\"n\":1}\n\ndata: {\"n\":", vec![data(1)]),
            (b"data: {\"n\":1}\n\ndata: \xff\xfe\n\n", vec![data(1)]),
            (b"", vec![]),
        ];
        for (body, wanted) in cases {
            assert_eq!(events(body), wanted, "{}", String::from_utf8_lossy(body));
        }
    }
}
