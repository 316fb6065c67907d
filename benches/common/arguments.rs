//! What comes after `--`.

/// The value after `name`, if it is given.
pub(crate) fn value_of(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}
