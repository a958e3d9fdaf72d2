//! The gateway over providers that do what they are told.
