# The library's random draws once more, in numpy: Philox 4x32-10 with the counters of core/random.hpp.
"""Philox 4x32-10 after Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).

Written from the paper, not from the library, so that the weights of the fixtures need not be stored: both sides draw
them. key = seed (low word first); counter = (block, item, epoch << 8 | copy, purpose << 16 | node).
"""

import numpy as np

PURPOSE = {
    "initial_weights": 1,
    "order": 2,
    "dropout": 3,
    "flip": 4,
    "hold_out": 5,
    "sample": 6,
    "synthetic": 7,
    "noise": 8,
    "derangement": 9,
    "start": 10,
    "resample": 11,
}

LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def philox(counter, key):
    """counter: four uint32 arrays (or numbers) of one shape, key: two numbers. Gives four uint32 arrays."""
    a, b, c, d = np.broadcast_arrays(*[np.asarray(x, dtype=np.uint64) for x in counter])
    k0, k1 = (int(k) for k in key)
    for _ in range(10):
        first, second = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b, c, d = (
            (second >> HALF) ^ b ^ np.uint64(k0),
            second & LOW,
            (first >> HALF) ^ d ^ np.uint64(k1),
            first & LOW,
        )
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return [x.astype(np.uint32) for x in (a, b, c, d)]


def words(seed, purpose, count, node=0, item=0, epoch=0, copy=0):
    """The first `count` 32-bit words of a stream: word e is lane e % 4 of block e // 4."""
    blocks = np.arange((count + 3) // 4, dtype=np.uint64)
    lanes = philox(
        (blocks, item, (epoch << 8) | copy, (PURPOSE[purpose] << 16) | node), (seed & 0xFFFFFFFF, seed >> 32)
    )
    return np.stack(lanes, axis=1).reshape(-1)[:count]


def uniform(drawn):
    """Words to float32 in [0, 1) on a grid of 2^-24."""
    return (drawn >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def symmetric(drawn, limit):
    """Words to float32 in [-limit, limit), one rounding: 2 u - 1 is exact."""
    return (np.float32(2) * uniform(drawn) - np.float32(1)) * np.float32(limit)


def check():
    """The known answers published with Random123 (its kat_vectors), which the library's generator also gives."""
    known = [
        ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ]
    for counter, key, answer in known:
        given = " ".join(f"{int(w):08x}" for w in philox(counter, key))
        assert given == answer, (counter, key, given, answer)


if __name__ == "__main__":
    check()
    print("philox: known answers reproduced")
