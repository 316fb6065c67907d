use proptest::prelude::*;

use super::*;

const URL: &str = "https://alerts.example.org/alerts/019b0000-0000-7000-8000-000000000001";
const KO: &str = "[재난] 데이터베이스 서버 디스크 사용량이 한계를 넘어 쓰기가 멈췄습니다";

fn ucs2(max_segments: u8) -> TextRules {
    TextRules::fixed(Encoding::Ucs2, max_segments)
}

fn euc_kr(max_segments: u8) -> TextRules {
    TextRules::fixed(Encoding::EucKr, max_segments)
}

#[test]
fn the_cheapest_encoding_that_says_the_same_is_taken() {
    let three = TextRules::automatic(3);
    for (words, text, encoding, segments) in [
        ("[Disaster] Disk full on db1", "[Disaster] Disk full on db1", Encoding::Gsm7, 1),
        ("disk — “full”…", "disk - \"full\"...", Encoding::Gsm7, 1),
        ("🔥 fire — now", "🔥 fire — now", Encoding::Ucs2, 1),
        ("[재난] 서버실 온도 45℃ 초과", "[재난] 서버실 온도 45℃ 초과", Encoding::Ucs2, 1),
    ] {
        let fitted = fit(words, "", three);
        assert_eq!((fitted.text.as_str(), fitted.encoding, fitted.segments), (text, encoding, segments));
        assert!(!fitted.long && fitted.subject.is_empty());
    }
}

#[test]
fn the_link_stays_whole_and_the_words_make_room() {
    let long = format!("{KO} {KO} {KO} {KO}");
    for (rules, segments) in [(ucs2(2), 2), (ucs2(3), 3), (euc_kr(1), 1), (TextRules::automatic(2), 2)] {
        let fitted = fit(&long, URL, rules);
        assert!(fitted.text.starts_with("[재난] "), "{}", fitted.text);
        assert!(fitted.text.ends_with(&format!("… {URL}")), "{}", fitted.text);
        assert_eq!(fitted.segments, segments);
    }
    let english = fit(&"disk full ".repeat(50), URL, TextRules::automatic(1));
    assert!(english.text.ends_with(&format!("... {URL}")), "{}", english.text);
    assert_eq!((english.text.len(), english.segments), (160, 1));
}

#[test]
fn a_link_that_leaves_no_room_for_words_goes_first() {
    for (link_units, linked) in [(53, true), (54, false), (70, false), (500, false)] {
        let link = format!("https://{}", "x".repeat(link_units - 8));
        let fitted = fit(KO, &link, ucs2(1));
        assert_eq!(fitted.text.ends_with(&link), linked, "{}", fitted.text);
        assert!(fitted.text.starts_with("[재난] 데이터"), "{}", fitted.text);
    }
    // Words shorter than that are left alone.
    let link = format!("https://{}", "x".repeat(57));
    assert_eq!(fit("불났음", &link, ucs2(1)).text, format!("불났음 {link}"));
}

#[test]
fn a_korean_text_is_an_sms_while_it_fits_and_an_lms_where_that_is_allowed() {
    for (words, link, rules, segments) in [
        ("가".repeat(45), "", euc_kr(3), 1),
        ("가".repeat(46), "", euc_kr(3), 3),
        ("가".repeat(46), "", euc_kr(2), 1),
        ("가".repeat(1_000), "", euc_kr(3), 3),
        ("가".repeat(1_001), "", euc_kr(9), 3),
        (KO.to_owned(), URL, euc_kr(3), 3),
        (KO.to_owned(), URL, TextRules { lms: false, ..euc_kr(3) }, 1),
    ] {
        let fitted = fit(&words, link, rules);
        assert_eq!((fitted.segments, fitted.long), (segments, segments == 3), "{}", fitted.text);
        assert_eq!(fitted.subject.is_empty(), !fitted.long);
        assert!(width(&fitted.subject, Encoding::EucKr) <= SUBJECT_BYTES_MAX);
        assert!(fitted.text.ends_with(link));
    }
    assert_eq!(fit(KO, URL, euc_kr(3)).subject, "[재난] 데이터베이스 서버 디스크 사용량…");
}

