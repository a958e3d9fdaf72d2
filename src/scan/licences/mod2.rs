#![allow(dead_code, unused)]
#[path="expression.rs"] pub mod expression;
#[path="names.rs"] mod names;
#[path="text/mod.rs"] pub mod text;
