"""`vultus benchmark`: plans, runs, prints; the flags are the fields of BenchmarkConfig."""

from rich.console import Console
from tyro.conf import OmitArgPrefixes

from vultus.benchmark.config import BenchmarkConfig

screen = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def benchmark(config: OmitArgPrefixes[BenchmarkConfig], dry_run: bool = False) -> None:
    """Methods × seeds pre-trained on equal terms, read on every set and task → one table with its statistics.

    Stopped at any point, the same command goes on with what is missing. Writes benchmark.md and benchmark.html.

    Args:
        dry_run: Only tell what would be done, and how long it may take.
    """
    from vultus.benchmark.planning import plan
    from vultus.benchmark.run import overview, rates_of, run

    def tell(line: str) -> None:
        screen.print(line, style="dim")

    made = plan(config)
    screen.print(overview(made, rates_of(made, tell) if dry_run else None))
    if dry_run:
        return
    try:
        outcome = run(made, tell)
    except KeyboardInterrupt:
        screen.print("stopped; what is finished is kept: repeat the command to go on")
        raise SystemExit(130) from None
    screen.print(f"the table lies in {outcome.markdown} and {outcome.page}")
    if outcome.failures:
        told = "\n".join(f"  {failure.what}: {failure.error}" for failure in outcome.failures)
        screen.print(f"{len(outcome.failures)} failed; repeat the command to try again:\n{told}")
        raise SystemExit(1)
