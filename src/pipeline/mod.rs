//! The pipeline as data: order, rounds and conditions.
