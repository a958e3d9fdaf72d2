//! What stands between the program and emulate: a proxy that gives the base commit its local name, answers the calls emulate
//! lacks, and lets any call fail.
//!
//! GraphQL is done on emulate itself where it changes something: the commit that GitHub would sign is made of emulate's own
//! objects. Ids of commits have one length, so a name is put in place of the other without touching anything else.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is answered so, and nothing is done.
    Refuse(u16),
    /// It is done, and the answer is lost.
    Lose,
    /// It is done, and from then on nobody answers: the process died.
    Die,
}

#[derive(Default)]
struct Inner {
    /// Pairs of the local name and emulate's name of a commit.
    names: Vec<(String, String)>,
    faults: BTreeMap<usize, Fault>,
    dead: bool,
    seen: Vec<(String, Value)>,
    /// The last token of the App that came by.
    token: String,
}

/// The proxy.
pub struct Between {
    address: String,
    inner: Arc<Mutex<Inner>>,
}

impl Between {
    /// Stands before emulate at `to`, as `127.0.0.1:4900`.
    pub fn start(to: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let inner: Arc<Mutex<Inner>> = Arc::default();
        let (shared, to) = (Arc::clone(&inner), to.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (shared, to) = (Arc::clone(&shared), to.clone());
                std::thread::spawn(move || serve(stream, &shared, &to));
            }
        });
        Self { address, inner }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn name(&self, local: &str, there: &str) {
        self.inner.lock().unwrap().names = vec![(local.to_owned(), there.to_owned())];
    }

    /// Forgets what was asked, and lets the n-th call from now on meet a fault.
    pub fn arm(&self, faults: impl IntoIterator<Item = (usize, Fault)>) {
        let mut inner = self.inner.lock().unwrap();
        inner.faults = faults.into_iter().collect();
        inner.seen.clear();
        inner.dead = false;
    }

    /// Every call so far, `METHOD path` or the name of a GraphQL operation, with its body.
    pub fn seen(&self) -> Vec<(String, Value)> {
        self.inner.lock().unwrap().seen.clone()
    }

    pub fn writes(&self) -> Vec<String> {
        let all = self.seen().into_iter().map(|(ask, _)| ask);
        all.filter(|ask| !ask.starts_with("GET ") && ask != "Viewer" && !ask.ends_with("access_tokens"))
            .collect()
    }
}

struct Asked {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn serve(mut stream: TcpStream, inner: &Mutex<Inner>, to: &str) {
    let Some(mut asked) = read(&mut stream) else { return };
    let (names, fault) = {
        let mut inner = inner.lock().unwrap();
        if inner.dead {
            return;
        }
        let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        let path = asked.path.split('?').next().unwrap().to_owned();
        let ask = match body["operationName"].as_str() {
            Some(name) => name.to_owned(),
            None => format!("{} {path}", asked.method),
        };
        let bearer =
            asked.headers.iter().find(|(name, value)| name == "authorization" && value.contains("ghs_"));
        if let Some((_, bearer)) = bearer {
            inner.token.clone_from(bearer);
        }
        inner.seen.push((ask, body));
        let fault = inner.faults.get(&inner.seen.len()).cloned();
        inner.dead = fault == Some(Fault::Die);
        (inner.names.clone(), fault)
    };
    let (status, body) = if let Some(Fault::Refuse(status)) = fault {
        (status, json!({ "message": "refused by the test" }).to_string().into_bytes())
    } else {
        for (local, there) in &names {
            asked.path = asked.path.replace(local, there);
            asked.body = swap(&asked.body, local, there);
        }
        let (status, mut body) = if asked.path == "/graphql" {
            graphql(&asked, to)
        } else {
            own(&asked).unwrap_or_else(|| ask(&asked, to))
        };
        for (local, there) in &names {
            body = swap(&body, there, local);
        }
        (status, body)
    };
    if matches!(fault, Some(Fault::Lose | Fault::Die)) {
        return;
    }
    let head = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-type: application/json\r\nretry-after: 0\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

fn swap(bytes: &[u8], old: &str, new: &str) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.replace(old, new).into_bytes(),
        Err(_) => bytes.to_vec(),
    }
}

/// Calls that emulate does not have.
fn own(asked: &Asked) -> Option<(u16, Vec<u8>)> {
    if asked.path.contains("/collaborators/") && asked.path.ends_with("/permission") {
        let answer = json!({ "permission": "write", "role_name": "maintain", "user": null });
        return Some((200, answer.to_string().into_bytes()));
    }
    None
}

