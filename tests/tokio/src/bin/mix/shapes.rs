// SPDX-License-Identifier: MIT
//! Futures of every shape: generic, boxed, written by hand, blocks, methods, bound to a thread.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio::spawn;
use tokio::task::{spawn_local, yield_now};
use truth::{counted, Counted};

async fn generic<T: Default + Send>() -> T {
    counted("mix::shapes::generic", async {
        let value = T::default();
        yield_now().await;
        value
    })
    .await
}

/// Two polls behind a pointer: the task's future has no name of its own.
fn boxed() -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async {
        counted("mix::shapes::boxed", async {
            yield_now().await;
        })
        .await
    })
}

/// A future that no compiler has made, around another one.
struct Countdown(Counted<Steps>);

struct Steps {
    left: u32,
}

impl Future for Countdown {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl Future for Steps {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.left == 0 {
            return Poll::Ready(());
        }
        self.left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

trait Service {
    fn name(&self) -> String;
}

struct Mailer;

impl Service for Mailer {
    fn name(&self) -> String {
        "mailer".to_owned()
    }
}

impl Mailer {
    async fn deliver(self) -> String {
        counted("mix::shapes::Mailer::deliver", async move {
            yield_now().await;
            self.name()
        })
        .await
    }
}

async fn stays_here(shared: Rc<u32>) {
    counted("mix::shapes::stays_here", async move {
        for _ in 0..*shared {
            yield_now().await;
        }
    })
    .await
}

pub async fn run(times: u32) {
    for _ in 0..times {
        spawn(generic::<u8>()).await.expect("it ends well");
        spawn(generic::<String>()).await.expect("it ends well");
        spawn(boxed()).await.expect("it ends well");
        let countdown = Countdown(counted("mix::shapes::Countdown", Steps { left: 3 }));
        spawn(countdown).await.expect("it ends well");
        spawn(Mailer.deliver()).await.expect("it ends well");
        let block = async move {
            counted("mix::shapes::run::block", async { yield_now().await }).await;
        };
        spawn(block).await.expect("it ends well");
    }
}

pub async fn run_local(times: u32) {
    let shared = Rc::new(times);
    let tasks: Vec<_> = (0..4).map(|_| spawn_local(stays_here(shared.clone()))).collect();
    for task in tasks {
        task.await.expect("it ends well");
    }
}
