//! EventBridge Scheduler: the schedules that wake the session function.

use aws_config::SdkConfig;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types::{
    DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState,
    Target as AwsTarget,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{AwsError, Fault};
use crate::id::PolicyName;
use crate::policy::wake::{self, Plan, Target, WakeUp};

/// Calls made side by side: far below what EventBridge Scheduler takes (EventBridge Scheduler User Guide, "Quotas").
const CONCURRENT: usize = 8;

/// The schedules of one schedule group.
#[derive(Clone, Debug)]
pub struct Scheduler {
    client: Client,
    group: String,
}

impl Scheduler {
    /// The schedules of this group in the client's Region.
    pub fn new(config: &SdkConfig, group: impl Into<String>) -> Self {
        Self { client: Client::new(config), group: group.into() }
    }

    /// The schedules whose names a policy's schedule can have; what they say decides whether they are the policy's.
    ///
    /// # Errors
    /// When AWS refuses a call.
    pub async fn find(&self, policy: &PolicyName) -> Result<Vec<WakeUp>, AwsError> {
        let names = self.names(policy).await?;
        let found: Vec<Option<WakeUp>> = stream::iter(names.into_iter().map(|name| self.get(name)))
            .buffered(CONCURRENT)
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn names(&self, policy: &PolicyName) -> Result<Vec<String>, AwsError> {
        let mut names = Vec::new();
        let mut token = None;
        loop {
            let page = self
                .client
                .list_schedules()
                .group_name(&self.group)
                .name_prefix(wake::name_prefix(policy))
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| AwsError::new("ListSchedules", &error))?;
            let listed = page.schedules().iter().filter_map(|schedule| schedule.name());
            names.extend(listed.filter(|name| wake::is_name_of(policy, name)).map(str::to_owned));
            token = page.next_token;
            if token.is_none() {
                return Ok(names);
            }
        }
    }

    /// One schedule; `None` when it was deleted meanwhile.
    async fn get(&self, name: String) -> Result<Option<WakeUp>, AwsError> {
        let answer = self.client.get_schedule().group_name(&self.group).name(&name).send().await;
        match answer.map_err(|error| AwsError::new("GetSchedule", &error)) {
            Ok(schedule) => Ok(Some(read(name, schedule))),
            Err(error) if error.fault() == Fault::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Carries out a plan. Every step may be repeated, and does not mind when somebody else has done it: what matters is
    /// what stands at the end.
    ///
    /// # Errors
    /// The first refusal, after every step has been tried.
    pub async fn carry_out(&self, plan: &Plan) -> Result<(), AwsError> {
        let create = plan.create.iter().map(Step::Create);
        let update = plan.update.iter().map(Step::Update);
        let remove = plan.remove.iter().map(|name| Step::Remove(name));
        let steps: Vec<Step<'_>> = create.chain(update).chain(remove).collect();
        let outcomes: Vec<Result<(), AwsError>> =
            stream::iter(steps.into_iter().map(|step| self.take(step))).buffered(CONCURRENT).collect().await;
        outcomes.into_iter().collect()
    }

    async fn take(&self, step: Step<'_>) -> Result<(), AwsError> {
        match step {
            Step::Create(wake) => match self.create(wake).await {
                Err(error) if error.fault() == Fault::Exists => self.update(wake).await,
                done => done,
            },
            Step::Update(wake) => match self.update(wake).await {
                Err(error) if error.fault() == Fault::NotFound => self.create(wake).await,
                done => done,
            },
            Step::Remove(name) => match self.remove(name).await {
                Err(error) if error.fault() == Fault::NotFound => Ok(()),
                done => done,
            },
        }
    }

    async fn create(&self, wake: &WakeUp) -> Result<(), AwsError> {
        const OPERATION: &str = "CreateSchedule";
        self.client
            .create_schedule()
            .group_name(&self.group)
            .name(&wake.name)
            .schedule_expression(&wake.expression)
            .schedule_expression_timezone(&wake.timezone)
            .state(state(wake))
            .flexible_time_window(exact(OPERATION)?)
            .target(target(OPERATION, wake)?)
            .send()
            .await
            .map_err(|error| AwsError::new(OPERATION, &error))?;
        Ok(())
    }

    /// Overwrites the whole schedule: what a call leaves out falls back to its default (EventBridge Scheduler API
    /// Reference, `UpdateSchedule`).
    async fn update(&self, wake: &WakeUp) -> Result<(), AwsError> {
        const OPERATION: &str = "UpdateSchedule";
        self.client
            .update_schedule()
            .group_name(&self.group)
            .name(&wake.name)
            .schedule_expression(&wake.expression)
            .schedule_expression_timezone(&wake.timezone)
            .state(state(wake))
            .flexible_time_window(exact(OPERATION)?)
            .target(target(OPERATION, wake)?)
            .send()
            .await
            .map_err(|error| AwsError::new(OPERATION, &error))?;
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<(), AwsError> {
        self.client
            .delete_schedule()
            .group_name(&self.group)
            .name(name)
            .send()
            .await
            .map_err(|error| AwsError::new("DeleteSchedule", &error))?;
        Ok(())
    }
}

enum Step<'a> {
    Create(&'a WakeUp),
    Update(&'a WakeUp),
    Remove(&'a str),
}

fn state(wake: &WakeUp) -> ScheduleState {
    if wake.enabled { ScheduleState::Enabled } else { ScheduleState::Disabled }
}

fn exact(operation: &'static str) -> Result<FlexibleTimeWindow, AwsError> {
    let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
    window.map_err(|error| AwsError::incomplete(operation, &error.to_string()))
}

fn target(operation: &'static str, wake: &WakeUp) -> Result<AwsTarget, AwsError> {
    let retry = RetryPolicy::builder()
        .maximum_event_age_in_seconds(wake.max_age_seconds)
        .maximum_retry_attempts(wake.max_attempts)
        .build();
    AwsTarget::builder()
        .arn(&wake.target.function)
        .role_arn(&wake.target.role)
        .dead_letter_config(DeadLetterConfig::builder().arn(&wake.target.dead_letter_queue).build())
        .retry_policy(retry)
        .input(&wake.input)
        .build()
        .map_err(|error| AwsError::incomplete(operation, &error.to_string()))
}

/// A schedule as it stands; what it lacks reads as empty, and so differs from every wanted one.
fn read(name: String, schedule: GetScheduleOutput) -> WakeUp {
    let target = schedule.target.as_ref();
    let queue = target.and_then(|target| target.dead_letter_config()).and_then(DeadLetterConfig::arn);
    let retry = target.and_then(|target| target.retry_policy());
    let window = schedule.flexible_time_window.as_ref().map(FlexibleTimeWindow::mode);
    WakeUp {
        name,
        enabled: schedule.state == Some(ScheduleState::Enabled),
        exact: window == Some(&FlexibleTimeWindowMode::Off)
            && schedule.start_date.is_none()
            && schedule.end_date.is_none(),
        input: target.and_then(|target| target.input()).unwrap_or_default().to_owned(),
        target: Target {
            function: target.map(|target| target.arn().to_owned()).unwrap_or_default(),
            role: target.map(|target| target.role_arn().to_owned()).unwrap_or_default(),
            dead_letter_queue: queue.unwrap_or_default().to_owned(),
        },
        max_age_seconds: retry.and_then(RetryPolicy::maximum_event_age_in_seconds).unwrap_or_default(),
        max_attempts: retry.and_then(RetryPolicy::maximum_retry_attempts).unwrap_or_default(),
        expression: schedule.schedule_expression.unwrap_or_default(),
        timezone: schedule.schedule_expression_timezone.unwrap_or_default(),
    }
}
