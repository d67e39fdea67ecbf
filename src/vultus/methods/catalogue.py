"""The methods by name."""

from vultus.methods.pcl import PCL, PCLConfig
from vultus.methods.simclr import SimCLR, SimCLRConfig

MethodConfig = PCLConfig | SimCLRConfig

METHODS = {"pcl": (PCLConfig, PCL), "simclr": (SimCLRConfig, SimCLR)}


def method_name(config: MethodConfig) -> str:
    """The name under which the class of `config` is listed."""
    return next(name for name, (kind, _) in METHODS.items() if isinstance(config, kind))


def build_method(config: MethodConfig, size: int) -> PCL | SimCLR:
    """The method that `config` sets, for views of `size` pixels a side."""
    match config:
        case PCLConfig():
            return PCL(config, size)
        case SimCLRConfig():
            return SimCLR(config, size)
