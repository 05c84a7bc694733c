//! Many copies at once, with all that can go wrong going wrong.

use end_to_end::copies::{copy, prepare};

#[tokio::test(flavor = "multi_thread")]
async fn forty_points_are_copied_once_each_whatever_fails_goes_astray_or_is_killed() {
    let stack = prepare(40).await.expect("forty points");
    let done = Box::pin(copy(&stack, 40, &[8, 25])).await.expect("one usable copy of each");
    assert_eq!(done.killed, 2);
    assert_eq!(done.jobs["COMPLETED"], 40);
    assert!(done.most_at_once <= 5);
    stack.stop().await;
}
