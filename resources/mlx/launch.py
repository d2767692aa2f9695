"""Starts mlx_lm.server so that a supervisor knows what it is doing and why it ended.

Run as `python launch.py --model DIR --port 0 ...`: all arguments are passed to mlx_lm.server unchanged. Features that
no flag of the server provides are added by wrapping its classes (mlx-lm 0.32.2):

* the port is bound before the slow imports, with the usual backlog; `--port 0` takes any free one;
* a dead generation thread, a taken port, a broken model or a missing parent end the process;
* events are written as JSON lines to stdout. Everything that the server itself prints goes to stderr.

Exit codes: 0 interrupted, 2 bad arguments, 3 import failed, 70 generation thread dead, 71 port taken,
72 model given by --model cannot be loaded, 73 parent gone or stdin closed.

Events (one JSON object per line, named by `event`):
  limits       memory, cache, wired (bytes; null = MLX's own limit), before the server starts
  wiring       asked, kept (bytes): the server asked to wire another amount of memory, and what stayed wired instead; at
               most eight different amounts are reported
  listening    port, pid, version (of mlx-lm), working_set, buffer (bytes that the GPU allows in total and in one
               buffer; null = not reported)
  loading      model
  loaded       model, seconds, active (bytes)
  load_failed  model, kind (name of the exception)
  sequence     id, state (queued, started, ended), active, queue
  mem          active, cache, peak, rss, footprint (bytes), steps, stuck (seconds since the generation thread's last
               sign of life while it has work), doing (waiting, preparing, prefill, decode), step_ms (the longest step
               since the last line), step_tokens (the most prompt tokens in one step since then), loading (seconds in
               the current load), sequences (being computed), queue (waiting), cached_sequences, cached_bytes
  exit         code, reason, kind

Environment: TANDEM_MLX_CACHE_BYTES and TANDEM_MLX_MEMORY_BYTES set MLX's limits; TANDEM_MLX_WIRED_BYTES is the memory
that stays wired whatever the server asks for (unset = 0: none, see README.md);
TANDEM_MLX_SECRET is required in the header X-Tandem-Secret of every request (unset = not required);
TANDEM_MLX_WATCH_STDIN=0 keeps the process running when stdin closes; TANDEM_MLX_FAULTS names a Python file of a test
bench, see README.md. The header X-Tandem-Request-Id identifies requests. stdout never contains message text, model
output or exception text.
"""

import errno
import faulthandler
import glob
import hmac
import itertools
import json
import os
import signal
import socket
import stat
import sys
import threading
import time
import traceback

BAD_ARGUMENTS, IMPORT_FAILED = 2, 3
GENERATION_DEAD, PORT_TAKEN, BAD_MODEL, PARENT_GONE = 70, 71, 72, 73

BACKLOG = 128  # the server's default is 5: in a burst, connections would wait for TCP retries
BUSY_REPORT_S, IDLE_REPORT_S = 1.0, 10.0
NOTICEABLE_BYTES = 1 << 20
LATE_S = 1.0  # a thread that only sleeps wakes up this late if the whole process was suspended


# --- JSON lines ------------------------------------------------------------------------------------------------


def is_pipe(fd):
    """True for a pipe or socket: only there does end of file mean that the other side has closed it."""
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class Reporter:
    """Writes JSON lines to the original stdout; if the reader stalls, lines are lost, but the server never blocks."""

    def __init__(self):
        self.fd = os.dup(1)
        os.set_inheritable(self.fd, False)
        os.dup2(2, 1)  # a stray print() must not look like an event
        if is_pipe(self.fd):
            os.set_blocking(self.fd, False)
        self.lock = threading.Lock()

    def emit(self, event, **fields):
        line = json.dumps({"event": event, **fields}, separators=(",", ":")) + "\n"
        with self.lock:
            try:
                os.write(self.fd, line.encode())
            except OSError:
                pass


report = Reporter()


def die(code, reason, error=None):
    """Ends the process at once: sys.exit() would wait for the server's non-daemon generation thread."""
    if error is not None:
        traceback.print_exception(error, file=sys.stderr)
    report.emit("exit", code=code, reason=reason, kind=type(error).__name__ if error else None)
    sys.stderr.flush()
    os._exit(code)


def start_thread(run):
    """Starts a daemon thread: it does not keep the process running."""
    threading.Thread(target=run, daemon=True).start()


# --- the parent ------------------------------------------------------------------------------------------------


def watch_stdin():
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    die(PARENT_GONE, "stdin closed")


