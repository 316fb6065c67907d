//! Signed bodies, as Grafana makes them (`http/hmac.go` of grafana/alerting): HMAC-SHA-256 as hexadecimal digits in a
//! header, over the raw body; with a timestamp header over its seconds, a colon and the body.

use aws_lc_rs::hmac;
use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;

use crate::{config::Hmac, web::text_of};

/// So far may the time of a signature be from ours, in either direction: an old request is worth nothing.
pub(crate) const TIMESTAMP_WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// Why a signature does not hold. For the sender, which shows only the beginning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureError {
    #[error("the request has no header {0} with its signature")]
    Missing(String),
    #[error("the signature in {0} does not fit: another secret, or the body was changed on its way")]
    Wrong(String),
    #[error("the request has no time in the header {0}, in seconds since 1970")]
    NoTime(String),
    #[error(
        "the time in {header} is {seconds} s off; more than {limit} s is refused: check both clocks",
        limit = TIMESTAMP_WINDOW.as_secs()
    )]
    Old { header: String, seconds: u64 },
}

/// Checks the signature of a body, in constant time.
pub(crate) fn verify(
    rule: &Hmac,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), SignatureError> {
    let header = |name: &str| text_of(headers, name).map(str::trim);
    let given = header(&rule.header).ok_or_else(|| SignatureError::Missing(rule.header.clone()))?;
    let mut signed = Vec::new();
    let mut age = None;
    if let Some(name) = &rule.timestamp_header {
        let no_time = || SignatureError::NoTime(name.clone());
        let time = header(name).ok_or_else(no_time)?;
        let seconds: i64 = time.parse().map_err(|_| no_time())?;
        age = Some((name, now.as_second().abs_diff(seconds)));
        signed.extend_from_slice(time.as_bytes());
        signed.push(b':');
    }
    signed.extend_from_slice(body);
    let wrong = || SignatureError::Wrong(rule.header.clone());
    let key = hmac::Key::new(hmac::HMAC_SHA256, rule.secret.expose_secret().as_bytes());
    hmac::verify(&key, &signed, &bytes_of(given).ok_or_else(wrong)?).map_err(|_| wrong())?;
    match age {
        Some((name, seconds)) if TIMESTAMP_WINDOW.as_secs().unsigned_abs() < seconds => {
            Err(SignatureError::Old { header: name.clone(), seconds })
        }
        Some(_) | None => Ok(()),
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    const HEX_CHARS: usize = 64;
    if hex.len() != HEX_CHARS || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..HEX_CHARS).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    const BODY: &[u8] = b"{\"receiver\":\"x\"}";

    fn rule(timestamp_header: Option<&str>) -> Hmac {
        Hmac {
            secret: "a secret".to_owned().into(),
            header: "X-Grafana-Alerting-Signature".to_owned(),
            timestamp_header: timestamp_header.map(str::to_owned),
        }
    }

    fn sign(secret: &str, text: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signed = hmac::sign(&key, text);
        let digits = signed.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
        digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
        };
        pairs.iter().map(pair).collect()
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_795_000_000).expect("a time")
    }

    /// Made with `printf '{"receiver":"x"}' | openssl dgst -sha256 -hmac 'a secret'`.
    const BY_OPENSSL: &str = "012079d0cc600a69b2fdc3ba5c82326441224a4eef87865ff5b8b58d7b82b16f";
    /// The same with `1795000000:` in front.
    const BY_OPENSSL_WITH_TIME: &str = "91a17000d36e2a285f707eeb5167c3a7935114160f1380117925fde313248bec";

    #[test]
    fn the_raw_body_is_signed() {
        let signed = headers(&[("x-grafana-alerting-signature", BY_OPENSSL)]);
        assert_eq!(verify(&rule(None), &signed, BODY, now()), Ok(()));
        let wrong = Err(SignatureError::Wrong("X-Grafana-Alerting-Signature".to_owned()));
        assert_eq!(verify(&rule(None), &signed, b"{\"receiver\":\"y\"}", now()), wrong);
        for bad in [sign("another secret", BODY), BY_OPENSSL.replace('1', "g"), "é".repeat(32), String::new()]
        {
            let mut signed = HeaderMap::new();
            let value = HeaderValue::from_bytes(bad.as_bytes()).expect("a value");
            signed.insert("x-grafana-alerting-signature", value);
            assert!(verify(&rule(None), &signed, BODY, now()).is_err(), "{bad}");
        }
        let missing = Err(SignatureError::Missing("X-Grafana-Alerting-Signature".to_owned()));
        assert_eq!(verify(&rule(None), &HeaderMap::new(), BODY, now()), missing);
    }

    #[test]
    fn the_time_is_signed_too_and_must_be_near() {
        let rule = rule(Some("X-Time"));
        let signed =
            headers(&[("x-grafana-alerting-signature", BY_OPENSSL_WITH_TIME), ("x-time", "1795000000")]);
        let at = |offset| now().checked_add(SignedDuration::from_secs(offset)).expect("a time");
        for offset in [0, 300, -300] {
            assert_eq!(verify(&rule, &signed, BODY, at(offset)), Ok(()), "{offset}");
        }
        for offset in [301, -301, 86_400] {
            let old = SignatureError::Old { header: "X-Time".to_owned(), seconds: i64::unsigned_abs(offset) };
            assert_eq!(verify(&rule, &signed, BODY, at(offset)), Err(old));
        }
        let moved =
            headers(&[("x-grafana-alerting-signature", BY_OPENSSL_WITH_TIME), ("x-time", "1795000001")]);
        assert!(matches!(verify(&rule, &moved, BODY, now()), Err(SignatureError::Wrong(_))));
        for bad in ["", "soon"] {
            let signed = headers(&[("x-grafana-alerting-signature", BY_OPENSSL), ("x-time", bad)]);
            assert!(matches!(verify(&rule, &signed, BODY, now()), Err(SignatureError::NoTime(_))), "{bad}");
        }
        let unsigned = headers(&[("x-grafana-alerting-signature", BY_OPENSSL)]);
        assert!(matches!(verify(&rule, &unsigned, BODY, now()), Err(SignatureError::NoTime(_))));
    }
}
