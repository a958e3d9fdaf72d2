//! Indentation of new lines, taken from the file by what happened to that of the lines around them.
//!
//! Must never guess: where the lines around say nothing or two things, the change is refused.

use std::collections::BTreeMap;

/// The white space a line begins with.
pub fn lead(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// What turns the indentation of a hunk into that of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Indenter {
    /// Nothing.
    Same,
    /// This stands before it.
    Add(String),
    /// This is taken from its start.
    Strip(String),
    /// So many columns more (or fewer), in the file's style, tabs being so wide.
    Columns {
        /// Columns added.
        shift: isize,
        /// Columns of a tab.
        tab: usize,
        /// The file uses tabs.
        tabs: bool,
    },
    /// From one to the other, as seen.
    Table(BTreeMap<String, String>),
}

/// How a file indents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Some line begins with a tab.
    pub tabs: bool,
    /// Some line begins with a space.
    pub spaces: bool,
    /// The smallest number of spaces a line begins with, from 2.
    pub unit: usize,
}

impl Style {
    /// Looks at lines.
    pub fn of<'l>(lines: impl Iterator<Item = &'l str>) -> Self {
        let mut style = Self { tabs: false, spaces: false, unit: 0 };
        for line in lines.filter(|line| !line.trim().is_empty()) {
            let lead = lead(line);
            style.tabs |= lead.starts_with('\t');
            let spaces = lead.bytes().take_while(|b| *b == b' ').count();
            style.spaces |= spaces > 1;
            if spaces > 1 && (style.unit == 0 || spaces < style.unit) {
                style.unit = spaces;
            }
        }
        style
    }
}

fn columns(lead: &str, tab: usize) -> usize {
    lead.bytes().fold(0, |at, b| if b == b'\t' { (at / tab + 1) * tab } else { at + 1 })
}

fn render(columns: usize, tab: usize, tabs: bool) -> String {
    if tabs { "\t".repeat(columns / tab) + &" ".repeat(columns % tab) } else { " ".repeat(columns) }
}

impl Indenter {
    /// Finds out from pairs of a quoted line's and the file line's indentation, and from that of the new lines.
    pub fn of(pairs: &[(&str, &str)], new: &[&str], style: impl FnOnce() -> Style) -> Self {
        if pairs.iter().all(|(quoted, file)| quoted == file) {
            return Self::untold(pairs, new, style);
        }
        Self::moved(pairs).unwrap_or_else(|| {
            let mut table = BTreeMap::new();
            let mut torn = Vec::new();
            for (quoted, file) in pairs {
                if table.insert((*quoted).to_owned(), (*file).to_owned()).is_some_and(|known| known != **file)
                {
                    torn.push(*quoted);
                }
            }
            table.retain(|quoted, _| !torn.contains(&quoted.as_str()));
            Self::Table(table)
        })
    }

    /// One rule for all pairs, the plainest first.
    fn moved(pairs: &[(&str, &str)]) -> Option<Self> {
        let (quoted, file) = pairs.iter().max_by_key(|(quoted, file)| quoted.len().max(file.len()))?;
        if let Some(more) = file.strip_suffix(quoted)
            && pairs.iter().all(|(q, f)| f.strip_suffix(q) == Some(more))
        {
            return Some(Self::Add(more.to_owned()));
        }
        if let Some(less) = quoted.strip_suffix(file)
            && pairs.iter().all(|(q, f)| q.strip_suffix(f) == Some(less))
        {
            return Some(Self::Strip(less.to_owned()));
        }
        let tabs = pairs.iter().any(|(_, file)| file.contains('\t'));
        // Tabs for spaces or the other way round is likelier than that and a shift.
        let widths = [4, 2, 8, 3];
        let plain = widths.iter().map(|tab| (*tab, Some(0)));
        let shifted = widths.iter().map(|tab| (*tab, None));
        plain.chain(shifted).find_map(|(tab, shift)| {
            let by = |(quoted, file): &(&str, &str)| {
                columns(file, tab).cast_signed() - columns(quoted, tab).cast_signed()
            };
            let shift = shift.or_else(|| pairs.first().map(by))?;
            let fits = |pair: &(&str, &str)| {
                let to = columns(pair.0, tab).checked_add_signed(shift);
                to.is_some_and(|to| render(to, tab, tabs) == pair.1)
            };
            pairs.iter().all(fits).then_some(Self::Columns { shift, tab, tabs })
        })
    }

