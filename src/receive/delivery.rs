//! Delivery reports as gateways post them: Twilio's status callback and Kannel's `dlr-url`.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::alert::Fate;

/// How much is kept of a network's own words.
const WORDS_CHARS_MAX: usize = 80;
/// A run of digits this long may be a phone number.
const NUMBER_DIGITS_MIN: usize = 6;

/// Of a form or a query, in their order.
pub type Fields = Vec<(String, String)>;

pub fn fields(form: &[u8]) -> Fields {
    url::form_urlencoded::parse(form).into_owned().collect()
}

pub fn field<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Whether Twilio signed this request: HMAC-SHA1 by the account's token over the address as Twilio was given
/// it and, in the order of their names, all fields with their values (twilio.com/docs: "Validating
/// requests"). Twilio's own libraries take the address with and without its port, as Twilio has signed either.
/// Compared in constant time.
pub fn is_signed_by_twilio(auth_token: &str, address: &str, form: &Fields, signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature) else { return false };
    let mut sorted: Vec<&(String, String)> = form.iter().collect();
    sorted.sort();
    // A field that comes twice with one value is signed once.
    sorted.dedup();
    let fields: String = sorted.into_iter().flat_map(|(name, value)| [name.as_str(), value]).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth_token.as_bytes());
    let holds = |address: String| hmac::verify(&key, (address + &fields).as_bytes(), &signature).is_ok();
    with_and_without_port(address).into_iter().any(holds)
}

/// The address as it is, and without its port or with the one of its scheme.
fn with_and_without_port(address: &str) -> Vec<String> {
    let mut spellings = vec![address.to_owned()];
    if let Some((scheme, rest)) = address.split_once("://") {
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let port = if scheme == "http" { 80 } else { 443 };
        let is_port = |(_, port): &(&str, &str)| port.bytes().all(|byte| byte.is_ascii_digit());
        spellings.push(match host.rsplit_once(':').filter(is_port) {
            Some((name, _)) => format!("{scheme}://{name}{path}"),
            None => format!("{scheme}://{host}:{port}{path}"),
        });
    }
    spellings
}

/// `None` for a state on the way, such as `sending`, or an unknown one.
pub fn twilio(form: &Fields) -> Option<Fate> {
    let status = field(form, "MessageStatus").or_else(|| field(form, "SmsStatus"))?;
    match status {
        "delivered" | "read" => Some(Fate::Delivered),
        "sent" => Some(Fate::Taken),
        "failed" | "undelivered" | "canceled" => {
            let code = field(form, "ErrorCode").unwrap_or_default();
            Some(Fate::Failed { reason: words(&format!("{status} {code}")) })
        }
        _ => None,
    }
}

/// `None` for a state on the way or an unknown one. `answer` holds the network's own words, which may repeat the text.
pub fn kannel(state: &str, answer: &str) -> Option<Fate> {
    match state {
        "1" => Some(Fate::Delivered),
        "8" => Some(Fate::Taken),
        "2" => Some(Fate::Failed { reason: receipt("the network could not deliver it", answer) }),
        "16" => Some(Fate::Failed { reason: receipt("the network refused it", answer) }),
        _ => None,
    }
}

/// Of an SMPP receipt (`id:… stat:UNDELIV err:011 text:…`) only state and error; of other words the beginning,
/// without numbers.
fn receipt(what: &str, answer: &str) -> String {
    let of = |key: &str| {
        let from = answer.find(&format!("{key}:")).and_then(|at| answer.get(at..))?;
        from.split_whitespace().next().map(str::to_owned)
    };
    let words_of_network = match (of("stat"), of("err")) {
        (None, None) => answer.strip_prefix("NACK/").unwrap_or(answer).to_owned(),
        (stat, err) => [stat, err].into_iter().flatten().collect::<Vec<_>>().join(" "),
    };
    match words(&words_of_network) {
        words if words.is_empty() => what.to_owned(),
        words => format!("{what}: {words}"),
    }
}

