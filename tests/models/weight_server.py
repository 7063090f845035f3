"""A server of weight files on this machine."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving(*answers):
    """Serve each answer once, in turn, then the last one for ever; with the Content-Length of the longest."""
    longest = max(map(len, answers))
    remaining = list(answers)
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            body = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            self.send_response(200)
            self.send_header("Content-Length", str(longest))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/net.pt", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
