"""The flow transformer: what is heard, a few seconds known already, and noise -> which way the noise should go.

Every token sees all others of its window. Adaptive layer norms bring the time of the flow in (as in DiT); what is heard
and what is known of the motion are added at the entrance. About 300,000 parameters.
"""

import jax
import jax.numpy as jnp
import numpy as np

from .channels import CHANNELS, STRIDE
from .hearing import HEARD

WIDTH, LAYERS, HEADS, INNER, PAST = 64, 4, 4, 3, 0.8
# The known beginning of a window is at most PAST of it.
WINDOW_SECONDS = 3.2
C = len(CHANNELS)


def heard_columns(form):
    """columns of what is heard a token: a token of two frames hears both"""
    return len(HEARD) * STRIDE[form]


def create(seed, columns, tokens):
    """-> parameters; those of the layers lie one upon the other"""
    rng = np.random.default_rng(seed)

    def dense(a, b, scale=1.0, many=()):
        w = scale * rng.standard_normal((*many, a, b)) / np.sqrt(a)
        return {"w": w.astype(np.float32), "b": np.zeros((*many, b), np.float32)}

    layer = lambda a, b, scale=1.0: dense(a, b, scale, (LAYERS,))
    return {
        # noise, known motion, which tokens are known
        "enter": dense(2 * C + 1, WIDTH), "hear": dense(3 * columns, WIDTH), "deaf": np.zeros(WIDTH, np.float32),
        "place": (0.02 * rng.standard_normal((tokens, WIDTH))).astype(np.float32),
        "time1": dense(64, WIDTH), "time2": dense(WIDTH, WIDTH),
        "layers": {
            "qkv": layer(WIDTH, 3 * WIDTH), "out": layer(WIDTH, WIDTH, 0.3), "up": layer(WIDTH, INNER * WIDTH),
            "down": layer(INNER * WIDTH, WIDTH, 0.3), "adapt": layer(WIDTH, 6 * WIDTH, 0.0),
        },
        "adapt": dense(WIDTH, 2 * WIDTH, 0.0), "leave": dense(WIDTH, C, 0.0),
    }


def parameters(p):
    return sum(x.size for x in jax.tree.leaves(p))


def linear(p, x):
    return x @ p["w"] + p["b"]


def normal(x):
    x = x - x.mean(-1, keepdims=True)
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5)


def velocity(p, x, t, heard, known, mask, deaf):
    """x, known [batch, tokens, C]; t, deaf [batch]; heard [batch, tokens, columns]; mask [batch, tokens, 1] -> like x"""
    b, n, _ = x.shape
    angles = t[:, None] * 1000.0 * jnp.exp(-np.log(10000.0) * jnp.arange(32) / 32)
    time = jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], -1)
    time = linear(p["time2"], jax.nn.silu(linear(p["time1"], time)))
    time = jax.nn.silu(time)
    beside = jnp.pad(heard, ((0, 0), (1, 1), (0, 0)), mode="edge")
    heard = linear(p["hear"], jnp.concatenate([beside[:, :-2], heard, beside[:, 2:]], -1))
    heard = jnp.where(deaf[:, None, None], p["deaf"], heard)
    h = linear(p["enter"], jnp.concatenate([x, known * mask, mask], -1)) + heard + p["place"]

    def block(h, layer):
        s1, g1, o1, s2, g2, o2 = jnp.split(linear(layer["adapt"], time)[:, None], 6, -1)
        y = normal(h) * (1 + s1) + g1
        q, k, v = jnp.moveaxis(linear(layer["qkv"], y).reshape(b, n, 3, HEADS, WIDTH // HEADS), 2, 0)
        weights = jax.nn.softmax(jnp.einsum("bqhd,bkhd->bhqk", q, k) * (WIDTH // HEADS) ** -0.5, -1)
        y = jnp.einsum("bhqk,bkhd->bqhd", weights, v).reshape(b, n, WIDTH)
        h = h + (1 + o1) * linear(layer["out"], y)
        y = normal(h) * (1 + s2) + g2
        return h + (1 + o2) * linear(layer["down"], jax.nn.gelu(linear(layer["up"], y))), None

    h, _ = jax.lax.scan(block, h, p["layers"])
    scale, move = jnp.split(linear(p["adapt"], time)[:, None], 2, -1)
    return linear(p["leave"], normal(h) * (1 + scale) + move)


def mega_flops(tokens, columns):
    """of one look at a window: two for every weight that a token meets, and attention"""
    a_token = (2 * C + 1) * WIDTH + 3 * columns * WIDTH + C * WIDTH
    a_token += LAYERS * (4 * WIDTH * WIDTH + 2 * INNER * WIDTH * WIDTH + 2 * tokens * WIDTH)
    once = LAYERS * 6 * WIDTH * WIDTH + 2 * WIDTH * WIDTH + 65 * WIDTH
    return 2e-6 * (tokens * a_token + once)
