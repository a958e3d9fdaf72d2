//! Requests to GitHub's API, through octocrab: paced, tried again where that is safe, never sent elsewhere.
//!
//! Must never follow a redirect to another host, send a write twice that may have been done, or wait past its deadline.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request, header};
use http_body_util::{BodyExt as _, Limited};
use octocrab::Octocrab;
use reqwest::Url;
use serde_json::Value;

use super::pace::Pace;
use super::reply::{self, Failed};
use crate::ports::forge::{Answer, ForgeError};
use crate::ports::secret::Secret;

/// One request with its answer, where nobody says otherwise.
const REQUEST: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);
/// The longest a call may take with all its waits.
const DEADLINE: Duration = Duration::from_mins(5);
/// GitHub asks for a second between writes.
const BETWEEN_WRITES: Duration = Duration::from_secs(1);
const MAX_TRIES: u32 = 5;
const MAX_REPLY: usize = 128 * 1024 * 1024;
const MAX_PAGES: usize = 100;
const MAX_HOPS: usize = 3;
/// What is kept for `If-None-Match`.
const MAX_KEPT: usize = 256;
const MAX_KEPT_BYTES: usize = 1024 * 1024;

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Patch,
    Put,
    Delete,
}

impl Method {
    const fn as_http(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Post => http::Method::POST,
            Self::Patch => http::Method::PATCH,
            Self::Put => http::Method::PUT,
            Self::Delete => http::Method::DELETE,
        }
    }
}

/// What sending a request twice would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    /// Nothing: it only looks.
    Read,
    /// The same as sending it once.
    Repeatable,
    /// Another thing.
    Once,
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// The path with its query, from the base; parts are percent-encoded.
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// What is tried, for errors.
    pub(super) what: &'static str,
    pub(super) power: Power,
    pub(super) accept: &'static str,
    pub(super) graphql: bool,
    /// What the token may lack, for errors.
    pub(super) needs: &'static str,
}

impl Ask {
    pub(super) fn new(method: Method, path: String, what: &'static str) -> Self {
        let power = match method {
            Method::Get => Power::Read,
            Method::Post => Power::Once,
            Method::Patch | Method::Put | Method::Delete => Power::Repeatable,
        };
        Self {
            method,
            path,
            body: None,
            what,
            power,
            accept: "application/vnd.github+json",
            graphql: false,
            needs: "",
        }
    }

    pub(super) fn with(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(super) const fn repeatable(mut self) -> Self {
        self.power = Power::Repeatable;
        self
    }

    pub(super) const fn needs(mut self, needs: &'static str) -> Self {
        self.needs = needs;
        self
    }
}

/// An answer as it came.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Where the API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// REST, as `https://api.github.com`.
    pub rest: Url,
    /// GraphQL, as `https://api.github.com/graphql`.
    pub graphql: Url,
}

/// Sends requests.
pub(super) struct Client {
    at: Addresses,
    pace: Box<dyn Pace>,
    between: Duration,
    first_wait: Duration,
    /// How long one request may take with its answer.
    limit: Duration,
    runtime: Mutex<Option<(tokio::runtime::Runtime, Octocrab)>>,
    /// When the last write ended.
    last_write: Mutex<Option<Duration>>,
    kept: Mutex<BTreeMap<String, (HeaderValue, Reply)>>,
}

