// SPDX-License-Identifier: MIT
//! Computing on 16 workers for each CPU. Its tasks do not wait for a worker, but inside of their polls
//! for a CPU, where nobody looks for it. Or a blocking pool of one thread, for which jobs wait that
//! would only have slept; or of any number, so that jobs that compute slow each other down.
//!
//! Fix: as many workers as CPUs, which is the default; as many blocking threads as jobs that compute
//! have CPUs, or as jobs that wait should wait at once.

use crate::{Rounds, Side};
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::spawn;
use tokio::task::{spawn_blocking, yield_now};
use truth::{blocks, counted, job, thread_cpu, waited};

const TASKS: usize = 64;
const STEPS: usize = 5;
const TOOK: Duration = Duration::from_millis(5);

fn compute(time: Duration) {
    let end = thread_cpu() + time;
    while thread_cpu() < end {}
}

async fn renders() {
    counted("mistakes::thread_count::renders", async move {
        for _ in 0..STEPS {
            blocks("on-cpu", || compute(Duration::from_millis(2)));
            yield_now().await;
        }
    })
    .await
}

/// Hands a job over: one that waits, or one that computes.
async fn uploads(computes: bool) {
    counted("mistakes::thread_count::uploads", async move {
        let queued = Instant::now();
        let work = spawn_blocking(move || {
            job("mistakes::thread_count::uploads");
            let started = Instant::now();
            if computes {
                compute(TOOK);
            } else {
                thread::sleep(TOOK);
            }
            waited("jobs waited", started - queued);
            waited("jobs ran", started.elapsed());
        });
        work.await.expect("it ends well");
    })
    .await
}

async fn run(form: &str) {
    let task = |_| match form {
        "pool_small" => spawn(uploads(false)),
        "pool_explosion" => spawn(uploads(true)),
        _ => spawn(renders()),
    };
    let tasks: Vec<_> = (0..TASKS).map(task).collect();
    for task in tasks {
        task.await.expect("it ends well");
    }
}

fn runtime(form: &str, side: Side) -> Runtime {
    let cpus = available_parallelism().map_or(1, |cpus| cpus.get());
    let (workers, threads) = match (form, side) {
        ("pool_small", Side::Wrong) => (cpus, 1),
        ("pool_small", Side::Fixed) => (cpus, TASKS),
        ("pool_explosion", Side::Wrong) => (cpus, 512),
        ("pool_explosion", Side::Fixed) => (cpus, cpus),
        (_, Side::Wrong) => (16 * cpus, 512),
        (_, Side::Fixed) => (cpus, 512),
    };
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(workers).max_blocking_threads(threads).build();
    runtime.expect("threads start")
}

pub fn main(form: &str, side: Side, rounds: Rounds) {
    let runtime = runtime(form, side);
    rounds.run(|| runtime.block_on(run(form)));
}
