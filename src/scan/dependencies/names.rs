//! Names that look like those of well-known packages.
//!
//! Must never take a well-known name for an imitation of another.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use crate::scan::manifest::Ecosystem;

const NPM: &str = include_str!("../../../rules/packages/npm.txt");
const PYPI: &str = include_str!("../../../rules/packages/pypi.txt");
const CARGO: &str = include_str!("../../../rules/packages/cargo.txt");
const GOLANG: &str = include_str!("../../../rules/packages/golang.txt");
/// Names that look like others and are known to be packages of their own.
const OWN: &str = include_str!("../../../rules/packages/own.txt");
const MAVEN: &str = include_str!("../../../rules/packages/maven.txt");

/// How many of the first names are worth imitating; who is below is only known not to be an imitation.
const TARGETS: usize = 2_500;
/// How many are so well known that a medium likeness counts.
const FAMOUS: usize = 400;

/// How a name is like another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Letters that look like others.
    Homoglyph,
    /// The same but for hyphens, dots and underscores.
    Separator,
    /// Two letters next to each other swapped.
    Transposition,
    /// One letter more, less or other.
    Letter,
    /// The parts in another order.
    Order,
    /// Another owner of a package of that name, whose name looks like the owner's.
    Owner,
    /// The scope written into the name, or left out.
    Scope,
    /// A well-known name with a word that shall inspire trust.
    Word,
}

impl How {
    /// Returns the name used in attributes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Homoglyph => "homoglyph",
            Self::Separator => "separator",
            Self::Transposition => "transposition",
            Self::Letter => "letter",
            Self::Order => "order",
            Self::Owner => "owner",
            Self::Scope => "scope",
            Self::Word => "word",
        }
    }
}

/// What a name is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Likeness {
    /// The well-known name.
    pub of: &'static str,
    /// How.
    pub how: How,
    /// Whether it is nearly always an imitation.
    pub sure: bool,
}

/// The well-known names of an ecosystem.
pub struct Popular {
    known: HashSet<&'static str>,
    targets: Vec<&'static str>,
    /// Without separators, look-alikes put straight.
    skeletons: HashMap<String, &'static str>,
    owners: HashMap<&'static str, Vec<&'static str>>,
}

impl Popular {
    /// Returns those of an ecosystem; made when first asked for.
    pub fn of(ecosystem: Ecosystem) -> &'static Self {
        static ALL: [OnceLock<Popular>; 5] = [const { OnceLock::new() }; 5];
        let (at, text) = match ecosystem {
            Ecosystem::Npm => (0, NPM),
            Ecosystem::Pypi => (1, PYPI),
            Ecosystem::Crates => (2, CARGO),
            Ecosystem::Go => (3, GOLANG),
            Ecosystem::Maven => (4, MAVEN),
        };
        ALL[at].get_or_init(|| Self::new(ecosystem, text))
    }

    fn new(ecosystem: Ecosystem, text: &'static str) -> Self {
        let own = OWN.lines().filter_map(|line| line.strip_prefix(ecosystem.as_str())?.strip_prefix(' '));
        let known: HashSet<&'static str> = text.lines().chain(own).collect();
        let targets: Vec<&'static str> = text.lines().take(TARGETS).collect();
        let mut skeletons = HashMap::new();
        let mut owners: HashMap<&'static str, Vec<&'static str>> = HashMap::new();
        for name in &targets {
            skeletons.entry(skeleton(name)).or_insert(*name);
            if let Some((owner, package)) = split(ecosystem, name) {
                owners.entry(package).or_default().push(owner);
            }
        }
        Self { known, targets, skeletons, owners }
    }

    /// Tells whether a name is well known.
    pub fn knows(&self, name: &str) -> bool {
        self.known.contains(name)
    }
}

/// Splits a name with an owner: `@scope/name`, `host/owner/name`.
fn split(ecosystem: Ecosystem, name: &str) -> Option<(&str, &str)> {
    match ecosystem {
        Ecosystem::Npm => name.strip_prefix('@')?.split_once('/'),
        Ecosystem::Go => {
            let (host, rest) = name.split_once('/')?;
            if !matches!(host, "github.com" | "gitlab.com" | "bitbucket.org") {
                return None;
            }
            let (owner, rest) = rest.split_once('/')?;
            Some((owner, rest.split('/').next().unwrap_or_default()))
        }
        _ => None,
    }
}

/// Returns what a name looks like: look-alike letters put straight, separators left out.
fn skeleton(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars().flat_map(char::to_lowercase) {
        match c {
            '-' | '_' | '.' => {}
            '0' => out.push('o'),
            '1' => out.push('l'),
            c => out.push(latin(c)),
        }
    }
    out.replace("rn", "m").replace("vv", "w")
}

