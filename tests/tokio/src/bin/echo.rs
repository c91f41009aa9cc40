// SPDX-License-Identifier: MIT
//! echo [ADDRESS [LOG]]: an echo server. With LOG it writes every 16th message of a connection to that
//! file and waits, inside of the poll, until it is on the disk: what a server should not do. Answers
//! `port`, and with its counters whatever else it is asked; alone it serves until it is killed.

use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::thread;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::spawn;
use truth::{blocks, counted, Channel};

type Log = Option<Arc<Mutex<File>>>;

fn write_log(log: &Log, message: &[u8]) {
    if let Some(log) = log {
        let mut log = log.lock().expect("nobody panics");
        log.write_all(message).expect("there is room");
        blocks("fdatasync", || log.sync_data()).expect("the disk works");
    }
}

async fn echo_conn(mut stream: TcpStream, log: Log) {
    counted("echo::echo_conn", async move {
        let mut buffer = [0; 1024];
        let mut messages = 0;
        while let Ok(n @ 1..) = stream.read(&mut buffer).await {
            messages += 1;
            if messages % 16 == 0 {
                write_log(&log, &buffer[..n]);
            }
            if stream.write_all(&buffer[..n]).await.is_err() {
                break;
            }
        }
    })
    .await
}

async fn serve(listener: TcpListener, log: Log) {
    counted("echo::serve", async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("it is a TCP stream");
            spawn(echo_conn(stream, log.clone()));
        }
    })
    .await
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let log = arguments.next().map(|path| {
        let file =
            File::options().create(true).append(true).open(path).expect("LOG can be written");
        Arc::new(Mutex::new(file))
    });
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("threads start");
    let listener = runtime.block_on(TcpListener::bind(address)).expect("ADDRESS is free");
    let port = listener.local_addr().expect("it is bound").port();
    runtime.spawn(serve(listener, log));
    let mut channel = Channel::open();
    if channel.is_alone() {
        println!("port {port}");
        loop {
            thread::park();
        }
    }
    while let Some(command) = channel.command() {
        match command.as_str() {
            "port" => channel.tell(&format!("{{\"port\":{port}}}")),
            _ => channel.tell(&truth::take()),
        }
    }
}
