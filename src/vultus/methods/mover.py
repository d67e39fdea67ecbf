"""Two pictures of a face → how one is moved to the other: what FAb-Net learns from, and part of what `vultus` does."""

import torch
from torch import Tensor, nn

from vultus.methods.losses import l1
from vultus.nets.flow import FlowDecoder, warp


class Mover(nn.Module):
    """Narrow codes of an encoder's maps, and the flow that two of them say.

    values: of a flattened map; embedding: of a code; size: of the pictures; reach: longest flow, in halves of the side.
    """

    def __init__(self, values: int, embedding: int, size: int, reach: float) -> None:
        super().__init__()
        self.embed = nn.Linear(values, embedding)
        self.flow = FlowDecoder(2 * embedding, size, reach=reach)

    def code(self, maps: Tensor) -> Tensor:
        """The codes (B, embedding) of maps (B, …)."""
        out: Tensor = self.embed(maps.flatten(1))
        return out

    def drawn(self, images: Tensor, codes: Tensor, towards: Tensor) -> Tensor:
        """Pictures of the given codes moved to where the codes `towards` are."""
        return warp(images, self.flow(torch.cat([codes, towards], 1)))

    def missed(self, frames: Tensor, codes: Tensor) -> Tensor:
        """L1 of pictures and what is drawn of each from its other: (2B, …), row k and row B + k show one person.

        for each pair: loss += | target − drawn(source) | + | source − drawn(target) |, means over pixels and channels
        return loss / 2B
        """
        return l1(self.drawn(frames, codes, _exchanged(codes)), _exchanged(frames))

    def pictures(self, images: Tensor, encoder: nn.Module) -> dict[str, Tensor]:
        """Each face moved to where its mirror image and the next face are, by name, by codes of the encoder's maps."""
        mirrored = images.flip(-1)
        codes, theirs = self.code(encoder(torch.cat([images, mirrored]))).chunk(2)
        return {
            "original": images,
            "mirror image": mirrored,
            "drawn as mirror image": self.drawn(images, codes, theirs),
            "next face": images.roll(-1, 0),
            "drawn as next face": self.drawn(images, codes, codes.roll(-1, 0)),
        }


def _exchanged(halves: Tensor) -> Tensor:
    """The second half before the first."""
    return torch.cat(halves.chunk(2)[::-1])
