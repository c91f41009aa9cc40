// SPDX-License-Identifier: MIT
//! Requests go into a queue without bounds to a task that waits for an answer from downstream, which
//! never comes. The queue grows, and nothing looks busy. Or searches compute on though they were given
//! up, since they are never asked whether they should.
//!
//! Fix: a bounded queue, which holds up who fills it, and a time limit for the answer; an await here and
//! there, at which a task can be cancelled.

use crate::{Rounds, Side};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::{spawn, time};
use truth::{blocks, counted, thread_cpu, waited};

const REQUESTS: u64 = 100;
const PATIENCE: Duration = Duration::from_millis(2);

/// Searches are given up after a while, and would compute for longer.
const GIVEN_UP: Duration = Duration::from_millis(10);
const SEARCH: Duration = Duration::from_millis(100);
const SEARCHES: usize = 5;

enum Sender {
    Unbounded(mpsc::UnboundedSender<u64>),
    Bounded(mpsc::Sender<u64>),
}

enum Receiver {
    Unbounded(mpsc::UnboundedReceiver<u64>),
    Bounded(mpsc::Receiver<u64>),
}

async fn accepts(queue: Sender) {
    counted("mistakes::unbounded_queue::accepts", async move {
        for request in 0..REQUESTS {
            match &queue {
                Sender::Unbounded(queue) => queue.send(request).expect("it is received"),
                Sender::Bounded(queue) => queue.send(request).await.expect("it is received"),
            }
        }
    })
    .await
}

/// Asks downstream for each request. Returns how many had no answer in time.
async fn forwards(mut queue: Receiver, mut downstream: TcpStream) -> u64 {
    counted("mistakes::unbounded_queue::forwards", async move {
        let mut late = 0;
        let mut answer = [0; 8];
        loop {
            let (request, patience) = match &mut queue {
                Receiver::Unbounded(queue) => (queue.recv().await, Duration::MAX),
                Receiver::Bounded(queue) => (queue.recv().await, PATIENCE),
            };
            let request = match request {
                Some(request) => request,
                None => break late,
            };
            downstream.write_all(&request.to_le_bytes()).await.expect("it is connected");
            let answered = time::timeout(patience, downstream.read_exact(&mut answer)).await;
            late += u64::from(answered.is_err());
        }
    })
    .await
}

async fn run(side: Side) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let downstream = TcpStream::connect(address).await.expect("it listens");
    let _silent = listener.accept().await.expect("it connects");
    let (sender, receiver) = match side {
        Side::Wrong => {
            let (sender, receiver) = mpsc::unbounded_channel();
            (Sender::Unbounded(sender), Receiver::Unbounded(receiver))
        }
        Side::Fixed => {
            let (sender, receiver) = mpsc::channel(4);
            (Sender::Bounded(sender), Receiver::Bounded(receiver))
        }
    };
    let forwarding = spawn(forwards(receiver, downstream));
    spawn(accepts(sender)).await.expect("it ends well");
    match side {
        Side::Wrong => {
            time::sleep(Duration::from_millis(200)).await;
            forwarding.abort();
            assert!(forwarding.await.expect_err("it does not end").is_cancelled());
        }
        Side::Fixed => assert_eq!(forwarding.await.expect("it ends well"), REQUESTS),
    }
}

async fn searches(side: Side, begun: oneshot::Sender<()>) {
    counted("mistakes::unbounded_queue::searches", async move {
        begun.send(()).expect("it is waited for");
        let (mut spent, step) = (Duration::ZERO, Duration::from_micros(100));
        while spent < SEARCH {
            blocks("on-cpu", || {
                let end = thread_cpu() + step;
                while thread_cpu() < end {}
            });
            spent += step;
            if let Side::Fixed = side {
                yield_now().await;
            }
        }
    })
    .await
}

/// One at a time, so that there is a worker left to give it up.
async fn give_up(side: Side) {
    for _ in 0..SEARCHES {
        let (begun, begins) = oneshot::channel();
        let mut search = spawn(searches(side, begun));
        begins.await.expect("it runs");
        assert!(time::timeout(GIVEN_UP, &mut search).await.is_err());
        let given_up = Instant::now();
        search.abort();
        let ended = search.await;
        waited("cancelled", given_up.elapsed());
        assert!(ended.is_ok() || ended.expect_err("it is one").is_cancelled());
    }
}

pub fn main(form: &str, side: Side, rounds: Rounds) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("threads start");
    rounds.run(|| match form {
        "no_cancel" => runtime.block_on(give_up(side)),
        _ => runtime.block_on(run(side)),
    });
}
