//! A store with damaged rows: the start goes on without them, and alerts are told.

use bongsu::sandbox::Answer;
use serde_json::json;

use crate::harness::{Harness, JIN, JIN_PHONE, Setting, ZABBIX_KEY, problem};

#[tokio::test]
async fn one_damaged_row_of_each_kind_does_not_keep_it_from_starting_and_telling() {
    let old = "jins-old-phone";
    let mut h = Harness::with(Setting {
        contacts: format!(
            "[[contact]]\nname = \"jin\"\nphone = \"{JIN_PHONE}\"\ndevices = [\"{JIN}\", \"{old}\"]\n"
        ),
        more: "[[heartbeat]]\nname = \"zabbix-alive\"\nevery = \"1m\"\ngrace = \"2m\"\n".to_owned(),
        ..Setting::default()
    })
    .await;
    h.sandbox.fcm().answer_for_token(old, Answer::unregistered());
    h.zabbix(problem("site down").severity(5)).await;
    h.post("/v1/heartbeats/zabbix-alive", ZABBIX_KEY, "").await;
    h.settled().await;
    assert_eq!((h.pushes().len(), h.texts().len()), (1, 1));
    h.stop().await;
    h.damage_store(&["a/", "s/", "r/device/", "r/heartbeat/", "r/signing key/"]);
    h.restart().await;

    let alerts = h.get("/v1/alerts?integration=zabbix").await;
    assert_eq!(alerts["alerts"], json!([]), "the damaged one hides nothing but itself");
    let (status, ready) = h.get_as("/readyz", "").await;
    assert_eq!((status, &ready["ready"]), (200, &json!(true)), "{ready}");
    assert_eq!(ready["notices"][0]["code"], "store_damaged", "{ready}");
    let problem_said = ready["notices"][0]["detail"].as_str().expect("it says what is wrong").to_owned();
    for kind in ["alert 1", "charge", "device 1", "heartbeat 1", "signing key 1"] {
        assert!(problem_said.contains(kind), "{kind}: {ready}");
    }
    h.settled().await;
    // The first look may have been before all was read.
    h.pass(10).await;
    assert_eq!(h.pushes().len(), 2);
    assert!(h.pushes()[1].contains("the store is damaged in part"), "{:?}", h.pushes());

    h.zabbix(problem("disk full").id("460")).await;
    h.settled().await;
    assert_eq!(h.pushes().len(), 3, "{:?}", h.pushes());
    h.zabbix(problem("db down").id("461").severity(5)).await;
    h.settled().await;
    assert_eq!((h.pushes().len(), h.texts().len()), (4, 2));
    h.pass(180).await;
    assert!(h.pushes().iter().any(|push| push.contains("zabbix-alive has not called")), "{:?}", h.pushes());
}
