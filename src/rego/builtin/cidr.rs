//! `net.cidr_*` beyond the ones regorus has.
//!
//! Must never take a malformed address for one that does not match: it is an error.

use std::net::IpAddr;

use regorus::Value;

use super::{Builtin, Wrong, builtin, elements, kind_name, text};

/// The builtins of this file.
pub(super) const ALL: &[Builtin] = &[
    builtin("net.cidr_intersects", 2, |args| {
        let (a, b) = (Block::read(text(args, 0)?)?, Block::read(text(args, 1)?)?);
        Ok(Value::from(a.holds(&b) || b.holds(&a)))
    }),
    builtin("net.cidr_overlap", 2, |args| {
        Ok(Value::from(Block::read(text(args, 0)?)?.holds(&Block::read_host(text(args, 1)?)?)))
    }),
    builtin("net.cidr_contains_matches", 2, |args| {
        let (blocks, others) = (named(&args[0])?, named(&args[1])?);
        let mut matches = Vec::new();
        for (key, block) in &blocks {
            let block = Block::read(block)?;
            for (other_key, other) in &others {
                if block.holds(&Block::read_host(other)?) {
                    matches.push(Value::from(vec![key.clone(), other_key.clone()]));
                }
            }
        }
        Ok(set(matches))
    }),
    builtin("net.cidr_merge", 1, |args| {
        let mut blocks: Vec<Block> = Vec::new();
        for item in elements(args, 0)? {
            let Value::String(item) = item else {
                return Err(Wrong(format!("needs strings in its argument, and got {}", kind_name(item))));
            };
            blocks.push(Block::read_host(item)?);
        }
        Ok(set(merge(blocks).iter().map(|b| Value::from(b.to_string())).collect()))
    }),
];

fn set(items: Vec<Value>) -> Value {
    Value::from(items.into_iter().collect::<std::collections::BTreeSet<Value>>())
}

/// Returns the addresses of an argument with the index or key each one is found by.
fn named(value: &Value) -> Result<Vec<(Value, String)>, Wrong> {
    let first = |value: &Value| match value {
        Value::String(text) => Ok(text.to_string()),
        Value::Array(items) => match items.first() {
            Some(Value::String(text)) => Ok(text.to_string()),
            _ => Err(Wrong("needs an address first in each array".into())),
        },
        other => Err(Wrong(format!("needs addresses, and got {}", kind_name(other)))),
    };
    match value {
        Value::String(text) => Ok(vec![(value.clone(), text.to_string())]),
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, item)| Ok((Value::from(at), first(item)?))).collect()
        }
        Value::Set(items) => items.iter().map(|item| Ok((item.clone(), first(item)?))).collect(),
        Value::Object(fields) => fields.iter().map(|(key, item)| Ok((key.clone(), first(item)?))).collect(),
        other => Err(Wrong(format!("needs addresses, and got {}", kind_name(other)))),
    }
}

/// A block of addresses: its first one, as a number, its length in bits, whether it is of version 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    six: bool,
    start: u128,
    bits: u32,
}

impl Block {
    fn read(text: &str) -> Result<Self, Wrong> {
        let wrong = || Wrong(format!("got `{text}`, which is no block of addresses"));
        let (address, bits) = text.split_once('/').ok_or_else(wrong)?;
        let (six, number, width) = address_of(address).ok_or_else(wrong)?;
        let bits: u32 = bits.parse().ok().filter(|b| *b <= width).ok_or_else(wrong)?;
        let block = Self { six, start: number, bits };
        Ok(Self { start: number & !block.host_mask(), ..block })
    }

    fn read_host(text: &str) -> Result<Self, Wrong> {
        if text.contains('/') {
            return Self::read(text);
        }
        let (six, start, bits) =
            address_of(text).ok_or_else(|| Wrong(format!("got `{text}`, which is no address")))?;
        Ok(Self { six, start, bits })
    }