impl Client {
    pub(super) fn new(at: Addresses, pace: Box<dyn Pace>) -> Self {
        // This machine is no GitHub, and has no limits to keep.
        let here = crate::ports::model::http::is_loopback(&at.rest);
        let (between, first_wait) = if here {
            (Duration::ZERO, Duration::from_millis(20))
        } else {
            (BETWEEN_WRITES, Duration::from_secs(1))
        };
        Self {
            at,
            pace,
            between,
            first_wait,
            limit: REQUEST,
            runtime: Mutex::default(),
            last_write: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    pub(super) fn answered_within(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Tells whether nothing is ever sent but plain HTTP to this machine.
    fn is_plain(&self) -> bool {
        let plain = |url: &Url| url.scheme() == "http" && crate::ports::model::http::is_loopback(url);
        plain(&self.at.rest) && plain(&self.at.graphql)
    }

    pub(super) fn epoch(&self) -> u64 {
        self.pace.epoch()
    }

    /// Sends a request and returns its answer as JSON; null where it has no body.
    pub(super) fn send_as(&self, token: &Secret, ask: &Ask) -> Answer<Value> {
        let reply = self.reply_as(token, ask)?;
        reply::json(ask, &reply)
    }

    /// Sends a request and returns the pages of a list until there are `most` items; `field` is where the list is in each
    /// page. A list that says how long it is and is shorter is an error.
    pub(super) fn pages_as(
        &self,
        token: &Secret,
        ask: &Ask,
        field: Option<&str>,
        most: usize,
    ) -> Answer<Vec<Value>> {
        let mut ask = ask.clone();
        let mut all: Vec<Value> = Vec::new();
        for _ in 0..MAX_PAGES {
            let reply = self.reply_as(token, &ask)?;
            let page = reply::json(&ask, &reply)?;
            let list = field.map_or_else(|| page.clone(), |field| page[field].clone());
            let Value::Array(list) = list else { return Err(reply::broken(&ask, "it is no list")) };
            all.extend(list);
            if all.len() >= most {
                return Ok(all);
            }
            let Some(next) = reply.headers.get(header::LINK).and_then(|l| next_page(l.to_str().ok()?)) else {
                let told = page["total_count"].as_u64().filter(|_| field.is_some());
                if told.is_some_and(|told| told > all.len() as u64) {
                    return Err(reply::broken(&ask, "it is cut short: it says there are more than it holds"));
                }
                return Ok(all);
            };
            ask.path =
                self.path_of(&next).ok_or_else(|| reply::broken(&ask, "its next page is elsewhere"))?;
        }
        Err(reply::broken(&ask, "it has more than 100 pages"))
    }

    /// Returns the path of a URL below the base; `None` for any other.
    fn path_of(&self, url: &str) -> Option<String> {
        let url = self.at.rest.join(url).ok()?;
        if url.origin() != self.at.rest.origin() {
            return None;
        }
        let base = self.at.rest.path().trim_end_matches('/');
        let path = url.path().strip_prefix(base)?.to_owned();
        Some(url.query().map_or_else(|| path.clone(), |query| format!("{path}?{query}")))
    }

    /// Sends a request, waits and tries again as its power allows.
    pub(super) fn reply_as(&self, token: &Secret, ask: &Ask) -> Answer<Reply> {
        let started = self.pace.elapsed();
        let mut wait = self.first_wait;
        for attempt in 1.. {
            let failed = match self.attempt(token, ask) {
                Ok(reply) => match reply::failed(ask, &reply, self.pace.epoch(), attempt) {
                    None => return Ok(reply),
                    Some(failed) => failed,
                },
                Err(failed) => failed,
            };
            let pause = match &failed {
                Failed::Final(_) => return Err(failed.error()),
                Failed::Limited { after, .. } => *after,
                Failed::Passing { sent, .. } if *sent && ask.power == Power::Once => {
                    return Err(failed.error());
                }
                Failed::Passing { .. } => wait,
            };
            let left = DEADLINE.saturating_sub(self.pace.elapsed().saturating_sub(started));
            if attempt >= MAX_TRIES || pause > left {
                return Err(failed.error());
            }
            self.pace.wait(pause);
            wait *= 2;
        }
        Err(reply::broken(ask, "no try was made"))
    }

    /// Sends a request once; writes one after the other with a pause between.
    fn attempt(&self, token: &Secret, ask: &Ask) -> Result<Reply, Failed> {
        if ask.power == Power::Read {
            return self.look(token, ask);
        }
        let mut last = self.last_write.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = *last {
            let since = self.pace.elapsed().saturating_sub(last);
            if since < self.between {
                self.pace.wait(self.between.saturating_sub(since));
            }
        }
        let reply = self.transfer(token, ask, None);
        *last = Some(self.pace.elapsed());
        reply
    }

    /// Looks, with what an earlier look brought: an unchanged answer costs no request of the hour's limit.
    fn look(&self, token: &Secret, ask: &Ask) -> Result<Reply, Failed> {
        if ask.graphql {
            return self.transfer(token, ask, None);
        }
        let key = format!("{} {}", ask.accept, ask.path);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let reply = self.transfer(token, ask, kept.as_ref().map(|(etag, _)| etag))?;
        if let (304, Some((_, kept))) = (reply.status, kept) {
            return Ok(kept);
        }
        if let (200, Some(etag)) = (reply.status, reply.headers.get(header::ETAG))
            && reply.body.len() <= MAX_KEPT_BYTES
        {
            let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= MAX_KEPT {
                all.clear();
            }
            all.insert(key, (etag.clone(), reply.clone()));
        }
        Ok(reply)
    }

    fn transfer(&self, token: &Secret, ask: &Ask, etag: Option<&HeaderValue>) -> Result<Reply, Failed> {
        let mut url = if ask.graphql {
            self.at.graphql.to_string()
        } else {
            format!("{}{}", self.at.rest.as_str().trim_end_matches('/'), ask.path)
        };
        for _ in 0..=MAX_HOPS {
            let reply = self.exchange(token, ask, &url, etag)?;
            if !matches!(reply.status, 301 | 302 | 307 | 308) {
                return Ok(reply);
            }
            let to = reply.headers.get(header::LOCATION).and_then(|to| to.to_str().ok());
            let here =
                Url::parse(&url).map_err(|_| Failed::Final(reply::broken(ask, "it has no address")))?;
            let to = to.and_then(|to| here.join(to).ok());
            match to {
                Some(to) if to.origin() == here.origin() && to.username().is_empty() => url = to.to_string(),
                _ => return Err(Failed::Final(reply::broken(ask, "it sends to another host"))),
            }
        }
        Err(Failed::Final(reply::broken(ask, "it sends around in a circle")))
    }

    fn exchange(
        &self,
        token: &Secret,
        ask: &Ask,
        url: &str,
        etag: Option<&HeaderValue>,
    ) -> Result<Reply, Failed> {
        let mut held = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            let made = build(self.is_plain())
                .map_err(|why| Failed::Final(ForgeError::Temporary { what: ask.what.into(), why }))?;
            *held = Some(made);
        }
        let Some((runtime, octocrab)) = &*held else {
            return Err(Failed::Final(reply::broken(ask, "there is no client")));
        };
        let request = request(octocrab, token, ask, url, etag)
            .map_err(|why| Failed::Final(ForgeError::Invalid { what: ask.what.into(), why }))?;
        let exchange = async {
            let response = octocrab.execute(request).await.map_err(|error| reply::unsent(ask, &error))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, MAX_REPLY).collect().await;
            let body = body.map_err(|error| reply::cut(ask, &error.to_string()))?.to_bytes().to_vec();
            Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
        };
        let within = async { tokio::time::timeout(self.limit, exchange).await };
        runtime.block_on(within).unwrap_or_else(|_| {
            let seconds = self.limit.as_secs_f32();
            Err(reply::cut(ask, &format!("no answer within {seconds} seconds")))
        })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("at", &self.at).finish_non_exhaustive()
    }
}

/// Makes the runtime and the client on it: no redirects, no retries of its own, the proxy of the environment but for
/// this machine.
fn build(plain: bool) -> Result<(tokio::runtime::Runtime, Octocrab), String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime can be made: {error}"))?;
    let builder = reqwest::Client::builder();
    // To read the machine's certificates costs more than all else here; without any, no other address is trusted.
    let builder = if plain { builder.tls_certs_only(std::iter::empty()) } else { builder };
    let client = builder
        .user_agent(concat!("orch/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .pool_idle_timeout(Duration::from_secs(5))
        .build()
        .map_err(|error| format!("no HTTP client can be made: {error}"))?;
    let octocrab = {
        let _inside = runtime.enter();
        octocrab::OctocrabBuilder::new().build_with_reqwest(client)
    };
    Ok((runtime, octocrab.map_err(|error| format!("no HTTP client can be made: {error}"))?))
}

fn request(
    octocrab: &Octocrab,
    token: &Secret,
    ask: &Ask,
    url: &str,
    etag: Option<&HeaderValue>,
) -> Result<Request<octocrab::OctoBody>, String> {
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
        .map_err(|_| "the token has characters that no header may have".to_owned())?;
    bearer.set_sensitive(true);
    let mut builder = Request::builder()
        .method(ask.method.as_http())
        .uri(url)
        .header(header::ACCEPT, ask.accept)
        .header(header::AUTHORIZATION, bearer);
    if let Some(etag) = etag {
        builder = builder.header(header::IF_NONE_MATCH, etag);
    }
    octocrab.build_request(builder, ask.body.as_ref()).map_err(|error| error.to_string())
}

/// Returns the address of the next page, from a `Link` header (RFC 8288).
fn next_page(link: &str) -> Option<String> {
    link.split(',').find_map(|part| {
        let (address, parameters) = part.split_once(';')?;
        let next = parameters.split(';').any(|p| p.trim() == "rel=\"next\"");
        next.then(|| address.trim().trim_start_matches('<').trim_end_matches('>').to_owned())
    })
}
