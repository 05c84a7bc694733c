use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Due every so many seconds; notes when it was fired and what the clock showed.
struct Every {
    seconds: i64,
    timeline: Arc<Timeline>,
    seen: Mutex<Vec<(Timestamp, Timestamp)>>,
    log: Arc<Mutex<Vec<(i64, Timestamp)>>>,
}

impl Source for Every {
    fn next_due(&self, after: Timestamp) -> BoxFuture<'_, Option<Timestamp>> {
        let next = (after.as_second().div_euclid(self.seconds) + 1) * self.seconds;
        Box::pin(async move { Timestamp::from_second(next).ok() })
    }

    fn fire(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if at.as_second() % self.seconds == 0 {
                self.seen.lock().unwrap().push((at, self.timeline.now()));
                self.log.lock().unwrap().push((self.seconds, at));
            }
        })
    }
}

fn every(seconds: i64, timeline: &Arc<Timeline>, log: &Arc<Mutex<Vec<(i64, Timestamp)>>>) -> Arc<Every> {
    let source =
        Arc::new(Every { seconds, timeline: timeline.clone(), seen: Mutex::default(), log: log.clone() });
    timeline.add_source(source.clone());
    source
}

#[tokio::test]
async fn a_jump_stands_still_at_every_due_moment_in_order() {
    let timeline = Arc::new(Timeline::new(at("2025-01-06T06:00:00Z")));
    timeline.set_speed(0.0).await.unwrap();
    let log = Arc::default();
    let hourly = every(3600, &timeline, &log);
    every(5400, &timeline, &log);
    timeline.advance_to(at("2025-01-06T09:10:00Z")).await;
    let fired: Vec<String> = log.lock().unwrap().iter().map(|(n, at)| format!("{n} {at}")).collect();
    assert_eq!(
        fired,
        [
            "3600 2025-01-06T07:00:00Z",
            "5400 2025-01-06T07:30:00Z",
            "3600 2025-01-06T08:00:00Z",
            "3600 2025-01-06T09:00:00Z",
            "5400 2025-01-06T09:00:00Z",
        ]
    );
    assert!(hourly.seen.lock().unwrap().iter().all(|(due, shown)| due == shown));
    assert_eq!(timeline.now(), at("2025-01-06T09:10:00Z"));
}

#[tokio::test]
async fn a_jump_back_fires_nothing_and_the_same_moments_come_again() {
    let timeline = Arc::new(Timeline::new(at("2025-01-06T06:00:00Z")));
    timeline.set_speed(0.0).await.unwrap();
    let hourly = every(3600, &timeline, &Arc::default());
    timeline.advance_to(at("2025-01-06T07:30:00Z")).await;
    timeline.advance_to(at("2025-01-06T06:30:00Z")).await;
    assert_eq!((hourly.seen.lock().unwrap().len(), timeline.now()), (1, at("2025-01-06T06:30:00Z")));
    timeline.advance_to(at("2025-01-06T07:00:00Z")).await;
    assert_eq!(hourly.seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn two_jumps_at_once_fire_every_moment_once() {
    let timeline = Arc::new(Timeline::new(at("2025-01-06T06:00:00Z")));
    timeline.set_speed(0.0).await.unwrap();
    let hourly = every(3600, &timeline, &Arc::default());
    let target = at("2025-01-07T06:00:00Z");
    tokio::join!(timeline.advance_to(target), timeline.advance_to(target));
    assert_eq!(hourly.seen.lock().unwrap().len(), 24);
}

#[tokio::test]
async fn the_running_clock_stands_still_at_every_due_moment() {
    let timeline = Arc::new(Timeline::new(at("2025-01-06T06:00:00.5Z")));
    let hourly = every(3600, &timeline, &Arc::default());
    timeline.set_speed(100_000.0).await.unwrap();
    let running = tokio::spawn({
        let timeline = timeline.clone();
        async move { timeline.run().await }
    });
    while hourly.seen.lock().unwrap().len() < 10 {
        tokio::task::yield_now().await;
    }
    running.abort();
    let seen = hourly.seen.lock().unwrap();
    let hours: Vec<i64> = seen.iter().map(|(due, _)| due.as_second() / 3600).collect();
    assert!(hours.windows(2).all(|pair| pair[1] == pair[0] + 1), "{hours:?}");
    assert!(seen.iter().all(|(due, shown)| due == shown), "{seen:?}");
}

#[tokio::test]
async fn a_speed_must_be_a_number_that_makes_sense() {
    let timeline = Timeline::new(at("2025-01-06T06:00:00Z"));
    for speed in [-1.0, f64::NAN, f64::INFINITY, 1e9] {
        assert!(timeline.set_speed(speed).await.is_err(), "{speed}");
    }
    timeline.set_speed(60.0).await.unwrap();
    assert!((timeline.speed() - 60.0).abs() < f64::EPSILON);
}

/// Gives another source something to do at once, whenever it is fired.
struct Chain {
    due: Mutex<Option<Timestamp>>,
    then: Option<Arc<Chain>>,
    fired: Mutex<Vec<Timestamp>>,
}

impl Source for Chain {
    fn next_due(&self, _after: Timestamp) -> BoxFuture<'_, Option<Timestamp>> {
        Box::pin(async { *self.due.lock().unwrap() })
    }

    fn fire(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if self.due.lock().unwrap().take_if(|due| *due <= at).is_some() {
                self.fired.lock().unwrap().push(at);
                if let Some(then) = &self.then {
                    *then.due.lock().unwrap() = Some(at);
                }
            }
        })
    }
}

#[tokio::test]
async fn a_jump_ends_only_when_all_that_became_due_at_its_target_is_done() {
    let timeline = Arc::new(Timeline::new(at("2025-01-06T06:00:00Z")));
    let target = at("2025-01-06T07:00:00Z");
    timeline.set_speed(0.0).await.unwrap();
    let chain = |due, then| Arc::new(Chain { due: Mutex::new(due), then, fired: Mutex::default() });
    let second = chain(None, None);
    let first = chain(Some(target), Some(second.clone()));
    timeline.add_source(second.clone());
    timeline.add_source(first);
    timeline.advance_to(target).await;
    assert_eq!(*second.fired.lock().unwrap(), [target]);
}
