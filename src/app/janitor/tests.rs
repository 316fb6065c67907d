//! Tidying up.
