// SPDX-License-Identifier: MIT
//! runtime BENCH WORKERS MS: what `make bench-runtime` times, on Tokio; tests/bench/runtime.c does the
//! same on the reference runtime, and says what the benchmarks are. `runtime echo WORKERS` is an echo
//! server, which prints its port and serves until it is killed.
//!
//! What tasks share is leaked, so that neither side counts references to it.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::spawn;
use tokio::sync::oneshot;
use tokio::task::{yield_now, JoinHandle};

const SPAWNS: usize = 10_000;
const SPAWNS_BUSY: usize = 1_000;
const YIELDERS: usize = 200;
const YIELDS: usize = 1_000;
const PINGS: usize = 1_000;
const LINKS: usize = 1_000;
const SLEEPERS: usize = 1_000;
const STALL: Duration = Duration::from_micros(10);

/// What the tasks see.
struct Shared {
    done: SyncSender<()>,
    left: AtomicUsize,
    stop: AtomicBool,
}

type Share = &'static Shared;

struct Run {
    runtime: Runtime,
    workers: usize,
    done: Receiver<()>,
    share: Share,
    handles: Vec<JoinHandle<()>>,
    wakers: Vec<Waker>,
}

impl Shared {
    fn signal(&self) {
        self.done.send(()).expect("it is awaited");
    }

    /// A task has done its part; the last one says so.
    fn count_down(&self) {
        if self.left.fetch_sub(1, Relaxed) == 1 {
            self.signal();
        }
    }
}

impl Run {
    fn new(workers: usize) -> Run {
        let (sender, done) = sync_channel(SPAWNS);
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build();
        Run {
            runtime: runtime.expect("threads start"),
            workers,
            done,
            share: Box::leak(Box::new(Shared {
                done: sender,
                left: AtomicUsize::new(0),
                stop: AtomicBool::new(false),
            })),
            handles: Vec::with_capacity(SPAWNS),
            wakers: Vec::new(),
        }
    }

    fn wait_done(&self) {
        self.done.recv().expect("tasks end well");
    }
}

fn spawn_many_local(run: &mut Run) -> usize {
    let share = run.share;
    share.left.store(SPAWNS, Relaxed);
    run.runtime.block_on(async {
        for _ in 0..SPAWNS {
            spawn(async move { share.count_down() });
        }
        run.wait_done();
    });
    SPAWNS
}

fn spawn_remote(run: &mut Run, count: usize) -> usize {
    for _ in 0..count {
        run.handles.push(run.runtime.spawn(async {}));
    }
    run.runtime.block_on(async {
        for handle in run.handles.drain(..) {
            handle.await.expect("it ends well");
        }
    });
    count
}

fn spawn_many_remote(run: &mut Run) -> usize {
    spawn_remote(run, SPAWNS)
}

fn spawn_many_remote_busy2(run: &mut Run) -> usize {
    spawn_remote(run, SPAWNS_BUSY)
}

fn stall() {
    let start = Instant::now();
    while start.elapsed() < STALL {
        thread::yield_now();
    }
}

/// Keeps a worker busy, and yields.
async fn yield_busily(share: Share) {
    while !share.stop.load(Relaxed) {
        yield_now().await;
        stall();
    }
}

fn start_yielding(run: &mut Run) {
    for _ in 0..2 * run.workers {
        run.runtime.spawn(yield_busily(run.share));
    }
}

/// Keeps a worker busy, and spawns its successor.
fn spawn_busily(share: Share) {
    spawn(async move {
        if !share.stop.load(Relaxed) {
            stall();
            spawn_busily(share);
        }
    });
}

fn start_spawning(run: &mut Run) {
    let share = run.share;
    for _ in 0..run.workers {
        run.runtime.spawn(async move { spawn_busily(share) });
    }
}

fn yield_many(run: &mut Run) -> usize {
    let share = run.share;
    for _ in 0..YIELDERS {
        run.runtime.spawn(async move {
            for _ in 0..YIELDS {
                yield_now().await;
            }
            share.signal();
        });
    }
    for _ in 0..YIELDERS {
        run.wait_done();
    }
    YIELDERS * YIELDS
}

async fn ping(share: Share) {
    let (send_ping, ping) = oneshot::channel();
    let (send_pong, pong) = oneshot::channel();
    spawn(async move {
        ping.await.expect("it is sent");
        send_pong.send(()).expect("it is awaited");
    });
    send_ping.send(()).expect("it is awaited");
    pong.await.expect("it is sent");
    share.count_down();
}

