//! git's own server (`git http-backend`) on loopback, behind a token: what pushes to GitHub meet.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]
#![expect(clippy::disallowed_methods, reason = "the server is the git program")]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What happens to a push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    #[default]
    Done,
    /// Done, and the answer is lost.
    Lost,
    /// Before it is done somebody else makes the branch point to this commit.
    Overtaken(String, String),
}

struct Inner {
    root: PathBuf,
    token: String,
    fate: Mutex<Fate>,
    seen: Mutex<Vec<String>>,
    pushed: Box<dyn Fn(&Path) + Send + Sync>,
}

/// A server of one bare repository.
pub struct GitHttp {
    address: SocketAddr,
    inner: Arc<Inner>,
}

impl GitHttp {
    /// Serves what lies below `root`; `pushed` is told after each push.
    pub fn start(root: &Path, token: &str, pushed: impl Fn(&Path) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            root: root.to_owned(),
            token: token.to_owned(),
            fate: Mutex::default(),
            seen: Mutex::default(),
            pushed: Box::new(pushed),
        });
        let shared = Arc::clone(&inner);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, inner }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn let_it(&self, fate: Fate) {
        *self.inner.fate.lock().unwrap() = fate;
    }

    /// Every head of a request so far, with what it said of who asks.
    pub fn seen(&self) -> Vec<String> {
        self.inner.seen.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, inner: &Inner) {
    let Some((head, body)) = request(&mut stream) else { return };
    inner.seen.lock().unwrap().push(head.clone());
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let wanted = format!("Basic {}", STANDARD.encode(format!("x-access-token:{}", inner.token)));
    let asked: Vec<&str> =
        head.lines().filter(|line| line.to_ascii_lowercase().starts_with("authorization:")).collect();
    if header("authorization").as_ref() != Some(&wanted) || asked.len() != 1 {
        let _ = stream.write_all(b"HTTP/1.1 401 X\r\nwww-authenticate: Basic realm=\"git\"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        return;
    }
    let first: Vec<&str> = head.lines().next().unwrap().split(' ').collect();
    let (path, query) = first[1].split_once('?').unwrap_or((first[1], ""));
    let receives = first[0] == "POST" && path.ends_with("/git-receive-pack");
    let fate = if receives { inner.fate.lock().unwrap().clone() } else { Fate::Done };
    let repository =
        inner.root.join(path.trim_start_matches('/').split(".git/").next().unwrap().to_owned() + ".git");
    if let Fate::Overtaken(branch, commit) = &fate {
        let words = ["update-ref", &format!("refs/heads/{branch}"), commit];
        assert!(Command::new("git").arg("-C").arg(&repository).args(words).status().unwrap().success());
        (inner.pushed)(&repository);
    }
    let mut command = Command::new("git");
    command.arg("http-backend").env_clear().env("PATH", std::env::var("PATH").unwrap());
    command
        .env("GIT_PROJECT_ROOT", &inner.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("HOME", "/nonexistent").env("REMOTE_USER", "orch").env("REMOTE_ADDR", "127.0.0.1");
    command.env("PATH_INFO", path).env("QUERY_STRING", query).env("REQUEST_METHOD", first[0]);
    command.env("CONTENT_TYPE", header("content-type").unwrap_or_default());
    command.env("CONTENT_LENGTH", body.len().to_string());
    for (name, variable) in [("content-encoding", "HTTP_CONTENT_ENCODING"), ("git-protocol", "GIT_PROTOCOL")]
    {
        if let Some(value) = header(name) {
            command.env(variable, value);
        }
    }
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&body);
    });
    let out = child.wait_with_output().unwrap().stdout;
    writer.join().unwrap();
    if receives {
        (inner.pushed)(&repository);
    }
    if fate == Fate::Lost {
        return;
    }
    let at = out.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let said = String::from_utf8_lossy(&out[..at]).into_owned();
    let status = said.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let rest: Vec<&str> = said.lines().filter(|line| !line.starts_with("Status: ")).collect();
    let head = format!(
        "HTTP/1.1 {status}\r\n{}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        rest.join("\r\n"),
        out.len() - at - 4
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&out[at + 4..]));
    let _ = stream.shutdown(Shutdown::Write);
}

fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let at = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        more(stream, &mut bytes)?;
    };
    let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
    let mut body = bytes.split_off(at + 4);
    let lower = head.to_ascii_lowercase();
    if lower.contains("transfer-encoding: chunked") {
        while !body.ends_with(b"0\r\n\r\n") {
            more(stream, &mut body)?;
        }
        return Some((head, unchunked(&body)));
    }
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap_or("0");
    let length: usize = length.trim().parse().unwrap();
    while body.len() < length {
        more(stream, &mut body)?;
    }
    Some((head, body))
}

fn more(stream: &mut TcpStream, into: &mut Vec<u8>) -> Option<()> {
    let mut chunk = vec![0; 65536];
    let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
    into.extend_from_slice(&chunk[..read]);
    Some(())
}

fn unchunked(body: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), body);
    loop {
        let end = rest.windows(2).position(|w| w == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return out;
        }
        out.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
}
