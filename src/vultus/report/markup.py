"""HTML that cannot be injected into: text is escaped unless it is Markup, and only `element` makes Markup."""

import base64
import io
from collections.abc import Iterable
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

VOID = frozenset(("img", "br", "meta", "hr"))
QUALITY = 84  # of WebP: below the eye's threshold at these sizes, a third of PNG's bytes


class Markup(str):
    """HTML that is already escaped."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | int) -> Markup:
    """`<name attributes>children</name>`; plain strings are escaped, `_` in an attribute's name becomes `-`."""
    given = "".join(f' {k.rstrip("_").replace("_", "-")}="{escape(str(v))}"' for k, v in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{join(children)}</{name}>")


def join(parts: Iterable[str]) -> Markup:
    """Parts one after the other, escaped where they are plain text."""
    return Markup("".join(p if isinstance(p, Markup) else escape(p) for p in parts))


def picture(pixels: NDArray[np.uint8], alt: str) -> Markup:
    """An `<img>` that carries its pixels (H, W, 3 or 4) as WebP."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=QUALITY, method=2)
    data = base64.b64encode(buffer.getvalue()).decode()
    height, width = pixels.shape[:2]
    return element("img", src=f"data:image/webp;base64,{data}", alt=alt, width=width, height=height)


def figure(content: str, caption: str, **attributes: str | int) -> Markup:
    """A `<figure>` with its caption below."""
    return element("figure", content, element("figcaption", caption), **attributes)
