//! A text as the words that matter for telling licences apart: no case, no wrapping, no comment marks, no list numbers.
//!
//! Must never drop a word that could change what a licence asks for.

use std::sync::LazyLock;

/// A text as words.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// The words, as digests.
    pub all: Vec<u32>,
    /// Where each begins, in bytes of the text.
    pub starts: Vec<u32>,
    /// Whether each is on a line with a copyright notice.
    pub notice: Vec<bool>,
}

/// What licences write in more than one way.
const EQUAL: &[(&str, &str)] = &[
    ("acknowledgement", "acknowledgment"),
    ("acknowledgements", "acknowledgments"),
    ("analyse", "analyze"),
    ("artefact", "artifact"),
    ("authorisation", "authorization"),
    ("authorised", "authorized"),
    ("cancelled", "canceled"),
    ("catalogue", "catalog"),
    ("centre", "center"),
    ("favour", "favor"),
    ("fulfil", "fulfill"),
    ("fulfilment", "fulfillment"),
    ("https", "http"),
    ("initialise", "initialize"),
    ("judgement", "judgment"),
    ("labour", "labor"),
    ("licence", "license"),
    ("licenced", "licensed"),
    ("licences", "licenses"),
    ("merchantibility", "merchantability"),
    ("noninfringment", "noninfringement"),
    ("offence", "offense"),
    ("organisation", "organization"),
    ("organisations", "organizations"),
    ("owner", "holder"),
    ("owners", "holders"),
    ("practise", "practice"),
    ("programme", "program"),
    ("realise", "realize"),
    ("recognise", "recognize"),
    ("sublicence", "sublicense"),
    ("utilisation", "utilization"),
    ("whilst", "while"),
    ("wilful", "willful"),
    ("wilfull", "willful"),
];

/// What stands beside copyright notices and asks for nothing, as words.
const ASIDES: &[&str] = &[
    "all rights reserved",
    "some rights reserved",
    "distributed under the terms of use in http wwwunicodeorg copyrighthtml",
];

/// Digests a word in lower case, without marks inside.
pub fn digest(word: &str) -> u32 {
    let equal = EQUAL.binary_search_by(|(from, _)| (*from).cmp(word)).ok();
    plain(equal.and_then(|at| EQUAL.get(at)).map_or(word, |(_, to)| to))
}

/// Digests a word that is in the form of the data: not one of those that are written in more than one way.
pub fn plain(word: &str) -> u32 {
    word.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Words longer than this are cut; no licence has one.
const LONGEST: usize = 64;

impl Words {
    /// Reads a text.
    pub fn of(text: &str) -> Self {
        let mut reader =
            Reader { words: Self::default(), word: String::new(), start: 0, line: 0, joined: false };
        let mut chars = text.char_indices().peekable();
        let mut before = '\n';
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map_or('\n', |(_, c)| *c);
            if c.is_alphanumeric() {
                reader.letter(at, c);
            } else if matches!(c, '\'' | '\u{2019}' | '.' | '-' | '\u{2010}' | '\u{2011}' | '_' | '\u{ad}')
                && before.is_alphanumeric()
                && next.is_alphanumeric()
            {
                // One word: `licensor's`, `2.0`, `non-commercial`.
                reader.joined = true;
            } else if c == '-' && before.is_alphanumeric() && broken(&text[at + 1..]) {
                // Broken over two lines: skip to where it goes on.
                while chars.peek().is_some_and(|(_, c)| !c.is_alphanumeric()) {
                    chars.next();
                }
                before = 'x';
                continue;
            } else {
                reader.end(c);
                match c {
                    '&' if before.is_whitespace() && next.is_whitespace() => reader.whole(at, "and"),
                    '©' => reader.whole(at, "copyright"),
                    '\n' => reader.end_of_line(),
                    _ => {}
                }
            }
            before = c;
        }
        reader.end('\n');
        reader.end_of_line();
        reader.asides();
        reader.words
    }

    /// Drops all words from one on.
    pub fn cut(&mut self, len: usize) {
        self.all.truncate(len);
        self.starts.truncate(len);
        self.notice.truncate(len);
    }

    /// Returns where a range of words is in the text of this length.
    pub fn bytes(&self, range: &std::ops::Range<usize>, len: usize) -> std::ops::Range<usize> {
        let at = |n: usize| self.starts.get(n).map_or(len, |at| *at as usize);
        at(range.start)..at(range.end).min(len)
    }

    /// Tells whether a word is on a line with a copyright notice, or in a sentence beside one.
    pub fn is_notice(&self, n: usize) -> bool {
        self.notice.get(n).copied().unwrap_or_default()
    }

    /// Returns how many words there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }
}

/// Tells whether a hyphen before this text only breaks a word: white space and comment marks up to a small letter.
fn broken(rest: &str) -> bool {
    let Some(line) = rest.trim_start_matches([' ', '\t', '\r']).strip_prefix('\n') else { return false };
    let mut marks = line.chars().take(24).skip_while(|c| " \t*#/;%".contains(*c));
    marks.next().is_some_and(char::is_lowercase)
}

struct Reader {
    words: Words,
    word: String,
    start: usize,
    /// The first word of the line.
    line: usize,
    /// Whether the word has a mark inside, as `2.0` has.
    joined: bool,
}

impl Reader {
    fn letter(&mut self, at: usize, c: char) {
        if self.word.is_empty() {
            self.start = at;
        }
        if self.word.len() < LONGEST {
            self.word.extend(c.to_lowercase());
        }
    }

    fn whole(&mut self, at: usize, word: &str) {
        self.start = at;
        self.word.push_str(word);
        self.end(' ');
    }

    fn end(&mut self, by: char) {
        if self.word.is_empty() {
            return;
        }
        let first = self.words.len() == self.line;
        let mark = if self.joined {
            first && by == '.' && is_number(&self.word)
        } else {
            is_mark(&self.word, by, first)
        };
        if !mark {
            self.words.all.push(digest(&self.word));
            self.words.starts.push(u32::try_from(self.start).unwrap_or(u32::MAX));
            self.words.notice.push(false);
        }
        self.word.clear();
        self.joined = false;
    }

    /// Marks sentences that stand beside notices and ask for nothing.
    fn asides(&mut self) {
        static PHRASES: LazyLock<Vec<Vec<u32>>> =
            LazyLock::new(|| ASIDES.iter().map(|phrase| phrase.split(' ').map(digest).collect()).collect());
        for at in 0..self.words.len() {
            let rest = self.words.all.get(at..).unwrap_or_default();
            let Some(phrase) = PHRASES.iter().find(|phrase| rest.starts_with(phrase)) else { continue };
            if let Some(notice) = self.words.notice.get_mut(at..at + phrase.len()) {
                notice.fill(true);
            }
        }
    }

    fn end_of_line(&mut self) {
        let from = self.line;
        self.line = self.words.len();
        let line = self.words.all.get(from..).unwrap_or_default();
        let copyright = digest("copyright");
        if line.len() <= 40
            && line.iter().take(3).any(|word| *word == copyright)
            && let Some(notice) = self.words.notice.get_mut(from..)
        {
            notice.fill(true);
        }
    }
}

/// Tells whether a word is a letter or number that only counts items, or stands for a sign.
fn is_mark(word: &str, by: char, first: bool) -> bool {
    let roman = word.len() <= 4 && word.bytes().all(|b| matches!(b, b'i' | b'v' | b'x'));
    if word.len() == 1 && !word.as_bytes()[0].is_ascii_digit() || roman {
        return true;
    }
    is_number(word) && (by == ')' || (first && by == '.'))
}

fn is_number(word: &str) -> bool {
    word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit())
}
