"""A middlebox in front of a relay, a program of its own.

    stripper.py ADDRESS PORT TO PORT

It overwrites STARTTLS in what it passes on, as firewalls that inspect SMTP do.
"""
# Copyright: (c) 2026, the mailops.smtp authors
# SPDX-License-Identifier: GPL-3.0-or-later

import asyncio
import re
import sys


async def pump(reader, writer, what, by):
    try:
        while True:
            line = await reader.readline()
            if not line:
                break
            writer.write(re.sub(what, by, line))
            await writer.drain()
    except (OSError, ValueError):
        pass
    finally:
        writer.close()


async def main():
    address, port, to, to_port = sys.argv[1:]

    async def serve(reader, writer):
        far_reader, far_writer = await asyncio.open_connection(to, int(to_port))
        await asyncio.gather(
            pump(far_reader, writer, rb"^(250[- ])STARTTLS\b", rb"\1XXXXXXXA"),
            pump(reader, far_writer, rb"(?i)^STARTTLS\b", b"XXXXXXXA"),
        )

    server = await asyncio.start_server(serve, address, int(port))
    async with server:
        await server.serve_forever()


asyncio.run(main())
