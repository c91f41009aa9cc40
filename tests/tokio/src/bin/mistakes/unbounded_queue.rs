// SPDX-License-Identifier: MIT
//! Requests go into a queue without bounds to a task that waits for
//! an answer from downstream, which never comes. The queue grows, and nothing looks busy.
//!
//! Fix: a bounded queue, which holds up who fills it, and a time limit for the answer.

use crate::{Rounds, Side};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::{spawn, time};
use truth::counted;

const REQUESTS: u64 = 100;
const PATIENCE: Duration = Duration::from_millis(2);

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

pub fn main(side: Side, rounds: Rounds) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("threads start");
    rounds.run(|| {
        runtime.block_on(run(side));
    });
}
