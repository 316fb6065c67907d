use super::*;

fn request(body: &str) -> ManualRequest<'_> {
    ManualRequest { content_type: None, body: body.as_bytes(), idempotency_key: None, unique: "u-1" }
}

fn said(body: &str) -> Event {
    read(request(body)).unwrap_or_else(|err| panic!("{body}: {err}"))
}

#[test]
fn json_form_and_text_say_the_same() {
    let event = said(
        r#"{"title":"DB 다운","severity":"disaster","body":"a\r\nb","dedup_key":"k","labels":{"team":"web"},"to":["jin","min"]}"#,
    );
    assert_eq!((event.title.as_str(), event.body.as_str()), ("DB 다운", "a\nb"));
    assert_eq!((event.dedup_key.as_str(), event.severity), ("k", Some(Severity::Disaster)));
    assert_eq!(event.labels, BTreeMap::from([("team".to_owned(), "web".to_owned())]));
    assert_eq!(event.to.iter().map(ContactName::as_str).collect::<Vec<_>>(), ["jin", "min"]);
    let form = said(
        "title=DB+%EB%8B%A4%EC%9A%B4&severity=disaster&body=a%0Ab&dedup_key=k&labels.team=web&to=jin,+min&to=jin",
    );
    assert_eq!(form, event);

    let text = said("DB 다운\r\na\r\nb");
    assert_eq!((text.title.as_str(), text.body.as_str()), ("DB 다운", "a\nb"));
    assert_eq!((text.severity, text.status), (Some(Severity::High), EventStatus::Firing));
}

#[test]
fn text_that_looks_like_something_else_is_still_text() {
    for body in ["[web01] disk full", "a=b&c=d", "mytitle=x", "100 % full & counting", "\"quoted\""] {
        assert_eq!(said(body).title, body);
    }
}

#[test]
fn a_call_without_a_key_always_opens_and_a_repeated_one_does_not() {
    let key = |idempotency_key, unique, body: &str| {
        read(ManualRequest { idempotency_key, unique, ..request(body) }).expect("readable").dedup_key
    };
    assert_ne!(key(None, "1", "x"), key(None, "2", "x"));
    assert_eq!(key(Some("i"), "1", "x"), key(Some("i"), "2", "x"));
    assert_eq!(key(Some("i"), "1", r#"{"title":"x","dedup_key":"k"}"#).as_str(), "k");
    let event = read(ManualRequest { idempotency_key: Some("i"), ..request("x") }).expect("readable");
    assert_eq!(event.idempotency_key.as_deref(), Some("i"));
}

#[test]
fn a_status_needs_the_alert_it_is_about() {
    let resolved = said(r#"{"title":"x","dedup_key":"k","status":"resolved"}"#);
    assert_eq!(resolved.status, EventStatus::Resolved { note: None, escalation_cancelled: false });
    assert_eq!(resolved.severity, None);
    let acknowledged = said(r#"{"title":"x","dedup_key":"k","status":"acknowledged"}"#);
    assert!(matches!(acknowledged.status, EventStatus::Update(Update { acknowledged: Some(true), .. })));
}

#[test]
fn a_mistake_is_answered_with_the_name_of_the_field() {
    for (body, message) in [
        (" \n", "the body is empty: "),
        ("{", "the body is not valid JSON: EOF"),
        ("{}", "title: expected a line of text"),
        (r#"{"title":" "}"#, "title: expected a line of text"),
        (r#"{"title":7}"#, "title: expected text"),
        (r#"{"title":"x","severity":"bad"}"#, "severity: unknown severity `bad`: expected not_classified"),
        (r#"{"title":"x","severity":[5]}"#, "severity: expected text"),
        (r#"{"title":"x","serverity":"high"}"#, "serverity: unknown field; known are title, severity"),
        (r#"{"title":"x","status":"broken"}"#, "status: expected firing, acknowledged or resolved"),
        (r#"{"title":"x","status":"resolved"}"#, "dedup_key: needed to find the alert"),
        (r#"{"title":"x","dedup_key":""}"#, "dedup_key: expected text"),
        (r#"{"title":"x","labels":["a"]}"#, "labels: expected an object"),
        (r#"{"title":"x","labels":{"a":{}}}"#, "labels.a: expected text"),
        (r#"{"title":"x","to":{"jin":1}}"#, "to: expected a list of contact names"),
        (r#"{"title":"x","to":["jin",3]}"#, "to[1]: expected a contact name"),
        (r#"{"title":"x","to":["a:b"]}"#, "to[0]: a contact name has"),
        ("title=x&severity=bad", "severity: unknown severity"),
        ("title=x&colour=red", "colour: unknown field"),
    ] {
        let error = read(request(body)).expect_err(body).to_string();
        assert!(error.starts_with(message), "{body}: {error}");
    }
    let names: Vec<String> = (0..=CONTACTS_MAX).map(|number| format!("c{number}")).collect();
    let many = format!("title=x&to={}", names.join(","));
    assert!(read(request(&many)).is_err());
    let long = "i".repeat(KEY_BYTES_MAX + 1);
    for key in ["", &long] {
        let error = read(ManualRequest { idempotency_key: Some(key), ..request("x") }).expect_err("refused");
        assert!(error.to_string().starts_with("Idempotency-Key: "), "{error}");
    }
    let json = ManualRequest { content_type: Some("application/json"), ..request("disk full") };
    assert!(matches!(read(json), Err(ManualError::InvalidJson(_))));
}
