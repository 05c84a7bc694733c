//! The emulated time, and everything that happens because it passes.
//!
//! The clock never jumps over a due moment: it stands still at each one, in order, until what is due there has been done.
//! That holds for a jump by hand as for the clock that runs by itself, so a week passes in an instant and yet every
//! schedule of that week fires with the clock at its own moment.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, join_all};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

/// How often the running clock asks its sources anew, in real time: a source may learn of due moments by itself.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Something that does things at moments of the emulated time.
pub trait Source: Send + Sync {
    /// The earliest moment at which this source has something to do. Everything up to and including `after` has been fired
    /// already, so recurring moments are those strictly after it; work that was left undone counts as due at once, whatever
    /// moment is given for it.
    fn next_due(&self, after: Timestamp) -> BoxFuture<'_, Option<Timestamp>>;

    /// Does everything that is due at or before `at`, in order, and returns when it has been done. The clock stands at `at`
    /// meanwhile.
    fn fire(&self, at: Timestamp) -> BoxFuture<'_, ()>;
}

/// Why the clock cannot be set so.
#[derive(Debug, thiserror::Error)]
#[error("the clock's speed must be a number from 0 (standing still) to {max}, not {0}", max = Timeline::MAX_SPEED)]
pub struct SpeedError(f64);

/// The one owner of the emulated time.
pub struct Timeline {
    clock: Mutex<Clock>,
    sources: Mutex<Vec<Arc<dyn Source>>>,
    /// Held by whoever moves the clock: movers take turns.
    mover: tokio::sync::Mutex<()>,
    changed: Notify,
}

impl std::fmt::Debug for Timeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timeline").field("clock", &*self.clock()).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Clock {
    /// The emulated time at `since`.
    base: Timestamp,
    since: Instant,
    speed: f64,
    /// Standing still at `base`, because someone moves the clock by hand.
    held: bool,
    /// Not to be passed before what is due there has been done.
    limit: Option<Timestamp>,
    /// Everything due up to here has been done.
    fired: Timestamp,
}

impl Clock {
    /// Where the clock would be if nothing were due.
    fn running(&self) -> Timestamp {
        if self.held {
            return self.base;
        }
        let passed = Duration::try_from_secs_f64(self.since.elapsed().as_secs_f64() * self.speed)
            .unwrap_or(Duration::from_secs(u64::from(u32::MAX)));
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        self.base.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    fn now(&self) -> Timestamp {
        let running = self.running();
        self.limit.map_or(running, |limit| running.min(limit))
    }

    fn set(&mut self, now: Timestamp) {
        (self.base, self.since, self.limit) = (now, Instant::now(), None);
    }
}

impl Timeline {
    /// The fastest the clock may run: a year in about half a minute.
    pub const MAX_SPEED: f64 = 1_000_000.0;

