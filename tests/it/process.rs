//! The sandbox: what repository code may do.
