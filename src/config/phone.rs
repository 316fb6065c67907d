//! What a contact's number is, by the tables of libphonenumber: found at start rather than when the
//! first text to it comes back.

use rlibphonenumber::{NumberLengthType, PhoneNumber as Known, PhoneNumberFormat, PhoneNumberType as Kind};

use super::units::Wanted;
use crate::alert::PhoneNumber;

/// E.164, with a country code that exists and as many digits as numbers there have.
pub(super) fn number(text: &str) -> Result<PhoneNumber, Wanted> {
    let number = PhoneNumber::parse(text).map_err(|error| error.to_string())?;
    let known = known(&number).ok_or(
        "expected a phone number with a country code that exists and digits of that country, such as +821012345678",
    )?;
    if known.format_as(PhoneNumberFormat::E164) != number.expose() {
        // The library reads past it, a gateway does not.
        return Err(format!(
            "expected no 0 after country code +{}: it is dialled within the country only",
            known.country_code
        ));
    }
    match known.is_possible_with_reason() {
        Ok(NumberLengthType::IsPossible) => Ok(number),
        Ok(NumberLengthType::IsPossibleLocalOnly) | Err(_) => Err(format!(
            "expected as many digits as phone numbers of country code +{} have",
            known.country_code
        )),
    }
}

/// Why texts to it may not arrive, or cost more. The tables age, so this is only a warning.
pub(super) fn doubt(number: &PhoneNumber) -> Option<&'static str> {
    match known(number)?.get_type() {
        Kind::Mobile | Kind::FixedLineOrMobile | Kind::PersonalNumber => None,
        Kind::FixedLine => Some("is a landline, few of which get texts"),
        Kind::PremiumRate => Some("is a premium-rate number: texts to it cost more or are refused"),
        Kind::VoIP => Some("is an internet phone, not all of which get texts"),
        Kind::TollFree | Kind::SharedCost | Kind::UAN => {
            Some("is a company's service number, which gets no texts")
        }
        Kind::Pager | Kind::VoiceMail => Some("is no phone, so it gets no texts"),
        Kind::Unknown => Some("is a number that its country does not give out, as far as is known here"),
    }
}

fn known(number: &PhoneNumber) -> Option<Known> {
    number.expose().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_no_network_can_route_are_refused() {
        for good in [
            "+82 10-1234-5678",
            "+12025550123",
            "+447911123456",
            "+8229302266",
            "+819012345678",
            "+390612345678",
        ] {
            assert!(number(good).is_ok(), "{good}");
        }
        for (bad, says) in [
            ("010-1234-5678", "in international form"),
            ("+99987654321", "a country code that exists"),
            ("+336123456789", "country code +33"),
            ("+120255501", "country code +1"),
            ("+8201012345678", "no 0 after country code +82"),
            ("+82 010-1234-5678", "no 0 after country code +82"),
            ("+4407911123456", "no 0 after country code +44"),
        ] {
            let wanted = number(bad).expect_err(bad);
            assert!(wanted.contains(says) && !wanted.contains(&bad[4..]), "{wanted}");
        }
    }

    #[test]
    fn numbers_that_get_no_texts_are_doubted() {
        for (text, says) in [
            ("+821012345678", None),
            ("+12025550123", None),
            ("+447911123456", None),
            ("+8229302266", Some("landline")),
            ("+493012345678", Some("landline")),
            ("+82607001234", Some("premium-rate")),
            ("+19002345678", Some("premium-rate")),
            ("+827012345678", Some("internet phone")),
            ("+18002345678", Some("service number")),
            ("+8215881234", Some("service number")),
            // One digit too many for a mobile phone.
            ("+8210123456789", Some("does not give out")),
            ("+11111111111", Some("does not give out")),
        ] {
            let number = number(text).unwrap_or_else(|wanted| panic!("{text}: {wanted}"));
            let doubt = doubt(&number);
            let as_said = match (doubt, says) {
                (Some(doubt), Some(says)) => doubt.contains(says),
                (doubt, says) => doubt.is_none() && says.is_none(),
            };
            assert!(as_said, "{text}: {doubt:?}");
        }
    }
}
