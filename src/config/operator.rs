//! `[[operator]]`: who may use the API.

use secrecy::SecretString;

use super::{
    check::{Check, Section},
    keys::Keys,
    raw::{Part, RawOperator},
    units::{self, one_of},
};

#[derive(Clone, Debug)]
pub struct Operator {
    pub name: String,
    /// Bearer, or Basic password.
    pub token: SecretString,
    pub role: Role,
}

/// What an operator may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Viewer,
    #[default]
    Operator,
}

pub(super) fn operators(check: &mut Check<'_>, raw: &[Part<RawOperator>], keys: &mut Keys) -> Vec<Operator> {
    check.each("[[operator]]", raw, |section, raw| operator(section, raw, keys))
}

fn operator(section: &mut Section<'_, '_>, raw: &RawOperator, keys: &mut Keys) -> Option<Operator> {
    let name = section.name(raw.name(), "a name such as \"jin\"", units::name);
    let token = keys.read(section, raw.token());
    let roles = [("viewer", Role::Viewer), ("operator", Role::Operator)];
    let role = section.read(raw.role(), one_of(&roles));
    Some(Operator { name: name?, token: token?, role: role.unwrap_or_default() })
}
