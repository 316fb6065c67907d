//! What holds however often and in whatever order a sender says things.

use super::*;
use proptest::prelude::*;

proptest! {
    /// However often and in whatever order a sender repeats itself, one key has at most one open
    /// alert, and the last one follows the last event that counted.
    #[test]
    fn one_key_has_at_most_one_open_alert(statuses in proptest::collection::vec(0_u8..4, 1..40), split in 1_usize..5) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let (queue, _) = queue();
            let events: Vec<Event> = statuses
                .iter()
                .map(|status| match status {
                    0 | 1 => firing("1"),
                    2 => resolved("1"),
                    _ => update("1", Update { acknowledged: Some(true), ..Update::default() }),
                })
                .collect();
            for batch in events.chunks(split) {
                let results = queue.admit(ZABBIX, batch).await.expect("the store works");
                assert_eq!(results.len(), batch.len());
            }
            let filter = AlertFilter {
                states: vec![AlertState::Triggered, AlertState::Acknowledged],
                limit: 100,
                ..AlertFilter::default()
            };
            let open = queue.store.list(&filter).await.expect("the store works").alerts.len();
            let expected = statuses.iter().rfind(|status| **status != 3).is_some_and(|last| *last < 2);
            assert_eq!(open, usize::from(expected));
        });
    }
}
