// SPDX-License-Identifier: MIT
//! Handlers do what takes the thread: they ask a database by a driver that knows nothing of async, make
//! a file durable, hash a password, or hold a lock while they wait. The worker's other tasks wait as
//! long, such as `beats`.
//!
//! Fix: such calls belong on the blocking pool, and what is held meanwhile is an async lock.

use crate::{Rounds, Side};
use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::process;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tokio::{spawn, sync, time};
use truth::{blocks, counted, job, thread_cpu};

const HANDLERS: usize = 8;
const REQUESTS: usize = 10;
const TOOK: Duration = Duration::from_millis(5);

static TABLE: Mutex<()> = Mutex::new(());

#[derive(Clone, Copy)]
enum Form {
    Query,
    Fsync,
    Hash,
    Lock,
}

fn query() {
    blocks("clock_nanosleep", || thread::sleep(TOOK));
}

fn append() {
    let name = format!("mistakes-{}-{:?}.log", process::id(), thread::current().id());
    let path = env::temp_dir().join(name);
    let mut file = File::create(&path).expect("the folder is there");
    for _ in 0..16 {
        file.write_all(&[b'x'; 512]).expect("there is room");
        blocks("fsync", || file.sync_all()).expect("the disk works");
    }
    fs::remove_file(path).expect("it was made");
}

fn hash() {
    blocks("on-cpu", || {
        let end = thread_cpu() + TOOK;
        while thread_cpu() < end {}
    });
}

fn change_prices() {
    let table = blocks("futex", || TABLE.lock());
    query();
    drop(table);
}

fn works(form: Form) {
    match form {
        Form::Query => query(),
        Form::Fsync => append(),
        Form::Hash => hash(),
        Form::Lock => change_prices(),
    }
}

async fn handles(side: Side, form: Form, table: &'static sync::Mutex<()>) {
    counted("mistakes::blocking_call::handles", async move {
        for _ in 0..REQUESTS {
            time::sleep(Duration::from_millis(1)).await;
            if let Side::Wrong = side {
                works(form);
                continue;
            }
            let held = match form {
                Form::Lock => Some(table.lock().await),
                _ => None,
            };
            let work = spawn_blocking(move || {
                job("mistakes::blocking_call::handles");
                works(form)
            });
            work.await.expect("it ends well");
            drop(held);
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

async fn run(side: Side, form: Form, table: &'static sync::Mutex<()>) {
    let beating = spawn(beats());
    let handlers: Vec<_> = (0..HANDLERS).map(|_| spawn(handles(side, form, table))).collect();
    for handler in handlers {
        handler.await.expect("it ends well");
    }
    beating.abort();
    assert!(beating.await.expect_err("it does not end").is_cancelled());
}

pub fn main(form: &str, side: Side, rounds: Rounds) {
    let form = match form {
        "fsync" => Form::Fsync,
        "hash" => Form::Hash,
        "lock" => Form::Lock,
        _ => Form::Query,
    };
    let table = Box::leak(Box::new(sync::Mutex::new(())));
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("threads start");
    rounds.run(|| {
        runtime.block_on(run(side, form, table));
    });
}
