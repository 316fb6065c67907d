//! Words that only we can have made: what a delivery report shows to be believed.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::alert::AlertId;

/// Bytes of a signature in a token: 128 bits, half of what HMAC-SHA256 gives, cannot be guessed either.
const SIGNATURE_BYTES: usize = 16;
/// An alert's id and an attempt's number.
const NAMED_BYTES: usize = 20;

/// The key of this installation. It is made at the first start and kept in the store; until it is learnt from there
/// no token is ours.
#[derive(Clone, Default)]
pub struct SigningKey(Arc<OnceLock<hmac::Key>>);

/// Who is to report what became of a text.
#[derive(Clone, Copy, Debug)]
pub struct Reporter<'a> {
    pub gateway: &'a str,
    /// The account that signs them besides, so that whoever merely knows the address is not believed.
    pub account: Option<&'a str>,
}

impl SigningKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        let key = Self::default();
        key.learn(bytes);
        key
    }

    /// For all its copies; only the first time.
    pub fn learn(&self, bytes: [u8; 32]) {
        self.0.get_or_init(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes));
    }

    /// Names one text of `reporter` in a URL: 48 characters that need no escape.
    pub fn text_token(&self, reporter: Reporter<'_>, alert: AlertId, attempt: u32) -> String {
        let mut token = alert.to_bytes().to_vec();
        token.extend(attempt.to_be_bytes());
        let signature = self.signature(reporter, &token);
        token.extend(signature.unwrap_or_default());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Which text of `reporter` a token names, if it is one of ours.
    pub fn read_text_token(&self, reporter: Reporter<'_>, token: &str) -> Option<(AlertId, u32)> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (named, signature) = bytes.split_at_checked(NAMED_BYTES)?;
        verify_slices_are_equal(&self.signature(reporter, named)?, signature).ok()?;
        let (alert, attempt) = named.split_at_checked(16)?;
        Some((AlertId::from_bytes(alert.try_into().ok()?), u32::from_be_bytes(attempt.try_into().ok()?)))
    }

    fn signature(&self, reporter: Reporter<'_>, named: &[u8]) -> Option<Vec<u8>> {
        let key = self.0.get()?;
        let Reporter { gateway, account } = reporter;
        let account = account.map(|account| format!("signed by {account}")).unwrap_or_default();
        // What is signed says what it is for, so that no other signature of this key can stand in for it.
        let what = format!("text of gateway {gateway}\0{account}\0");
        let signed = [what.as_bytes(), named].concat();
        Some(hmac::sign(key, &signed).as_ref().iter().take(SIGNATURE_BYTES).copied().collect())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KANNEL: Reporter<'_> = Reporter { gateway: "kannel", account: None };

    fn key(byte: u8) -> SigningKey {
        SigningKey::new([byte; 32])
    }

    #[test]
    fn before_the_key_is_known_no_token_is_ours() {
        let id = AlertId::from_bytes([7; 16]);
        let key = SigningKey::default();
        let token = key.text_token(KANNEL, id, 1);
        assert_eq!(key.read_text_token(KANNEL, &token), None);
        key.clone().learn([1; 32]);
        assert_eq!(key.read_text_token(KANNEL, &token), None);
        let token = key.text_token(KANNEL, id, 1);
        assert_eq!(key.read_text_token(KANNEL, &token), Some((id, 1)));
    }

    proptest::proptest! {
        #[test]
        fn a_token_names_its_text_and_nothing_else_does(
            id in proptest::prelude::any::<[u8; 16]>(), attempt in proptest::prelude::any::<u32>(), bit in 0_usize..48 * 6,
        ) {
            let id = AlertId::from_bytes(id);
            let token = key(1).text_token(KANNEL, id, attempt);
            proptest::prop_assert_eq!(token.len(), 48);
            proptest::prop_assert_eq!(key(1).read_text_token(KANNEL, &token), Some((id, attempt)));
            proptest::prop_assert_eq!(key(1).read_text_token(Reporter { gateway: "twilio", ..KANNEL }, &token), None);
            proptest::prop_assert_eq!(key(1).read_text_token(Reporter { account: Some(""), ..KANNEL }, &token), None);
            proptest::prop_assert_eq!(key(2).read_text_token(KANNEL, &token), None);
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).expect("base64");
            if let Some(byte) = bytes.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
            proptest::prop_assert_eq!(key(1).read_text_token(KANNEL, &URL_SAFE_NO_PAD.encode(bytes)), None);
        }

        #[test]
        fn no_word_is_too_strange(token in "\\PC{0,80}") {
            proptest::prop_assert_eq!(key(1).read_text_token(KANNEL, &token), None);
        }
    }

    #[test]
    fn the_key_is_not_shown() {
        assert_eq!(format!("{:?}", key(7)), "SigningKey(***)");
    }
}
