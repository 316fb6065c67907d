//! What comes before its problem.

use super::*;

#[tokio::test]
async fn a_note_without_a_severity_leaves_the_problem_its_own() {
    let one_key = |event| Event { key_never_returns: true, ..event };
    let note = |severity| one_key(Event { severity, ..update("1", comment("downtime")) });
    for (notes, expected) in [
        (vec![note(None)], Severity::High),
        (vec![note(Some(Severity::Disaster))], Severity::Disaster),
        (vec![note(Some(Severity::Warning)), note(None)], Severity::Warning),
        (vec![note(Some(Severity::High)), note(Some(Severity::NotClassified))], Severity::NotClassified),
    ] {
        let (queue, _) = queue();
        admissions(&queue, &notes).await;
        admissions(&queue, &[one_key(firing("1"))]).await;
        assert_eq!(only_alert(&queue).await.severity, expected, "{notes:?}");
    }
}
