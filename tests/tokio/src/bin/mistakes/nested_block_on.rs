// SPDX-License-Identifier: MIT
//! A trait without async stands between a task and an async client, so the task's thread sleeps until
//! the client is done: in block_on, or in a channel's blocking receive. Where the client is a task of the
//! same runtime, and each worker waits for it, that never ends.
//!
//! Fix: async all the way.

use crate::{Rounds, Side};
use std::sync::{mpsc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{mpsc as async_mpsc, oneshot};
use tokio::task::{block_in_place, JoinHandle};
use tokio::time;
use truth::{blocks, counted, waited};

const HANDLERS: u64 = 4;
const REQUESTS: u64 = 10;
const TOOK: Duration = Duration::from_millis(4);
/// How long to look at what will never end.
const STUCK: Duration = Duration::from_millis(500);

/// When engines were asked by who then blocked.
static ASKED: Mutex<Vec<Instant>> = Mutex::new(Vec::new());

async fn fetch(key: u64) -> u64 {
    time::sleep(TOOK).await;
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

/// Asks an engine, and lets the thread sleep until it answers.
struct Engine(async_mpsc::UnboundedSender<Question>);

enum Answer {
    Blocking(mpsc::Sender<u64>),
    Async(oneshot::Sender<u64>),
}

struct Question {
    key: u64,
    answer: Answer,
}

impl Engine {
    async fn ask(&self, key: u64) -> u64 {
        let (sender, receiver) = oneshot::channel();
        let answer = Answer::Async(sender);
        assert!(self.0.send(Question { key, answer }).is_ok());
        receiver.await.expect("it answers")
    }
}

impl Store for Engine {
    fn get(&self, key: u64) -> u64 {
        let (sender, receiver) = mpsc::channel();
        let answer = Answer::Blocking(sender);
        assert!(self.0.send(Question { key, answer }).is_ok());
        ASKED.lock().unwrap().push(Instant::now());
        blocks("futex", || receiver.recv()).expect("it answers")
    }
}

async fn answers(mut questions: async_mpsc::UnboundedReceiver<Question>) {
    counted("mistakes::nested_block_on::answers", async move {
        while let Some(Question { key, answer }) = questions.recv().await {
            time::sleep(Duration::from_millis(1)).await;
            match answer {
                Answer::Blocking(sender) => sender.send(key * 2).expect("it waits"),
                Answer::Async(sender) => sender.send(key * 2).expect("it waits"),
            }
        }
    })
    .await
}

async fn handles(side: Side, engine: Option<Engine>) {
    counted("mistakes::nested_block_on::handles", async move {
        for key in 0..REQUESTS {
            let value = match (side, &engine) {
                (Side::Wrong, None) => Remote.get(key),
                (Side::Wrong, Some(engine)) => engine.get(key),
                (Side::Fixed, None) => fetch(key).await,
                (Side::Fixed, Some(engine)) => engine.ask(key).await,
            };
            assert_eq!(value, key * 2);
        }
    })
    .await
}

fn runtime(workers: usize) -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_time().build();
    runtime.expect("threads start")
}

/// With an engine on `engine_runtime`, or none. Returns the tasks.
fn start(side: Side, runtime: &Runtime, engine_runtime: Option<&Runtime>) -> Vec<JoinHandle<()>> {
    let (sender, receiver) = async_mpsc::unbounded_channel();
    let engine = |_| engine_runtime.map(|_| Engine(sender.clone()));
    let handlers = (0..HANDLERS).map(engine).map(|engine| runtime.spawn(handles(side, engine)));
    let mut tasks: Vec<_> = handlers.collect();
    tasks.extend(engine_runtime.map(|runtime| runtime.spawn(answers(receiver))));
    tasks
}

async fn join(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        task.await.expect("it ends well");
    }
}

pub fn main(form: &str, side: Side, rounds: Rounds) {
    let runtime = runtime(2);
    match (form, side) {
        ("deadlock", Side::Wrong) => {
            rounds.run(|| {
                start(side, &runtime, Some(&runtime));
                thread::sleep(STUCK);
                for asked in ASKED.lock().unwrap().drain(..) {
                    waited("stuck", asked.elapsed());
                }
            });
            // Its workers will not end.
            runtime.shutdown_background();
        }
        ("deadlock", _) => rounds.run(|| {
            let tasks = start(side, &runtime, Some(&runtime));
            runtime.block_on(join(tasks));
        }),
        ("receive", _) => {
            let elsewhere = self::runtime(1);
            rounds.run(|| {
                let tasks = start(side, &runtime, Some(&elsewhere));
                runtime.block_on(join(tasks));
            });
        }
        _ => rounds.run(|| {
            let tasks = start(side, &runtime, None);
            runtime.block_on(join(tasks));
        }),
    }
}