#[test]
fn nothing_at_all_still_fits() {
    for rules in [TextRules::automatic(0), ucs2(1), euc_kr(255)] {
        assert_eq!(fit("", "", rules).text, "");
        assert!(!fit(" \n", URL, rules).text.is_empty());
    }
}

fn rules() -> impl Strategy<Value = TextRules> {
    let encoding = prop_oneof![
        Just(None),
        Just(Some(Encoding::Gsm7)),
        Just(Some(Encoding::Ucs2)),
        Just(Some(Encoding::EucKr)),
    ];
    (encoding, 0_u8..8, any::<bool>()).prop_map(|(encoding, max_segments, lms)| TextRules {
        encoding,
        max_segments,
        lms,
    })
}

/// Plain words, pairs of every encoding, clusters of several characters.
fn words() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z ]{1,30}",
        "[€\\[\\]^~]{1,30}",
        "[가-힣 ]{1,30}",
        "(🔥|👨‍👩‍👧|🇰🇷|e\u{301}|\u{1100}\u{1161}\u{11a8}){1,20}",
        "\\PC{0,30}",
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_text_never_exceeds_its_segments_and_can_be_written(
        words in words(), link in "(https://[a-z]{1,40}\\.example/[a-z0-9-]{0,60})?", rules in rules(),
    ) {
        let Fitted { text, encoding, segments: count, long, subject } = fit(&words, &link, rules);
        prop_assert!(rules.encoding.is_none_or(|fixed| fixed == encoding));
        prop_assert!(count <= rules.max_segments.max(1), "{count} {text}");
        prop_assert_eq!(count, segments(&text, encoding));
        prop_assert!(text.chars().all(|c| encoding.width(c).is_some()), "{text}");
        prop_assert_eq!(long, encoding == Encoding::EucKr && KOREAN_SMS_BYTES_MAX < width(&text, encoding));
        prop_assert!(!long || rules.lms && width(&text, encoding) <= LMS_BYTES_MAX);
        prop_assert!(width(&subject, encoding) <= SUBJECT_BYTES_MAX);
    }

    #[test]
    fn whatever_is_cut_is_cut_from_the_end_of_the_words(
        words in words(), link in "https://[a-z]{1,40}\\.example/([a-z0-9-]|[~|\\[\\]^_]|é|가|—|🔥){0,60}", rules in rules(),
    ) {
        let fitted = fit(&words, &link, rules);
        // As it can be written, which leads to the same place.
        let link = spell::link(&link, fitted.encoding);
        let all = fit(&words, "", TextRules { max_segments: 255, ..rules }).text;
        prop_assume!(!all.is_empty());
        let unlinked = fitted.text.strip_suffix(&link).map(str::trim_end);
        let said = unlinked.unwrap_or(&fitted.text);
        let kept = said.strip_suffix(fitted.encoding.ellipsis()).filter(|_| said != all).unwrap_or(said);
        prop_assert!(all.starts_with(kept), "{kept} of {all}");
        // Half a character would begin with a mark that belongs to the one before it.
        let boundary = kept.len() == all.len()
            || unicode_segmentation::UnicodeSegmentation::grapheme_indices(all.as_str(), true)
                .any(|(start, _)| start == kept.len())
            || all[kept.len()..].starts_with(' ');
        prop_assert!(boundary, "{kept} | {}", &all[kept.len()..]);
        // No link is given up that leaves room for words.
        let room = Room::of(fitted.encoding, rules).units;
        let fits = WORDS_UNITS_MIN + 1 + width(&link, fitted.encoding) <= room;
        prop_assert!(unlinked.is_some() || !fits, "{}", fitted.text);
    }
}
