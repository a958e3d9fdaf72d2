//! One HTTP request to a provider, and the reply as it came.
//!
//! Must never follow a redirect, try again, send over plain HTTP to anything but this machine, show a secret in an error,
//! or keep a header of the reply that is not on the list. Certificates are checked against the roots the machine has
//! (`SSL_CERT_FILE` names others): a static binary reads them from disk as any program does, so a company's own root works
//! and a revoked one is gone with the machine's next update, which roots inside the binary would not give.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::io::Read;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, ClientBuilder, RequestBuilder};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::wire::safe;
use super::{CallError, RawReply};
use crate::ports::secret::Secret;

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The largest reply.
pub const MAX_REPLY: usize = 32 * 1024 * 1024;
/// Headers of a reply that are kept; never one that names an organization.
const KEPT: &[&str] = &[
    "content-type",
    "date",
    "request-id",
    "x-request-id",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
];
/// The beginning and the ends of Anthropic's rate-limit headers.
const KEPT_PREFIX: &str = "anthropic-ratelimit-";
const KEPT_ENDS: &[&str] = &["-limit", "-remaining", "-reset"];

/// Sends HTTP requests.
pub trait Transport: Send + Sync {
    /// Sends one request, once, and returns what came.
    fn send(&self, request: &HttpRequest) -> Result<RawReply, CallError>;
}

/// One HTTP request.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// The method.
    pub method: HttpMethod,
    /// Where it goes, checked by [`checked_url`].
    pub url: String,
    /// The headers.
    pub headers: Vec<(String, HeaderText)>,
    /// The body.
    pub body: Vec<u8>,
    /// The longest it may take, from the start to the last byte of the reply.
    pub timeout: Duration,
}

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    /// `GET`, without a body.
    Get,
    /// `POST`.
    Post,
}

/// The value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderText {
    /// Shown in records and errors.
    Plain(String),
    /// Shown nowhere.
    Secret(Secret),
}

/// A URL that is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is no URL.
    #[error("`{url}` is no URL: {why}")]
    Broken {
        /// The URL without anything that could be a credential.
        url: String,
        /// Why.
        why: String,
    },
    /// It is neither https nor http to this machine.
    #[error("`{url}` is not https; plain http is taken for 127.0.0.1, [::1] and localhost only")]
    NotEncrypted {
        /// The URL.
        url: String,
    },
    /// It carries a user name or password.
    #[error("the URL for {host} carries a user name or password; give the key as a credential")]
    UserInfo {
        /// The host.
        host: String,
    },
    /// It has a part that has no place in a base URL.
    #[error("the URL for {host} has {what}")]
    Part {
        /// The host.
        host: String,
        /// What part.
        what: String,
    },
}

/// Checks a URL that requests with a credential go to.
pub fn checked_url(text: &str) -> Result<Url, UrlError> {
    let shown = || safe::line(text.rsplit('@').next().unwrap_or_default(), 200);
    let url = Url::parse(text.trim()).map_err(|e| UrlError::Broken { url: shown(), why: e.to_string() })?;
    let Some(host) = url.host_str().map(str::to_owned) else {
        return Err(UrlError::Broken { url: shown(), why: "it has no host".into() });
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::UserInfo { host });
    }
    if url.fragment().is_some() {
        return Err(UrlError::Part { host, what: "a fragment".into() });
    }
    let secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["key", "token", "secret", "password", "sig"].iter().any(|word| name.contains(word))
    };
    if let Some((name, _)) = url.query_pairs().find(|(name, _)| secret(name)) {
        let what = format!("`{}` in its query; give the key as a credential", safe::word(&name));
        return Err(UrlError::Part { host, what });
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(UrlError::NotEncrypted { url: shown() }),
    }
}

/// Tells whether a URL means this machine, whatever a resolver says.
pub fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    // The parser has made one spelling of every address.
    host == "localhost"
        || bare.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
}

/// The real one.
#[derive(Debug, Default)]
pub struct HttpTransport {
    /// For other machines, through the proxy the standard variables name.
    remote: OnceLock<Result<Client, String>>,
    /// For this machine: a proxy would carry the call off it, in plain text.
    local: OnceLock<Result<Client, String>>,
}

