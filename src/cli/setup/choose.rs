//! Which integration of the configuration is meant.

use super::Sheet;
use crate::config::{Config, Integration};

#[derive(Debug, thiserror::Error)]
pub enum ChooseError {
    #[error(
        "the configuration has no integration of kind {kind}; add one, restart the server, and try again:\n\n\
         [[integration]]\n\
         name = \"{name}\"\n\
         kind = \"{kind}\"\n\
         key  = {{ env = \"BONGSU_{variable}_KEY\" }}   # any long random text, such as from `openssl rand -hex 24`\n"
    )]
    None { kind: &'static str, name: &'static str, variable: String },
    #[error("which one? give --integration NAME: {0}")]
    Several(String),
    #[error("there is no {kind} integration `{name}`, but: {others}")]
    Unknown { kind: &'static str, name: String, others: String },
}

/// The only integration of the sheet's kind, unless `name` says which.
pub fn choose<'a>(
    config: &'a Config,
    sheet: Sheet,
    name: Option<&str>,
) -> Result<&'a Integration, ChooseError> {
    let kind = sheet.kind_word();
    let of_kind: Vec<_> = config.integrations.iter().filter(|one| one.kind == sheet.kind()).collect();
    let names = || of_kind.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
    match (name, of_kind.as_slice()) {
        (_, []) => {
            let name = if kind == "generic" { "scripts" } else { kind };
            Err(ChooseError::None { kind, name, variable: name.to_uppercase() })
        }
        (None, [only]) => Ok(only),
        (None, _) => Err(ChooseError::Several(names())),
        (Some(name), all) => {
            let found = all.iter().find(|one| one.name == name).copied();
            found.ok_or_else(|| ChooseError::Unknown { kind, name: name.to_owned(), others: names() })
        }
    }
}