/// Returns the Latin letter that a letter of another script looks like.
const fn latin(c: char) -> char {
    match c {
        'а' | 'α' | 'ɑ' | 'à' | 'á' | 'ä' | 'ａ' => 'a',
        'с' | 'ϲ' | 'ç' => 'c',
        'ԁ' => 'd',
        'е' | 'ё' | 'é' | 'è' | 'ë' => 'e',
        'һ' => 'h',
        'і' | 'ι' | 'ı' | 'í' | 'ï' => 'i',
        'ј' => 'j',
        'κ' | 'к' => 'k',
        'ⅼ' | 'ӏ' => 'l',
        'м' => 'm',
        'ո' | 'ñ' => 'n',
        'о' | 'ο' | 'σ' | 'ö' | 'ó' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' | 'ü' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        'ᴢ' => 'z',
        c => c,
    }
}

/// A longer name imitates nothing.
const LONGEST: usize = 100;

/// Returns what a name is like, when it is not well known itself.
pub fn likeness(ecosystem: Ecosystem, name: &str) -> Option<Likeness> {
    let popular = Popular::of(ecosystem);
    let lower = name.to_ascii_lowercase();
    let base = match ecosystem {
        // Modules below the same repository are of the same owner.
        Ecosystem::Go => name.splitn(4, '/').take(3).collect::<Vec<_>>().join("/"),
        Ecosystem::Crates => name.replace('_', "-"),
        _ => name.to_owned(),
    };
    let known = [name, lower.as_str(), base.as_str()].iter().any(|n| popular.knows(n))
        || (ecosystem == Ecosystem::Crates && popular.knows(&base.replace('-', "_")));
    if known || name.len() > LONGEST {
        return None;
    }
    if matches!(ecosystem, Ecosystem::Npm | Ecosystem::Go) && split(ecosystem, &lower).is_some() {
        return of_owner(popular, ecosystem, &base);
    }
    match ecosystem {
        Ecosystem::Go | Ecosystem::Maven => None,
        _ => looks(popular, &lower)
            .or_else(|| edited(popular, &lower))
            .or_else(|| order(popular, &lower))
            .or_else(|| scope(popular, ecosystem, &lower))
            .or_else(|| word(popular, &lower)),
    }
}

fn looks(popular: &Popular, name: &str) -> Option<Likeness> {
    let of = *popular.skeletons.get(&skeleton(name))?;
    if of.len() < 4 {
        return None;
    }
    let plain = |name: &str| -> String { name.chars().filter(|c| !matches!(c, '-' | '_' | '.')).collect() };
    let how = if plain(of) == plain(name) { How::Separator } else { How::Homoglyph };
    let sure = !name.is_ascii() || of.len() >= 6;
    Some(Likeness { of, how, sure })
}

fn edited(popular: &Popular, name: &str) -> Option<Likeness> {
    let found = popular.targets.iter().enumerate().filter_map(|(rank, of)| {
        let shorter = of.len().min(name.len());
        if shorter < 4 || of.starts_with('@') {
            return None;
        }
        let how = edit(name.as_bytes(), of.as_bytes())?;
        let sure = match how {
            Edit::Swap => shorter >= 5,
            // `lodash4`, `x86` and `x64`: numbers tell versions apart.
            Edit::Letter { digit: true, .. } => return None,
            Edit::Letter { first, .. } => shorter >= 7 && !first && rank < FAMOUS * 3,
        };
        if !sure && (shorter < 6 || rank >= FAMOUS) {
            return None;
        }
        let how = if how == Edit::Swap { How::Transposition } else { How::Letter };
        Some((sure, std::cmp::Reverse(rank), Likeness { of, how, sure }))
    });
    found.max_by_key(|(sure, rank, _)| (*sure, *rank)).map(|(.., likeness)| likeness)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    Swap,
    Letter { digit: bool, first: bool },
}

/// Returns the one edit between two texts, if it is one; the two are not the same.
fn edit(one: &[u8], other: &[u8]) -> Option<Edit> {
    if one.len().abs_diff(other.len()) > 1 {
        return None;
    }
    let head = one.iter().zip(other).take_while(|(x, y)| x == y).count();
    let most = one.len().min(other.len()) - head;
    let tail = one.iter().rev().zip(other.iter().rev()).take(most).take_while(|(x, y)| x == y).count();
    let (left, right) = (one.get(head..one.len() - tail)?, other.get(head..other.len() - tail)?);
    let digit = left.iter().chain(right).any(u8::is_ascii_digit);
    match (left, right) {
        (&[first, second], &[third, fourth]) if first == fourth && second == third => Some(Edit::Swap),
        ([_], [_] | []) | ([], [_]) => Some(Edit::Letter { digit, first: head == 0 }),
        _ => None,
    }
}

