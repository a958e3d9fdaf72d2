//! A secret: text that cannot be printed by accident.
//!
//! Must never be shown, cloned into a plain string for later, or kept longer than needed: its memory is overwritten when it
//! goes.

use std::fmt;

use zeroize::Zeroizing;

/// A secret; `Debug` shows `***`, there is no `Display`, and no `Serialize`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Returns the text, to be put on a wire and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Some(Secret::new("key".into()))), "Some(***)");
    }
}
