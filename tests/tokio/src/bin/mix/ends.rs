// SPDX-License-Identifier: MIT
//! The ways in which tasks end.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::spawn;
use tokio::sync::Semaphore;
use tokio::task::{yield_now, JoinSet};
use tokio::time::sleep;
use truth::counted;

/// What a panic says that is no fault of this program.
pub const MEANT: &str = "as it should";

#[cfg(panic = "unwind")]
async fn panics() {
    counted("mix::ends::panics", async {
        yield_now().await;
        panic!("{MEANT}");
    })
    .await
}

/// Aborted while it waits: that is no poll.
async fn sleeps_forever(begun: Arc<Semaphore>) {
    counted("mix::ends::sleeps_forever", async move {
        begun.add_permits(1);
        pending::<()>().await;
    })
    .await
}

async fn detached(ended: Arc<Semaphore>) {
    counted("mix::ends::detached", async move {
        yield_now().await;
        ended.add_permits(1);
    })
    .await
}

async fn joined(value: u32) -> u32 {
    counted("mix::ends::joined", async move {
        yield_now().await;
        value
    })
    .await
}

async fn never_polled() {
    counted("mix::ends::never_polled", pending::<()>()).await
}

pub async fn run(times: u32) {
    #[cfg(panic = "unwind")]
    for _ in 0..times {
        assert!(spawn(panics()).await.expect_err("it panics").is_panic());
    }

    let begun = Arc::new(Semaphore::new(0));
    let sleepers: Vec<_> = (0..times).map(|_| spawn(sleeps_forever(begun.clone()))).collect();
    begun.acquire_many(times).await.expect("it is open").forget();
    // Until their polls are over: what is aborted in a poll ends with that.
    sleep(Duration::from_millis(20)).await;
    for sleeper in sleepers {
        sleeper.abort();
        assert!(sleeper.await.expect_err("it does not end").is_cancelled());
    }

    let ended = Arc::new(Semaphore::new(0));
    for _ in 0..times {
        spawn(detached(ended.clone()));
    }
    ended.acquire_many(times).await.expect("it is open").forget();

    let mut set = JoinSet::new();
    for value in 0..times {
        set.spawn(joined(value));
    }
    while let Some(value) = set.join_next().await {
        assert!(value.expect("it ends well") < times);
    }
}

/// Aborted before their first poll; for runtimes of one thread, where that is sure.
pub async fn run_unpolled(times: u32) {
    for _ in 0..times {
        let task = spawn(never_polled());
        task.abort();
        assert!(task.await.expect_err("it does not begin").is_cancelled());
    }
}
