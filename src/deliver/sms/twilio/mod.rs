//! Twilio: `POST /2010-04-01/Accounts/{sid}/Messages.json`, a form with Basic authentication.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, RequestBuilder, Url, header::CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};

mod account;
mod answer;

use super::{
    Finding, Look,
    provider::{Asked, Built, LIST_MAX, Provider},
    setup::SetupProblem,
};
use crate::{
    alert::Fate,
    config::{TwilioGateway, is_public},
    deliver::{
        Text,
        wire::{Answer, Reading, form_of, http_url},
    },
};

/// How long Twilio keeps trying: no text of ours is worth reading later. For years this was also Twilio's limit.
const VALIDITY: SignedDuration = SignedDuration::from_hours(4);

pub(super) struct Twilio {
    /// Ends with the account's SID.
    account_url: Url,
    account_sid: String,
    auth_token: SecretString,
    sender: Sender,
}

/// A field of the form.
struct Sender {
    field: &'static str,
    value: String,
}

const FROM: &str = "From";

impl Twilio {
    pub(super) fn new(config: &TwilioGateway, from: Option<&str>) -> Result<Self, SetupProblem> {
        let TwilioGateway { base_url, account_sid, auth_token, messaging_service_sid } = config;
        let account_url = http_url(&format!("{base_url}/2010-04-01/Accounts/{account_sid}"))
            .ok_or_else(|| SetupProblem::field("base_url", "is no HTTP address"))?;
        let sender = match (from, messaging_service_sid) {
            (_, Some(service)) => Sender { field: "MessagingServiceSid", value: service.clone() },
            (Some(from), None) => Sender { field: FROM, value: from.to_owned() },
            (None, None) => return Err(SetupProblem::NoFrom),
        };
        let (account_sid, auth_token) = (account_sid.clone(), auth_token.clone());
        Ok(Self { account_url, account_sid, auth_token, sender })
    }

    /// An address below the account's, such as `/Messages.json`.
    fn url(&self, below: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.account_url.clone();
        url.set_path(&format!("{}{below}", self.account_url.path()));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.account_sid, Some(self.auth_token.expose_secret()))
    }

    fn private(&self, text: &Text) -> Vec<String> {
        let secret = self.auth_token.expose_secret();
        [self.account_sid.as_str(), secret, &self.sender.value, &text.fitted.text, &text.report_url]
            .map(str::to_owned)
            .to_vec()
    }
}

impl Provider for Twilio {
    fn signing_account(&self) -> Option<&str> {
        Some(&self.account_sid)
    }

    fn request(&self, client: &Client, text: &Text, _: Timestamp) -> Built {
        let validity = VALIDITY.as_secs().to_string();
        let mut form = vec![
            ("To", text.to.expose()),
            ("Body", text.fitted.text.as_str()),
            ("ValidityPeriod", validity.as_str()),
            (self.sender.field, self.sender.value.as_str()),
        ];
        // Twilio refuses the whole text if it could not reach this address, so a private one is not named.
        if is_public(&text.report_url) {
            form.push(("StatusCallback", &text.report_url));
        }
        let request = client.post(self.url("/Messages.json", &[]));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form_of(&form));
        Ok(self.authorized(request))
    }

    fn reading(&self, answer: &Answer, text: &Text) -> Reading {
        answer::classify(answer, &self.private(text))
    }

    fn question(&self, client: &Client, asked: &Asked<'_>) -> Option<Built> {
        // Not by date: a text that waits at Twilio has no date of sending, and would be left out.
        let query = [("To", asked.text.to.expose()), ("PageSize", &LIST_MAX.to_string())];
        Some(Ok(self.authorized(client.get(self.url("/Messages.json", &query)))))
    }

    fn fate(&self, answer: &Answer, asked: &Asked<'_>) -> Fate {
        account::fate(answer, asked, LIST_MAX, &self.private(asked.text))
    }

    fn look(&self, client: &Client, at: Look, _: Timestamp) -> Option<Built> {
        let Sender { field, value } = &self.sender;
        let url = match at {
            Look::Account => self.url(".json", &[]),
            Look::Balance => self.url("/Balance.json", &[]),
            Look::Sender if *field == FROM && value.starts_with('+') => {
                self.url("/IncomingPhoneNumbers.json", &[("PhoneNumber", value)])
            }
            // Names, short codes and services are not listed there.
            Look::Sender => return None,
        };
        Some(Ok(self.authorized(client.get(url))))
    }

    fn finding(&self, at: Look, answer: &Answer) -> Result<Finding, String> {
        account::finding(at, answer, std::slice::from_ref(&self.account_sid))
    }
}

#[cfg(test)]
mod tests;
