//! Secrets: `{ env = "NAME" }`, `{ file = "PATH" }` or a string. Errors name the source, never the value.

use secrecy::{ExposeSecret, SecretString};

use super::{
    check::{Check, Section},
    files,
    raw::Leaf,
};

/// Largest file that a secret is read from, in bytes.
const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Fewer characters can be guessed by trying.
const KEY_CHARS_MIN: usize = 16;

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
    /// The secret at `key`; `None` if absent or unusable.
    pub(super) fn secret(&mut self, key: &str, field: Option<&Leaf>) -> Option<SecretString> {
        let field = field?;
        let checked = resolve(self.check, field.get_ref()).and_then(|(secret, source)| {
            let text = secret.expose_secret();
            if text.trim().is_empty() {
                Err(format!("{source} is empty"))
            } else if is_placeholder(text) {
                Err(format!("{source} still holds a placeholder, expected a secret of your own"))
            } else {
                Ok((secret, source))
            }
        });
        match checked {
            Ok((secret, source)) => {
                if let Source::File(path) = &source
                    && files::is_open_to_others(path)
                {
                    let what = format!("{source} can be read by other users, use mode 0600");
                    self.warning(field.span(), key, what);
                }
                Some(secret)
            }
            Err(wanted) => {
                self.problem(field.span(), key, wanted);
                None
            }
        }
    }

    /// As [`Section::secret`], for a key that must be there.
    pub(super) fn must_secret(&mut self, key: &str, field: Option<&Leaf>) -> Option<SecretString> {
        if field.is_none() {
            self.problem(self.header(), key, format!("missing, {}", wanted()));
        }
        self.secret(key, field)
    }

    /// As [`Section::must_secret`], for one that others must know to call us.
    pub(super) fn must_key(&mut self, key: &str, field: Option<&Leaf>) -> Option<SecretString> {
        let (secret, at) = (self.must_secret(key, field)?, field?.span());
        if secret.expose_secret().chars().count() < KEY_CHARS_MIN {
            let advice = "try `openssl rand -hex 24`";
            self.warning(at.clone(), key, format!("shorter than {KEY_CHARS_MIN} characters; {advice}"));
        }
        if !travels_in_a_header(secret.expose_secret()) {
            let advice = "spaces around it, or what is not ASCII, do not travel in a header";
            self.warning(at, key, format!("no sender can pass it as a Bearer token: {advice}"));
        }
        Some(secret)
    }
}

/// True if an HTTP header can carry this, and it is recognised there: we read visible ASCII and ignores
/// spaces around it.
pub fn travels_in_a_header(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && text.trim() == text
}

/// Where a secret came from, to be named in errors.
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
        .ok_or_else(wanted)?;
    match kind {
        "env" => {
            let text = (check.environment)(name).ok_or_else(|| {
                format!(
                    "environment variable {name} is not set, expected it to hold the secret \
                     (an EnvironmentFile of systemd counts for the service only)"
                )
            })?;
            Ok((text.into(), Source::Environment(name.to_owned())))
        }
        "file" => {
            let path = check.resolve(name);
            let text = files::read(&path, SECRET_FILE_BYTES_MAX).map_err(|error| error.to_string())?;
            Ok((text.trim_end_matches(['\n', '\r']).into(), Source::File(path)))
        }
        _ => Err(wanted()),
    }
}

pub(super) fn wanted() -> String {
    "expected { env = \"NAME\" }, { file = \"PATH\" } or a string".to_owned()
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
