//! Which requests are served, and how honest the refusals are.
