//! One phone number in the forms that gateways ask for.

use rlibphonenumber::{PhoneNumber as Parsed, PhoneNumberFormat};

use super::setup::SetupProblem;
use crate::alert::PhoneNumber;

/// Where texts go out as EUC-KR and numbers are dialled with their zero.
const KOREA: u16 = 82;

/// As dialled in its own country: +821012345678 is 01012345678. A number of no known country keeps all its digits.
pub(crate) fn to_national(number: &PhoneNumber) -> String {
    match parsed(number) {
        Some(parsed) => digits_of(&parsed.format_as(PhoneNumberFormat::National)),
        None => to_digits(number),
    }
}

/// All digits, country code first: +821012345678 is 821012345678.
pub(crate) fn to_digits(number: &PhoneNumber) -> String {
    digits_of(number.expose())
}

/// Country code and the digits after it, without a trunk prefix: +14155550100 is (1, 4155550100).
pub(crate) fn by_country(number: &PhoneNumber) -> Option<(u16, String)> {
    let parsed = parsed(number)?;
    Some((u16::try_from(parsed.country_code).ok()?, parsed.get_national_significant_number()))
}

pub(crate) fn abroad(number: &PhoneNumber) -> Option<(u16, String)> {
    by_country(number).filter(|(country, _)| *country != KOREA)
}

/// As Korean companies register it: digits in domestic form. Operators also write `02-930-2266` and `+8229302266`.
pub(super) fn registered_sender(from: Option<&str>) -> Result<String, SetupProblem> {
    let from = from.ok_or(SetupProblem::NoFrom)?;
    let digits = PhoneNumber::parse(from).map_or_else(|_| digits_of(from), |number| to_national(&number));
    if digits.is_empty() { Err(SetupProblem::field("from", "holds no digits")) } else { Ok(digits) }
}

pub(crate) fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn parsed(number: &PhoneNumber) -> Option<Parsed> {
    number.expose().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_each_country_dials_them() {
        for (e164, national, country, significant) in [
            ("+821012345678", "01012345678", 82, "1012345678"),
            ("+8229302266", "029302266", 82, "29302266"),
            ("+14155550100", "4155550100", 1, "4155550100"),
            ("+819012345678", "09012345678", 81, "9012345678"),
            ("+447911123456", "07911123456", 44, "7911123456"),
            ("+390612345678", "0612345678", 39, "0612345678"),
        ] {
            let number = PhoneNumber::parse(e164).expect("well formed");
            assert_eq!(to_national(&number), national);
            assert_eq!(by_country(&number), Some((country, significant.to_owned())));
            assert_eq!(format!("+{}", to_digits(&number)), e164);
        }
    }

    #[test]
    fn a_number_of_no_known_country_keeps_its_digits() {
        let number = PhoneNumber::parse("+99912345678").expect("well formed");
        assert_eq!(to_national(&number), "99912345678");
        assert_eq!(by_country(&number), None);
    }
}
