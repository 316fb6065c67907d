//! Who is told, and the addresses they have.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};
use strum::IntoStaticStr;

use super::dedup_key::{hex, sixteen_bytes_of};

/// Name of a person in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ContactName(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a contact name has 1 to {max} characters and no control characters or `:`", max = ContactName::CHARS_MAX)]
pub struct InvalidContactName;

impl ContactName {
    pub const CHARS_MAX: usize = 64;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ContactName {
    type Error = InvalidContactName;

    fn try_from(name: String) -> Result<Self, InvalidContactName> {
        let chars = name.chars().count();
        let fits = (1..=Self::CHARS_MAX).contains(&chars);
        if fits && !name.contains(|c: char| c.is_control() || c == ':') {
            Ok(Self(name))
        } else {
            Err(InvalidContactName)
        }
    }
}

impl FromStr for ContactName {
    type Err = InvalidContactName;

    fn from_str(name: &str) -> Result<Self, InvalidContactName> {
        Self::try_from(name.to_owned())
    }
}

impl fmt::Display for ContactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Language of the texts a contact gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Language {
    #[default]
    En,
    Ko,
}

impl Language {
    /// The folder under `templates/notification/`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A phone number in E.164 form (ITU-T E.164: `+`, then 8 to 15 digits, the first not zero).
/// Shows only its last four digits: a log line must not give a number away.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a phone number in international form: `+`, the country code and 8 to 15 digits in all, such as +821012345678"
)]
pub struct InvalidPhoneNumber;

impl PhoneNumber {
    /// Accepts E.164; spaces, dots, dashes and brackets between digits are dropped.
    pub fn parse(raw: &str) -> Result<Self, InvalidPhoneNumber> {
        let digits = raw.trim().strip_prefix('+').ok_or(InvalidPhoneNumber)?;
        let digits: String = digits.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
        let well_formed = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        if well_formed && (8..=15).contains(&digits.len()) {
            Ok(Self(format!("+{digits}")))
        } else {
            Err(InvalidPhoneNumber)
        }
    }

    /// The number in full, for the request to a gateway and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = self.0.len().saturating_sub(4);
        write!(f, "+…{}", self.0.get(tail..).unwrap_or_default())
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for PhoneNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Where FCM delivers a push: a registration token, or a Firebase installation id (`fid:` in
/// the configuration). Shows only its [`DeviceId`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum PushTarget {
    /// A registration token; Google is phasing these out.
    Token(String),
    Fid(String),
}

impl PushTarget {
    /// A stable name for the device, safe to show and to store.
    pub fn device_id(&self) -> DeviceId {
        let (kind, secret): (&[u8], _) = match self {
            Self::Token(token) => (b"token:", token),
            Self::Fid(fid) => (b"fid:", fid),
        };
        let digest = sixteen_bytes_of(&[kind, secret.as_bytes()]);
        DeviceId(digest.iter().take(8).fold(0, |id, byte| id << 8 | u64::from(*byte)))
    }
}

impl FromStr for PushTarget {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.trim().strip_prefix("fid:") {
            Some(fid) => Self::Fid(fid.to_owned()),
            None => Self::Token(text.trim().to_owned()),
        })
    }
}

impl fmt::Debug for PushTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device {}", self.device_id())
    }
}

/// Names a device without giving its token away: the first 8 bytes of the token's SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(pub u64);

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_e164_and_hides_itself() {
        let number = PhoneNumber::parse("+82 10-1234-5678").expect("well formed");
        assert_eq!(number.expose(), "+821012345678");
        assert_eq!(format!("{number} {number:?}"), "+…5678 +…5678");
        for bad in ["01012345678", "+0101234567", "+8210", "+82101234567890123", "+82x1012345678", ""] {
            assert_eq!(PhoneNumber::parse(bad), Err(InvalidPhoneNumber), "{bad}");
        }
    }

    #[test]
    fn a_push_target_shows_only_its_device_id() {
        let token: PushTarget = "SECRET-TOKEN".parse().expect("any text");
        let fid: PushTarget = "fid:SECRET-TOKEN".parse().expect("any text");
        assert!(!format!("{token:?}{fid:?}").contains("SECRET"));
        assert_ne!(token.device_id(), fid.device_id());
        assert_eq!(token.device_id().to_string().len(), 16);
    }
}
