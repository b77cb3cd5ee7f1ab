"""A bare httpx GET in a process that has loaded nothing else: CPU seconds, the mean of the quickest of five portions.

python tests/benchmarks/get.py URL [ETAG]
"""

from __future__ import annotations

import asyncio
import sys
import time

import httpx

ROUNDS = 200


async def cost(url: str, headers: dict[str, str]) -> float:
    """What one GET takes."""
    portions = []
    async with httpx.AsyncClient() as client:
        await client.get(url, headers=headers)
        for _ in range(5):
            began = time.process_time()
            for _ in range(ROUNDS // 5):
                await client.get(url, headers=headers)
            portions.append((time.process_time() - began) / (ROUNDS // 5))
    return min(portions)


if __name__ == "__main__":
    print(asyncio.run(cost(sys.argv[1], {"if-none-match": sys.argv[2]} if len(sys.argv) > 2 else {})))
