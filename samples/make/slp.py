"""pyslp as a server and a client of the Service Location Protocol, version 2. It is of
before Python 3.11, which took two things away from asyncio: they are given back here.

  slp.py serve ADDRESS [SERVICE-TYPE URL ATTRIBUTES]    until it is stopped
  slp.py find ADDRESS SERVICE-TYPE [SERVER]             services, and the attributes of each;
                                                        asks everyone, or just SERVER
  slp.py register ADDRESS SERVICE-TYPE URL ATTRIBUTES   and takes it back
"""
import asyncio, sys, types

asyncio.coroutine = types.coroutine
wait = asyncio.wait
asyncio.wait = lambda waiting, **options: wait([asyncio.ensure_future(one) for one in waiting], **options)

from pyslp.slpd import SLPDServer
from pyslp.slptool import SLPClient, SLPClientError

role, host, *rest = sys.argv[1:]
EVERYONE, PORT = "239.255.255.253", 427


@types.coroutine
def serve(service_type=None, url=None, attributes=""):
    server = SLPDServer()
    updating = asyncio.ensure_future(server.update([host], PORT, EVERYONE))
    while host not in server.lifetime:
        yield from asyncio.sleep(0.1)
    if url:
        server.services[host][service_type] = {url}
        server.lifetime[host][url] = 65535
        server.url_entries[host][url] = {"attr_list": attributes, "lifetime": 65535, "service_type": service_type}
    yield from updating


@types.coroutine
def find(service_type, where=EVERYONE):
    client = SLPClient(host, mcast_group=where, mcast_port=PORT, loop=asyncio.get_running_loop())
    try:
        for url in (yield from client.findsrvs(service_type))[0][0]:
            print(url, (yield from client.findattrs(url)))
    except SLPClientError:
        print("no answer")


@types.coroutine
def register(service_type, url, attributes):
    client = SLPClient(host, loop=asyncio.get_running_loop())
    yield from client.register(service_type, url, attributes)
    yield from client.deregister(url)


async def main():
    await {"serve": serve, "find": find, "register": register}[role](*rest)

asyncio.run(main())