/// One line, shortened, without what may be a phone number.
fn words(text: &str) -> String {
    let plain: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS_CHARS_MAX).collect();
    let is_number = |word: &&str| word.bytes().filter(u8::is_ascii_digit).count() < NUMBER_DIGITS_MIN;
    plain.split_whitespace().filter(is_number).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twilio's published example ("Validating requests": token 12345).
    #[test]
    fn twilios_own_example_is_believed_and_nothing_near_it() {
        let address = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let form = fields(b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212");
        let signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        assert!(is_signed_by_twilio("12345", address, &form, signature));
        assert!(!is_signed_by_twilio("12346", address, &form, signature));
        assert!(!is_signed_by_twilio(
            "12345",
            "https://mycompany.com/myapp.php?foo=1&bar=3",
            &form,
            signature
        ));
        assert!(!is_signed_by_twilio("12345", address, &fields(b"CallSid=CA1234567890ABCDE"), signature));
        for wrong in ["", "RSOYDt4T1cUTdK1PDd93/VVr8B9=", "RSOYDt4T1cUTdK1PDd93", "no base64"] {
            assert!(!is_signed_by_twilio("12345", address, &form, wrong), "{wrong}");
        }
    }

    #[test]
    fn twilio_may_sign_an_address_with_its_port_or_without_it() {
        let form = fields(b"MessageStatus=sent");
        let signed = |address: &str| {
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"12345");
            STANDARD.encode(hmac::sign(&key, format!("{address}MessageStatussent").as_bytes()))
        };
        let plain = "https://a.example/r?text=a:1";
        for (given, by_twilio, believed) in [
            ("https://a.example:8443/r?text=a:1", plain, true),
            ("https://a.example:8443/r?text=a:1", "https://a.example:8443/r?text=a:1", true),
            (plain, "https://a.example:443/r?text=a:1", true),
            ("http://a.example/r", "http://a.example:80/r", true),
            ("https://[::1]/r", "https://[::1]:443/r", true),
            ("https://a.example:8443/r?text=a:1", "https://a.example:443/r?text=a:1", false),
            (plain, "https://a.example:8443/r?text=a:1", false),
            (plain, "https://b.example/r?text=a:1", false),
        ] {
            assert_eq!(
                is_signed_by_twilio("12345", given, &form, &signed(by_twilio)),
                believed,
                "{given} {by_twilio}"
            );
        }
    }

    #[test]
    fn every_state_of_twilio_has_its_meaning() {
        for (body, fate) in [
            ("MessageStatus=delivered", Some("delivered")),
            ("MessageStatus=read", Some("delivered")),
            ("MessageStatus=sent&SmsStatus=sent", Some("taken")),
            ("MessageStatus=undelivered&ErrorCode=30005", Some("failed")),
            ("MessageStatus=failed&ErrorCode=30008", Some("failed")),
            ("SmsStatus=delivered", Some("delivered")),
            ("MessageStatus=queued", None),
            ("MessageStatus=sending", None),
            ("MessageStatus=levitating", None),
            ("", None),
        ] {
            assert_eq!(twilio(&fields(body.as_bytes())).map(|fate| fate.as_str()), fate, "{body}");
        }
        let failed = twilio(&fields(b"MessageStatus=undelivered&ErrorCode=30005")).expect("a fate");
        assert_eq!(failed.reason(), "undelivered 30005");
    }

    #[test]
    fn every_state_of_kannel_has_its_meaning_without_the_text() {
        for (state, answer, fate, reason) in [
            ("1", "", Some("delivered"), ""),
            ("8", "ACK/", Some("taken"), ""),
            ("16", "NACK/Forbidden", Some("failed"), "the network refused it: Forbidden"),
            ("16", "", Some("failed"), "the network refused it"),
            (
                "2",
                "id:0814 sub:001 dlvrd:000 submit date:2611221000 done date:2611221001 stat:UNDELIV err:011 text:[재난] 서버실",
                Some("failed"),
                "the network could not deliver it: stat:UNDELIV err:011",
            ),
            (
                "2",
                "NACK/1042/no way to 821012345678",
                Some("failed"),
                "the network could not deliver it: 1042/no way to",
            ),
            ("4", "", None, ""),
            ("", "", None, ""),
            ("delivered", "", None, ""),
        ] {
            let said = kannel(state, answer);
            assert_eq!(said.as_ref().map(Fate::as_str), fate, "{state} {answer}");
            assert_eq!(said.as_ref().map_or("", Fate::reason), reason, "{state} {answer}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_report_is_too_strange(
            body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), state in "\\PC*", answer in "\\PC*",
        ) {
            twilio(&fields(&body));
            kannel(&state, &answer);
            is_signed_by_twilio("t", &answer, &fields(&body), &state);
        }
    }
}
