"""Tornado: a greeting, bodies that come back, an echo, and fan-out."""

import asyncio
import sys

import tornado.web
import tornado.websocket


class Hello(tornado.web.RequestHandler):
    def get(self):
        self.finish("hello")


@tornado.web.stream_request_body
class Body(tornado.web.RequestHandler):
    def prepare(self):
        self.set_header("Content-Length", self.request.headers["Content-Length"])

    async def data_received(self, chunk):
        self.write(chunk)
        await self.flush()

    def post(self):
        self.finish()


class Echo(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message)


class Subscribe(tornado.websocket.WebSocketHandler):
    sockets = set()

    def open(self):
        self.sockets.add(self)

    def on_close(self):
        self.sockets.discard(self)


class Publish(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        for socket in Subscribe.sockets:
            socket.write_message(message)


async def main():
    handlers = [
        ("/hello", Hello),
        ("/echo", Body),
        ("/", Echo),
        ("/subscribe", Subscribe),
        ("/publish", Publish),
    ]
    tornado.web.Application(handlers).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
