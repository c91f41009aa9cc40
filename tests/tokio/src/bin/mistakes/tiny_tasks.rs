// SPDX-License-Identifier: MIT
//! A task for each item, though an item takes less than a task costs.
//!
//! Fix: a task for each chunk of items, and no more chunks than keep the workers busy.

use crate::{Rounds, Side};
use std::ops::Range;
use tokio::runtime::Builder;
use tokio::spawn;
use truth::counted;

const ITEMS: u64 = 20_000;
const CHUNKS: u64 = 8;

async fn sums(items: Range<u64>) -> u64 {
    counted("mistakes::tiny_tasks::sums", async move { items.map(|item| item * item).sum() }).await
}

async fn run(chunks: u64) -> u64 {
    let size = ITEMS / chunks;
    let tasks: Vec<_> =
        (0..chunks).map(|chunk| spawn(sums(chunk * size..(chunk + 1) * size))).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.expect("it ends well");
    }
    sum
}

pub fn main(_form: &str, side: Side, rounds: Rounds) {
    let chunks = match side {
        Side::Wrong => ITEMS,
        Side::Fixed => CHUNKS,
    };
    let runtime = Builder::new_multi_thread().worker_threads(2).build().expect("threads start");
    rounds.run(|| {
        assert_eq!(runtime.block_on(run(chunks)), (0..ITEMS).map(|item| item * item).sum());
    });
}
