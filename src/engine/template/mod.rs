//! The template engine: real changes from `templates/`, with no model, key or network.
