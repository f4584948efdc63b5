#!/usr/bin/env python3
"""delay_relay.py FILE TCP_FROM=TO UDP_FROM=TO: passes on connections and datagrams, each
octet as late as FILE says at that moment, in milliseconds.

Addresses are IP:PORT.  Order is kept; a connection that ends on one side ends on the other.
"""
import asyncio
import sys


def delay():
    try:
        with open(sys.argv[1]) as f:
            return int(f.read() or 0) / 1000
    except (OSError, ValueError):
        return 0


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


class Late:
    """Calls in the order in which they were asked for, each after the delay of its moment."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.last = 0

    def call(self, *what):
        self.last = max(self.last, self.loop.time() + delay())
        self.loop.call_at(self.last, *what)


async def pump(reader, writer):
    late = Late()
    done = asyncio.get_running_loop().create_future()
    try:
        while data := await reader.read(65536):
            late.call(writer.write, data)
    except OSError:
        pass
    late.call(lambda: done.done() or done.set_result(None))
    await done
    writer.close()


async def serve(to):
    async def accepted(reader, writer):
        try:
            there = await asyncio.open_connection(*to)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    return accepted


class Back(asyncio.DatagramProtocol):
    """What the relay answers to one client."""

    def __init__(self, front, client):
        self.front, self.client, self.late = front, client, Late()

    def datagram_received(self, data, _):
        self.late.call(self.front.sendto, data, self.client)


class Front(asyncio.DatagramProtocol):
    def __init__(self, to):
        self.to, self.clients = to, {}

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, client):
        if client not in self.clients:
            self.clients[client] = asyncio.ensure_future(self.open(client))
        asyncio.ensure_future(self.send(client, data))

    async def open(self, client):
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Back(self.transport, client), remote_addr=self.to
        )
        return transport, Late()

    async def send(self, client, data):
        transport, late = await self.clients[client]
        late.call(transport.sendto, data)


async def main():
    tcp, udp = [tuple(map(address, pair.split("="))) for pair in sys.argv[2:4]]
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: Front(udp[1]), local_addr=udp[0])
    server = await asyncio.start_server(await serve(tcp[1]), *tcp[0])
    async with server:
        await server.serve_forever()


asyncio.run(main())
