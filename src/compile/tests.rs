//! What the workflows made hold: powers, conditions, rights.