/// `nmap-python` and `python-nmap`.
fn order(popular: &Popular, name: &str) -> Option<Likeness> {
    let (left, right) = name.split_once('-')?;
    if right.contains('-') || name.len() < 8 || left == right {
        return None;
    }
    let swapped = format!("{right}-{left}");
    let of = *popular.targets.iter().take(FAMOUS * 3).find(|target| **target == swapped)?;
    Some(Likeness { of, how: How::Order, sure: false })
}

/// `types-node` for `@types/node`.
fn scope(popular: &Popular, ecosystem: Ecosystem, name: &str) -> Option<Likeness> {
    if ecosystem != Ecosystem::Npm {
        return None;
    }
    let joined = |target: &str| target.strip_prefix('@').is_some_and(|t| t.replacen('/', "-", 1) == *name);
    let of = *popular.targets.iter().find(|target| joined(target))?;
    Some(Likeness { of, how: How::Scope, sure: false })
}

const WORDS: [&str; 9] =
    ["official", "secure", "security", "patched", "hotfix", "updated", "verified", "original", "stable"];

/// `express-official`.
fn word(popular: &Popular, name: &str) -> Option<Likeness> {
    let bare = WORDS.iter().find_map(|word| {
        let left = name.strip_suffix(word).and_then(|rest| rest.strip_suffix(['-', '_', '.']));
        left.or_else(|| name.strip_prefix(word).and_then(|rest| rest.strip_prefix(['-', '_', '.'])))
    })?;
    let of = *popular.targets.iter().take(FAMOUS).find(|target| **target == bare)?;
    Some(Likeness { of, how: How::Word, sure: false })
}

/// A package of the same name whose owner looks like the well-known one.
fn of_owner(popular: &'static Popular, ecosystem: Ecosystem, name: &str) -> Option<Likeness> {
    let (owner, package) = split(ecosystem, name)?;
    for real in popular.owners.get(package)? {
        let of = *popular.targets.iter().find(|t| split(ecosystem, t) == Some((*real, package)))?;
        if real.eq_ignore_ascii_case(owner) {
            return None;
        }
        let (lower, known) = (owner.to_ascii_lowercase(), real.to_ascii_lowercase());
        let near = edit(lower.as_bytes(), known.as_bytes()).is_some() || skeleton(&lower) == skeleton(&known);
        let affix = lower.strip_prefix(&known).is_some_and(|rest| rest.starts_with(['-', '_']));
        let far = lower.len() >= 7 && strsim::osa_distance(&lower, &known) == 2;
        if near || affix || far {
            return Some(Likeness { of, how: How::Owner, sure: near && known.len() >= 4 });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imitations_are_told_from_names_of_their_own() {
        use Ecosystem::{Crates, Go, Npm, Pypi};
        for (ecosystem, name, of, how, sure) in [
            (Npm, "expresss", "express", How::Letter, true),
            (Npm, "lodahs", "lodash", How::Transposition, true),
            (Npm, "crossenv", "cross-env", How::Separator, true),
            (Npm, "l0dash", "lodash", How::Homoglyph, true),
            (Npm, "rеact", "react", How::Homoglyph, true),
            (Npm, "@bable/core", "@babel/core", How::Owner, true),
            (Npm, "types-node", "@types/node", How::Scope, false),
            (Npm, "express-official", "express", How::Word, false),
            (Pypi, "reqeusts", "requests", How::Transposition, true),
            (Pypi, "pythondateutil", "python-dateutil", How::Separator, true),
            (Pypi, "dateutil-python", "python-dateutil", How::Order, false),
            (Crates, "serde_jsom", "serde_json", How::Letter, true),
            (Go, "github.com/siruspen/logrus", "github.com/sirupsen/logrus", How::Owner, true),
        ] {
            let found = likeness(ecosystem, name);
            assert_eq!(found, Some(Likeness { of, how, sure }), "{name}");
        }
        for (ecosystem, name) in [
            (Npm, "lodash"),
            (Npm, "preact"),
            (Npm, "lodash4"),
            (Npm, "@acme/lodash"),
            (Npm, "left-pad-of-mine"),
            (Pypi, "requests"),
            (Crates, "serde"),
            (Crates, "serde_json"),
            (Crates, "serde-json"),
            (Go, "github.com/acme/logrus"),
            (Go, "golang.org/x/net"),
            (Npm, ""),
        ] {
            assert_eq!(likeness(ecosystem, name), None, "{name}");
        }
    }
}
