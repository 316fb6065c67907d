//! A service account with a fresh key.

use std::io;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use jsonwebtoken::DecodingKey;
use serde_json::json;

use super::PROJECT;
use crate::sandbox::hex;

/// Width of the base64 lines of a PEM text (RFC 7468 §2), in characters.
const PEM_LINE: usize = 64;

/// The one account that may send; the sandbox itself keeps only its public key and the key file's text.
pub(in crate::sandbox) struct ServiceAccount {
    pub(super) email: String,
    pub(super) key_id: String,
    pub(super) token_uri: String,
    pub(super) public_key: DecodingKey,
    /// The key file, as Firebase's console gives it out.
    pub(in crate::sandbox) file: String,
}

impl ServiceAccount {
    /// Makes an RSA key of 2048 bits, which takes a moment.
    pub(in crate::sandbox) fn generate(base_url: &str) -> io::Result<Self> {
        let failed = |_| io::Error::other("could not make the sandbox's RSA key");
        let key = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let pkcs8: Pkcs8V1Der<'_> = key.as_der().map_err(failed)?;
        let email = format!("bongsu@{PROJECT}.iam.gserviceaccount.com");
        let key_id = hex::random::<20>()?;
        let token_uri = format!("{base_url}/token");
        let file = json!({
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": key_id,
            "private_key": pem("PRIVATE KEY", pkcs8.as_ref()),
            "client_email": email,
            "client_id": "100000000000000000000",
            "auth_uri": format!("{base_url}/auth"),
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        });
        let public_key = DecodingKey::from_rsa_der(key.public_key().as_ref());
        Ok(Self { email, key_id, token_uri, public_key, file: format!("{file:#}") })
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = BASE64_STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in base64.as_bytes().chunks(PEM_LINE) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}
