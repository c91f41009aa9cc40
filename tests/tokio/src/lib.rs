// SPDX-License-Identifier: MIT
//! What a program tells the test that traces it: counters of its own, as JSON.
//!
//! Talks over the socket whose number is in E2E_FD, in lines: says "ready PID", is told "go" for each
//! round of its work and "end" to exit. Without E2E_FD it does one round and prints to stdout.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::io::FromRawFd;
use std::panic::Location;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// No program outlives its test by more than this.
const ALARM_SECONDS: u32 = 600;

/// What is known of all tasks that run one future.
#[derive(Default)]
struct Count {
    location: String,
    tasks: AtomicU64,
    polls: AtomicU64,
    completed: AtomicU64,
    cancelled: AtomicU64,
    panicked: AtomicU64,
    causes: Mutex<BTreeMap<&'static str, Spent>>,
}

/// What calls that block took.
#[derive(Default)]
struct Spent {
    calls: u64,
    wall: Duration,
    cpu: Duration,
}

static COUNTS: Mutex<Vec<(&'static str, &'static Count)>> = Mutex::new(Vec::new());
static JOBS: Mutex<Vec<(&'static str, u64)>> = Mutex::new(Vec::new());
static WAITED: Mutex<Vec<(&'static str, Spent)>> = Mutex::new(Vec::new());

thread_local! {
    /// Whose poll runs on this thread.
    static CURRENT: Cell<Option<&'static Count>> = Cell::new(None);
}

fn count_of(name: &'static str, location: String) -> &'static Count {
    let mut counts = COUNTS.lock().unwrap();
    if let Some((_, count)) = counts.iter().find(|(other, _)| *other == name) {
        return count;
    }
    let count = Box::leak(Box::new(Count { location, ..Count::default() }));
    counts.push((name, count));
    count
}

/// A future that counts its polls and its end: all of the body of an `async fn`, which so keeps its name.
pub struct Counted<F> {
    future: F,
    count: &'static Count,
    state: State,
}

#[derive(PartialEq)]
enum State {
    New,
    Polled,
    Done,
}

/// Counts `future` under `name`. Call it in the first line of the body: the future begins a line before.
#[track_caller]
pub fn counted<F: Future>(name: &'static str, future: F) -> Counted<F> {
    let caller = Location::caller();
    let count = count_of(name, format!("{}:{}", caller.file(), caller.line() - 1));
    Counted { future, count, state: State::New }
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `future` stays where it is; the other fields may move.
        let this = unsafe { self.get_unchecked_mut() };
        let future = unsafe { Pin::new_unchecked(&mut this.future) };
        if this.state == State::New {
            this.state = State::Polled;
            this.count.tasks.fetch_add(1, Relaxed);
        }
        this.count.polls.fetch_add(1, Relaxed);
        let outer = CURRENT.with(|current| current.replace(Some(this.count)));
        let result = future.poll(context);
        CURRENT.with(|current| current.set(outer));
        if result.is_ready() {
            this.state = State::Done;
            this.count.completed.fetch_add(1, Relaxed);
        }
        result
    }
}

impl<F> Drop for Counted<F> {
    fn drop(&mut self) {
        match self.state {
            State::Polled if std::thread::panicking() => &self.count.panicked,
            State::Polled => &self.count.cancelled,
            State::New | State::Done => return,
        }
        .fetch_add(1, Relaxed);
    }
}

/// Runs `call`, which will block the thread for `cause` (what pollscope calls it), and counts that for
/// the future that is being polled here.
pub fn blocks<T>(cause: &'static str, call: impl FnOnce() -> T) -> T {
    let (start, cpu) = (Instant::now(), thread_cpu());
    let result = call();
    let (wall, cpu) = (start.elapsed(), thread_cpu() - cpu);
    if let Some(count) = CURRENT.with(|current| current.get()) {
        let mut causes = count.causes.lock().unwrap();
        let spent = causes.entry(cause).or_default();
        spent.calls += 1;
        spent.wall += wall;
        spent.cpu += cpu;
    }
    result
}

/// Counts under `name` something that took or waited for `time`.
pub fn waited(name: &'static str, time: Duration) {
    let mut all = WAITED.lock().unwrap();
    if !all.iter().any(|(other, _)| *other == name) {
        all.push((name, Spent::default()));
    }
    for (_, spent) in all.iter_mut().filter(|(other, _)| *other == name) {
        spent.calls += 1;
        spent.wall += time;
    }
}

/// A future that adds up how long it waits: from the end of a poll to the begin of the next.
pub struct Waits<F> {
    future: F,
    name: &'static str,
    since: Option<Instant>,
}

/// Counts under `name` what is waited for in `future`.
pub fn waits<F: Future>(name: &'static str, future: F) -> Waits<F> {
    Waits { future, name, since: None }
}

impl<F: Future> Future for Waits<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `future` stays where it is; the other fields may move.
        let this = unsafe { self.get_unchecked_mut() };
        let future = unsafe { Pin::new_unchecked(&mut this.future) };
        if let Some(since) = this.since.take() {
            waited(this.name, since.elapsed());
        }
        let result = future.poll(context);
        if result.is_pending() {
            this.since = Some(Instant::now());
        }
        result
    }
}

