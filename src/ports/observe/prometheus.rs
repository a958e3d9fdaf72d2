//! Prometheus' HTTP API: one query, one series.
//!
//! Must never take two series for one, a warning for data, or a redirect for an answer; must never show its credential.

use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

use super::{Point, Question, Seen, Unseen};
use crate::ports::model::http::{HeaderText, HttpMethod, HttpRequest, Transport, checked_url};
use crate::ports::secret::Secret;

/// The longest an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The most points of a range; the server has such a limit too.
const MAX_POINTS: u64 = 11_000;

/// A client of Prometheus' HTTP API.
pub struct Prometheus {
    transport: Box<dyn Transport>,
    token: Option<Secret>,
}

/// The reply, as the API defines it.
#[derive(Deserialize)]
struct Reply {
    status: String,
    #[serde(default)]
    data: Option<Data>,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: Value,
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    value: Option<(Value, String)>,
    #[serde(default)]
    values: Vec<(Value, String)>,
}

impl Prometheus {
    /// Returns a client; the credential, where there is one, goes to the server as a bearer token.
    pub fn new(transport: Box<dyn Transport>, token: Option<Secret>) -> Self {
        Self { transport, token }
    }

    /// Returns the points of the one series of a query.
    pub fn points(&self, question: &Question) -> Seen<Vec<Point>> {
        let mut headers = vec![("accept".to_owned(), HeaderText::Plain("application/json".into()))];
        if let Some(token) = &self.token {
            let bearer = Secret::new(format!("Bearer {}", token.expose()));
            headers.push(("authorization".into(), HeaderText::Secret(bearer)));
        }
        let request = HttpRequest {
            method: HttpMethod::Get,
            url: address(question)?.into(),
            headers,
            body: Vec::new(),
            timeout: TIMEOUT,
        };
        let reply = self
            .transport
            .send(&request)
            .map_err(|error| Unseen::new(format!("the metrics server: {error}")))?;
        if reply.cut {
            return Err(Unseen::new("the answer of the metrics server broke off"));
        }
        read(reply.status, &reply.body)
    }
}

fn address(question: &Question) -> Seen<Url> {
    let wrong = |why: String| Unseen::new(format!("the address of the metrics server cannot be used: {why}"));
    let base = checked_url(&question.server).map_err(|error| wrong(error.to_string()))?;
    let call = if question.back_seconds == 0 { "query" } else { "query_range" };
    let mut url = base;
    let path = format!("{}/api/v1/{call}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    let at = question.at_seconds;
    let mut pairs = url.query_pairs_mut();
    pairs.append_pair("query", &question.query);
    if question.back_seconds == 0 {
        pairs.append_pair("time", &at.to_string());
    } else {
        let step = question.step_seconds.max(1);
        if question.back_seconds / step >= MAX_POINTS {
            return Err(Unseen::new(format!("the range has more than {MAX_POINTS} points")));
        }
        let back = i64::try_from(question.back_seconds).unwrap_or(i64::MAX);
        pairs.append_pair("start", &at.saturating_sub(back).to_string());
        pairs.append_pair("end", &at.to_string());
        pairs.append_pair("step", &step.to_string());
    }
    drop(pairs);
    Ok(url)
}

/// Reads a reply; whatever is not the one series that was asked for is told as what it is.
fn read(status: u16, body: &[u8]) -> Seen<Vec<Point>> {
    let reply: Reply = serde_json::from_slice(body).map_err(|_| {
        Unseen::new(format!(
            "the metrics server answered {status} with something that is no answer of Prometheus"
        ))
    })?;
    if reply.status != "success" || status != 200 {
        let why: String = reply.error.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(Unseen::new(format!(
            "the metrics server refused the query ({status} {}): {why}",
            reply.error_type
        )));
    }
    let Some(data) = reply.data else {
        return Err(Unseen::new("the answer of the metrics server has no data"));
    };
    let odd = |error: serde_json::Error| {
        Unseen::new(format!("the answer of the metrics server cannot be read: {error}"))
    };
    let pairs = match data.kind.as_str() {
        "scalar" => vec![serde_json::from_value::<(Value, String)>(data.result).map_err(odd)?],
        "vector" | "matrix" => {
            let mut series: Vec<Series> = serde_json::from_value(data.result).map_err(odd)?;
            if series.len() > 1 {
                let many = series.len();
                return Err(Unseen::new(format!(
                    "the query has {many} series; write it so that it has one (sum, avg)"
                )));
            }
            let Some(one) = series.pop() else { return Ok(Vec::new()) };
            one.values.into_iter().chain(one.value).collect()
        }
        other => {
            return Err(Unseen::new(format!("the answer of the metrics server is a `{other}`, not numbers")));
        }
    };
    pairs.into_iter().map(|(at, value)| Ok(Point { at_seconds: seconds(&at)?, value })).collect()
}

/// Reads a time: seconds, with or without a part after the point, which is cut off.
fn seconds(at: &Value) -> Seen<i64> {
    let text = at.to_string();
    let whole = text.split('.').next().unwrap_or_default();
    whole.parse().map_err(|_| Unseen::new(format!("`{text}` is no time of a metrics server")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_series_is_taken_and_nothing_else() {
        let points = |body: &str| read(200, body.as_bytes());
        let vector = |result: &str| {
            points(&format!(r#"{{"status":"success","data":{{"resultType":"vector","result":{result}}}}}"#))
        };
        assert_eq!(
            vector(r#"[{"metric":{"a":"b"},"value":[1764284400.781,"0.0012"]}]"#),
            Ok(vec![Point { at_seconds: 1_764_284_400, value: "0.0012".into() }])
        );
        assert_eq!(vector("[]"), Ok(Vec::new()));
        let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1,"1"],[61,"NaN"]]}]}}"#;
        assert_eq!(points(matrix).unwrap().len(), 2);
        for (status, body, want) in [
            (
                200,
                r#"{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]},{"value":[1,"2"]}]}}"#,
                "2 series",
            ),
            (200, r#"{"status":"success","data":{"resultType":"streams","result":[]}}"#, "not numbers"),
            (200, r#"{"status":"success"}"#, "no data"),
            (200, "<html>", "no answer of Prometheus"),
            (422, r#"{"status":"error","errorType":"execution","error":"too many"}"#, "execution): too many"),
            (503, r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#, "refused"),
        ] {
            let why = read(status, body.as_bytes()).unwrap_err().why;
            assert!(why.contains(want), "{body}: {why}");
        }
    }

    #[test]
    fn a_range_and_a_moment_are_two_calls() {
        let question = |back| Question {
            server: "https://prometheus.example.org/base/".into(),
            query: "sum(rate(x[5m])) & 1".into(),
            at_seconds: 1000,
            back_seconds: back,
            step_seconds: 60,
        };
        assert_eq!(
            address(&question(0)).unwrap().as_str(),
            "https://prometheus.example.org/base/api/v1/query?query=sum%28rate%28x%5B5m%5D%29%29+%26+1&time=1000"
        );
        assert!(address(&question(600)).unwrap().as_str().ends_with("&start=400&end=1000&step=60"));
        assert!(address(&question(60 * 11_000)).is_err());
        assert!(address(&Question { server: "http://example.org".into(), ..question(0) }).is_err());
    }
}