impl HttpTransport {
    /// Returns a transport; nothing is read or opened before the first request.
    pub const fn new() -> Self {
        Self { remote: OnceLock::new(), local: OnceLock::new() }
    }

    fn client(&self, local: bool, timeout: Duration) -> Result<Client, CallError> {
        let client = if timeout < CONNECT {
            // The connection has to fail first: only then is it known that nothing was sent.
            build(local, timeout / 2)
        } else {
            let slot = if local { &self.local } else { &self.remote };
            slot.get_or_init(|| build(local, CONNECT)).clone()
        };
        client.map_err(|why| CallError::Offline { why })
    }
}

fn build(local: bool, connect: Duration) -> Result<Client, String> {
    // A second installation is refused, and the first one is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder: ClientBuilder = Client::builder()
        .user_agent(concat!("orch/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect)
        .timeout(None)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // No answer of a resolver makes `localhost` another machine.
        .resolve_to_addrs(
            "localhost",
            &[SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))],
        );
    let builder = if local { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| format!("no HTTP client can be made: {}", reasons(&error)))
}

impl Transport for HttpTransport {
    fn send(&self, request: &HttpRequest) -> Result<RawReply, CallError> {
        let url = checked_url(&request.url).map_err(|e| CallError::Unsupported { what: e.to_string() })?;
        let started = Instant::now();
        let client = self.client(is_loopback(&url), request.timeout)?;
        let left = request.timeout.saturating_sub(started.elapsed());
        let response =
            prepare(&client, url, request, left)?.send().map_err(|error| unsent(&error, request.timeout))?;
        let status = response.status().as_u16();
        let headers = kept(response.headers());
        let (body, end) = drain(response, started + request.timeout);
        match end {
            End::Whole => Ok(RawReply { status, headers, body, cut: false }),
            End::Cut => Ok(RawReply { status, headers, body, cut: true }),
            End::TooLarge => {
                Err(CallError::Shape { what: format!("it is larger than {} MB", MAX_REPLY / 1024 / 1024) })
            }
            End::Late => Err(CallError::Timeout { within: request.timeout, maybe_billed: true }),
        }
    }
}

fn prepare(
    client: &Client,
    url: Url,
    request: &HttpRequest,
    timeout: Duration,
) -> Result<RequestBuilder, CallError> {
    let method = match request.method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let refuse = || CallError::Unsupported {
            what: format!(
                "the header `{}` cannot be sent: it has characters that no header may have",
                safe::word(name)
            ),
        };
        let name: HeaderName = name.parse().map_err(|_| refuse())?;
        let value = match value {
            HeaderText::Plain(text) => HeaderValue::from_str(text).map_err(|_| refuse())?,
            HeaderText::Secret(secret) => {
                let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| refuse())?;
                value.set_sensitive(true);
                value
            }
        };
        headers.insert(name, value);
    }
    let builder = client.request(method, url).headers(headers).timeout(timeout);
    Ok(if request.method == HttpMethod::Post { builder.body(request.body.clone()) } else { builder })
}

/// Returns why there is no reply at all.
fn unsent(error: &reqwest::Error, within: Duration) -> CallError {
    if error.is_connect() {
        if error.is_timeout() {
            return CallError::Timeout { within, maybe_billed: false };
        }
        return CallError::Offline { why: reasons(error) };
    }
    if error.is_timeout() {
        return CallError::Timeout { within, maybe_billed: true };
    }
    if error.is_builder() {
        return CallError::Unsupported { what: format!("the request cannot be made: {}", reasons(error)) };
    }
    // The connection stood, so the request may have arrived.
    CallError::Cut { why: reasons(error) }
}

/// Returns why, innermost last, without the URL and without repeating.
fn reasons(error: &reqwest::Error) -> String {
    let mut whys: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(error) = source {
        let why = error.to_string();
        if !whys.iter().any(|earlier| earlier.contains(&why)) {
            whys.push(why);
        }
        source = error.source();
    }
    if whys.is_empty() {
        whys.push("the request failed".into());
    }
    safe::line(&whys.join(": "), 300)
}

/// How a body ended.
enum End {
    Whole,
    Cut,
    TooLarge,
    Late,
}