def watch_parent(parent=os.getppid()):
    while os.getppid() == parent:
        time.sleep(1)
    die(PARENT_GONE, "parent gone")


# --- the port --------------------------------------------------------------------------------------------------


def argument(name, default):
    """Value of `--name value` or `--name=value` in argv; argparse itself runs later, inside the server."""
    value = default
    for index, text in enumerate(sys.argv):
        if text == name and index + 1 < len(sys.argv):
            value = sys.argv[index + 1]
        elif text.startswith(name + "="):
            value = text.split("=", 1)[1]
    return value


def bind_port():
    """Binds the server's port before the imports, so that a taken port is reported before a model is loaded."""
    try:
        port = int(argument("--port", "8080"))
    except ValueError as error:
        die(BAD_ARGUMENTS, "port is not a number", error)
    if not 0 <= port <= 65535:  # the server would silently take another port
        die(BAD_ARGUMENTS, "port out of range")
    try:
        family, _, _, _, address = socket.getaddrinfo(
            argument("--host", "127.0.0.1"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        return bound
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        die(PORT_TAKEN if taken else BAD_ARGUMENTS, "port taken" if taken else "cannot bind", error)


# --- what the generation thread is doing -----------------------------------------------------------------------


class Activity:
    """Requests by id, from when they are queued until their computation has ended."""

    def __init__(self):
        self.lock = threading.Lock()
        self.states = {}  # id -> queued | started
        self.by_uid = {}  # the batch generator's number -> id
        self.held = None  # id of the request that was taken from the queue and is not in the batch yet
        self.finished = []  # computed completely; the server's loop has not sent their last output yet
        self.steps = 0
        self.doing = "waiting"
        self.alive_at = time.monotonic()  # last sign of life of the generation thread
        self.slowest_s, self.most_tokens = 0.0, 0  # of the steps since the last line
        self.load_since = None
        self.loading_default = False

    def counts(self):
        started = sum(1 for state in self.states.values() if state == "started")
        return started, len(self.states) - started

    def mark(self, request_id, state):
        """Changes a request's state and reports it; a repeated end is not reported."""
        with self.lock:
            if state == "ended":
                if self.states.pop(request_id, None) is None:
                    return
            else:
                self.states[request_id] = state
            active, queue = self.counts()
        report.emit("sequence", id=request_id, state=state, active=active, queue=queue)

    def settle(self):
        """Ends the finished requests: the server's loop is back, so it has sent all their output."""
        finished, self.finished = self.finished, []
        for request_id in finished:
            self.mark(request_id, "ended")

    def beat(self, doing):
        """Records a sign of life of the generation thread, and what it does next."""
        self.doing, self.alive_at = doing, time.monotonic()

    def end_step(self, prompt_tokens, then):
        self.slowest_s = max(self.slowest_s, time.monotonic() - self.alive_at)
        self.most_tokens = max(self.most_tokens, prompt_tokens)
        self.steps += 1
        self.beat(then)

    def take_slowest(self):
        slowest, tokens = self.slowest_s, self.most_tokens
        self.slowest_s, self.most_tokens = 0.0, 0
        return {"step_ms": round(slowest * 1000, 1), "step_tokens": tokens}

    def stuck(self, now):
        return max(0.0, now - self.alive_at) if self.states and self.load_since is None else 0.0

    def forgive(self, seconds):
        """Ignores time in which the whole process was suspended (or the machine asleep): no step took that long."""
        self.alive_at += seconds


activity = Activity()
current_request = threading.local()  # id of the request that this HTTP thread handles
anonymous = itertools.count(1)


def guard_port(server, port):
    """Any program and any web page can reach the port: answers only requests of the parent."""
    secret = os.environ.pop("TANDEM_MLX_SECRET", None)
    hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    parse = server.APIHandler.parse_request

    def is_ours(headers):
        if headers.get("Host", "").lower() not in hosts or "Origin" in headers:
            return False
        given = headers.get("X-Tandem-Secret", "")
        return secret is None or hmac.compare_digest(given.encode(), secret.encode())

    def parse_request(self):
        if not parse(self):
            return False
        if is_ours(self.headers):
            return True
        self.send_error(403)
        return False

    server.APIHandler.parse_request = parse_request


def wrap_handler(server):
    post = server.APIHandler.do_POST

    def do_POST(self):
        current_request.id = (self.headers.get("X-Tandem-Request-Id") or f"anonymous-{next(anonymous)}")[:200]
        post(self)

    server.APIHandler.do_POST = do_POST


def wrap_generator(server, state):
    """Watches the generation thread: its death, and each request's path through queue and batch."""
    cls = server.ResponseGenerator
    init, generate, run = cls.__init__, cls.generate, cls._generate
    next_request, serve_single = cls._next_request, cls._serve_single

    def patched_init(self, *args):
        state["generator"] = self
        init(self, *args)

    def patched_generate(self, request, *args, **kwargs):
        request.tandem_id = getattr(current_request, "id", None) or f"anonymous-{next(anonymous)}"
        activity.mark(request.tandem_id, "queued")
        try:
            return generate(self, request, *args, **kwargs)
        except BaseException:
            activity.mark(request.tandem_id, "ended")
            raise

    def patched_next_request(self, timeout=None):
        activity.settle()
        # The loop takes another request only when it is done with the previous one.
        if activity.held is not None:
            activity.mark(activity.held, "ended")
            activity.held = None
        activity.beat("waiting")
        item = next_request(self, timeout)
        if item is not None:
            activity.held = item[1].tandem_id
        activity.beat("waiting" if item is None else "preparing")
        return item

    def patched_serve_single(self, request, stream):
        request_id, activity.held = request[1].tandem_id, None
        activity.mark(request_id, "started")
        try:
            return serve_single(self, request, stream)
        finally:
            activity.mark(request_id, "ended")

    def patched_run(self):
        try:
            run(self)
        except BaseException as error:
            if activity.loading_default:
                die(BAD_MODEL, "model cannot be loaded", error)
            die(GENERATION_DEAD, "generation thread died", error)
        if not self._stop:
            die(GENERATION_DEAD, "generation loop returned")

    cls.__init__, cls.generate, cls._generate = patched_init, patched_generate, patched_run
    cls._next_request, cls._serve_single = patched_next_request, patched_serve_single


def wrap_batch(server):
    """Reports each step of the batch, and each sequence that joins or leaves it."""
    cls = server.BatchGenerator
    insert, remove, step = cls.insert_segments, cls.remove, cls.next

    def patched_insert(self, *args, **kwargs):
        uids = insert(self, *args, **kwargs)
        request_id, activity.held = activity.held, None
        for uid in uids:
            activity.by_uid[uid] = request_id
        activity.beat("waiting")
        activity.mark(request_id, "started")
        return uids

    def known(uids):
        ids = [activity.by_uid.pop(uid, None) for uid in uids]
        return [request_id for request_id in ids if request_id is not None]

    def patched_remove(self, uids, *args, **kwargs):
        result = remove(self, uids, *args, **kwargs)
        for request_id in known(uids):
            activity.mark(request_id, "ended")
        return result

    def prompt_tokens(self):
        return getattr(getattr(self, "_counters", None), "prompt_tokens", 0)

    def patched_step(self):
        activity.settle()
        prefill = getattr(self, "_currently_processing", None) or getattr(self, "_unprocessed_sequences", None)
        before = prompt_tokens(self)
        activity.beat("prefill" if prefill else "decode")
        prompts, answers = step(self)
        activity.end_step(prompt_tokens(self) - before, "waiting")
        # The loop next reads the last token's probability, which waits for the step that is already running.
        activity.finished += known(answer.uid for answer in answers if answer.finish_reason is not None)
        return prompts, answers

    cls.insert_segments, cls.remove, cls.next = patched_insert, patched_remove, patched_step


def wrap_single(server):
    """The unbatched path (a seed, a draft model): a prompt chunk or a token counts as a step."""
    generate = server.stream_generate

    def patched(*args, **kwargs):
        progress = kwargs.get("prompt_progress_callback")
        before = 0

        def patched_progress(done, total):
            nonlocal before
            activity.end_step(done - before, "prefill" if done < total else "decode")
            before = done
            if progress is not None:
                progress(done, total)

        kwargs["prompt_progress_callback"] = patched_progress
        activity.beat("prefill")
        try:
            for response in generate(*args, **kwargs):
                activity.end_step(0, "decode")
                yield response
        finally:
            activity.beat("waiting")

    server.stream_generate = patched


def wrap_prompt_cache(server):
    """Leaves at least one token of a prompt to compute.

    For a prompt whose every token is cached, as when a request for one token is repeated, the server computes nothing
    and raises in the generation thread: "has an empty prompt" in 0.32.2.
    """
    from mlx_lm.models.cache import can_trim_prompt_cache, trim_prompt_cache

    fetch = server.LRUPromptCache.fetch_nearest_cache

    def patched(self, model, tokens):
        cache, rest = fetch(self, model, tokens)
        if cache is None or len(rest) > 0:
            return cache, rest
        if not can_trim_prompt_cache(cache):
            return None, tokens
        trim_prompt_cache(cache, 1)  # a copy: the stored one is unchanged
        return cache, tokens[-1:]

    server.LRUPromptCache.fetch_nearest_cache = patched


def free_model(provider, generator):
    """Frees the old model first: the server's loop would keep it until the new one is loaded, with both in memory."""
    for module in (provider.model, provider.draft_model):
        if module is not None:
            module.clear()  # a module is a dict of its parameters; nothing computes with it any more
    if generator is not None:
        generator.prompt_cache.trim_to(n_sequences=0)  # prompts of the old model


def wrap_loading(server, mx, state):
    cls = server.ModelProvider
    load, load_default = cls._load, cls.load_default

    def patched_load(self, model, *args):
        activity.settle()
        report.emit("loading", model=str(model))
        activity.load_since = time.monotonic()
        try:
            free_model(self, state.get("generator"))
            load(self, model, *args)
        except BaseException as error:
            report.emit("load_failed", model=str(model), kind=type(error).__name__)
            raise
        else:
            seconds = round(time.monotonic() - activity.load_since, 3)
            report.emit("loaded", model=str(model), seconds=seconds, active=mx.get_active_memory())
        finally:
            activity.load_since = None
            activity.beat("preparing")

    def patched_load_default(self):
        activity.loading_default = True
        load_default(self)
        activity.loading_default = False

    cls._load, cls.load_default = patched_load, patched_load_default


def escape_folders(utils):
    """Lets the loader find weights in a folder such as `[4bit]`: it would take the name for a pattern."""

    class FolderGlob:
        @staticmethod
        def glob(pattern):
            folder, name = os.path.split(pattern)
            return glob.glob(os.path.join(glob.escape(folder), name))

    if not callable(utils.glob.glob):
        raise AttributeError("glob")
    utils.glob = FolderGlob


def device_limits(mx):
    info = mx.device_info() if mx.metal.is_available() else {}
    return {"working_set": info.get("max_recommended_working_set_size"), "buffer": info.get("max_buffer_length")}


def use_bound_port(server, bound, limits):
    """Passes the bound socket to the server, and reports when it listens."""

    class Server(server.ThreadingHTTPServer):
        request_queue_size = BACKLOG

        def server_bind(self):  # the original also resolves the host's name, which can take seconds
            self.socket.close()
            self.socket = bound
            self.server_address = bound.getsockname()
            self.server_name, self.server_port = self.server_address[:2]

        def server_activate(self):
            super().server_activate()
            about = {"port": self.server_port, "pid": os.getpid(), "version": server.__version__}
            report.emit("listening", **about, **limits)

    serve = server._run_http_server
    server._run_http_server = lambda host, port, generator: serve(host, port, generator, server_class=Server)


# --- memory figures --------------------------------------------------------------------------------------------


def process_bytes():
    """Resident bytes and, on macOS, the physical footprint (what Activity Monitor shows)."""
    if sys.platform == "linux":
        with open("/proc/self/statm") as file:
            resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return resident, resident
    import ctypes  # rusage_info_v0: 16 bytes of uuid, then 64-bit fields; [8] resident, [9] footprint

    fields = (ctypes.c_uint64 * 32)()
    if ctypes.CDLL("/usr/lib/libproc.dylib").proc_pid_rusage(os.getpid(), 0, fields) != 0:
        return 0, 0
    return fields[8], fields[9]


def figures(mx, generator):
    now, load = time.monotonic(), activity.load_since
    active, queue = activity.counts()
    rss, footprint = process_bytes()
    return {
        "active": mx.get_active_memory(),
        "cache": mx.get_cache_memory(),
        "peak": mx.get_peak_memory(),
        "rss": rss,
        "footprint": footprint,
        "steps": activity.steps,
        "stuck": round(activity.stuck(now), 1),
        "doing": activity.doing,
        "loading": round(now - load, 1) if load else 0,
        "sequences": active,
        "queue": queue,
        **cached(generator),
    }


def cached(generator):
    """Figures of the cached prompts; null while the generation thread is changing them."""
    try:
        cache = generator.prompt_cache
        return {"cached_sequences": len(cache), "cached_bytes": cache.nbytes}
    except Exception:
        return {"cached_sequences": None, "cached_bytes": None}


def report_figures(mx, state):
    """Reports once a second while something changes, else once in ten: an idle server must cost nothing."""
    last, last_at = None, 0.0
    while True:
        try:
            now = figures(mx, state.get("generator"))
        except Exception:  # the requests changed during the count; the next second counts again
            now = None
        if now is not None and (is_busy(now) or has_moved(last, now) or time.monotonic() - last_at >= IDLE_REPORT_S):
            report.emit("mem", **now, **activity.take_slowest())
            last, last_at = now, time.monotonic()
        before = time.monotonic()
        time.sleep(BUSY_REPORT_S)
        late = time.monotonic() - before - BUSY_REPORT_S
        if late > LATE_S:
            activity.forgive(late)


def is_busy(now):
    return bool(now["sequences"] or now["queue"] or now["stuck"] or now["loading"])


def has_moved(last, now):
    return last is None or now["steps"] != last["steps"] or abs(now["rss"] - last["rss"]) > NOTICEABLE_BYTES


# --- limits ----------------------------------------------------------------------------------------------------

MOST_WIRING_REPORTS = 8


def bytes_from(name):
    text = os.environ.get(name)
    return int(text) if text else None


def hold_wiring(mx, wired):
    """Replaces MLX's function that wires memory, under both of its names; call it before the server is imported.

    mlx_lm asks for the GPU's whole working set at its start, with each batch and with each unbatched request, and that
    triggers kernel panics. The amount stays constant instead; MLX's own default is 0.
    """
    most = device_limits(mx)["working_set"]
    kept = min(wired, most) if most else wired  # MLX refuses to wire more than the working set
    if kept:
        mx.set_wired_limit(kept)
    asked = set()

    def set_wired_limit(limit):
        if limit != kept and limit not in asked and len(asked) < MOST_WIRING_REPORTS:
            asked.add(limit)
            report.emit("wiring", asked=limit, kept=kept)
        return kept  # as the previous limit, which the server later restores

    mx.set_wired_limit = mx.metal.set_wired_limit = set_wired_limit
    return kept


def set_limits(mx):
    memory, cache = bytes_from("TANDEM_MLX_MEMORY_BYTES"), bytes_from("TANDEM_MLX_CACHE_BYTES")
    if memory is not None:
        mx.set_memory_limit(memory)
    if cache is not None:
        mx.set_cache_limit(cache)
    wired = hold_wiring(mx, bytes_from("TANDEM_MLX_WIRED_BYTES") or 0)
    report.emit("limits", memory=memory, cache=cache, wired=wired)


# --- start -----------------------------------------------------------------------------------------------------


def load_faults(server):
    """Lets a test bench inject faults into the server; without the variable nothing is loaded."""
    path = os.environ.get("TANDEM_MLX_FAULTS")
    if not path:
        return
    import importlib.util

    try:
        spec = importlib.util.spec_from_file_location("tandem_mlx_faults", path)
        faults = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(faults)
        faults.install(server, sys.modules[__name__])
    except Exception as error:
        die(BAD_ARGUMENTS, "fault module failed", error)


def main():
    faulthandler.enable()  # a Python stack on SIGSEGV and SIGABRT
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal group; the parent decides
    if os.environ.get("TANDEM_MLX_WATCH_STDIN", "1") == "1" and is_pipe(0):
        start_thread(watch_stdin)
    if os.getppid() != 1:
        start_thread(watch_parent)
    bound = bind_port()
    try:
        import mlx.core as mx

        set_limits(mx)  # before the server is imported, so that no part of it keeps the original function
        import mlx_lm.server as server
    except BaseException as error:
        die(IMPORT_FAILED, "import failed", error)
    load_faults(server)  # before the wrapping below, so that a fault looks like the server's own
    state = {}
    try:
        guard_port(server, bound.getsockname()[1])
        wrap_handler(server)
        wrap_generator(server, state)
        wrap_batch(server)
        wrap_single(server)
        wrap_prompt_cache(server)
        wrap_loading(server, mx, state)
        escape_folders(sys.modules["mlx_lm.utils"])
        use_bound_port(server, bound, device_limits(mx))
    except (ImportError, AttributeError, ValueError, RuntimeError) as error:
        die(IMPORT_FAILED, "this mlx-lm version is not supported", error)
    start_thread(lambda: report_figures(mx, state))
    try:
        server.main()
    except SystemExit as error:  # argparse
        if error.code:
            die(BAD_ARGUMENTS, "bad arguments")
    except BaseException as error:
        die(1, "server failed", error)
    os._exit(0)  # MLX's static destructors sometimes abort


if __name__ == "__main__":
    main()
