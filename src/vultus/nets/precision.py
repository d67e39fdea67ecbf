"""Which arithmetic a device is fast in."""

from contextlib import AbstractContextManager, nullcontext

import torch


def has_bf16(device: str) -> bool:
    """Whether bf16 is computed natively: on CPUs AVX512_BF16 or AMX, on accelerators what torch says."""
    kind = torch.device(device).type
    if kind == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return kind == "cuda" and torch.cuda.is_bf16_supported()


def autocast(device: str, precision: str = "auto") -> AbstractContextManager[object]:
    """bf16 autocast where the device has it (`auto`), always (`bf16`) or never (`fp32`)."""
    if precision == "fp32" or (precision == "auto" and not has_bf16(device)):
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)