fn ping_pong(run: &mut Run) -> usize {
    let share = run.share;
    share.left.store(PINGS, Relaxed);
    run.runtime.block_on(async {
        spawn(async move {
            for _ in 0..PINGS {
                spawn(ping(share));
            }
        });
        run.wait_done();
    });
    PINGS
}

fn chain(share: Share, n: usize) {
    if n == 0 {
        share.signal();
    } else {
        spawn(async move { chain(share, n - 1) });
    }
}

fn chained_spawn(run: &mut Run) -> usize {
    let share = run.share;
    run.runtime.block_on(async {
        spawn(async move { chain(share, LINKS) });
        run.wait_done();
    });
    LINKS
}

/// Sleeps until it is woken, and counts down each time.
struct Sleeper {
    share: Share,
    waker: &'static Mutex<Option<Waker>>,
}

impl Future for Sleeper {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut waker = self.waker.lock().expect("nobody panics");
        waker.get_or_insert_with(|| context.waker().clone());
        drop(waker);
        self.share.count_down();
        Poll::Pending
    }
}

fn start_sleepers(run: &mut Run) {
    run.share.left.store(SLEEPERS, Relaxed);
    let slots: Vec<_> = (0..SLEEPERS).map(|_| &*Box::leak(Box::new(Mutex::new(None)))).collect();
    for slot in &slots {
        run.runtime.spawn(Sleeper { share: run.share, waker: slot });
    }
    run.wait_done();
    let taken = |slot: &&Mutex<Option<Waker>>| slot.lock().expect("nobody panics").clone();
    run.wakers = slots.iter().map(|slot| taken(slot).expect("it was polled")).collect();
}

fn wake_many_remote(run: &mut Run) -> usize {
    run.share.left.store(SLEEPERS, Relaxed);
    for waker in &run.wakers {
        waker.wake_by_ref();
    }
    run.wait_done();
    SLEEPERS
}

type Turn = fn(&mut Run) -> usize;

/// What a benchmark starts with, and a turn of it, which returns the operations it took.
fn bench(name: &str) -> (fn(&mut Run), Turn) {
    fn nothing(_: &mut Run) {}
    match name {
        "spawn_many_local" => (nothing, spawn_many_local),
        "spawn_many_remote_idle" => (nothing, spawn_many_remote),
        "spawn_many_remote_busy1" => (start_yielding, spawn_many_remote),
        "spawn_many_remote_busy2" => (start_spawning, spawn_many_remote_busy2),
        "yield_many" => (nothing, yield_many),
        "ping_pong" => (nothing, ping_pong),
        "chained_spawn" => (nothing, chained_spawn),
        "wake_many_remote" => (start_sleepers, wake_many_remote),
        _ => panic!("no such benchmark: {name}"),
    }
}

/// Returns the operations done, and what they took.
fn turns(run: &mut Run, turn: Turn, time: Duration) -> (usize, Duration) {
    let start = Instant::now();
    let mut ops = 0;
    loop {
        ops += turn(run);
        let took = start.elapsed();
        if took >= time {
            return (ops, took);
        }
    }
}

fn run_bench(name: &str, workers: usize, time: Duration) {
    let (start, turn) = bench(name);
    let mut run = Run::new(workers);
    start(&mut run);
    turns(&mut run, turn, time / 4);
    let (ops, took) = turns(&mut run, turn, time);
    run.share.stop.store(true, Relaxed);
    drop(run);
    println!("{ops} {}", took.as_nanos());
}

async fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 1024];
    while let Ok(n @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..n]).await.is_err() {
            break;
        }
    }
}

async fn serve(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).expect("it is a TCP stream");
        spawn(echo(stream));
    }
}

fn run_echo(workers: usize) {
    let run = Run::new(workers);
    let listener = run.runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port is free");
    println!("port {}", listener.local_addr().expect("it is bound").port());
    // A worker is to serve, not this thread.
    run.runtime.spawn(serve(listener));
    loop {
        thread::park();
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |i: usize| arguments.get(i).and_then(|text| text.parse().ok());
    match (arguments.get(1).map(String::as_str), number(2), number(3)) {
        (Some("echo"), Some(workers), _) => run_echo(workers as usize),
        (Some(name), Some(workers), Some(ms)) => {
            run_bench(name, workers as usize, Duration::from_millis(ms))
        }
        _ => panic!("usage: runtime BENCH WORKERS MS | runtime echo WORKERS"),
    }
}