/// Counts a job of the blocking pool.
pub fn job(name: &'static str) {
    let mut jobs = JOBS.lock().unwrap();
    match jobs.iter_mut().find(|(other, _)| *other == name) {
        Some((_, n)) => *n += 1,
        None => jobs.push((name, 1)),
    }
}

/// CPU time of this thread.
pub fn thread_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is there to be written to.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// All that was counted since the last call, as a line of JSON.
pub fn take() -> String {
    let mut out = format!("{{\"pid\":{},\"types\":[", std::process::id());
    for (i, (name, count)) in COUNTS.lock().unwrap().iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        write!(out, "{comma}{{\"name\":\"{name}\",\"location\":\"{}\"", count.location).unwrap();
        for (key, value) in [
            ("tasks", &count.tasks),
            ("polls", &count.polls),
            ("completed", &count.completed),
            ("cancelled", &count.cancelled),
            ("panicked", &count.panicked),
        ] {
            write!(out, ",\"{key}\":{}", value.swap(0, Relaxed)).unwrap();
        }
        out.push_str(",\"causes\":{");
        let causes = std::mem::take(&mut *count.causes.lock().unwrap());
        for (i, (cause, spent)) in causes.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let Spent { calls, wall, cpu } = spent;
            let (wall, cpu) = (wall.as_nanos(), cpu.as_nanos());
            write!(
                out,
                "{comma}\"{cause}\":{{\"calls\":{calls},\"wall_ns\":{wall},\"cpu_ns\":{cpu}}}"
            )
            .unwrap();
        }
        out.push_str("}}");
    }
    out.push_str("],\"jobs\":{");
    for (i, (name, n)) in std::mem::take(&mut *JOBS.lock().unwrap()).iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        write!(out, "{comma}\"{name}\":{n}").unwrap();
    }
    out.push_str("},\"waits\":[");
    for (i, (name, spent)) in std::mem::take(&mut *WAITED.lock().unwrap()).iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        let (count, ns) = (spent.calls, spent.wall.as_nanos());
        write!(out, "{comma}{{\"name\":\"{name}\",\"count\":{count},\"ns\":{ns}}}").unwrap();
    }
    out.push_str("]}");
    out
}

/// How many polls were counted since the last call.
pub fn polls() -> u64 {
    COUNTS.lock().unwrap().iter().map(|(_, count)| count.polls.swap(0, Relaxed)).sum()
}

/// The other side, which says what to do.
pub struct Channel {
    socket: Option<(BufReader<File>, File)>,
    rounds: u32,
}

impl Channel {
    /// Says that the program is ready.
    pub fn open() -> Channel {
        let socket = std::env::var("E2E_FD").ok().map(|fd| {
            // SAFETY: no memory is touched; the descriptor was handed to this program to be its own.
            unsafe { libc::alarm(ALARM_SECONDS) };
            let file = unsafe { File::from_raw_fd(fd.parse().expect("E2E_FD is a number")) };
            (BufReader::new(file.try_clone().expect("a descriptor is free")), file)
        });
        let mut channel = Channel { socket, rounds: 0 };
        channel.tell(&format!("ready {}", std::process::id()));
        channel
    }

    /// Whether nobody is at the other end.
    pub fn is_alone(&self) -> bool {
        self.socket.is_none()
    }

    /// The next command; `None`: the program should exit.
    pub fn command(&mut self) -> Option<String> {
        self.rounds += 1;
        let line = match &mut self.socket {
            Some((reader, _)) => {
                let mut line = String::new();
                reader.read_line(&mut line).ok()?;
                line.trim_end().to_owned()
            }
            None if self.rounds == 1 => "go".to_owned(),
            None => return None,
        };
        (!line.is_empty() && line != "end").then(|| line)
    }

    pub fn tell(&mut self, line: &str) {
        let told = match &mut self.socket {
            Some((_, writer)) => writer.write_all(format!("{line}\n").as_bytes()),
            None => writeln!(std::io::stdout(), "{line}"),
        };
        told.expect("somebody listens");
    }
}
