"""Writing at once instead of at the end of the loop's iteration."""

import asyncio
import os


class Immediate:
    """Writes to a socket past its transport whenever the transport holds nothing back.

    uvloop keeps writes until every callback has run and the loop has polled once more; on a path of four hops
    between processes that is a measurable part of the latency. Whatever the kernel does not take goes the usual way.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.fileno = int(transport.get_extra_info("socket").fileno())

    def write(self, data: bytes) -> None:
        """Send bytes, in order with all others written here or to the transport."""
        transport = self.transport
        written = 0
        # A closing transport may have given its file number away.
        if not transport.is_closing() and transport.get_write_buffer_size() == 0:
            try:
                written = os.write(self.fileno, data)
            except OSError:
                written = 0
        if written < len(data):
            transport.write(data[written:] if written else data)
