//! Keys of integrations and operators.

use secrecy::{ExposeSecret, SecretString};

use super::{check::Section, raw::Field, secret::travels_in_a_header};

/// Fewer characters can be guessed by trying.
const KEY_CHARS_MIN: usize = 16;

/// Every key seen so far and whose it is: a key says who is calling, so no two may share one.
#[derive(Default)]
pub(super) struct Keys(Vec<(SecretString, String)>);

impl Keys {
    /// A secret that others must know to call us.
    pub(super) fn read(&mut self, section: &mut Section<'_, '_>, field: Field<'_>) -> Option<SecretString> {
        let secret = section.must_secret(field)?;
        let key = secret.expose_secret();
        if key.chars().count() < KEY_CHARS_MIN {
            let advice = "try `openssl rand -hex 24`";
            section.warning(field, format!("shorter than {KEY_CHARS_MIN} characters; {advice}"));
        }
        if !travels_in_a_header(key) {
            let advice = "spaces around it, or what is not ASCII, do not travel in a header";
            section.warning(field, format!("no sender can pass it as a Bearer token: {advice}"));
        }
        if let Some((_, owner)) = self.0.iter().find(|(other, _)| other.expose_secret() == key) {
            let what = format!("{owner} has the same key, expected another: a key says who is calling");
            section.problem(field, what);
        }
        self.0.push((secret.clone(), section.label.clone()));
        Some(secret)
    }
}
