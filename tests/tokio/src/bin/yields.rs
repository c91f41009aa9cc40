// SPDX-License-Identifier: MIT
//! yields [TASKS [TIMES]]: one worker whose tasks do nothing but yield. What a poll costs.

use std::time::Instant;
use tokio::runtime::Builder;
use tokio::task::yield_now;
use truth::Channel;

async fn yields(times: u32) {
    for _ in 0..times {
        yield_now().await;
    }
}

fn main() {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let (tasks, times) = (numbers.next().unwrap_or(64u32), numbers.next().unwrap_or(20_000u32));
    let runtime = Builder::new_multi_thread().worker_threads(1).build().expect("a thread starts");
    let mut channel = Channel::open();
    while channel.command().is_some() {
        let start = Instant::now();
        let all: Vec<_> = (0..tasks).map(|_| runtime.spawn(yields(times))).collect();
        for task in all {
            runtime.block_on(task).expect("it ends well");
        }
        // The last poll of a task finds that it is done.
        let polls = u64::from(tasks) * u64::from(times + 1);
        let ns = start.elapsed().as_nanos() as f64 / polls as f64;
        channel.tell(&format!("{{\"polls\":{polls},\"ns_per_poll\":{ns:.1}}}"));
    }
}
