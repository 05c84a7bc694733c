use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// On a clock that stands still.
async fn agenda(now: i64) -> Agenda {
    let timeline = Timeline::new(at(now));
    timeline.set_speed(0.0).await.unwrap();
    timeline.advance_to(at(now)).await;
    Agenda::new(Arc::new(timeline))
}

fn finish(region: &str, job: &str) -> Task {
    let scope = Scope { account: "111122223333".to_owned(), region: region.to_owned() };
    Task::FinishBackup { scope, job: job.to_owned() }
}

fn due(agenda: &Agenda, second: i64) -> Vec<String> {
    let tasks = agenda.take_due(at(second)).into_iter();
    tasks.map(|task| if let Task::FinishBackup { job, .. } = task { job } else { String::new() }).collect()
}

#[tokio::test]
async fn what_is_due_is_taken_in_order() {
    let agenda = agenda(0).await;
    agenda.add(at(9), finish("a", "late"));
    agenda.add(at(5), finish("b", "first"));
    agenda.add(at(5), finish("a", "second"));
    assert_eq!(
        (agenda.next_due(), due(&agenda, 8), due(&agenda, 9)),
        (Some(at(5)), vec!["first".into(), "second".into()], vec!["late".into()])
    );
}

#[tokio::test]
async fn jobs_in_a_region_that_is_off_stand_still_and_go_on_when_it_is_back() {
    let agenda = agenda(100).await;
    agenda.add(at(130), finish("off", "before"));
    agenda.add(at(130), finish("on", "elsewhere"));
    agenda.hold("off");
    agenda.add(at(110), finish("off", "meanwhile"));
    assert_eq!(due(&agenda, 1_000), ["elsewhere"]);
    agenda.timeline.advance_to(at(1_000)).await;
    agenda.release("off");
    assert_eq!((due(&agenda, 1_009), due(&agenda, 1_010)), (vec![], vec!["meanwhile".to_owned()]));
    assert_eq!((due(&agenda, 1_029), due(&agenda, 1_030)), (vec![], vec!["before".to_owned()]));
}

#[tokio::test]
async fn what_needs_a_region_that_is_off_is_put_off_until_it_is_back() {
    let agenda = agenda(0).await;
    assert!(agenda.put_off("off", finish("on", "copy")).is_err());
    agenda.hold("off");
    assert!(agenda.put_off("off", finish("on", "copy")).is_ok());
    assert_eq!((agenda.held(), due(&agenda, 9)), (vec!["off".to_owned()], vec![]));
    agenda.release("off");
    assert_eq!((agenda.held(), due(&agenda, 0)), (vec![], vec!["copy".to_owned()]));
}
