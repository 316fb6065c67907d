//! Secrets: `{ env = "NAME" }`, `{ file = "PATH" }` or a string. Errors name the source, never the value.

use secrecy::{ExposeSecret, SecretString};

use super::{
    check::{Check, Section},
    files,
    raw::Field,
};

const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;

pub(super) const WANTED: &str = "expected { env = \"NAME\" }, { file = \"PATH\" } or a string";

/// What samples say in place of a secret, in lower case and without `-`, `_` and spaces.
const PLACEHOLDERS: [&str; 8] = [
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "placeholder",
    "yourkey",
    "yoursecret",
    "yourtoken",
];

impl Section<'_, '_> {
    /// The secret at a key; `None` if absent or unusable.
    pub(super) fn secret(&mut self, field: Field<'_>) -> Option<SecretString> {
        let found = resolve(self.check, field.value?);
        let (secret, source) = found.map_err(|wanted| self.problem(field, wanted)).ok()?;
        let text = secret.expose_secret();
        if text.trim().is_empty() {
            self.problem(field, format!("{source} is empty"));
            return None;
        }
        if is_placeholder(text) {
            let wanted = format!("{source} still holds a placeholder, expected a secret of your own");
            self.problem(field, wanted);
            return None;
        }
        if let Source::File(path) = &source
            && files::is_open_to_others(path)
        {
            self.warning(field, format!("{source} can be read by other users, use mode 0600"));
        }
        Some(secret)
    }

    /// As [`Section::secret`], for a key that must be there.
    pub(super) fn must_secret(&mut self, field: Field<'_>) -> Option<SecretString> {
        if field.value.is_none() {
            self.problem(field, format!("missing, {WANTED}"));
        }
        self.secret(field)
    }
}

/// Whether an HTTP header can carry this and we recognise it there: we read visible ASCII, without spaces around it.
pub fn travels_in_a_header(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && text.trim() == text
}

/// Where a secret came from, as errors say it.
enum Source {
    Here,
    Environment(String),
    File(std::path::PathBuf),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Here => f.write_str("the value"),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

fn resolve(check: &Check<'_>, value: &toml::Value) -> Result<(SecretString, Source), String> {
    if let Some(text) = value.as_str() {
        return Ok((text.into(), Source::Here));
    }
    let (kind, name) = value
        .as_table()
        .filter(|table| table.len() == 1)
        .and_then(|table| table.iter().next())
        .and_then(|(kind, name)| Some((kind.as_str(), name.as_str()?)))
        .ok_or(WANTED)?;
    match kind {
        "env" => match (check.environment)(name) {
            Some(text) => Ok((text.into(), Source::Environment(name.to_owned()))),
            None => Err(format!(
                "environment variable {name} is not set, expected it to hold the secret \
                 (an EnvironmentFile of systemd counts for the service only)"
            )),
        },
        "file" => {
            let path = check.resolve(name);
            let text = files::read(&path, SECRET_FILE_BYTES_MAX).map_err(|error| error.to_string())?;
            Ok((text.trim_end_matches(['\n', '\r']).into(), Source::File(path)))
        }
        _ => Err(WANTED.to_owned()),
    }
}

/// Whether a text is what a sample left to be filled in: with it, everybody who read the sample holds the key.
pub(super) fn is_placeholder(text: &str) -> bool {
    let folded: String =
        text.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).map(|c| c.to_ascii_lowercase()).collect();
    // `<your key>`, but not a gateway's body that is one XML element.
    let is_bracketed = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .is_some_and(|inner| !inner.contains(['<', '>', '{']));
    let is_crossed_out = 3 <= folded.len() && folded.chars().all(|c| c == 'x');
    is_bracketed || is_crossed_out || PLACEHOLDERS.iter().any(|placeholder| folded.contains(placeholder))
}