    fn width(&self) -> u32 {
        if self.six { 128 } else { 32 }
    }

    fn host_mask(&self) -> u128 {
        let free = self.width() - self.bits;
        if free >= 128 { u128::MAX } else { (1_u128 << free) - 1 }
    }

    fn holds(&self, other: &Self) -> bool {
        self.six == other.six && self.bits <= other.bits && other.start & !self.host_mask() == self.start
    }
}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = if self.six {
            IpAddr::from(self.start.to_be_bytes())
        } else {
            IpAddr::from(u32::try_from(self.start).unwrap_or(u32::MAX).to_be_bytes())
        };
        write!(f, "{address}/{}", self.bits)
    }
}

fn address_of(text: &str) -> Option<(bool, u128, u32)> {
    match text.parse().ok()? {
        IpAddr::V4(four) => Some((false, u128::from(u32::from(four)), 32)),
        IpAddr::V6(six) => Some((true, u128::from(six), 128)),
    }
}

/// Joins what lies in each other or side by side.
fn merge(mut blocks: Vec<Block>) -> Vec<Block> {
    loop {
        blocks.sort_unstable();
        blocks.dedup();
        let mut merged: Vec<Block> = Vec::with_capacity(blocks.len());
        for block in &blocks {
            match merged.last().copied() {
                Some(last) if last.holds(block) => {}
                Some(last) if last.six == block.six && last.bits == block.bits && last.bits > 0 => {
                    let wide = Block { bits: last.bits - 1, ..last };
                    if last.start & wide.host_mask() == 0 && wide.holds(block) {
                        merged.pop();
                        merged.push(wide);
                    } else {
                        merged.push(*block);
                    }
                }
                _ => merged.push(*block),
            }
        }
        if merged.len() == blocks.len() {
            return merged;
        }
        blocks = merged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, args: &str) -> String {
        let args = Value::from_json_str(args).unwrap();
        let args: Vec<Value> = args.as_array().unwrap().iter().cloned().collect();
        (ALL.iter().find(|b| b.name == name).unwrap().run)(&args)
            .map_or_else(|e| e.to_string(), |v| v.to_string())
    }

    #[test]
    fn blocks_are_compared_and_merged() {
        for (name, args, want) in [
            ("net.cidr_intersects", r#"["192.168.0.0/16", "192.168.1.0/24"]"#, "true"),
            ("net.cidr_intersects", r#"["192.168.0.0/16", "10.0.0.0/8"]"#, "false"),
            (
                "net.cidr_contains_matches",
                r#"["1.1.1.0/24", "1.1.1.128"]"#,
                r#"[["1.1.1.0/24","1.1.1.128"]]"#,
            ),
            (
                "net.cidr_contains_matches",
                r#"[{"a": "1.1.0.0/16"}, ["1.1.1.128", "2.0.0.1"]]"#,
                r#"[["a",0]]"#,
            ),
            ("net.cidr_merge", r#"[["192.0.128.0/24", "192.0.129.0/24"]]"#, r#"["192.0.128.0/23"]"#),
            (
                "net.cidr_merge",
                r#"[["192.0.129.0/24", "192.0.130.0/24"]]"#,
                r#"["192.0.129.0/24","192.0.130.0/24"]"#,
            ),
            ("net.cidr_merge", r#"[["10.0.0.0/8", "10.1.1.1", "::1"]]"#, r#"["10.0.0.0/8","::1/128"]"#),
            ("net.cidr_merge", r#"[["0.0.0.0/0", "::/0"]]"#, r#"["0.0.0.0/0","::/0"]"#),
        ] {
            assert_eq!(run(name, args), want, "{name}({args})");
        }
        for args in [r#"["1.1.1.0/33", "1.1.1.1/32"]"#, r#"["x", "y"]"#, r#"["1.1.1.1", "1.1.1.1/8"]"#] {
            assert!(run("net.cidr_intersects", args).contains("no block"), "{args}");
        }
    }
}