fn drain(mut response: impl Read, deadline: Instant) -> (Vec<u8>, End) {
    let mut body = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let read = match response.read(&mut chunk) {
            Ok(0) => return (body, End::Whole),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let late = Instant::now() >= deadline || is_timeout(&error);
                return (body, if late { End::Late } else { End::Cut });
            }
        };
        if body.len() + read > MAX_REPLY {
            return (body, End::TooLarge);
        }
        body.extend_from_slice(chunk.get(..read).unwrap_or_default());
        if Instant::now() >= deadline {
            return (body, End::Late);
        }
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::TimedOut
        || error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<reqwest::Error>())
            .is_some_and(reqwest::Error::is_timeout)
}

fn kept(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let name = name.as_str();
        let listed = KEPT.contains(&name)
            || (name.starts_with(KEPT_PREFIX) && KEPT_ENDS.iter().any(|end| name.ends_with(end)));
        if !listed {
            continue;
        }
        let value = safe::line(&String::from_utf8_lossy(value.as_bytes()), 200);
        kept.entry(name.to_owned())
            .and_modify(|all| {
                all.push_str(", ");
                all.push_str(&value);
            })
            .or_insert(value);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_taken() {
        for url in [
            "https://api.openai.com/v1",
            "http://127.0.0.1:8080/v1",
            "http://127.9.9.9/v1",
            "http://[::1]:1/v1",
            "http://localhost:11434/v1",
            "HTTP://LOCALHOST/v1",
            "http://0x7f.1/",
            "https://x.openai.azure.com/openai/v1?api-version=preview",
        ] {
            assert!(checked_url(url).is_ok(), "{url}: {:?}", checked_url(url));
        }
        for (url, named) in [
            ("http://api.openai.com/v1", "not https"),
            ("http://127.0.0.1.evil.com/", "not https"),
            ("http://localhost.evil.com/", "not https"),
            ("http://localhost./", "not https"),
            ("http://notlocalhost/", "not https"),
            ("http://10.0.0.1/", "not https"),
            ("http://0.0.0.0/", "not https"),
            ("http://[::ffff:10.0.0.1]/", "not https"),
            ("http://localhost@evil.com/", "user name"),
            ("https://user:s3cr3t@api.openai.com/", "user name"),
            ("http://127.0.0.1\\@evil.com/", "user name"),
            ("https://api.openai.com/#x", "fragment"),
            ("https://x/v1?key=s3cr3t", "`key` in its query"),
            ("https://x/v1?Access_Token=s3cr3t", "in its query"),
            ("ftp://localhost/", "not https"),
            ("file:///etc/passwd", "no host"),
            ("api.openai.com", "no URL"),
            ("", "no URL"),
        ] {
            let why = match checked_url(url) {
                Err(error) => error.to_string(),
                // A backslash is a slash: then the host is this machine, and all after it is path.
                Ok(taken) => {
                    assert!(is_loopback(&taken), "{url}");
                    continue;
                }
            };
            assert!(why.contains(named), "{url}: {why}");
            assert!(!why.contains("s3cr3t"), "{why}");
        }
    }

    #[test]
    fn a_secret_is_in_no_debug_text() {
        let request = HttpRequest {
            method: HttpMethod::Post,
            url: "https://x/".into(),
            headers: vec![("a".into(), HeaderText::Secret(Secret::new("s3cr3t".into())))],
            body: Vec::new(),
            timeout: CONNECT,
        };
        assert!(!format!("{request:?}").contains("s3cr3t"));
    }

    #[test]
    fn headers_are_kept_by_list_and_doubles_are_joined() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("retry-after", "1"),
            ("retry-after", "2"),
            ("anthropic-organization-id", "org"),
            ("openai-organization", "org"),
            ("anthropic-ratelimit-tokens-reset", "x"),
            ("set-cookie", "c"),
            ("content-type", "application/json"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let names: Vec<_> = kept(&headers).into_iter().collect();
        assert_eq!(
            names,
            [
                ("anthropic-ratelimit-tokens-reset".to_owned(), "x".to_owned()),
                ("content-type".to_owned(), "application/json".to_owned()),
                ("retry-after".to_owned(), "1, 2".to_owned()),
            ]
        );
    }
}
