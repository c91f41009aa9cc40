// SPDX-License-Identifier: MIT
//! Handlers call a database driver that knows nothing of async. While it waits the worker's other tasks
//! wait too, such as `beats`.
//!
//! Fix: such calls belong on the blocking pool.

use crate::{Rounds, Side};
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tokio::{spawn, time};
use truth::{blocks, counted};

const HANDLERS: usize = 8;
const REQUESTS: usize = 10;

fn query() {
    blocks("clock_nanosleep", || thread::sleep(Duration::from_millis(5)));
}

async fn handles(side: Side) {
    counted("mistakes::blocking_call::handles", async move {
        for _ in 0..REQUESTS {
            time::sleep(Duration::from_millis(1)).await;
            match side {
                Side::Wrong => query(),
                Side::Fixed => spawn_blocking(query).await.expect("it ends well"),
            }
        }
    })
    .await
}

async fn beats() {
    counted("mistakes::blocking_call::beats", async move {
        let mut interval = time::interval(Duration::from_millis(1));
        loop {
            interval.tick().await;
        }
    })
    .await
}

async fn run(side: Side) {
    let beating = spawn(beats());
    let handlers: Vec<_> = (0..HANDLERS).map(|_| spawn(handles(side))).collect();
    for handler in handlers {
        handler.await.expect("it ends well");
    }
    beating.abort();
    assert!(beating.await.expect_err("it does not end").is_cancelled());
}

pub fn main(side: Side, rounds: Rounds) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("threads start");
    rounds.run(|| {
        runtime.block_on(run(side));
    });
}
