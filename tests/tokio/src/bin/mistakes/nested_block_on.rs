// SPDX-License-Identifier: MIT
//! A trait without async stands between a task and an async client,
//! so the task's thread sleeps until the client is done; on a runtime of one thread that never ends.
//!
//! Fix: async all the way.

use crate::{Rounds, Side};
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio::task::block_in_place;
use tokio::{spawn, time};
use truth::{blocks, counted};

const HANDLERS: u64 = 4;
const REQUESTS: u64 = 10;

async fn fetch(key: u64) -> u64 {
    time::sleep(Duration::from_millis(4)).await;
    key * 2
}

trait Store {
    fn get(&self, key: u64) -> u64;
}

struct Remote;

impl Store for Remote {
    fn get(&self, key: u64) -> u64 {
        block_in_place(|| blocks("futex", || Handle::current().block_on(fetch(key))))
    }
}

async fn handles(side: Side) {
    counted("mistakes::nested_block_on::handles", async move {
        for key in 0..REQUESTS {
            let value = match side {
                Side::Wrong => Remote.get(key),
                Side::Fixed => fetch(key).await,
            };
            assert_eq!(value, key * 2);
        }
    })
    .await
}

async fn run(side: Side) {
    let handlers: Vec<_> = (0..HANDLERS).map(|_| spawn(handles(side))).collect();
    for handler in handlers {
        handler.await.expect("it ends well");
    }
}

pub fn main(side: Side, rounds: Rounds) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build();
    let runtime = runtime.expect("threads start");
    rounds.run(|| {
        runtime.block_on(run(side));
    });
}
