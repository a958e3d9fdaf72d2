//! The sandbox: what repository code may do.

mod honest;
mod hostile;
mod support;
