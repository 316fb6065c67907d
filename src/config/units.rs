//! Values with units: text in, typed value or "expected …" out.

use std::{net::SocketAddr, num::NonZeroU32, ops::RangeInclusive};

use bytesize::ByteSize;
use jiff::{SignedDuration, tz::TimeZone};
use url::{Host, Url};

use crate::alert::{Language, Severity};

/// What was expected instead; never holds a secret.
pub(super) type Wanted = String;

/// Most characters of a wrong value that an error repeats.
const SHOWN_CHARS_MAX: usize = 40;

/// The tail of an error about a value that may be shown.
pub(super) fn found(text: &str) -> String {
    let cut = if text.chars().count() <= SHOWN_CHARS_MAX { "" } else { "…" };
    let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    format!(", found {:?}", shown + cut)
}

/// A duration such as `20s` or `400 days`, within `range`.
pub(super) fn duration(text: &str, range: &RangeInclusive<SignedDuration>) -> Result<SignedDuration, Wanted> {
    let wanted = || format!("expected a duration such as \"20s\"{}", found(text));
    let duration = humantime::parse_duration(text).map_err(|_| wanted())?;
    let duration = SignedDuration::try_from(duration).map_err(|_| wanted())?;
    if range.contains(&duration) {
        Ok(duration)
    } else {
        Err(format!("expected {} to {}{}", human(*range.start()), human(*range.end()), found(text)))
    }
}

/// As the configuration would write it.
pub(super) fn human(duration: SignedDuration) -> String {
    std::time::Duration::try_from(duration)
        .map_or_else(|_| duration.to_string(), |duration| humantime::format_duration(duration).to_string())
}

/// A size such as `8 MiB`, in bytes, within `range`.
pub(super) fn size(text: &str, range: &RangeInclusive<u64>) -> Result<usize, Wanted> {
    let size: ByteSize =
        text.parse().map_err(|_| format!("expected a size such as \"8 MiB\"{}", found(text)))?;
    let too_far = || {
        let (least, most) = (ByteSize(*range.start()), ByteSize(*range.end()));
        format!("expected {least} to {most}{}", found(text))
    };
    if !range.contains(&size.as_u64()) {
        return Err(too_far());
    }
    usize::try_from(size.as_u64()).map_err(|_| too_far())
}

/// `"240/1m"`: at most this many in this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: NonZeroU32,
    pub per: SignedDuration,
}

pub(super) fn rate(text: &str) -> Result<Rate, Wanted> {
    const PER: RangeInclusive<SignedDuration> =
        SignedDuration::from_secs(1)..=SignedDuration::from_hours(24 * 31);
    let wanted = || format!("expected a rate such as \"240/1m\" (1 or more in 1s to 31 days){}", found(text));
    let (count, per) = text.split_once('/').ok_or_else(wanted)?;
    let count: NonZeroU32 = count.trim().parse().map_err(|_| wanted())?;
    let per = duration(per.trim(), &PER).map_err(|_| wanted())?;
    Ok(Rate { count, per })
}

pub(super) fn listen(text: &str) -> Result<SocketAddr, Wanted> {
    text.parse().map_err(|_| {
        format!("expected an IP address and a port such as \"0.0.0.0:8080\" or \"[::]:8080\"{}", found(text))
    })
}

/// An `http` or `https` URL with a host. The error does not repeat it: URLs carry passwords.
pub(super) fn web_url(text: &str) -> Result<Url, Wanted> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        Ok(_) | Err(_) => Err("expected a URL that starts with http:// or https://".to_owned()),
    }
}

/// A URL that paths are appended to: no query, no password; without trailing slash.
pub(super) fn base_url(text: &str) -> Result<Url, Wanted> {
    let url = web_url(text)?;
    let bare = url.query().is_none() && url.fragment().is_none();
    if bare && url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err("expected a URL without user, password, `?` and `#`".to_owned())
    }
}

/// Whether what goes there can be read on the way.
pub(super) fn is_plain_to_elsewhere(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && !here
}

/// Whether an address looks as if others can reach it: it names neither this machine nor a private network.
pub fn is_public(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let private = ["localhost", "local", "internal", "lan", "home.arpa"];
            name.contains('.') && !private.iter().any(|zone| name.ends_with(&format!(".{zone}")))
        }
        Some(Host::Ipv4(address)) => {
            !(address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified())
        }
        Some(Host::Ipv6(address)) => {
            !(address.is_loopback() || address.is_unique_local() || address.is_unspecified())
        }
        None => false,
    }
}

/// One of a few words.
pub(super) fn one_of<T: Copy>(words: &[(&str, T)]) -> impl Fn(&str) -> Result<T, Wanted> {
    |text| {
        let known = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        known.ok_or_else(|| format!("expected {}{}", quoted(words), found(text)))
    }
}

/// `"a", "b" or "c"`.
pub(super) fn quoted<T>(words: &[(&str, T)]) -> String {
    let quoted: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
    match quoted.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

pub(super) fn language(text: &str) -> Result<Language, Wanted> {
    one_of(&[("en", Language::En), ("ko", Language::Ko)])(text)
}

/// A name of the IANA time zone database.
pub(super) fn time_zone(text: &str) -> Result<TimeZone, Wanted> {
    TimeZone::get(text).map_err(|_| format!("expected a time zone such as \"Asia/Seoul\"{}", found(text)))
}

/// One of our severities, or a synonym.
pub(super) fn severity(text: &str) -> Result<Severity, Wanted> {
    text.parse().map_err(|_| {
        let names: Vec<&str> = Severity::ALL.iter().map(|severity| severity.as_str()).collect();
        format!("expected a severity ({}){}", names.join(", "), found(text))
    })
}

/// A severity, or `off`.
pub(super) fn threshold(text: &str) -> Result<Option<Severity>, Wanted> {
    match text.trim().to_ascii_lowercase().as_str() {
        "off" => Ok(None),
        // A synonym of not_classified, so it would mean "always" to us and "never" to the person who wrote it.
        "none" => Err("expected a severity or \"off\", found \"none\"".to_owned()),
        _ => severity(text).map(Some),
    }
}

/// `; did you mean …?` if one of `known` is near `word`, else nothing.
pub(super) fn did_you_mean(word: &str, known: &[&str]) -> String {
    /// More differences than this make another word.
    const DIFFERENCES_MAX: usize = 2;
    let folded = word.to_ascii_lowercase();
    let differences = |known: &&&str| strsim::osa_distance(&folded, known);
    match known.iter().min_by_key(differences) {
        // Half of a short word is not a likeness.
        Some(near) if differences(&near) <= DIFFERENCES_MAX.min(near.len() / 3) => {
            format!("; did you mean `{near}`?")
        }
        Some(_) | None => String::new(),
    }
}

/// A name that goes into URLs, metrics and logs as it is.
pub(super) fn name(text: &str) -> Result<String, Wanted> {
    const CHARS_MAX: usize = 64;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    // `.` and `..` would vanish from a URL on the way.
    let fits = text.len() <= CHARS_MAX && text.bytes().any(|b| b != b'.');
    if fits && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected a name of 1 to {CHARS_MAX} characters A-Z a-z 0-9 _ . -{}", found(text)))
    }
}

/// A JSON pointer (RFC 6901), without the empty pointer: the whole answer is never equal to a word.
pub(super) fn pointer(text: &str) -> Result<String, Wanted> {
    let escapes_are_complete = text.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    if text.starts_with('/') && escapes_are_complete {
        Ok(text.to_owned())
    } else {
        Err(format!("expected a JSON pointer that starts with `/`, such as \"/result/id\"{}", found(text)))
    }
}
