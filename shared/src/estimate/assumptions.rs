//! What the figures of an estimate rest on, in words.

use super::Question;
use super::limits::COPY_MINUTES;
use super::own_calls::{
    BACKUP_READS, BACKUP_WRITES, COPY_MS, EVENT_MS, JOB_LOG_BYTES, MEMORY_MB, POINT_BYTES, PRUNE_MS,
    SESSION_MS,
};

/// All of them, the weightiest first.
pub(super) fn of(question: &Question<'_>) -> Vec<String> {
    let mut said: Vec<String> = [
        "Every point holds its whole table at its present size: AWS Backup takes full backups of DynamoDB. Sizes are \
         DynamoDB's own, renewed about every six hours, and count local secondary indexes but no global ones.",
        "The steady state is the average month of the next calendar year as if the policy had always run; the first \
         month begins now, has 730 hours, and has none of the policy's earlier points. A GB is 2^30 bytes.",
        "Prices are list prices, without free tiers, discounts and taxes. Restores, backups by hand, keep_last, retries \
         and the hours that a point outlives its end until retention runs are not counted.",
        "Keys are charged 1 key-month each; AWS adds to that for every rotation. What AWS Backup and DynamoDB themselves \
         ask of KMS is not known and not counted, nor is what the stacks in the targets do on their own.",
    ]
    .map(str::to_owned)
    .into();
    if !question.policy.copies.is_empty() {
        said.push(format!(
            "Copies stay in warm storage. A copy job is taken to last {COPY_MINUTES} minutes; {} run at a time for each \
             destination.",
            question.settings.copy_concurrency
        ));
    }
    said.push(format!(
        "Own calls: functions of {MEMORY_MB} MB; a session takes {SESSION_MS} ms and its tables over StartRate, retention \
         after it {PRUNE_MS} ms, a backup's event {EVENT_MS} ms, a copy {COPY_MS} ms; a backup or copy {BACKUP_WRITES} \
         write and {BACKUP_READS} read request units and {JOB_LOG_BYTES} bytes of log; a point {POINT_BYTES} bytes of the \
         catalog."
    ));
    if question.policy.schedules.iter().next().is_none() {
        said.push("The policy has no schedule: it makes no points by itself.".to_owned());
    }
    said
}
