//! Over the wire; `tests/real` does the same with a real Kannel.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    alert::{DeferCause, Outcome},
    config::{Encoding, GatewayProvider},
    deliver::{
        SmsTransport, Text,
        sms::{
            Fitted, Look,
            testing::{Company, Reply, clock, gateway, now, text_to},
        },
    },
};

const PASSWORD: &str = "kannel-password-0123456789";

fn kannel(company: &Company) -> Arc<dyn SmsTransport> {
    let provider = GatewayProvider::Kannel {
        url: format!("{}/cgi-bin/sendsms?smsc=skt", company.url()).into(),
        username: "bongsu".to_owned(),
        password: PASSWORD.into(),
    };
    gateway(provider, Some("0212345678"), &clock()).expect("a good configuration")
}

#[tokio::test]
async fn a_text_is_one_address_with_everything_in_it() {
    for (words, encoding, coding) in [
        ("[재난] 서버실 & 100% +1", Encoding::Ucs2, "2"),
        ("disk [full] 5€ @web01", Encoding::Gsm7, "0"),
        ("서버실", Encoding::EucKr, "2"),
    ] {
        let company = Company::answering(|_| Reply::new(202, "0: Accepted for delivery")).await;
        let text = Text { fitted: Fitted::verbatim(words, encoding), ..text_to("+821012345678") };
        assert_eq!(kannel(&company).send(text).await, Outcome::Accepted { provider_id: None });
        let seen = company.seen();
        assert_eq!((seen[0].method.as_str(), seen[0].uri.path()), ("GET", "/cgi-bin/sendsms"));
        let query = seen[0].uri.query().expect("a query");
        let query: BTreeMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let expected = [
            ("charset", "UTF-8"),
            ("coding", coding),
            ("dlr-mask", "27"),
            ("dlr-url", "https://alerts.example.org/v1/sms/reports/gw?text=TOKEN&state=%d&answer=%A"),
            ("from", "0212345678"),
            ("password", PASSWORD),
            ("smsc", "skt"),
            ("text", words),
            ("to", "821012345678"),
            ("username", "bongsu"),
        ];
        assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }
}

#[tokio::test]
async fn an_error_repeats_neither_the_password_nor_the_number() {
    let company = Company::answering(|seen| Reply::new(403, &seen.uri)).await;
    let outcome = kannel(&company).send(text_to("+821012345678")).await;
    let Outcome::Deferred { cause: DeferCause::ProjectFault, detail, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert!(
        !detail.contains(PASSWORD) && !detail.contains("821012345678") && !detail.contains("TOKEN"),
        "{detail}"
    );
}

#[tokio::test]
async fn it_reports_by_itself_and_answers_no_questions() {
    let company = Company::answering(|_| Reply::new(202, "")).await;
    let kannel = kannel(&company);
    assert_eq!(kannel.ask(text_to("+821012345678"), now()).await.as_str(), "unclear");
    assert_eq!(kannel.look(Look::Balance).await, None);
    assert!(company.seen().is_empty());
}
