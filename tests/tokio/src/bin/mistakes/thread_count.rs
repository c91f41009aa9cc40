// SPDX-License-Identifier: MIT
//! Computing on 16 workers for each CPU. Its tasks do not wait for a
//! worker, but inside of their polls for a CPU, where nobody looks for it.
//!
//! Fix: as many workers as CPUs, which is the default.

use crate::{Rounds, Side};
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::task::yield_now;
use truth::{counted, thread_cpu};

const TASKS: usize = 64;
const STEPS: usize = 5;

fn compute() {
    let end = thread_cpu() + Duration::from_millis(2);
    while thread_cpu() < end {}
}

async fn renders() {
    counted("mistakes::thread_count::renders", async move {
        for _ in 0..STEPS {
            compute();
            yield_now().await;
        }
    })
    .await
}

pub fn main(side: Side, rounds: Rounds) {
    let cpus = available_parallelism().map_or(1, |cpus| cpus.get());
    let workers = match side {
        Side::Wrong => 16 * cpus,
        Side::Fixed => cpus,
    };
    let runtime = Builder::new_multi_thread().worker_threads(workers).build();
    let runtime = runtime.expect("threads start");
    rounds.run(|| {
        let tasks: Vec<_> = (0..TASKS).map(|_| runtime.spawn(renders())).collect();
        for task in tasks {
            runtime.block_on(task).expect("it ends well");
        }
    });
}
