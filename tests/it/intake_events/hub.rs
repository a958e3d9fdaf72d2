//! A forge of a few answers: what a path is answered with is put in, what was asked can be read.
//!
//! Not a GitHub: that is in `support`. Every path that nothing was put in for is 404, as GitHub says of what a token may not see.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// `GET /path` to status and body.
type Answers = Arc<Mutex<BTreeMap<String, Vec<(u16, Value)>>>>;

pub struct Hub {
    pub address: String,
    answers: Answers,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Hub {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (answers, asked) = (Answers::default(), Arc::default());
        let (to_answer, to_ask) = (Arc::clone(&answers), Arc::clone(&asked));
        // It ends with the process of the tests.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, asked) = (Arc::clone(&to_answer), Arc::clone(&to_ask));
                std::thread::spawn(move || serve(stream, &answers, &asked));
            }
        });
        let hub = Self { address, answers, asked };
        hub.person("maintainer", "maintain").person("outsider", "read");
        hub.put(
            "GET /repos/acme/shop",
            200,
            json!({"id": 4004, "full_name": "acme/shop", "default_branch": "main"}),
        );
        hub.put("GRAPHQL Viewer", 200, json!({"data": {"viewer": {"login": "github-actions"}}}));
        hub
    }

    /// Answers every time with this.
    pub fn put(&self, ask: &str, status: u16, body: Value) -> &Self {
        self.answers.lock().unwrap().insert(ask.to_owned(), vec![(status, body)]);
        self
    }

    /// Answers with this after what is there, which is then told once.
    pub fn then(&self, ask: &str, status: u16, body: Value) -> &Self {
        self.answers.lock().unwrap().entry(ask.to_owned()).or_default().push((status, body));
        self
    }

    pub fn person(&self, login: &str, role: &str) -> &Self {
        let legacy = match role {
            "maintain" => "write",
            "triage" => "read",
            other => other,
        };
        let body = json!({"permission": legacy, "role_name": role, "user": {"login": login}});
        self.put(&format!("GET /repos/acme/shop/collaborators/{login}/permission"), 200, body)
    }

    /// What was asked, `POST /path` with its body.
    pub fn asked(&self) -> Vec<(String, Value)> {
        self.asked.lock().unwrap().clone()
    }

    /// Puts in issue and comment of an event as they were when it was made.
    pub fn as_in(&self, event: &Value) -> &Self {
        if let Some(issue) = event.get("issue") {
            self.put(&format!("GET /repos/acme/shop/issues/{}", issue["number"]), 200, issue.clone());
        }
        if let Some(comment) = event.get("comment") {
            self.put(
                &format!("GET /repos/acme/shop/issues/comments/{}", comment["id"]),
                200,
                comment.clone(),
            );
        }
        self
    }
}

fn serve(stream: TcpStream, answers: &Answers, asked: &Mutex<Vec<(String, Value)>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            if header.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let path = target.split('?').next()?.to_owned();
        let ask = if path == "/graphql" {
            format!("GRAPHQL {}", body["operationName"].as_str().unwrap_or_default())
        } else {
            format!("{method} {path}")
        };
        asked.lock().unwrap().push((ask.clone(), body));
        let (status, answer) = {
            let mut answers = answers.lock().unwrap();
            match answers.get_mut(&ask) {
                Some(list) if list.len() > 1 => list.remove(0),
                Some(list) => list[0].clone(),
                None => (404, json!({"message": "Not Found"})),
            }
        };
        let text = answer.to_string();
        write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        )
        .ok()?;
    }
}