/// The GraphQL that is used, done on emulate.
fn graphql(asked: &Asked, to: &str) -> (u16, Vec<u8>) {
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let data = |data: Value| (200, json!({ "data": data }).to_string().into_bytes());
    let refused = |kind: &str, message: &str| {
        let errors = json!([{ "type": kind, "message": message, "path": [] }]);
        (200, json!({ "data": null, "errors": errors }).to_string().into_bytes())
    };
    let input = &body["variables"]["input"];
    match body["operationName"].as_str().unwrap_or_default() {
        "Viewer" => data(json!({ "viewer": { "login": "orch[bot]" } })),
        "CommitOnBranch" => match commit(asked, input, to) {
            Ok(id) => data(json!({ "createCommitOnBranch": { "commit": { "oid": id } } })),
            Err(why) => refused("STALE_DATA", &why),
        },
        other => refused("undefinedField", &format!("Field '{other}' doesn't exist on type 'Mutation'")),
    }
}

/// `createCommitOnBranch`, by emulate's own objects.
fn commit(asked: &Asked, input: &Value, to: &str) -> Result<String, String> {
    let slug = input["branch"]["repositoryNameWithOwner"].as_str().unwrap();
    let branch = input["branch"]["branchName"].as_str().unwrap().replace('/', "%2F");
    let call = |method: &str, rest: &str, body: Value| {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let path = format!("/repos/{slug}{rest}");
        let (status, answer) =
            ask(&Asked { method: method.into(), path, headers: asked.headers.clone(), body }, to);
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        if status < 300 { Ok(answer) } else { Err(format!("{method} {rest}: {status} {answer}")) }
    };
    let head = call("GET", &format!("/git/ref/heads%2F{branch}"), Value::Null)?["object"]["sha"].clone();
    if head != input["expectedHeadOid"] {
        return Err("Expected branch to point to another commit. Pull and try again.".into());
    }
    let parent = call("GET", &format!("/git/commits/{}", head.as_str().unwrap()), Value::Null)?;
    let mut entries = Vec::new();
    for file in input["fileChanges"]["additions"].as_array().into_iter().flatten() {
        let blob = call("POST", "/git/blobs", json!({ "content": file["contents"], "encoding": "base64" }))?;
        entries.push(json!({ "path": file["path"], "mode": "100644", "type": "blob", "sha": blob["sha"] }));
    }
    for file in input["fileChanges"]["deletions"].as_array().into_iter().flatten() {
        entries.push(json!({ "path": file["path"], "mode": "100644", "type": "blob", "sha": null }));
    }
    let tree = call("POST", "/git/trees", json!({ "base_tree": parent["tree"]["sha"], "tree": entries }))?;
    let text = |name: &str| input["message"][name].as_str().unwrap_or_default().to_owned();
    let message = format!("{}\n\n{}", text("headline"), text("body"));
    let made = call(
        "POST",
        "/git/commits",
        json!({ "message": message.trim(), "tree": tree["sha"], "parents": [head] }),
    )?;
    call("PATCH", &format!("/git/refs/heads%2F{branch}"), json!({ "sha": made["sha"], "force": false }))?;
    Ok(made["sha"].as_str().unwrap().to_owned())
}

/// Asks emulate.
fn ask(asked: &Asked, to: &str) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(to).unwrap();
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\ncontent-length: {}\r\n",
        asked.method,
        asked.path,
        asked.body.len()
    );
    for (name, value) in &asked.headers {
        let kept = ["authorization", "accept", "content-type", "user-agent"].contains(&name.as_str());
        if kept {
            head.extend([name.as_str(), ": ", value.as_str(), "\r\n"]);
        }
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(&asked.body).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let at = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(answer.len());
    let head = String::from_utf8_lossy(&answer[..at]).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(502);
    let body = answer.get(at + 4..).unwrap_or_default().to_vec();
    (status, if head.contains("transfer-encoding: chunked") { unchunked(&body) } else { body })
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(at) = bytes.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(String::from_utf8_lossy(&bytes[..at]).trim(), 16).unwrap_or(0);
        let Some(chunk) = bytes.get(at + 2..at + 2 + size).filter(|_| size > 0) else { break };
        all.extend_from_slice(chunk);
        bytes = bytes.get(at + 4 + size..).unwrap_or_default();
    }
    all
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let (mut bytes, mut chunk) = (Vec::new(), vec![0; 65536]);
    loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
            let mut lines = head.lines();
            let mut first = lines.next()?.split(' ');
            let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect();
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let length: usize = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
            if let Some(body) = bytes.get(at + 4..at + 4 + length) {
                return Some(Asked { method, path, headers, body: body.to_vec() });
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

impl Between {
    /// Asks emulate for what the port has no call for, with the App's token.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let token = self.inner.lock().unwrap().token.clone();
        let headers = vec![
            ("authorization".to_owned(), token),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        let asked =
            Asked { method: method.into(), path: path.into(), headers, body: body.to_string().into_bytes() };
        let (status, answer) = ask(&asked, &self.address);
        assert!(status < 300, "{status} {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).unwrap()
    }
}