    /// A clock that shows `now` and runs at the speed of real time once [`Timeline::run`] drives it.
    pub fn new(now: Timestamp) -> Self {
        let clock =
            Clock { base: now, since: Instant::now(), speed: 1.0, held: false, limit: None, fired: now };
        Self {
            clock: Mutex::new(clock),
            sources: Mutex::default(),
            mover: tokio::sync::Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// The emulated time.
    pub fn now(&self) -> Timestamp {
        self.clock().now()
    }

    /// How many emulated seconds pass in a real one.
    pub fn speed(&self) -> f64 {
        self.clock().speed
    }

    /// From now on this source is fired too.
    pub fn add_source(&self, source: Arc<dyn Source>) {
        self.sources().push(source);
        self.poke();
    }

    /// A source has something new to do: ask it again.
    pub fn poke(&self) {
        self.changed.notify_one();
    }

    /// Forgets every source, so that what they hold on to is let go.
    pub fn clear_sources(&self) {
        self.sources().clear();
    }

    /// Sets the clock to another moment. Forward, it goes through all that is due on the way and returns when that is done,
    /// what is due at the target included; backward, nothing is fired.
    pub async fn advance_to(&self, target: Timestamp) {
        let _turn = self.mover.lock().await;
        // Lets the clock run again also when the caller gives up half-way.
        let _hold = Hold::of(self);
        while target >= self.now() {
            // To the end also of what is due at the target itself: one source may give another something to do at once.
            let Some(due) = self.earliest().await.filter(|due| *due <= target) else { break };
            let moment = due.max(self.now());
            self.clock().set(moment);
            self.fire(moment).await;
        }
        {
            let mut clock = self.clock();
            clock.set(target);
            clock.fired = target;
        }
        self.set_limit().await;
        self.poke();
    }

    /// Makes the clock run `speed` times as fast as real time; 0 makes it stand still.
    ///
    /// # Errors
    /// [`SpeedError`] for a negative speed, one above [`Timeline::MAX_SPEED`], or none at all.
    pub async fn set_speed(&self, speed: f64) -> Result<(), SpeedError> {
        if !(0.0..=Self::MAX_SPEED).contains(&speed) {
            return Err(SpeedError(speed));
        }
        let _turn = self.mover.lock().await;
        {
            let _hold = Hold::of(self);
            self.set_limit().await;
            self.clock().speed = speed;
        }
        self.poke();
        Ok(())
    }

    /// Makes sure that the clock, once let go, does not run past the next due moment before that has been fired.
    async fn set_limit(&self) {
        let due = self.earliest().await;
        let mut clock = self.clock();
        clock.limit = due.map(|due| due.max(clock.base));
    }

    /// Drives the running clock, for ever: fires what its passing makes due.
    pub async fn run(&self) {
        loop {
            let next = self.fire_what_is_due().await;
            tokio::select! {
                () = self.changed.notified() => {}
                // The clock runs with real time, so the next moment comes by waiting; sources may have found a nearer one.
                () = tokio::time::sleep(self.until(next).min(LOOK_AGAIN)) => {}
            }
        }
    }

    /// The next due moment after those that were.
    async fn fire_what_is_due(&self) -> Option<Timestamp> {
        let _turn = self.mover.lock().await;
        loop {
            let due = self.earliest().await;
            let moment = {
                let mut clock = self.clock();
                let now = clock.now();
                match due {
                    Some(due) if due <= clock.running() => {
                        let moment = due.max(now);
                        clock.limit = Some(moment);
                        moment
                    }
                    _ => {
                        clock.fired = clock.fired.max(now);
                        clock.limit = due;
                        return due;
                    }
                }
            };
            self.fire(moment).await;
        }
    }

    async fn earliest(&self) -> Option<Timestamp> {
        let after = self.clock().fired;
        let sources = self.sources().clone();
        join_all(sources.iter().map(|source| source.next_due(after))).await.into_iter().flatten().min()
    }

    async fn fire(&self, moment: Timestamp) {
        let sources = self.sources().clone();
        join_all(sources.iter().map(|source| source.fire(moment))).await;
        let mut clock = self.clock();
        clock.fired = clock.fired.max(moment);
    }

    /// Real time until the clock shows a moment.
    fn until(&self, moment: Option<Timestamp>) -> Duration {
        let Some(moment) = moment else { return Duration::MAX };
        let clock = self.clock();
        let seconds = moment.duration_since(clock.now()).as_secs_f64() / clock.speed;
        Duration::try_from_secs_f64(seconds.max(0.001)).unwrap_or(Duration::MAX)
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sources(&self) -> MutexGuard<'_, Vec<Arc<dyn Source>>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While it lives the clock stands still.
struct Hold<'a>(&'a Timeline);

impl<'a> Hold<'a> {
    fn of(timeline: &'a Timeline) -> Self {
        let mut clock = timeline.clock();
        let now = clock.now();
        clock.set(now);
        clock.held = true;
        drop(clock);
        Self(timeline)
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut clock = self.0.clock();
        clock.since = Instant::now();
        clock.held = false;
    }
}

#[cfg(test)]
mod tests;
