//! Keys of integrations and operators.

use secrecy::{ExposeSecret, SecretString};

use super::{check::Section, raw::Leaf};

/// Every key seen so far and whose it is: a key says who is calling, so no two may share one.
#[derive(Default)]
pub(super) struct Keys(Vec<(SecretString, String)>);

impl Keys {
    pub(super) fn add(
        &mut self,
        section: &mut Section<'_, '_>,
        name: &str,
        field: Option<&Leaf>,
        key: &SecretString,
    ) {
        let owner = self.0.iter().find(|(other, _)| other.expose_secret() == key.expose_secret());
        if let (Some((_, owner)), Some(field)) = (owner, field) {
            let what = format!("{owner} has the same key, expected another: a key says who is calling");
            section.problem(field.span(), name, what);
        }
        self.0.push((key.clone(), section.label.clone()));
    }
}
