"""Behaves like the original pacserve on the network. It was written from the wire protocol alone.

It shares no code with our program. It uses Python's HTTP server, which answers with HTTP/1.0, closes
the connection after each reply, and supports neither ranges nor conditions nor our header fields. It
compares the whole prefix of an announcement, and adds every peer that announces itself or nudges,
without checking it.

    python3 original.py [--no-head] PORT DIRECTORY

shares DIRECTORY as /pkg and prints each event on a line.
"""

import http.client
import json
import os
import socket
import struct
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GROUP = ("224.3.45.67", 15679)
PREFIX = "ThreadedServers.Pacserve/2013.05.12"

arguments = sys.argv[1:]
knows_head = "--no-head" not in arguments
port, directory = [word for word in arguments if not word.startswith("--")]
port = int(port)
uri = f"http://ungabunga:{port}/"
peers = []


def say(text):
    # print() writes the text and the line break separately, so another thread could write in between.
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def local_addresses():
    text = os.popen("ip -4 -o addr show").read()
    return [line.split()[3].split("/")[0] for line in text.splitlines()]


def post(peer, message):
    """The JSON that a peer answers; None if it does not answer."""
    body = "json=" + urllib.parse.quote(json.dumps(message))
    connection = http.client.HTTPConnection(peer, timeout=2)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Server": PREFIX}
    try:
        connection.request("POST", "/", body, headers)
        return json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        say(f"no answer from {peer}: {error}")
        return None
    finally:
        connection.close()


def add_peer(host, given, how):
    peer = f"{host}:{urllib.parse.urlsplit(given).port or 15678}"
    if peer not in peers:
        peers.append(peer)
        say(f"{how} {peer}")
    # Answer every announcement, even of a known server, because it may have been restarted.
    if how == "announced":
        say(f"nudged {peer}: {post(peer, {'type': 'nudge', 'uri': uri})}")


def listen():
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    receiver.bind(("", GROUP[1]))
    for address in local_addresses():
        member = struct.pack("4s4s", socket.inet_aton(GROUP[0]), socket.inet_aton(address))
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    while True:
        datagram, (host, _) = receiver.recvfrom(1024)
        prefix, _, given = datagram.decode().partition(" ")
        if host in local_addresses() and urllib.parse.urlsplit(given).port == port:
            continue
        if prefix != PREFIX:
            say(f"dropped {datagram!r}")
            continue
        add_peer(host, given, "announced")


def announce():
    time.sleep(1)
    for address in local_addresses():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 32)
        sender.bind((address, 0))
        sender.sendto(f"{PREFIX} {uri}".encode(), GROUP)


def local_file(path):
    """The file for a path such as pkg/foo-1-1-any.pkg.tar.zst."""
    folder, _, name = path.strip("/").partition("/")
    file = os.path.join(directory, name)
    return file if folder == "pkg" and name and "/" not in name and os.path.isfile(file) else None


def entries():
    listing = {}
    for name in os.listdir(directory):
        facts = os.stat(os.path.join(directory, name))
        href = "/pkg/" + urllib.parse.quote(name)
        listing[name] = [
            {"href": href, "size": facts.st_size, "mtime": facts.st_mtime, "dir": False}
        ]
    return listing


def answer(message, host):
    kind = message.get("type")
    if kind == "nudge":
        threading.Thread(target=add_peer, args=(host, message["uri"], "nudged by")).start()
        return True
    if kind == "file check":
        return {path: path for path in message["paths"] if local_file(path)}
    if kind == "directory listing":
        if message["path"] != "/" and message["path"].endswith("/"):
            raise ValueError("an original crashes here, and closes the connection without an answer")
        return entries() if message["path"].strip("/") == "pkg" else None
    return None


class Original(BaseHTTPRequestHandler):
    server_version = PREFIX
    sys_version = ""

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        form = urllib.parse.parse_qs(self.rfile.read(length).decode())
        body = json.dumps(answer(json.loads(form["json"][0]), self.client_address[0])).encode()
        # No Content-Length: the body ends when the connection closes.
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = urllib.parse.unquote(self.path)
        place = path
        if path.startswith("/pacman/"):
            place = "/pkg/" + path.rsplit("/", 1)[1]
        file = local_file(place)
        if file is not None:
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(os.path.getsize(file)))
            self.end_headers()
            if self.command == "GET":
                with open(file, "rb") as source:
                    self.wfile.write(source.read())
                say(f"sent {place}")
            return
        for peer in peers if path.startswith("/pacman/") and ".pkg." in path else []:
            wanted = place.strip("/")
            found = post(peer, {"type": "file check", "paths": [wanted], "hops": 0}) or {}
            if wanted in found:
                location = urllib.parse.urljoin(f"http://{peer}/", found[wanted])
                say(f"redirected to {location}")
                self.send_response(307)
                self.send_header("Location", location)
                self.end_headers()
                return
        self.send_error(404)

    def log_message(self, *_):
        pass


if knows_head:
    Original.do_HEAD = Original.do_GET

server = ThreadingHTTPServer(("", port), Original)
threading.Thread(target=listen, daemon=True).start()
threading.Thread(target=announce, daemon=True).start()
say("listening")
server.serve_forever()
