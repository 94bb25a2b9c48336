"""A body of two gigabytes, really begun, at the server that a district runs: refused at once, in words, and not taken in."""

import json
import select
import socket
from collections.abc import Callable

import psutil

from tests.support.site import Site

BLOCK = 64 * 1024
TWO_GB = 2 * 1024**3
MOST_SENT = 32 * 1024 * 1024
"""What the sockets' buffers on both sides may hold at most; a server that reads on would take all we offer."""


def memory(site: Site) -> int:
    """Bytes held by everything that `serve` started."""
    assert site.process
    parent = psutil.Process(site.process.pid)
    return sum(each.memory_info().rss for each in (parent, *parent.children(recursive=True)))


def upload(site: Site, headers: str, frame: Callable[[bytes], bytes]) -> tuple[int, dict[str, str], int]:
    """Send a body until the server answers or ends it: status, the answer's content, and how many bytes had gone out."""
    block, sent = frame(b"k,1,1\n" * (BLOCK // 6)), 0
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as client:
        host = f"Host: 127.0.0.1:{site.port}\r\n"
        client.sendall(f"POST /api/prepaid/v1/batches HTTP/1.1\r\n{host}{headers}\r\n".encode())
        while sent < 2 * MOST_SENT and not select.select([client], [], [], 0)[0]:
            try:
                sent += client.send(block)
            except (BrokenPipeError, ConnectionResetError):
                break
        answer = b""
        while b"}" not in answer and (more := client.recv(BLOCK)):
            answer += more
    head, _blank, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body[body.index(b"{") : body.rindex(b"}") + 1]), sent


def test_a_body_of_two_gigabytes_is_refused_before_it_is_read(make_site: Callable[..., Site]) -> None:
    site = make_site("batch-limit", XIEZHI_UPLOAD_LIMIT_MB="2")
    site.start()
    before = memory(site)
    for headers, frame, refusal in (
        (f"Content-Length: {TWO_GB}\r\n", lambda block: block, (413, "too_large")),
        (
            "Transfer-Encoding: chunked\r\n",
            lambda block: b"%x\r\n%s\r\n" % (len(block), block),
            (411, "length_required"),
        ),
    ):
        answered, problem, sent = upload(site, f"Content-Type: text/csv\r\n{headers}", frame)
        assert (answered, problem["code"]) == refusal
        assert problem["message"]
        assert sent <= MOST_SENT
        assert memory(site) - before < MOST_SENT
        assert site.answers()
    site.stop()
