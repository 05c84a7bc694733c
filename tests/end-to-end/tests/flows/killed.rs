//! A session whose function is killed again and again.

use end_to_end::large::{prepare, session};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_function_is_killed_three_times_backs_up_every_table_once() {
    let stack = prepare(60).await.expect("sixty tables");
    let done = Box::pin(session(&stack, 60, &[10, 25, 40])).await.expect("one point of every table");
    assert_eq!(done.killed, 3);
    assert_eq!(done.throttled, 0, "the rates are kept");
    stack.stop().await;
}
