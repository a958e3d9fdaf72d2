//! Pieces of text put together under a ceiling.
//!
//! Must never change the order of the pieces: what is stable comes first, whatever is left out.

use crate::agent::fence::{fence, neutral, one_line};
use crate::artifact::types::debate::LeftOut;

/// What happens to a piece there is no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Its first lines stay.
    Head,
    /// Its last lines stay.
    Tail,
    /// It goes as a whole: half of it would mislead.
    Whole,
}

/// A piece of text that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is, as `file src/app.py`.
    pub label: String,
    /// Its words; they are fenced.
    pub content: String,
    /// How much it matters; where room is short, pieces with lower numbers go first.
    pub weight: u8,
    /// What happens where there is no room.
    pub cut: Cut,
}

impl Piece {
    /// Returns a piece.
    pub fn new(label: impl Into<String>, content: impl Into<String>, weight: u8, cut: Cut) -> Self {
        Self { label: label.into(), content: content.into(), weight, cut }
    }

    /// Returns it as it stands in a prompt.
    pub fn fenced(&self) -> String {
        fence(&self.label, &self.content)
    }
}

/// Pieces put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assembled {
    /// The text.
    pub text: String,
    /// What there was no room for.
    pub left_out: Vec<LeftOut>,
}

/// Room below which the head of a piece tells too little to be shown.
const MIN_CUT: usize = 400;

/// Returns the estimate of tokens that ranking works with; what is reserved for a call is bounded elsewhere.
pub fn tokens(text: &str) -> u32 {
    u32::try_from(text.len().div_ceil(4)).unwrap_or(u32::MAX)
}

/// Returns the estimate of the tokens of a piece, its fence included.
pub fn fenced_tokens(piece: &Piece) -> u32 {
    tokens(&piece.fenced())
}

/// Puts pieces together in their order, the heaviest under the ceiling first; of equal ones the earlier.
pub fn assemble(pieces: &[Piece], ceiling: u32) -> Assembled {
    let mut room = (ceiling as usize).saturating_mul(4);
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order.sort_by_key(|at| (std::cmp::Reverse(pieces[*at].weight), *at));
    let mut shown: Vec<Option<String>> = vec![None; pieces.len()];
    let mut left_out: Vec<(usize, LeftOut)> = Vec::new();
    for at in order {
        let piece = &pieces[at];
        let mut out = |why: String| left_out.push((at, LeftOut { what: one_line(&piece.label, 200), why }));
        let whole = fence(&piece.label, &piece.content);
        let text = if whole.len() <= room {
            whole
        } else if let Some(part) = part(piece, room) {
            out(format!("only a part of its {} bytes had room", piece.content.len()));
            part
        } else {
            out(format!("there was no room for its {} bytes", piece.content.len()));
            continue;
        };
        room -= text.len();
        shown[at] = Some(text);
    }
    left_out.sort_by_key(|(at, _)| *at);
    Assembled {
        text: shown.into_iter().flatten().collect(),
        left_out: left_out.into_iter().map(|(_, out)| out).collect(),
    }
}

/// Returns as many whole lines of a piece as there is room for, fenced; `None` where that would tell too little.
fn part(piece: &Piece, room: usize) -> Option<String> {
    let label = format!("{} (a part)", piece.label);
    let space = room.checked_sub(fence(&label, "").len() + 1).filter(|space| *space >= MIN_CUT)?;
    let content = neutral(&piece.content);
    let mut lines: Vec<&str> = content.split_inclusive('\n').collect();
    if piece.cut == Cut::Tail {
        lines.reverse();
    }
    let mut left = space;
    let fits = lines.iter().take_while(|line| {
        let fits = line.len() <= left;
        left = left.saturating_sub(line.len());
        fits
    });
    let mut kept: Vec<&str> = fits.copied().collect();
    if piece.cut == Cut::Tail {
        kept.reverse();
    }
    (piece.cut != Cut::Whole && !kept.is_empty()).then(|| fence(&label, &kept.concat()))
}

/// Returns what was left out as a line for the prompt, fenced since it holds names; empty where all is there.
pub fn left_out_text(left_out: &[LeftOut]) -> String {
    const NAMED: usize = 8;
    if left_out.is_empty() {
        return String::new();
    }
    let mut names: Vec<String> = left_out.iter().take(NAMED).map(|out| one_line(&out.what, 100)).collect();
    if left_out.len() > NAMED {
        names.push(format!("and {} more", left_out.len() - NAMED));
    }
    let line = fence("names", &names.join("; "));
    format!(
        "For want of room these are not shown, or not in full; ask for them with `need-context` if they matter.\n{line}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(n: usize) -> String {
        (0..n).fold(String::new(), |text, i| text + &format!("line {i:04}\n"))
    }

    #[test]
    fn what_fits_is_whole_and_in_order() {
        let pieces = [Piece::new("a", "first", 1, Cut::Whole), Piece::new("b", "second", 9, Cut::Whole)];
        let whole = assemble(&pieces, 1000);
        assert!(whole.left_out.is_empty());
        assert_eq!(whole.text, format!("{}{}", fence("a", "first"), fence("b", "second")));
    }

    #[test]
    fn light_pieces_go_first_and_all_that_goes_is_told() {
        let pieces = [
            Piece::new("light", lines(200), 1, Cut::Whole),
            Piece::new("head", lines(200), 5, Cut::Head),
            Piece::new("tail", lines(200), 4, Cut::Tail),
            Piece::new("heavy", lines(50), 9, Cut::Whole),
        ];
        let out = assemble(&pieces, 600);
        let what: Vec<_> = out.left_out.iter().map(|o| (o.what.as_str(), o.why.contains("part"))).collect();
        assert_eq!(what, [("light", false), ("head", true), ("tail", false)]);
        assert!(out.text.len() <= 2400 && out.text.contains("heavy\nline 0000\n"));
        let roomy = assemble(&pieces[1..3], 1000);
        assert!(
            roomy.text.contains("head\nline 0000") && roomy.text.contains("line 0199\nDATA>>>"),
            "{roomy:?}"
        );
        let line = left_out_text(&out.left_out);
        assert!(line.contains("light; head; tail"), "{line}");
        assert_eq!(left_out_text(&[]), "");
    }

    proptest::proptest! {
        #[test]
        fn no_ceiling_is_passed_and_nothing_goes_silently(
            sizes in proptest::collection::vec((0usize..300, 0u8..4, 0usize..3), 0..8),
            ceiling in 0u32..4000,
        ) {
            let cuts = [Cut::Head, Cut::Tail, Cut::Whole];
            let pieces: Vec<_> = sizes.iter().enumerate()
                .map(|(i, (size, weight, cut))| Piece::new(format!("piece-{i}."), lines(*size), *weight, cuts[*cut]))
                .collect();
            let out = assemble(&pieces, ceiling);
            proptest::prop_assert!(out.text.len() <= ceiling as usize * 4);
            for piece in &pieces {
                let whole = out.text.contains(&fence(&piece.label, &piece.content));
                let told = out.left_out.iter().any(|o| o.what == piece.label);
                proptest::prop_assert!(whole != told, "{} {whole} {told}", piece.label);
            }
            proptest::prop_assert_eq!(&assemble(&pieces, ceiling), &out);
        }
    }
}
