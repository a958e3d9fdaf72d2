//! `policy`: the change set is judged.
