// SPDX-License-Identifier: MIT
//! crowd TASKS: very many tasks that wait; `go` wakes them all, and each ends.

use std::sync::Arc;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use truth::{counted, Channel};

async fn waits(gate: Arc<Semaphore>, waiting: Arc<Semaphore>, gone: Arc<Semaphore>) {
    counted("crowd::waits", async move {
        waiting.add_permits(1);
        gate.acquire().await.expect("it is open").forget();
        gone.add_permits(1);
    })
    .await
}

fn main() {
    let tasks = std::env::args().nth(1).map_or(1000, |text| text.parse().expect("crowd TASKS"));
    let runtime = Builder::new_multi_thread().worker_threads(2).build().expect("threads start");
    let gates: [_; 3] = std::array::from_fn(|_| Arc::new(Semaphore::new(0)));
    let [gate, waiting, gone] = &gates;
    for _ in 0..tasks {
        runtime.spawn(waits(gate.clone(), waiting.clone(), gone.clone()));
    }
    let all = |semaphore: &Arc<Semaphore>| {
        let all = semaphore.clone();
        runtime
            .block_on(async move { all.acquire_many(tasks).await.expect("it is open").forget() });
    };
    all(waiting);
    truth::take();
    let mut channel = Channel::open();
    if channel.command().is_some() {
        gate.add_permits(tasks as usize);
        all(gone);
        channel.tell(&truth::take());
        channel.command();
    }
}
