//! The service account key file: what may send pushes in the operator's name.
//!
//! Fields: <https://cloud.google.com/iam/docs/keys-create-delete>. Firebase hands out half a dozen
//! files that look alike, so a wrong one is named instead of missing fields.

use std::fmt;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value};

use crate::deliver::wire::http_url;

const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

const PLIST: &str = "GoogleService-Info.plist, the file of an iOS app";
const FIREBASE_CONFIG: &str = "the firebaseConfig of a web app";

pub struct ServiceAccount {
    pub project_id: String,
    pub client_email: String,
    /// Old files may lack it.
    pub private_key_id: Option<String>,
    /// Where assertions are exchanged, and their audience: as the file has it, to the letter.
    pub token_uri: String,
    pub(super) signing_key: EncodingKey,
}

/// Why a text is no service account key file. Every message says where to get the right one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{problem}; expected a service account key file: Firebase console → Project settings → Service accounts → \
     Generate new private key"
)]
pub struct KeyError {
    pub problem: KeyProblem,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    #[error("the file is empty")]
    Empty,
    /// And no other file that we know.
    #[error("the file is not JSON (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error("this is {0}")]
    WrongFile(&'static str),
    #[error("`type` is `{0}` instead of `service_account`")]
    OtherType(String),
    #[error("`{0}` is missing or empty")]
    Missing(&'static str),
    #[error("`project_id` holds characters that no project has")]
    ProjectId,
    #[error("`token_uri` is not an http(s) URL")]
    TokenUri,
    #[error("`private_key` is not a readable RSA private key: the file may have been edited or cut")]
    PrivateKey,
}

impl ServiceAccount {
    /// Reads the file's text and tries its key once.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Self::read(text).map_err(|problem| KeyError { problem })
    }

    fn read(text: &str) -> Result<Self, KeyProblem> {
        // Editors on Windows put a byte order mark first.
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(KeyProblem::Empty);
        }
        let file: Value = match serde_json::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                let unreadable = KeyProblem::NotJson { line: error.line(), column: error.column() };
                return Err(name_of_text(text).map_or(unreadable, KeyProblem::WrongFile));
            }
        };
        let Value::Object(file) = file else {
            let name = name_of_text(file.as_str().unwrap_or(text)).unwrap_or("JSON, but not a key file");
            return Err(KeyProblem::WrongFile(name));
        };
        if let Some(name) = name_of_object(&file) {
            return Err(KeyProblem::WrongFile(name));
        }
        let kind = field(&file, "type")?;
        if kind != "service_account" {
            return Err(KeyProblem::OtherType(kind.chars().filter(|c| !c.is_control()).take(40).collect()));
        }
        let project_id = field(&file, "project_id")?;
        let client_email = field(&file, "client_email")?.to_owned();
        let signing_key = signing_key(field(&file, "private_key")?)?;
        if !project_id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b)) {
            return Err(KeyProblem::ProjectId);
        }
        let token_uri = field(&file, "token_uri").unwrap_or(TOKEN_URI);
        if http_url(token_uri).is_none() {
            return Err(KeyProblem::TokenUri);
        }
        Ok(Self {
            project_id: project_id.to_owned(),
            client_email,
            private_key_id: field(&file, "private_key_id").ok().map(str::to_owned),
            token_uri: token_uri.to_owned(),
            signing_key,
        })
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("project_id", &self.project_id)
            .field("client_email", &self.client_email)
            .finish_non_exhaustive()
    }
}

fn field<'f>(file: &'f Map<String, Value>, name: &'static str) -> Result<&'f str, KeyProblem> {
    let text = file.get(name).and_then(Value::as_str).map(str::trim).unwrap_or_default();
    if text.is_empty() { Err(KeyProblem::Missing(name)) } else { Ok(text) }
}

/// Reads the PEM text and signs once with it: a key that is cut in the middle still looks like PEM.
fn signing_key(pem: &str) -> Result<EncodingKey, KeyProblem> {
    // A file that went through a shell or an environment variable often has `\n` spelled out.
    let pem = pem.replace("\\r", "").replace("\\n", "\n");
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| KeyProblem::PrivateKey)?;
    let claims = Map::<String, Value>::new();
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key)
        .map_err(|_| KeyProblem::PrivateKey)?;
    Ok(key)
}

fn name_of_object(file: &Map<String, Value>) -> Option<&'static str> {
    match file.get("type").and_then(Value::as_str) {
        Some("authorized_user") => {
            return Some("the login of a person (`gcloud auth application-default login`)");
        }
        Some("external_account" | "external_account_authorized_user") => {
            return Some("a workload identity federation file (`external_account`), which is not supported");
        }
        Some("impersonated_service_account") => return Some("an impersonation file, which is not supported"),
        Some(_) | None => {}
    }
    let fields = [
        ("project_info", "google-services.json, the file of an Android app"),
        ("installed", "an OAuth client secret"),
        ("web", "an OAuth client secret"),
        ("apiKey", FIREBASE_CONFIG),
        ("authDomain", FIREBASE_CONFIG),
        ("GOOGLE_APP_ID", PLIST),
        ("GCM_SENDER_ID", PLIST),
    ];
    fields.into_iter().find(|(field, _)| file.contains_key(*field)).map(|(_, name)| name)
}

fn name_of_text(text: &str) -> Option<&'static str> {
    let is_one_word = !text.contains(char::is_whitespace);
    if text.contains("<plist") || text.starts_with("bplist") || text.contains("GOOGLE_APP_ID") {
        Some(PLIST)
    } else if text.contains("apiKey") && (text.contains("authDomain") || text.contains("projectId")) {
        Some(FIREBASE_CONFIG)
    } else if text.starts_with("-----BEGIN") {
        Some("a bare key or certificate (an APNs .p8 belongs into the Firebase console)")
    } else if is_one_word && (text.contains(":APA91") || text.starts_with("AAAA")) {
        Some("a legacy server key or a device token; Google switched the legacy API off in 2024")
    } else if is_one_word && text.starts_with("AIza") {
        Some("an API key")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
