"""What both messages and requests can ask for, as the texts that answer them."""

import asyncio

from holdfast import connections, http, topics


def published(delivery: topics.Delivery) -> str:
    return f"queued {delivery.queued} full {delivery.full}"


def send_to(connection: str, text: str) -> str:
    try:
        connections.send(connection, text)
    except connections.Gone:
        return "gone"
    return "queued"


async def fetch(url: str) -> str:
    try:
        response = await http.fetch(url)
        return f"{response.status} {await response.text()}"
    except http.FetchError as error:
        return f"error: {error}"


async def sleep(milliseconds: str) -> str:
    await asyncio.sleep(int(milliseconds) / 1000)
    return "slept"
