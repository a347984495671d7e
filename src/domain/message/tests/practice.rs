//! What practice incidents say about themselves.

use super::*;

#[test]
fn everything_about_a_practice_incident_says_so_first() {
    let id = IncidentId::parse("PRACTICE6925A3F0");
    for kind in Kind::every("text").filter(|kind| !matches!(kind, Kind::Ping | Kind::Unreadable)) {
        let mut practice = alert(event(kind.clone()), "");
        practice.event.incident = Incident { id: id.clone(), number: None, ..practice.event.incident };
        for (language, mark) in [(Language::Japanese, "【訓練】 "), (Language::English, "[practice] ")] {
            let whole = about(&practice, ON_SLACK, language);
            let bare = marked(&Message::bare(&practice, ON_SLACK, language));
            for text in [&whole, &bare] {
                let first = text.lines().find(|line| line.contains("#pdPRACTICE6925A3F0")).unwrap();
                assert!(first.contains(mark), "{kind:?}: {text}");
            }
        }
        practice.event.incident.id = IncidentId::parse("PREAL1");
        assert!(!about(&practice, ON_SLACK, Language::English).contains("[practice]"), "{kind:?}");
    }
}