    /// The lines around are as in the file; only where none has an indentation does its style decide.
    fn untold(pairs: &[(&str, &str)], new: &[&str], style: impl FnOnce() -> Style) -> Self {
        let (tab, space) = (new.iter().any(|l| l.contains('\t')), new.iter().any(|l| l.starts_with("  ")));
        let told = pairs.iter().any(|(quoted, _)| !quoted.is_empty());
        let reindents = tab || (space && !told);
        if !reindents || pairs.iter().any(|(quoted, _)| quoted.contains('\t')) {
            return Self::Same;
        }
        let style = style();
        if tab && style.spaces && !style.tabs {
            // Spaces that were left as they are beside tabs are fewer than a tab stands for.
            let mixed = new.iter().any(|l| l.contains('\t') && l.contains(' '));
            let left = pairs.iter().map(|(quoted, _)| quoted.len()).max().unwrap_or(0);
            let tab = match left {
                0 | 1 if !mixed => style.unit.max(2),
                0..=3 => 4,
                _ => 8,
            };
            return Self::Columns { shift: 0, tab, tabs: false };
        }
        if space && !tab && style.tabs && !style.spaces {
            let smallest = new.iter().map(|l| l.len()).filter(|len| *len > 1).min().unwrap_or(4);
            let tab = if smallest % 4 == 0 { 4 } else { smallest };
            return Self::Columns { shift: 0, tab, tabs: true };
        }
        Self::Same
    }

    /// Returns a new line as it is to stand in the file; none where that is not known.
    pub fn apply(&self, line: &str) -> Option<String> {
        let (lead, rest) = line.split_at(lead(line).len());
        if rest.trim().is_empty() {
            // A line of white space alone follows the style of the file, and no more.
            return Some(match self {
                Self::Columns { .. } if !lead.is_empty() => {
                    self.lead(lead).unwrap_or_else(|| lead.to_owned()) + rest
                }
                _ => line.to_owned(),
            });
        }
        Some(self.lead(lead)? + rest)
    }

    /// Returns an indentation as it is to be in the file.
    fn lead(&self, lead: &str) -> Option<String> {
        Some(match self {
            Self::Same => lead.to_owned(),
            Self::Add(more) => format!("{more}{lead}"),
            Self::Strip(less) => lead.strip_prefix(less.as_str())?.to_owned(),
            Self::Columns { shift, tab, tabs } => {
                render(columns(lead, *tab).checked_add_signed(*shift)?, *tab, *tabs)
            }
            Self::Table(known) => known.get(lead)?.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learnt(pairs: &[(&str, &str)], line: &str) -> Option<String> {
        let none = || Style { tabs: false, spaces: false, unit: 0 };
        Indenter::of(pairs, &[lead(line)], none).apply(line)
    }

    #[test]
    fn indentation_follows_the_lines_around() {
        for (pairs, line, wanted) in [
            (&[("", ""), ("  ", "  ")][..], "    x", Some("    x")),
            (&[("", "    "), ("  ", "      ")], "    x", Some("        x")),
            (&[("      ", "    ")], "        x", Some("      x")),
            (&[("\t", "    "), ("\t\t", "        ")], "\t\t\tx", Some("            x")),
            (&[("    ", "\t"), ("     ", "\t ")], "        x", Some("\t\tx")),
            (&[("  ", "\t")], "    x", Some("\t\tx")),
            (&[("  ", "      ")], "x", Some("    x")),
            (&[("    ", "  ")], "x", None),
            (&[("  ", "    "), ("   ", "  ")], "  x", Some("    x")),
            (&[("  ", "    "), ("   ", "  ")], " x", None),
        ] {
            assert_eq!(learnt(pairs, line).as_deref(), wanted, "{pairs:?} {line:?}");
        }
    }

    #[test]
    fn the_style_of_the_file_decides_where_no_line_around_is_indented() {
        let of = |lines: &[&str], new: &str| {
            Indenter::of(&[("", "")], &[lead(new)], || Style::of(lines.iter().copied())).apply(new).unwrap()
        };
        assert_eq!(of(&["    a"], "\tx"), "    x");
        assert_eq!(of(&["\ta"], "    x"), "\tx");
        assert_eq!(of(&["\ta", "   b"], "    x"), "    x");
        assert_eq!(of(&[], "    x"), "    x");
    }
}
