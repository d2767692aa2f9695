"""Breaks mlx_lm.server from inside, for the fault benchmark. `resources/mlx/launch.py` loads it when TANDEM_MLX_FAULTS
names this file. While the server runs, commands arrive over a FIFO (TANDEM_MLX_FAULT_PIPE), one word per line. Commands for
the next starts are in a file (TANDEM_MLX_FAULT_STARTS), one word per line; each start takes the first line.
Of a request it reads only the word that marks a deadly prompt.
"""

import os
import sys
import threading
import time

METAL_OUT_OF_MEMORY = (
    "libc++abi: terminating due to uncaught exception of type std::runtime_error: [METAL] Command buffer execution "
    "failed: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)\n"
)
DEADLY = os.environ.get("TANDEM_MLX_FAULT_MARK", "")
PACE_S = float(os.environ.get("TANDEM_MLX_PACE_MS", "0")) / 1000
FRAMES = {"truncated", "malformed", "half-character", "headers-only", "reset-before", "reset-after"}


class Fault:
    """What was requested and has not happened yet."""

    def __init__(self):
        self.frame = None  # how the next answer breaks
        self.step = None  # what the next step of the generation thread does
        self.port = None  # where the server listens


fault = Fault()


def note(word):
    """Reports to the benchmark that a fault really happened."""
    path = os.environ.get("TANDEM_MLX_FAULT_LOG")
    if path:
        with open(path, "a") as file:
            file.write(word + "\n")


def abort_with(text):
    note("abort")
    os.write(2, text.encode())
    os.abort()


def flood():
    line = b"x" * 200 + b"\n"
    for _ in range(100_000):
        os.write(2, line)
    note("flood")


def obey(word):
    if word in FRAMES:
        fault.frame = word
    elif word in ("generation-dead", "silent", "thread-gone"):
        fault.step = word
    elif word == "abort":
        abort_with(METAL_OUT_OF_MEMORY)
    elif word == "flood":
        threading.Thread(target=flood, daemon=True).start()


def listen(path):
    while True:
        with open(path) as pipe:  # blocks until the benchmark writes
            for line in pipe:
                obey(line.strip())


def take_start(path):
    try:
        with open(path) as file:
            words = file.read().split()
        if not words:
            return None
        with open(path, "w") as file:
            file.write("\n".join(words[1:]))
        return words[0]
    except OSError:
        return None


def wrap_loading(server, word):
    load = server.ModelProvider._load

    def patched(self, *args):
        if word:
            note(word)
        if word == "slow-start":
            time.sleep(2)
        elif word == "crash-on-load":
            abort_with("[metal::malloc] Attempting to allocate 27917287424 bytes which is greater than the maximum\n")
        elif word == "exit-at-start":
            os._exit(1)
        return load(self, *args)

    server.ModelProvider._load = patched


def health(secret):
    """Status of /health, as a program outside sees it."""
    from http.client import HTTPConnection

    connection = HTTPConnection("127.0.0.1", fault.port, timeout=5)
    try:
        connection.request("GET", "/health", headers={"X-Tandem-Secret": secret})
        return connection.getresponse().status
    finally:
        connection.close()


def lose_thread(server, launcher, secret):
    """The outage of mlx-lm up to 0.31.3: the thread ends, the server goes on, and nobody inside notices."""
    server.ResponseGenerator.generation_available = lambda self: True
    die = launcher.die
    launcher.die = lambda code, *given: None if code == launcher.GENERATION_DEAD else die(code, *given)
    thread = threading.current_thread()

    def watch():
        thread.join()
        if health(secret) == 200:
            note("thread-gone")

    threading.Thread(target=watch, daemon=True).start()
    raise RuntimeError("[metal::malloc] Resource limit (499000) exceeded.")


def wrap_steps(server, launcher):
    step = server.BatchGenerator.next
    secret = os.environ.get("TANDEM_MLX_SECRET", "")

    def patched(self):
        if fault.step == "thread-gone":
            lose_thread(server, launcher, secret)
        if fault.step == "generation-dead":
            note("generation-dead")
            raise RuntimeError("fault: the generation thread dies")
        if fault.step == "silent":
            note("silent")
        while fault.step == "silent":
            time.sleep(0.05)
        if PACE_S:
            time.sleep(PACE_S)
        return step(self)

    server.BatchGenerator.next = patched


class BrokenWriter:
    """Wraps the socket of an answer and breaks it as requested, at the first bytes of text or in the middle."""

    def __init__(self, handler, raw):
        self.handler, self.raw, self.frames = handler, raw, 0

    def __getattr__(self, name):
        return getattr(self.raw, name)

    def write(self, data):
        if not fault.frame:
            return self.raw.write(data)
        if fault.frame == "reset-before":
            return self.end(b"")
        if not data.startswith(b"data:"):
            return self.raw.write(data)
        if fault.frame == "headers-only":
            fault.frame = None
            note("headers-only")
            time.sleep(3600)
        self.frames += 1
        if self.frames < 5:
            return self.raw.write(data)
        if fault.frame == "truncated":
            return self.end(data[: len(data) // 2])
        if fault.frame == "malformed":
            return self.end(b'data: {"choices": [}\n\n')
        if fault.frame == "half-character":
            return self.end(data[: data.index(b'"content"')] + b'"content": "\xd0')
        return self.end(b"")

    def end(self, data):
        note(fault.frame)
        fault.frame = None
        if data:
            self.raw.write(data)
            self.raw.flush()
        # If it is closed with unread data and no linger time, the peer gets a reset.
        import socket
        import struct

        connection = self.handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR) if data else connection.close()
        raise ConnectionResetError("fault: the connection breaks")


def wrap_answers(server):
    post = server.APIHandler.do_POST

    def patched(self):
        fault.port = self.server.server_port
        if DEADLY:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if DEADLY.encode() in body:
                note("deadly")
                os.kill(os.getpid(), 11)
            import io

            self.rfile = io.BytesIO(body)
        self.wfile = BrokenWriter(self, self.wfile)
        try:
            post(self)
        except (ConnectionResetError, BrokenPipeError, ValueError, OSError):
            pass

    server.APIHandler.do_POST = patched


def install(server, launcher):
    word = take_start(os.environ.get("TANDEM_MLX_FAULT_STARTS", ""))
    wrap_loading(server, word)
    wrap_steps(server, launcher)
    wrap_answers(server)
    pipe = os.environ.get("TANDEM_MLX_FAULT_PIPE")
    if pipe:
        threading.Thread(target=listen, args=(pipe,), daemon=True).start()
    print("faults are installed", file=sys.stderr)
