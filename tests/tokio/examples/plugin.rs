// SPDX-License-Identifier: MIT
//! A library with a Tokio of its own inside, for programs that have none (`host`).

use std::time::Duration;
use tokio::runtime::Builder;
use tokio::time::sleep;
use truth::counted;

async fn naps(times: u32) {
    counted("plugin::naps", async move {
        for _ in 0..times {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await
}

/// Runs tasks to their ends; returns how often they were polled.
#[no_mangle]
pub extern "C" fn plugin_run(times: u32) -> u64 {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_time().build();
    let runtime = runtime.expect("a thread starts");
    let tasks: Vec<_> = (0..4).map(|_| runtime.spawn(naps(times))).collect();
    for task in tasks {
        runtime.block_on(task).expect("it ends well");
    }
    truth::polls()
}
